"""Area under the ROC curve from the fine score histogram."""

from collections.abc import Iterator

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.intervals import auc_interval
from vigil.metrics.performance.confusion import absent
from vigil.metrics.performance.weights import scores
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_ROWS, TOO_FEW, because
from vigil.metrics.types import Reading

MIN_CLASS = 50  # labelled rows of each class below which the interval does not hold its level


def auc(given: Given) -> Iterator[Reading]:
    """P(a positive's score > a negative's), ties half, in [0, 1]; 0.5 is chance, higher is better. n: labelled rows.

    From 100 logit-spaced bins: off by at most half the share of pairs that fall into one bin. Unknown while either
    class has fewer than 50 labelled rows. With sampling weights a pair counts as often as its weights' product, and the
    interval is of Kish's effective rows. Source: DeLong, DeLong and Clarke-Pearson (1988), see `auc_interval`.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> scores = {"1": (10, 30, 60), "0": (60, 30, 10)}
    >>> round(next(auc(told(Outcome(labelled=200, scores=scores)))).value, 3)
    0.825
    """
    now = scores(given)
    if now is None:
        yield unknown("all", absent(given))
        return
    m, n = now.positives, now.negatives
    if min(m, n) < MIN_CLASS:
        words = f"{m} positive and {n} negative labels, {MIN_CLASS} of each are needed"
        yield unknown("all", because(TOO_FEW, words), n=m + n)
        return
    one, zero = _equal(now.positive, now.positive_squares), _equal(now.negative, now.negative_squares)
    if not one.any() or not zero.any():
        yield unknown("all", because(NO_ROWS, "the rows of a class weigh nothing"), n=m + n)
        return
    value, low, high = auc_interval(one.tolist(), zero.tolist())
    yield Reading(subject="all", value=value, low=low, high=high, n=m + n)


def _equal(sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """As many equally weighted rows as tell the same (Kish's effective size); the counts where nothing is weighted.

    sums, squares: shape (bins,), of the weights and of their squares.
    """
    noise = float(squares.sum())
    return sums * (float(sums.sum()) / noise) if noise else sums
