"""Training runs and registered versions of the example models. Run: `python -m examples.register iris first`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from examples import bikes, chatbot, credit, fraud, iris, marketing, served

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from vigil.adapters.mlflow_registry import MlflowRegistry
    from vigil.ports import VersionInfo

HOLDOUT_ROWS = 3000
PORTFOLIO = (fraud, marketing, chatbot, bikes)  # the bank's models beside iris and credit
KINDS = {
    fraud.MODEL: "logistic regression",
    marketing.MODEL: "logistic regression",
    chatbot.MODEL: "logistic regression over words",
    bikes.MODEL: "random forest",
}


def _by_value() -> None:
    """The answering classes travel inside the model: whoever loads it needs nothing of this repository."""
    import logging
    import warnings

    import cloudpickle

    for name in ("mlflow.pyfunc", "mlflow.store", "mlflow.utils"):
        logging.getLogger(name).setLevel(logging.ERROR)  # pickled by value on purpose, see the docstring
    warnings.filterwarnings("ignore", module="mlflow")
    for module in (served, iris, credit, *PORTFOLIO):
        cloudpickle.register_pickle_by_value(module)


def _right(seen: pd.DataFrame) -> Sequence[bool]:
    if "score" in seen:
        return list((seen["prediction"] == "deny") == (seen["label"] == "1"))
    return list(seen["prediction"] == seen["label"])


def _register(  # noqa: PLR0913
    registry: MlflowRegistry,
    model: str,
    answering: Any,
    inputs: list[str],
    holdout: pd.DataFrame,
    training: pd.DataFrame,
    params: dict[str, object],
    *,
    right: Callable[[pd.DataFrame], Sequence[bool]] = _right,
    kept: Callable[[pd.DataFrame], pd.DataFrame] = lambda seen: seen,
) -> VersionInfo:
    from vigil.adapters.mlflow_register import register_version

    _by_value()
    answers = answering.predict(None, holdout).reset_index(drop=True)
    seen = pd.concat([holdout.reset_index(drop=True), answers], axis=1)
    return register_version(
        registry,
        model=model,
        sk_or_pyfunc=answering,
        input_example=holdout[inputs].head(5),
        holdout=kept(seen),
        training_rows=training,
        params=params,
        metrics={"holdout_accuracy": float(np.mean(right(seen))), "holdout_rows": float(len(seen))},
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


def register_portfolio(registry: MlflowRegistry, example: ModuleType, which: str = "first") -> VersionInfo:
    """which: first, or rules where the example has some."""
    holdout = example.holdout()
    inputs = getattr(example, "INPUTS", None) or example.FEATURES
    how = {"right": example.right, "kept": getattr(example, "kept", lambda seen: seen)}
    if which == "rules":
        return _register(registry, example.MODEL, example.rules(), inputs, holdout, holdout, {"kind": "rules"}, **how)
    model, rows = example.train()
    params = {"kind": KINDS[example.MODEL], "rows": len(rows)}
    return _register(registry, example.MODEL, model, inputs, holdout, rows, params, **how)


if __name__ == "__main__":
    import sys
    from functools import partial

    from vigil.settings import Settings
    from vigil.wiring import open_registry

    chosen, which = sys.argv[1], sys.argv[2]
    bank = {e.__name__.rpartition(".")[2]: partial(register_portfolio, example=e) for e in PORTFOLIO}
    models: dict[str, Callable[..., VersionInfo]] = {"iris": register_iris, "credit": register_credit, **bank}
    made = models[chosen](open_registry(Settings()), which=which)
    sys.stdout.write(f"{made.model} version {made.version}\n")
