"""How the example models answer: a pyfunc that returns `prediction` as text, and `score` for a binary model.

The classes are pickled by value (see `register`), so a process that loads a model needs nothing of this repository.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel


class Decider(PythonModel):
    """Says the second answer when the estimated probability reaches the threshold: of default, of fraud, of a sale."""

    def __init__(
        self, estimator: Any, inputs: list[str], threshold: float, answers: tuple[str, str] = ("approve", "deny")
    ) -> None:
        self.estimator, self.inputs, self.threshold, self.answers = estimator, inputs, threshold, answers

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """`prediction` one of the two answers, `score` the probability."""
        del context, params
        score = self.estimator.predict_proba(model_input[self.inputs])[:, 1]
        answer = np.where(score >= self.threshold, self.answers[1], self.answers[0])
        return pd.DataFrame({"prediction": answer, "score": score})


class Classifier(PythonModel):
    """Answers with the class."""

    def __init__(self, estimator: Any, inputs: list[str]) -> None:
        self.estimator, self.inputs = estimator, inputs

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """`prediction`: the class's name."""
        del context, params
        return pd.DataFrame({"prediction": self.estimator.predict(model_input[self.inputs])})


class Forecaster(PythonModel):
    """Answers with a number, never below 0."""

    def __init__(self, estimator: Any, inputs: list[str]) -> None:
        self.estimator, self.inputs = estimator, inputs

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """`prediction`: the number."""
        del context, params
        return pd.DataFrame({"prediction": np.clip(self.estimator.predict(model_input[self.inputs]), 0, None)})


class Bot(PythonModel):
    """Names the intent of a message, and replies with that intent's template; what it is unsure of goes to people."""

    def __init__(self, estimator: Any, replies: dict[str, str], handoff: str, unsure: float, lost: float) -> None:
        self.estimator, self.replies, self.handoff = estimator, replies, handoff
        self.unsure, self.lost = unsure, lost  # confidence below which people answer; below which it is no known topic

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """`prediction`, `confidence`, `ranking` (the five likeliest), `reply`, and what became of the request."""
        del context, params
        chances = self.estimator.predict_proba(model_input["message"])
        order = np.argsort(-chances, axis=1)[:, :5]
        named = np.asarray(self.estimator.classes_)[order]
        confidence = chances.max(axis=1)
        unsure = confidence < self.unsure
        reply = [self.handoff if u else self.replies[str(n)] for u, n in zip(unsure, named[:, 0], strict=True)]
        return pd.DataFrame(
            {
                "prediction": named[:, 0],
                "confidence": confidence.round(4),
                "ranking": ["|".join(row) for row in named],
                "reply": reply,
                "handed_off": unsure,
                "out_of_scope": confidence < self.lost,
            }
        )


class Rules(PythonModel):
    """Rules that people wrote: they stand in when no version can be trusted."""

    def __init__(self, rule: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        self.rule = rule

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """What the rule says."""
        del context, params
        return self.rule(model_input)
