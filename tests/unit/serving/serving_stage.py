"""A registry on plain folders that several processes can see, a log that keeps tables, and small real models."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa

from vigil.adapters.model_files import check_manifest, manifest_of
from vigil.config.schema import Monitor
from vigil.core.errors import RegistryError
from vigil.core.words import Role
from vigil.ports import ServingState
from vigil.serving.app import create_app
from vigil.serving.settings import GatewaySettings

PETALS = ["petal_length", "petal_width"]
ROW = {"petal_length": 1.4, "petal_width": 0.2}


class FolderRegistry:
    """`root/<model>/<version>/` has the files, `<version>.json` beside it their manifest, `state.json` the aliases."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.verified: list[tuple[str, str]] = []
        self.down = False

    def add(self, model: str, version: str, files: Path) -> None:
        to = self.root / model / version
        shutil.copytree(files, to)
        (self.root / model / f"{version}.json").write_text(json.dumps(manifest_of(to)))

    def point(
        self,
        model: str,
        champion: str | None,
        *,
        fallback: str | None = None,
        challenger: str | None = None,
        serve: str = "champion",
    ) -> None:
        state = ServingState(champion=champion, fallback=fallback, challenger=challenger, serve=Role(serve))
        draft = self.root / model / "state.draft"
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(state.model_dump_json())
        draft.replace(self.root / model / "state.json")

    def serving(self, model: str) -> ServingState:
        if self.down:
            raise RegistryError("the registry is down")
        path = self.root / model / "state.json"
        if not path.exists():
            raise RegistryError(f"model {model!r} is not registered")
        return ServingState.model_validate_json(path.read_text())

    def verify(self, model: str, version: str) -> Path:
        self.verified.append((model, version))
        folder = self.root / model / version
        if not folder.exists():
            raise RegistryError(f"model {model!r} has no version {version}")
        manifest = json.loads((self.root / model / f"{version}.json").read_text())
        check_manifest(folder, manifest, what=f"model {model!r} version {version}")
        return folder


class KeptLog:
    """Batches by id, each once; `fails_before` / `fails_after`: so many writes raise before or after their commit."""

    def __init__(self) -> None:
        self.batches: dict[str, tuple[str, pa.Table]] = {}
        self.fails_before = 0
        self.fails_after = 0

    def write_predictions(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        if self.fails_before:
            self.fails_before -= 1
            raise OSError("the log is away")
        self.batches.setdefault(batch_id, (model, rows))
        if self.fails_after:
            self.fails_after -= 1
            raise OSError("the answer of the log was lost")
        return (batch_id,)

    def rows(self, model: str | None = None) -> list[dict[str, Any]]:
        return [row for name, table in self.batches.values() if model in (None, name) for row in table.to_pylist()]


def iris(**changes: Any) -> Monitor:
    return Monitor.model_validate(
        {
            "version": "vigil/v1",
            "model": "iris",
            "task": "multiclass",
            "features": dict.fromkeys(PETALS, "numeric"),
            "people": {"owner": "ada@example.com"},
            **changes,
        }
    )


def credit(**changes: Any) -> Monitor:
    return Monitor.model_validate(
        {
            "version": "vigil/v1",
            "model": "credit",
            "environment": "staging",
            "task": "binary",
            "data": {"score": "score", "prediction": "decision"},
            "features": {"income": "numeric", "age": "numeric", "branch": "category"},
            "decision": {"positive": "1", "favourable": "0", "deserving": "0"},
            "protected": [{"attribute": "sex", "reference": "m"}],
            "people": {"owner": "ada@example.com"},
            **changes,
        }
    )


SCRIPT = """
import time
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Model(PythonModel):
    def predict(self, context, model_input, params=None):
        {body}


set_model(Model())
"""
BODIES = {
    "frame": "return pd.DataFrame({'prediction': ['0', '1'][: len(model_input)], 'score': [0.25, float('nan')][: len(model_input)]})",  # noqa: E501
    "broken": "raise ValueError(f'cannot score {model_input.to_dict()}')",
    "short": "return [1]",
    "narrow": "return ['1'] * len(model_input)",
    "sleeper": "time.sleep(4)",
    "slow": "time.sleep(2); return ['1'] * len(model_input)",
    "hanging": "time.sleep(3600)",
    "quitter": "raise SystemExit(3)",
}


def save_models(folder: Path) -> Mapping[str, Path]:
    """Constant irises `setosa` and `virginica`, a logistic `credit`, `unsigned`, and pyfuncs from BODIES."""
    import mlflow.pyfunc
    import mlflow.sklearn
    import pandas as pd
    from mlflow.models import infer_signature
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression

    petals = pd.DataFrame({"petal_length": [1.0, 5.0], "petal_width": [0.2, 2.0]})
    people = pd.DataFrame({"income": [1.0, 9.0, 2.0, 8.0], "age": [20, 60, 30, 50]})
    made: dict[str, tuple[Any, pd.DataFrame]] = {
        name: (DummyClassifier(strategy="constant", constant=name).fit(petals, ["setosa", "virginica"]), petals)
        for name in ("setosa", "virginica")
    }
    made["credit"] = (LogisticRegression().fit(people, [1, 0, 1, 0]), people)
    needs = ["scikit-learn"]
    for name, (model, frame) in made.items():
        signature = infer_signature(frame, model.predict(frame))
        mlflow.sklearn.save_model(model, folder / name, signature=signature, pip_requirements=needs)
    mlflow.sklearn.save_model(made["setosa"][0], folder / "unsigned", pip_requirements=needs)
    for name, body in BODIES.items():
        script, takes = folder / f"{name}.py", people[["income"]] if name == "narrow" else people
        script.write_text(SCRIPT.format(body=body))
        mlflow.pyfunc.save_model(
            folder / name, python_model=str(script), signature=infer_signature(takes), pip_requirements=needs
        )
    return {path.name: path for path in folder.iterdir() if path.is_dir()}


def app(registry: Any, log: Any, folder: Path, monitors: list[Monitor], **settings: Any) -> Any:
    return create_app(
        registry,
        log,
        models={monitor.model: monitor for monitor in monitors},
        spool=folder / "spool",
        settings=GatewaySettings(**{"poll_seconds": 0.05, "compact_seconds": 3600, **settings}),
    )


@contextmanager
def served(application: Any) -> Iterator[str]:
    """The application on a real port of this machine; its address."""
    import time

    import uvicorn

    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="warning"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
