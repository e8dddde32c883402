"""Mean of recall and specificity."""

from collections.abc import Iterator

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
    return (safe(tp, tp + fn) + safe(tn, tn + fp)) / 2


def balanced_accuracy(given: Given) -> Iterator[Reading]:
    """(tp / (tp + fn) + tn / (tn + fp)) / 2, in [0, 1]; 0.5 is chance, higher is better. n: labelled rows.

    Unlike accuracy it cannot be high by always saying the frequent class. Unknown without labels of both classes.
    Interval: delta method. Source: Brodersen et al. (2010).

    >>> from vigil.metrics.example import confused
    >>> round(next(balanced_accuracy(confused(tp=8, fp=10, fn=2, tn=80))).value, 3)
    0.844
    """
    now = cells(given)
    if now is None:
        yield unknown("all", absent(given))
    elif not now.sums.tp + now.sums.fn or not now.sums.tn + now.sums.fp:
        yield unknown("all", because(NO_ROWS, "the labels are all of one class"), n=now.n)
    else:
        yield from around(_of, array(now.sums), array(now.squares), n=now.n, least=0.0, most=1.0)
