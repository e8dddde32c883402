"""What the answers and the labels of a log mean: which label is predicted, from which score, with which delay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vigil.core.spec import Spec
from vigil.core.words import Task
from vigil.onboarding.columns import Holds, Look

if TYPE_CHECKING:
    import pandas as pd

CLASSES = 100  # more answers than these are numbers, not classes
TRUE = ("1", "yes", "true", "y", "t")


class Meaning(Spec):
    """Of a binary log: the predicted label, the other one, and the decision that goes with high scores."""

    positive: str
    negative: str
    threshold: float
    decisions: tuple[str, ...]  # those there are, the one for high scores first
    deserving: Mapping[str, str]  # decision -> the label for which it was right


def task_of(prediction: Look | None, score: Look | None, label: Look | None) -> Task:
    """Binary, multiclass or regression, by what is answered."""
    answer = prediction or label
    if answer is None or (prediction is None and score is not None):
        return Task.BINARY
    if answer.holds is Holds.NUMBER and (answer.distinct > CLASSES or not answer.whole or answer.distinct > 20):
        return Task.REGRESSION
    return Task.BINARY if answer.distinct <= 2 else Task.MULTICLASS


def meaning(frame: pd.DataFrame, *, prediction: str | None, score: str | None, label: str | None) -> Meaning:
    """What the columns of a binary log say together. Columns hold text, the score a number in [0, 1]."""
    import pandas as pd

    scores = pd.to_numeric(frame[score], errors="coerce") if score else None
    labels = sorted(map(str, frame[label].dropna().unique())) if label else []
    positive = _positive(frame, labels, label, scores, prediction)
    negative = next((level for level in labels if level != positive), f"not_{positive}")
    decisions = _decisions(frame, prediction, scores, positive)
    threshold = 0.5
    if scores is not None and prediction is not None and len(decisions) == 2:
        above = scores[frame[prediction] == decisions[0]]
        below = scores[frame[prediction] == decisions[1]]
        low, high = float(below.max()), float(above.min())
        threshold = _round_between(low, high) if low <= high else 0.5
    right = {decision: positive if n == 0 else negative for n, decision in enumerate(decisions)}
    return Meaning(positive=positive, negative=negative, threshold=threshold, decisions=decisions, deserving=right)


def _positive(frame: pd.DataFrame, labels: list[str], label: str | None, scores: Any, prediction: str | None) -> str:
    """The label that high scores go with; without scores the one that sounds like yes, or the rarer one."""
    if not labels or label is None:
        answers = sorted(map(str, frame[prediction].dropna().unique())) if prediction else []
        return next((a for a in answers if a.lower() in TRUE), "1")
    if scores is not None and len(labels) == 2:
        means = {level: float(scores[frame[label] == level].mean()) for level in labels}
        if all(not math.isnan(m) for m in means.values()) and len(set(means.values())) == 2:
            return max(means, key=lambda level: means[level])
    yes = [level for level in labels if level.lower() in TRUE]
    return yes[0] if yes else str(frame[label].value_counts().index[-1])


def _decisions(frame: pd.DataFrame, prediction: str | None, scores: Any, positive: str) -> tuple[str, ...]:
    """The decisions of the log, the one for high scores (or for the predicted label) first."""
    if prediction is None:
        return (positive, f"not_{positive}")
    levels = sorted(map(str, frame[prediction].dropna().unique()))
    if scores is not None:
        means = {level: float(scores[frame[prediction] == level].mean()) for level in levels}
        return tuple(sorted(levels, key=lambda level: -means[level]))
    return tuple(sorted(levels, key=lambda level: (level != positive, level.lower() not in TRUE, level)))


def _round_between(low: float, high: float) -> float:
    """The roundest number that tells below from above.

    >>> _round_between(0.2981, 0.3007), _round_between(0.49, 0.61)
    (0.3, 0.5)
    """
    for digits in range(1, 7):
        step = 0.1**digits
        for number in (math.ceil(low / step) * step, (math.ceil(low / step) + 1) * step):
            if low < number <= high:
                return round(number, digits)
    return round(high, 6)


def delay_nights(frame: pd.DataFrame, *, served: pd.Series, observed: pd.Series | None, label: str) -> int:
    """Nights until nine of ten labels are there: by their own times, else by how far the last labels lie back."""
    import numpy as np

    known = frame[label].notna() & served.notna()
    if not known.any():
        return 0
    if observed is not None and observed[known].notna().any():
        days = (observed[known] - served[known]).dt.total_seconds().clip(lower=0) / 86_400
        return math.ceil(float(np.nanquantile(days, 0.9)) - 1e-9)
    open_end: float = (served.max() - served[known].max()).total_seconds() / 86_400
    return min(400, math.floor(open_end))
