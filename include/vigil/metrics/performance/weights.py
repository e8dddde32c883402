"""Counts of a night, or sums of sampling weights where a logged row stands for several real requests."""

from typing import NamedTuple

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.performance.confusion import Counts, counts, table
from vigil.profiles.types import Outcome

BINS = 100  # of `profiles.edges.SCORE_EDGES`


class Cells(NamedTuple):
    """A binary confusion table: sums of weights, sums of their squares (both the counts without weights), rows."""

    sums: Counts
    squares: Counts
    n: int


class Scores(NamedTuple):
    """Score histograms by label, shape (bins,) each: sums of weights, and of their squares; rows of each label."""

    positive: np.ndarray
    negative: np.ndarray
    positive_squares: np.ndarray
    negative_squares: np.ndarray
    positives: int
    negatives: int


def cells(given: Given) -> Cells | None:
    """Tonight's table; None without labelled rows or a declared decision.

    >>> from vigil.metrics.example import confused
    >>> cells(confused(tp=8, fp=2)).sums
    Counts(tp=8, fp=2, fn=0, tn=0)
    """
    plain, decision = table(given.tonight), given.view.decision
    if not plain or decision is None:
        return None
    rows = counts(plain, decision.positive)
    outcome = given.tonight.outcome
    if not given.view.weighted or not outcome.weighted:
        return Cells(rows, rows, sum(rows))
    pairs = {tuple(key.split("\t", 1)): of for key, of in outcome.weighted.items()}
    sums, squares = ({pair: of[i] for pair, of in pairs.items()} for i in (0, 1))
    return Cells(counts(sums, decision.positive), counts(squares, decision.positive), sum(rows))  # type: ignore[arg-type]


def effective(k: float, n: float, squares: float) -> tuple[float, float]:
    """(k, n) of as many equally weighted rows as tell the same: Kish's effective sample size.

    Source: Kish (1965), Survey Sampling, section 11.7.

    >>> effective(5.0, 10.0, 10.0), effective(140.0, 280.0, 3920.0)
    ((5.0, 10.0), (10.0, 20.0))
    """
    size = n * n / squares if squares else 0.0
    return (k / n * size if n else 0.0), size


def scores(given: Given) -> Scores | None:
    """Tonight's labelled scores; None where there are none."""
    outcome = given.tonight.outcome
    plain = {label: outcome.scores.get(label, ()) for label in ("1", "0")}
    m, n = sum(plain["1"]), sum(plain["0"])
    if not m and not n:
        return None
    if not given.view.weighted or not outcome.weighted_scores:
        one, zero = (_array(plain[label]) for label in ("1", "0"))
        return Scores(one, zero, one, zero, m, n)
    one, zero = (_array(outcome.weighted_scores.get(label, ())) for label in ("1", "0"))
    return Scores(one, zero, one * _weight(given, outcome, "1"), zero * _weight(given, outcome, "0"), m, n)


def _array(bins: tuple[float, ...]) -> np.ndarray:
    return np.asarray(bins, dtype=float) if bins else np.zeros(BINS)


def _weight(given: Given, outcome: Outcome, label: str) -> float:
    """Mean of a label's squared weights over the mean weight: exact where the weight depends on the label alone."""
    decision = given.view.decision
    positive = decision.positive if decision else "1"
    mine = [w for key, w in outcome.weighted.items() if (key.split("\t", 1)[1] == positive) == (label == "1")]
    total, squares = sum(w for w, _ in mine), sum(s for _, s in mine)
    return squares / total if total else 1.0
