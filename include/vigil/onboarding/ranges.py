"""Ranges beyond which a value is impossible: further out than a heavy tail reaches in a year.

The reach of each side is the larger of ten spans of the reference and a tail that is extrapolated with Hill's index,
taken at its upper end, to a value that is expected once in a hundred years of rows (ADR 20 has what was measured).
"""

from __future__ import annotations

from math import exp, isfinite, log, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SPANS = 10.0  # of the reference, on each side
A_YEAR = 365
EXPECTED = 0.01  # values of a year beyond the reach, were the tail as it looks
TAIL = 0.05  # of the values of a side, from which its index is read
LEAST_TAIL, MOST_TAIL = 10, 200
SURE = 2.0  # standard errors of the index
MOST_LOG = 600.0  # a reach beyond e^600 is no reach
ENDS = (0.0, 1.0, 100.0)  # where shares and percentages end
PILED = 0.01  # of the values lie at an end that is one
FEW = 20  # different whole numbers: codes, whose largest is no end


def possible(values: pd.Series, *, rows_a_night: int) -> tuple[float, float] | None:
    """(lowest, highest) value that can be; None where the values have no spread. values: finite numbers."""
    import numpy as np

    x = np.sort(values.to_numpy(dtype=float))
    if len(x) < LEAST_TAIL or not x[-1] > x[0]:
        return None
    rows, middle = A_YEAR * max(rows_a_night, 1), float(np.median(x))
    low = _end(x, lowest=True)
    high = _end(x, lowest=False)
    if low is None:
        low = min(float(x[0]) - SPANS * float(x[-1] - x[0]), middle - _tail(middle - x[x < middle], len(x), rows))
    if high is None:
        high = max(float(x[-1]) + SPANS * float(x[-1] - x[0]), middle + _tail(x[x > middle] - middle, len(x), rows))
    return (low, high) if isfinite(low) and isfinite(high) else None


def _end(x: np.ndarray, *, lowest: bool) -> float | None:
    """The natural end that the values reach and pile up at: none below 0, none above 1 or 100."""
    import numpy as np

    edge = float(x[0] if lowest else x[-1])
    if float((x == edge).mean()) < PILED or edge not in (ENDS[:1] if lowest else ENDS[1:]):
        return None
    if not lowest and float(x[0]) < 0:
        return None
    coded = bool((x % 1 == 0).all()) and len(np.unique(x)) <= FEW
    return None if coded and not lowest else edge


def _tail(away: np.ndarray, count: int, rows: int) -> float:
    """How far from the middle one side reaches: Hill (1975), extrapolated as by Weissman (1978)."""
    import numpy as np

    away = np.sort(away[away > 0])
    k = int(min(max(TAIL * len(away), LEAST_TAIL), MOST_TAIL, len(away) - 1))
    if k < 2:
        return float(away[-1]) * SPANS if len(away) else 0.0
    index = float(np.mean(np.log(away[-k:] / away[-k - 1])))
    index *= 1 + SURE / sqrt(k)
    return exp(min(MOST_LOG, log(float(away[-k - 1])) + index * log(max(1.0, k / count * rows / EXPECTED))))
