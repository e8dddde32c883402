"""Performance while labels are missing: tonight's scores, read with the calibration of the baseline.

An estimate sees that inputs moved to where the model is weaker. It is blind to concept drift: if the same score means
something else now, only labels can tell.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.intervals import auc_interval, z_of
from vigil.metrics.performance.auc import MIN_CLASS
from vigil.metrics.performance.scored import CENTRES
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE, NO_ROWS, NOT_LOGGED, TOO_FEW, WhyNot, because
from vigil.metrics.types import Reading

BLIND = "estimated from scores; blind to concept drift"
# rows of each score bin, the share of them that is positive, those that were predicted positive -> (k, n)
Counted = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, float]]


def calibration(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """P(label = 1) of each score bin: isotonic regression of the labels, weighted by rows; empty bins interpolate.

    positive, negative: shape (bins,), labelled rows. Source: Zadrozny and Elkan (2002).

    >>> calibration(np.array([0.0, 5.0, 9.0]), np.array([10.0, 5.0, 1.0])).round(1).tolist()
    [0.0, 0.5, 0.9]
    """
    from scipy.optimize import isotonic_regression

    rows = positive + negative
    used = np.flatnonzero(rows)
    fit = isotonic_regression(positive[used] / rows[used], weights=rows[used]).x
    found: np.ndarray = np.interp(np.arange(len(rows)), used, fit)
    return found


class _Scores(NamedTuple):
    """Scores of everyone or of one group, labelled or not: sums of weights by bin, or why not; rows.

    overruled: "1" | "0" -> sums of weights by bin, of rows whose logged decision is not what the threshold says.
    against: how many such rows.
    """

    subject: str
    bins: np.ndarray | WhyNot
    n: int
    overruled: Mapping[str, Sequence[float]] = {}
    against: int = 0

    def positive(self, by_threshold: np.ndarray) -> np.ndarray:
        """Rows of each bin that were predicted positive: by the decision that was logged, else by the threshold."""
        rows = np.asarray(self.bins)
        found = rows * by_threshold
        for side, sign in (("1", 1.0), ("0", -1.0)):
            if self.overruled.get(side):
                found = found + sign * np.asarray(self.overruled[side], dtype=float)
        clipped: np.ndarray = np.clip(found, 0.0, rows)
        return clipped

    @property
    def detail(self) -> str:
        """What the estimate rests on."""
        if not self.against:
            return BLIND
        other = (
            f"{self.against:,} of {self.n:,} decisions are not what the threshold says; those that were logged count"
        )
        return f"{other}; {BLIND}"


def _histograms(given: Given) -> Iterator[_Scores]:
    """Of everyone and of each group. A group's scores are counted without sampling weights: there is no estimate."""
    outcome, weighted = given.tonight.outcome, given.view.weighted
    for subject, by_label in {"all": outcome.scores, **given.tonight.group_scores}.items():
        kept = outcome.weighted_scores if weighted and subject == "all" else by_label
        bins = [np.asarray(b, dtype=float) for b in kept.values() if b]
        n = sum(sum(b) for b in by_label.values())
        against = outcome.overruled if subject == "all" else given.tonight.group_overruled.get(subject, {})
        other = outcome.weighted_overruled if weighted and subject == "all" else against
        if weighted and subject != "all":
            yield _Scores(subject, because(NOT_LOGGED, "a group's scores have no sampling weights"), n)
        elif bins:
            yield _Scores(subject, np.sum(bins, axis=0), n, other, sum(map(sum, against.values())))


def _alike(given: Given) -> float:
    """How many equally weighted rows one unit of weight is worth (Kish), by the baseline's labelled rows."""
    kept = given.baseline.outcome.weighted.values() if given.baseline and given.view.weighted else ()
    total, squares = sum(w for w, _ in kept), sum(s for _, s in kept)
    return total / squares if squares else 1.0


def _calibrated(given: Given) -> np.ndarray | WhyNot:
    """The baseline's calibration, or why there is none."""
    if given.baseline is None:
        return NO_BASELINE
    outcome = given.baseline.outcome
    counts = [sum(outcome.scores.get(label, ())) for label in ("1", "0")]
    if min(counts) < MIN_CLASS:
        return because(TOO_FEW, f"the baseline needs {MIN_CLASS} labelled scores of each class")
    kept = outcome.weighted_scores if given.view.weighted else outcome.scores
    one, zero = (np.asarray(kept.get(label, ()), dtype=float) for label in ("1", "0"))
    if not one.sum() or not zero.sum():
        return because(NO_BASELINE, "its scores have no sampling weights")
    return calibration(one, zero)


def _rates(given: Given, of: Counted, empty: str) -> Iterator[Reading]:
    share, alike = _calibrated(given), _alike(given)
    found = list(_histograms(given))
    if not found:
        yield unknown("all", because(NOT_LOGGED, "no scores") if given.tonight.rows else NO_ROWS)
        return
    decision = given.view.decision
    said = np.asarray(CENTRES) >= (decision.threshold if decision else 0.5)
    for one in found:
        if isinstance(one.bins, WhyNot):
            yield unknown(one.subject, one.bins, n=one.n)
            continue
        if isinstance(share, WhyNot):
            yield unknown(one.subject, share, n=one.n)
            continue
        k, n = of(one.bins, share, one.positive(said))
        if n <= 0:
            yield unknown(one.subject, because(NO_ROWS, empty), n=one.n)
            continue
        value = k / n
        half = z_of() * sqrt(max(value * (1 - value), 0.0) / (n * alike))
        low, high = max(0.0, value - half), min(1.0, value + half)
        yield Reading(subject=one.subject, value=value, low=low, high=high, n=one.n, detail=one.detail)


def estimated_precision(given: Given) -> Iterator[Reading]:
    """Expected tp / predicted positive, in [0, 1], over all rows with a score; "all" and each "attribute=group".

    The baseline's labels say what share of each score bin is positive (isotonic); tonight's bins are read with it. A
    bin belongs to the side of the threshold on which its middle lies; rows whose logged decision is the other one count
    as they were decided, and the detail says how many they are. Interval: sampling only. With sampling weights,
    "all" is of weighted rows on both sides, and groups are unknown.
    Source: NannyML's confidence-based performance estimation.

    >>> from vigil.metrics.example import scored_twice
    >>> round(next(estimated_precision(scored_twice())).value, 2)
    0.8
    """
    yield from _rates(
        given,
        lambda _, share, said: (float((said * share).sum()), float(said.sum())),
        "nothing was predicted positive",
    )


def estimated_recall(given: Given) -> Iterator[Reading]:
    """Expected tp / expected positives, in [0, 1]; see `estimated_precision`.

    >>> from vigil.metrics.example import scored_twice
    >>> round(next(estimated_recall(scored_twice())).value, 2)
    0.8
    """
    yield from _rates(
        given,
        lambda rows, share, said: (float((said * share).sum()), float((rows * share).sum())),
        "no positive is expected",
    )


def estimated_accuracy(given: Given) -> Iterator[Reading]:
    """Expected right predictions / rows with a score, in [0, 1]; see `estimated_precision`.

    >>> from vigil.metrics.example import scored_twice
    >>> round(next(estimated_accuracy(scored_twice())).value, 2)
    0.8
    """
    yield from _rates(
        given,
        lambda rows, share, said: (float((said * share + (rows - said) * (1 - share)).sum()), float(rows.sum())),
        "no scores",
    )


def estimated_auc(given: Given) -> Iterator[Reading]:
    """AUC of the expected positives and negatives of each score bin, in [0, 1]; see `estimated_precision`.

    Unknown where fewer than 50 of either are expected.

    >>> from vigil.metrics.example import scored_twice
    >>> round(next(estimated_auc(scored_twice())).value, 2)
    0.8
    """
    share, alike = _calibrated(given), _alike(given)
    found = list(_histograms(given))
    if not found:
        yield unknown("all", because(NOT_LOGGED, "no scores") if given.tonight.rows else NO_ROWS)
    for one in found:
        if isinstance(one.bins, WhyNot):
            yield unknown(one.subject, one.bins, n=one.n)
            continue
        if isinstance(share, WhyNot):
            yield unknown(one.subject, share, n=one.n)
            continue
        rows = one.bins * alike
        positive, negative = rows * share, rows * (1 - share)
        if min(positive.sum(), negative.sum()) < MIN_CLASS:
            why = because(TOO_FEW, f"{MIN_CLASS} expected labels of each class are needed")
            yield unknown(one.subject, why, n=one.n)
            continue
        value, low, high = auc_interval(positive.tolist(), negative.tolist())
        yield Reading(subject=one.subject, value=value, low=low, high=high, n=one.n, detail=BLIND)
