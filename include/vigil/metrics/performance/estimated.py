"""Performance while labels are missing: tonight's scores, read with the calibration of the baseline.

An estimate sees that inputs moved to where the model is weaker. It is blind to concept drift: if the same score means
something else now, only labels can tell.
"""

from collections.abc import Callable, Iterator
from math import sqrt

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.intervals import auc_interval, z_of
from vigil.metrics.performance.auc import MIN_CLASS
from vigil.metrics.performance.scored import CENTRES
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE, NO_ROWS, NOT_LOGGED, TOO_FEW, because
from vigil.metrics.types import Reading

BLIND = "estimated from scores; blind to concept drift"
Counted = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, float]]  # rows, share positive, said -> (k, n)


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


def _histograms(given: Given) -> Iterator[tuple[str, np.ndarray]]:
    """(subject, rows by score bin) of everyone and of each group, labelled or not."""
    tonight = given.tonight
    for subject, by_label in {"all": tonight.outcome.scores, **tonight.group_scores}.items():
        bins = [np.asarray(b, dtype=float) for b in by_label.values() if b]
        if bins:
            yield subject, np.sum(bins, axis=0)


def _calibrated(given: Given) -> np.ndarray | str:
    """The baseline's calibration, or why there is none."""
    if given.baseline is None:
        return NO_BASELINE
    scores = given.baseline.outcome.scores
    one, zero = (np.asarray(scores.get(label, ()), dtype=float) for label in ("1", "0"))
    if not len(one) or not len(zero) or min(one.sum(), zero.sum()) < MIN_CLASS:
        return because(TOO_FEW, f"the baseline needs {MIN_CLASS} labelled scores of each class")
    return calibration(one, zero)


def _rates(given: Given, of: Counted, empty: str) -> Iterator[Reading]:
    share = _calibrated(given)
    found = list(_histograms(given))
    if not found:
        yield unknown("all", because(NOT_LOGGED, "no scores") if given.tonight.rows else NO_ROWS)
        return
    decision = given.view.decision
    said = np.asarray(CENTRES) >= (decision.threshold if decision else 0.5)
    for subject, rows in found:
        if isinstance(share, str):
            yield unknown(subject, share, n=int(rows.sum()))
            continue
        k, n = of(rows, share, said)
        if n <= 0:
            yield unknown(subject, because(NO_ROWS, empty), n=int(rows.sum()))
            continue
        value = k / n
        half = z_of() * sqrt(max(value * (1 - value), 0.0) / n)
        low, high = max(0.0, value - half), min(1.0, value + half)
        yield Reading(subject=subject, value=value, low=low, high=high, n=int(rows.sum()), detail=BLIND)


def estimated_precision(given: Given) -> Iterator[Reading]:
    """Expected tp / predicted positive, in [0, 1], over all rows with a score; "all" and each "attribute=group".

    The baseline's labels say what share of each score bin is positive (isotonic); tonight's bins are read with it. A
    bin belongs to the side of the threshold on which its middle lies. Interval: sampling only.
    Source: NannyML's confidence-based performance estimation.

    >>> from vigil.metrics.example import scored_twice
    >>> round(next(estimated_precision(scored_twice())).value, 2)
    0.8
    """
    yield from _rates(
        given,
        lambda rows, share, said: (float((rows * share)[said].sum()), float(rows[said].sum())),
        "no score reaches the threshold",
    )


def estimated_recall(given: Given) -> Iterator[Reading]:
    """Expected tp / expected positives, in [0, 1]; see `estimated_precision`.

    >>> from vigil.metrics.example import scored_twice
    >>> round(next(estimated_recall(scored_twice())).value, 2)
    0.8
    """
    yield from _rates(
        given,
        lambda rows, share, said: (float((rows * share)[said].sum()), float((rows * share).sum())),
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
        lambda rows, share, said: (float((rows * np.where(said, share, 1 - share)).sum()), float(rows.sum())),
        "no scores",
    )


def estimated_auc(given: Given) -> Iterator[Reading]:
    """AUC of the expected positives and negatives of each score bin, in [0, 1]; see `estimated_precision`.

    Unknown where fewer than 50 of either are expected.

    >>> from vigil.metrics.example import scored_twice
    >>> round(next(estimated_auc(scored_twice())).value, 2)
    0.8
    """
    share = _calibrated(given)
    found = list(_histograms(given))
    if not found:
        yield unknown("all", because(NOT_LOGGED, "no scores") if given.tonight.rows else NO_ROWS)
    for subject, rows in found:
        n = int(rows.sum())
        if isinstance(share, str):
            yield unknown(subject, share, n=n)
            continue
        positive, negative = rows * share, rows * (1 - share)
        if min(positive.sum(), negative.sum()) < MIN_CLASS:
            yield unknown(subject, because(TOO_FEW, f"{MIN_CLASS} expected labels of each class are needed"), n=n)
            continue
        value, low, high = auc_interval(positive.tolist(), negative.tolist())
        yield Reading(subject=subject, value=value, low=low, high=high, n=n, detail=BLIND)
