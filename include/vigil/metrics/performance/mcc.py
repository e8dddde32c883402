"""Matthews correlation coefficient."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.performance.confusion import absent
from vigil.metrics.performance.delta import around, array, safe
from vigil.metrics.performance.weights import cells
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_ROWS, because
from vigil.metrics.types import Reading


def _of(c: np.ndarray) -> float:
    tp, fp, fn, tn = c
    return safe(tp * tn - fp * fn, sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def mcc(given: Given) -> Iterator[Reading]:
    """(tp tn - fp fn) / sqrt((tp+fp)(tp+fn)(tn+fp)(tn+fn)), in [-1, 1]; 0 is chance, higher is better.

    The correlation of prediction and label: high only if both classes are found. Unknown while labels or predictions
    are all of one class. n: labelled rows. Interval: delta method. Source: Matthews (1975).

    >>> from vigil.metrics.example import confused
    >>> round(next(mcc(confused(tp=8, fp=2, fn=4, tn=86))).value, 3)
    0.698
    """
    now = cells(given)
    if now is None:
        yield unknown("all", absent(given))
        return
    tp, fp, fn, tn = now.sums
    if not (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn):
        yield unknown("all", because(NO_ROWS, "labels or predictions are all of one class"), n=now.n)
        return
    yield from around(_of, array(now.sums), array(now.squares), n=now.n, least=-1.0, most=1.0)
