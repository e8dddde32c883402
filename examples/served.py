"""How the example models answer: a pyfunc that returns `prediction` as text, and `score` for a binary model.

The classes are pickled by value (see `register`), so a process that loads a model needs nothing of this repository.
"""

from collections.abc import Callable
from typing import Any

import mlflow
import numpy as np
import pandas as pd


class Decider(mlflow.pyfunc.PythonModel):
    """Denies when the estimated probability of default reaches the threshold."""

    def __init__(self, estimator: Any, inputs: list[str], threshold: float) -> None:
        self.estimator, self.inputs, self.threshold = estimator, inputs, threshold

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """`prediction` approve or deny, `score` the probability of default."""
        del context, params
        score = self.estimator.predict_proba(model_input[self.inputs])[:, 1]
        answer = np.where(score >= self.threshold, "deny", "approve")
        return pd.DataFrame({"prediction": answer, "score": score})


class Classifier(mlflow.pyfunc.PythonModel):
    """Answers with the class."""

    def __init__(self, estimator: Any, inputs: list[str]) -> None:
        self.estimator, self.inputs = estimator, inputs

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """`prediction`: the class's name."""
        del context, params
        return pd.DataFrame({"prediction": self.estimator.predict(model_input[self.inputs])})


class Rules(mlflow.pyfunc.PythonModel):
    """Rules that people wrote: they stand in when no version can be trusted."""

    def __init__(self, rule: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        self.rule = rule

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """What the rule says."""
        del context, params
        return self.rule(model_input)
