"""Registering a version so that it can be promoted, verified, replayed and traced years later."""

import json
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.mlflow_session import experiment_id, quiet_mlflow, registry_errors
from vigil.adapters.mlflow_tags import (
    COMMIT,
    DATASET,
    DIRTY,
    HOLDOUT,
    HOLDOUT_FILE,
    INPUTS,
    MANIFEST,
    MANIFEST_FILE,
    MANIFEST_SHA,
    MANIFEST_TAG_BYTES,
)
from vigil.adapters.model_files import file_sha256, manifest_digest, manifest_of
from vigil.core.errors import RegistryError
from vigil.ports import VersionInfo

if TYPE_CHECKING:
    import pandas as pd

    from vigil.adapters.mlflow_registry import MlflowRegistry

TRUSTED = ("sklearn.", "numpy.", "scipy.", "builtins.", "collections.")  # types a scikit-learn model may hold
REQUIREMENTS = ("mlflow", "scikit-learn", "pandas", "numpy", "scipy", "skops", "cloudpickle")


def dataset_sha256(frame: "pd.DataFrame") -> str:
    """SHA-256 of the whole content: every cell, column names and kinds of numbers; not the order of rows or columns.

    Missing values (None, NaN, NaT) are one and the same. A repeated row counts each time.

    >>> import pandas as pd
    >>> a = pd.DataFrame({"x": [1, 2], "y": ["u", None]})
    >>> dataset_sha256(a) == dataset_sha256(a.iloc[::-1][["y", "x"]])
    True
    """
    names = sorted(frame.columns, key=str)
    columns = [_plain(frame[name]) for name in names]
    rows = sorted(sha256(json.dumps(row).encode()).digest() for row in zip(*columns, strict=True))
    whole = sha256(json.dumps([[str(n) for n in names], len(frame)]).encode())
    for row in rows:
        whole.update(row)
    return whole.hexdigest()


def _plain(column: "pd.Series[Any]") -> list[Any]:
    """Cells as JSON values: numbers stay numbers, everything else becomes text, missing becomes null."""
    missing = column.isna().tolist()
    values = column.tolist()
    kept = (bool, int, float, str)
    return [None if gone else v if isinstance(v, kept) else str(v) for gone, v in zip(missing, values, strict=True)]


def git_state(folder: Path) -> dict[str, str]:
    """Commit and dirty flag of the work tree that `folder` lies in, as tags; empty without git or a commit."""
    git = shutil.which("git")
    if git is None:
        return {}

    def ask(*words: str) -> str | None:
        done = subprocess.run([git, "-C", str(folder), *words], capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    commit, changes = ask("rev-parse", "HEAD"), ask("status", "--porcelain")
    if not commit:
        return {}
    return {COMMIT: commit, DIRTY: "true" if changes or changes is None else "false"}


def register_version(  # noqa: PLR0913 - everything that makes a version traceable, by keyword
    registry: "MlflowRegistry",
    *,
    model: str,
    sk_or_pyfunc: Any,
    input_example: "pd.DataFrame",
    holdout: "pd.DataFrame",
    training_rows: "pd.DataFrame",
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    tags: Mapping[str, str] | None = None,
    code_paths: Sequence[str] = (),
) -> VersionInfo:
    """Logs a training run and registers its model as a new version. No alias is moved: `vigil promote` does that.

    sk_or_pyfunc: a fitted scikit-learn estimator, an `mlflow.pyfunc.PythonModel`, or the path of a
        models-from-code script. code_paths: files or folders its own classes live in; they go with the model.
    input_example: a few rows of the model's inputs; the signature is inferred from them.
    holdout: rows the model was not trained on, with the log's columns: features, protected attributes,
        `prediction`, `score` where there is one, and `label`. They become the version's baseline.
    training_rows: all rows it was trained on; their digest is recorded, the rows are not.
    Raises RegistryError when MLflow refuses, or the model holds types that cannot be loaded safely.
    """
    if "label" not in holdout.columns or "prediction" not in holdout.columns:
        raise RegistryError(f"holdout of {model!r}: columns `prediction` and `label` are needed, has {list(holdout)}")
    client, mlflow, digest = registry.client, quiet_mlflow(), dataset_sha256(training_rows)
    notes = {DATASET: digest, **git_state(Path.cwd()), **(tags or {})}
    with registry_errors(f"registering {model!r}", uri=registry.tracking_uri), _pointed(registry.tracking_uri):
        experiment = experiment_id(client, f"{model}/training", uri=registry.tracking_uri)
        with mlflow.start_run(experiment_id=experiment, tags=notes) as run:
            mlflow.log_params(dict(params))
            mlflow.log_metrics(dict(metrics))
            _log_dataset(training_rows, name=f"{model}-training", digest=digest)
            logged = _log_model(sk_or_pyfunc, input_example, code_paths)
            notes |= _log_holdout(client, run.info.run_id, holdout)
            notes |= {INPUTS: json.dumps(_inputs(logged.signature))}
            notes |= _log_manifest(client, run.info.run_id, logged.model_uri, registry.tracking_uri)
        _ensure_model(client, model)
        made = client.create_model_version(
            model, logged.model_uri, run_id=run.info.run_id, tags=notes, model_id=logged.model_id
        )
    return registry.version(model, str(made.version))


@contextmanager
def _pointed(uri: str) -> Iterator[None]:
    """MLflow's global address, set for the model flavours, and set back."""
    mlflow = quiet_mlflow()
    before, before_registry = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        mlflow.set_registry_uri(before_registry)


def _log_dataset(rows: "pd.DataFrame", *, name: str, digest: str) -> None:
    mlflow = quiet_mlflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about integer columns that might have been null: these rows are known
        dataset = mlflow.data.from_pandas(rows, name=name, digest=digest[:36])  # MLflow's longest
        mlflow.log_input(dataset, context="training")


def _log_model(model: Any, example: "pd.DataFrame", code_paths: Sequence[str]) -> Any:
    mlflow = quiet_mlflow()
    given: dict[str, Any] = {
        "name": "model",
        "input_example": example,
        "pip_requirements": [f"{name}=={installed(name)}" for name in REQUIREMENTS],
        "code_paths": list(code_paths) or None,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(model, str | Path):
            return mlflow.pyfunc.log_model(python_model=str(model), **given)
        if isinstance(model, mlflow.pyfunc.PythonModel):
            return mlflow.pyfunc.log_model(python_model=model, **given)
        return mlflow.sklearn.log_model(model, skops_trusted_types=_trusted_types(model), **given)


def _trusted_types(model: Any) -> list[str]:
    """The types skops must be told to load; only those of the numeric libraries are allowed."""
    import skops.io  # type: ignore[import-untyped]

    found = [str(t) for t in skops.io.get_untrusted_types(data=skops.io.dumps(model))]
    foreign = [t for t in found if not t.startswith(TRUSTED)]
    if foreign:
        raise RegistryError(
            f"the model holds {', '.join(foreign)}: such types cannot be loaded safely from a scikit-learn model; "
            "log it as a pyfunc with `code_paths`"
        )
    return found


def _log_holdout(client: Any, run_id: str, holdout: "pd.DataFrame") -> dict[str, str]:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / Path(HOLDOUT_FILE).name
        holdout.to_parquet(path, index=False)
        client.log_artifact(run_id, str(path), artifact_path=str(Path(HOLDOUT_FILE).parent))
        return {HOLDOUT: file_sha256(path)}


def _inputs(signature: Any) -> dict[str, str]:
    """Column -> MLflow type; empty for a model without named columns."""
    if signature is None or signature.inputs is None or not signature.inputs.has_input_names():
        return {}
    return {c.name: getattr(c.type, "name", str(c.type)) for c in signature.inputs.inputs}


def _log_manifest(client: Any, run_id: str, model_uri: str, uri: str) -> dict[str, str]:
    """Hashes what lies in the store now, so that upload errors show too."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        folder.mkdir()
        quiet_mlflow().artifacts.download_artifacts(artifact_uri=model_uri, dst_path=str(folder), tracking_uri=uri)
        (folder / "registered_model_meta").unlink(missing_ok=True)
        manifest = manifest_of(folder)
        text = json.dumps(manifest)
        if len(text) <= MANIFEST_TAG_BYTES:
            return {MANIFEST: text}
        path = Path(place) / Path(MANIFEST_FILE).name
        path.write_text(text)
        client.log_artifact(run_id, str(path), artifact_path=str(Path(MANIFEST_FILE).parent))
        return {MANIFEST_SHA: manifest_digest(manifest)}


def _ensure_model(client: Any, model: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(model)
