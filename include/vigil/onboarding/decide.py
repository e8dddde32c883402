"""Detects what answers and labels of a log mean: the positive class, the decision for high scores, the label delay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.words import Task
from vigil.onboarding.columns import Holds, Look

if TYPE_CHECKING:
    import pandas as pd

CLASSES = 100  # more answers than these are numbers, not classes
CLEAR = 0.05  # AUC from 0.5, below which a score does not tell which label it is of
TRUE = ("1", "yes", "true", "y", "t")


class Meaning(Spec):
    """Of a binary log: the predicted label (why it is that one), the other, the decision that goes with high scores."""

    positive: str
    why: str = ""
    negative: str
    threshold: float
    decisions: tuple[str, ...]  # those there are, the one for high scores first
    deserving: Mapping[str, str]  # decision -> the label for which it was right


def task_of(prediction: Look | None, score: Look | None, label: Look | None) -> Task:
    """Binary, multiclass or regression, from the answers."""
    answer = prediction or label
    if answer is None or (prediction is None and score is not None):
        return Task.BINARY
    if answer.holds is Holds.NUMBER and (answer.distinct > CLASSES or not answer.whole or answer.distinct > 20):
        return Task.REGRESSION
    return Task.BINARY if answer.distinct <= 2 else Task.MULTICLASS


def meaning(
    frame: pd.DataFrame, *, prediction: str | None, score: str | None, label: str | None, said: str | None = None
) -> Meaning:
    """What the columns of a binary log say together. Columns hold text, the score a number in [0, 1].

    said: the predicted label, where people said it. Raises DataError where no row has it.
    """
    import pandas as pd

    scores = pd.to_numeric(frame[score], errors="coerce") if score else None
    labels = sorted(map(str, frame[label].dropna().unique())) if label else []
    if said is not None and labels and said not in labels:
        raise DataError(f"--positive {said}: the labels are {', '.join(labels)}")
    positive, why = (said, "as you said") if said else _positive(frame, labels, label, scores, prediction)
    negative = next((level for level in labels if level != positive), f"not_{positive}")
    decisions = _decisions(frame, prediction, scores, positive)
    threshold = 0.5
    if scores is not None and prediction is not None and len(decisions) == 2:
        above = scores[frame[prediction] == decisions[0]]
        below = scores[frame[prediction] == decisions[1]]
        low, high = float(below.max()), float(above.min())
        threshold = _round_between(low, high) if low <= high else 0.5
    right = {decision: positive if n == 0 else negative for n, decision in enumerate(decisions)}
    return Meaning(
        positive=positive, negative=negative, threshold=threshold, decisions=decisions, deserving=right, why=why
    )


def _positive(
    frame: pd.DataFrame, labels: list[str], label: str | None, scores: Any, prediction: str | None
) -> tuple[str, str]:
    """(the label that high scores clearly go with, why); else the one that sounds like yes, or the rarer one."""
    if not labels or label is None:
        answers = sorted(map(str, frame[prediction].dropna().unique())) if prediction else []
        return next((a for a in answers if a.lower() in TRUE), "1"), "no label tells; check it"
    if scores is not None and len(labels) == 2:
        first, doubt = _above(scores, frame[label], labels)
        if abs(first - 0.5) > max(doubt, CLEAR):
            return labels[0 if first > 0.5 else 1], f"high scores go with it (AUC {max(first, 1 - first):.2f})"
    yes = [level for level in labels if level.lower() in TRUE]
    doubtful = "the scores do not tell; check it" if scores is not None else "check it"
    if yes:
        return yes[0], f"by its name; {doubtful}"
    return str(frame[label].value_counts().index[-1]), f"the rarer label; {doubtful}"


def _above(scores: Any, given: pd.Series, labels: list[str]) -> tuple[float, float]:
    """(the AUC of the score for the first label, three standard errors of an AUC that tells nothing)."""
    known = scores.notna() & given.notna()
    ranks, first = scores[known].rank(), given[known] == labels[0]
    ones, others = int(first.sum()), int((~first).sum())
    if not ones or not others:
        return 0.5, 0.0
    auc = (float(ranks[first].sum()) - ones * (ones + 1) / 2) / (ones * others)
    return auc, 3 * math.sqrt((ones + others + 1) / (12 * ones * others))


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
    >>> _round_between(0.079, 0.08)
    0.08
    """
    for digits in range(1, 7):
        first = math.ceil(low * 10**digits)
        for number in (float(f"{first}e-{digits}"), float(f"{first + 1}e-{digits}")):
            if low < number <= high:
                return number
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
