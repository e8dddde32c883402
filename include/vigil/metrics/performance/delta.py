"""Standard errors of smooth functions of counts, by the delta method."""

from collections.abc import Callable, Iterator, Sequence
from math import sqrt

import numpy as np

from vigil.metrics.intervals import z_of
from vigil.metrics.types import Reading

STEP = 1e-4  # of a cell's own count, at least of one row


def error(of: Callable[[np.ndarray], float], cells: np.ndarray, squares: np.ndarray | None = None) -> float:
    """Standard error of `of(cells)`, a number that does not change when all cells grow alike (a share, a ratio).

    cells: shape (k,), counts or sums of sampling weights. squares: shape (k,), the sums of squared weights; by default
    the counts themselves. Such a function has sum(cell * slope) = 0, so the multinomial variance is
    sum(slope^2 * squares). Slopes are central differences. Source: Efron and Tibshirani (1993), chapter 21.

    >>> round(error(lambda c: c[0] / c.sum(), np.array([30.0, 70.0])), 4)
    0.0458
    """
    spent = np.asarray(cells, dtype=float)
    noise = spent if squares is None else np.asarray(squares, dtype=float)
    total = 0.0
    for i in np.flatnonzero(spent):
        step = max(1.0, spent[i]) * STEP
        up, down = spent.copy(), spent.copy()
        up[i] += step
        down[i] -= step
        total += ((of(up) - of(down)) / (2 * step)) ** 2 * noise[i]
    return sqrt(total)


def around(
    of: Callable[[np.ndarray], float],
    cells: np.ndarray,
    squares: np.ndarray | None = None,
    *,
    n: int,
    least: float = float("-inf"),
    most: float = float("inf"),
    detail: str = "",
) -> Iterator[Reading]:
    """One reading "all" with its normal interval, cut at the least and the most it can be."""
    value = of(np.asarray(cells, dtype=float))
    half = z_of() * error(of, cells, squares)
    low, high = max(least, value - half), min(most, value + half)
    yield Reading(subject="all", value=value, low=low, high=high, n=n, detail=detail)


def safe(part: float, whole: float) -> float:
    """part / whole, and 0 where there is no whole.

    >>> safe(1.0, 0.0)
    0.0
    """
    return part / whole if whole else 0.0


def array(values: Sequence[float]) -> np.ndarray:
    """As an array of floats."""
    return np.asarray(values, dtype=float)
