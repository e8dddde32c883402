"""Area under the precision-recall curve from the score histogram."""

from collections.abc import Iterator

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.performance.ranking import ranked
from vigil.metrics.types import Reading


def _of(positive: np.ndarray, negative: np.ndarray) -> float:
    found, wrong = np.cumsum(positive[::-1]), np.cumsum(negative[::-1])
    said = found + wrong
    precision = np.divide(found, said, out=np.zeros_like(found), where=said > 0)
    return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])


def average_precision(given: Given) -> Iterator[Reading]:
    """Sum over thresholds of (recall - recall before) x precision, in [0, 1]; higher is better. n: labelled rows.

    The share of positives is chance level, so compare it with nights of the same share. From 100 logit-spaced bins:
    rows of one bin count as tied. Unknown while either class has fewer than 50 labelled rows. Interval: delta method.
    Source: Davis and Goadrich (2006); scikit-learn's `average_precision_score`.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> scores = {"1": (10, 30, 60), "0": (60, 30, 10)}
    >>> round(next(average_precision(told(Outcome(labelled=200, scores=scores)))).value, 3)
    0.772
    """
    yield from ranked(given, _of, least=0.0, most=1.0)
