"""How much more often the top tenth by score is positive."""

from collections.abc import Iterator

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.performance.ranking import ranked
from vigil.metrics.types import Reading

TOP = 0.10


def _of(positive: np.ndarray, negative: np.ndarray) -> float:
    """Of the bin in which the top tenth ends, the share of rows that still fits counts."""
    rows = (positive + negative)[::-1]
    room = np.clip(TOP * rows.sum() - (np.cumsum(rows) - rows), 0.0, rows)
    share = np.divide(room, rows, out=np.zeros_like(room), where=rows > 0)
    return float((positive[::-1] * share).sum() / room.sum() / (positive.sum() / rows.sum()))


def lift(given: Given) -> Iterator[Reading]:
    """Positive share among the 10 % of rows with the highest scores / that of all; 1 is chance. n: labelled rows.

    From 100 logit-spaced bins; rows of the bin in which the tenth ends count in proportion. Unknown while either class
    has fewer than 50 labelled rows. Interval: delta method. Source: Ling and Li (1998).

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> scores = {"1": (10, 30, 60), "0": (490, 360, 50)}
    >>> round(next(lift(told(Outcome(labelled=1000, scores=scores)))).value, 2)
    5.45
    """
    yield from ranked(given, _of, least=0.0, most=1 / TOP)
