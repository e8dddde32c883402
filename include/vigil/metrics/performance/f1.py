"""Harmonic mean of precision and recall."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.intervals import wilson
from vigil.metrics.performance.confusion import absent
from vigil.metrics.performance.weights import cells, effective
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_ROWS, because
from vigil.metrics.types import Reading


def f1(given: Given) -> Iterator[Reading]:
    """2 tp / (2 tp + fp + fn), in [0, 1]; higher is better. n: labelled rows.

    F1 = 2 J / (1 + J) with J = tp / (tp + fp + fn), which grows with J; so the limits are those of Wilson's interval
    of the proportion J, carried over. Source: van Rijsbergen (1979), chapter 7.

    >>> from vigil.metrics.example import confused
    >>> reading = next(f1(confused(tp=8, fp=2, fn=4, tn=86)))
    >>> round(reading.value, 3), round(reading.low, 3), round(reading.high, 3)
    (0.727, 0.492, 0.88)
    """
    now = cells(given)
    if now is None:
        yield unknown("all", absent(given))
        return
    hit, touched = now.sums.tp, now.sums.tp + now.sums.fp + now.sums.fn
    if not touched:
        yield unknown("all", because(NO_ROWS, "nothing is positive, by label or by prediction"), n=now.n)
        return
    k, n = effective(hit, touched, now.squares.tp + now.squares.fp + now.squares.fn)
    value, low, high = (2 * j / (1 + j) for j in (k / n, *wilson(k, n)))
    yield Reading(subject="all", value=value, low=low, high=high, n=now.n)
