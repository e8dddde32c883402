"""MLflow, imported quietly: no telemetry, no progress bars, short timeouts, and our own errors."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from vigil.core.errors import NotRegistered, RegistryError

DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # MLflow waits 120 s, 7 times: a gateway cannot
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}


@cache
def quiet_mlflow() -> Any:
    """The mlflow module. Telemetry is off before the import; timeouts may be set by the environment."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    import mlflow

    return mlflow


def _no_model(error: Any) -> bool:
    return error.error_code == "RESOURCE_DOES_NOT_EXIST" and "Registered Model" in str(error)


@contextmanager
def registry_errors(what: str, *, uri: str) -> Iterator[None]:
    """Turns MLflow's errors, and those of the connection to it, into RegistryError."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        yield
    except MlflowException as error:
        text = _shown(str(error).splitlines()[0])[:400]
        kind = NotRegistered if _no_model(error) else RegistryError
        raise kind(f"{what}: MLflow says {error.error_code}: {text} (tracking URI {_shown(uri)})") from error
    except RequestException as error:
        raise RegistryError(
            f"{what}: MLflow at {_shown(uri)} does not answer ({type(error).__name__}); is the server up?"
        ) from error


def experiment_id(client: Any, name: str, *, uri: str) -> str:
    """The experiment's id; it is made when it is missing. With an SQLite store, artefacts lie beside the database."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=_artifact_location(uri, name)))
        except MlflowException:  # somebody else made it just now; anything else fails again below
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise RegistryError(f"MLflow experiment {name!r} is deleted; restore it with `mlflow experiments restore`")
    return str(found.experiment_id)


def _artifact_location(uri: str, name: str) -> str | None:
    if not uri.startswith("sqlite:///"):
        return None  # the server knows where
    folder = Path(uri.removeprefix("sqlite:///")).resolve().parent
    return (folder / "mlartifacts" / name).as_uri()


def _shown(text: str) -> str:
    """The text without user names and passwords in addresses."""
    return re.sub(r"//[^/@\s]+@", "//", text)
