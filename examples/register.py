"""Training runs and registered versions of the example models. Run: `python -m examples.register iris|credit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from examples import credit, iris, served

if TYPE_CHECKING:
    from vigil.adapters.mlflow_registry import MlflowRegistry
    from vigil.ports import VersionInfo

HOLDOUT_ROWS = 3000


def _by_value() -> None:
    """The answering classes travel inside the model: whoever loads it needs nothing of this repository."""
    import logging
    import warnings

    import cloudpickle

    for name in ("mlflow.pyfunc", "mlflow.store", "mlflow.utils"):
        logging.getLogger(name).setLevel(logging.ERROR)  # pickled by value on purpose, see the docstring
    warnings.filterwarnings("ignore", module="mlflow")
    for module in (served, iris, credit):
        cloudpickle.register_pickle_by_value(module)


def _register(
    registry: MlflowRegistry,
    model: str,
    answering: Any,
    inputs: list[str],
    holdout: pd.DataFrame,
    training: pd.DataFrame,
    params: dict[str, object],
) -> VersionInfo:
    from vigil.adapters.mlflow_register import register_version

    _by_value()
    answers = answering.predict(None, holdout).reset_index(drop=True)
    seen = pd.concat([holdout.reset_index(drop=True), answers], axis=1)
    right = seen["prediction"] == seen["label"]
    if "score" in seen:
        right = (seen["prediction"] == "deny") == (seen["label"] == "1")
    return register_version(
        registry,
        model=model,
        sk_or_pyfunc=answering,
        input_example=holdout[inputs].head(5),
        holdout=seen,
        training_rows=training,
        params=params,
        metrics={"holdout_accuracy": float(right.mean()), "holdout_rows": float(len(seen))},
        tags={"kind": str(params["kind"])},
    )


def register_iris(registry: MlflowRegistry, which: str) -> VersionInfo:
    """which: first, second (random forests) or rules."""
    rng = np.random.default_rng([11, *which.encode()])
    holdout = iris.resampled(HOLDOUT_ROWS, np.random.default_rng(1936))
    if which == "rules":
        inputs = ["petal_length_cm", "petal_width_cm"]
        return _register(registry, iris.MODEL, iris.rules(), inputs, holdout, holdout, {"kind": "rules"})
    trees = {"first": 30, "second": 60}[which]
    model, rows = iris.train(rng, trees=trees)
    params = {"kind": "random forest", "trees": trees, "rows": len(rows), "noise_cm": iris.NOISE_CM}
    return _register(registry, iris.MODEL, model, iris.FEATURES, holdout, rows, params)


def register_credit(registry: MlflowRegistry, which: str) -> VersionInfo:
    """which: first, second, bad (logistic regressions) or rules."""
    pool = credit.clients()[1]
    holdout = pool.iloc[np.random.default_rng(2009).choice(len(pool), HOLDOUT_ROWS, replace=False)]
    if which == "rules":
        inputs = credit.LATE[:2]
        return _register(registry, credit.MODEL, credit.rules(), inputs, holdout, holdout, {"kind": "rules"})
    train = {"first": credit.train_first, "second": credit.train_second, "bad": credit.train_bad}[which]
    model, rows = train()
    params = {"kind": "logistic regression", "threshold": credit.THRESHOLD, "inputs": len(model.inputs)}
    return _register(registry, credit.MODEL, model, model.inputs, holdout, rows, params)


if __name__ == "__main__":
    import sys

    from vigil.settings import Settings
    from vigil.wiring import open_registry

    chosen, which = sys.argv[1], sys.argv[2]
    made = {"iris": register_iris, "credit": register_credit}[chosen](open_registry(Settings()), which)
    sys.stdout.write(f"{made.model} version {made.version}\n")
