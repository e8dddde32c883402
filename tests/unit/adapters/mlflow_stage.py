"""A small trained registry on an SQLite file: a scikit-learn version, and pyfunc versions with faults to order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vigil.adapters.mlflow_register import register_version
from vigil.adapters.mlflow_registry import MlflowRegistry
from vigil.ports import VersionInfo

COLUMNS = ["age", "income"]


def open_registry(folder: Path) -> MlflowRegistry:
    return MlflowRegistry(f"sqlite:///{folder / 'mlflow.db'}", folder / "cache")


def rows(count: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"age": rng.uniform(20, 70, count), "income": rng.uniform(1, 9, count)})
    return frame.assign(label=(frame.age > 45).astype(int).astype(str))


def holdout() -> pd.DataFrame:
    frame = rows(20)
    return frame.assign(prediction=frame.label, score=0.5, sex=["f", "m"] * 10)


def logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = rows()
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(known[COLUMNS], known.label)


SCRIPT = """
import os, time
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Model(PythonModel):
    def predict(self, context, model_input, params=None):
        {body}


set_model(Model())
"""
SCORED = "return pd.DataFrame({'prediction': (model_input.age > 45).astype(int), 'score': model_input.age / 100})"


def script(folder: Path, name: str, body: str) -> str:
    """A models-from-code file that behaves while it is registered (two example rows) and then does `body`."""
    path = folder / f"{name}.py"
    path.write_text(SCRIPT.format(body=f"if len(model_input) == 2:\n            {SCORED}\n        {body}"))
    return str(path)


def register(registry: MlflowRegistry, model: str, made: Any, tags: Mapping[str, str] | None = None) -> VersionInfo:
    return register_version(
        registry,
        model=model,
        sk_or_pyfunc=made,
        input_example=rows(2)[COLUMNS],
        holdout=holdout(),
        training_rows=rows(),
        params={"c": 1.0},
        metrics={"auc": 0.9},
        tags=tags,
    )
