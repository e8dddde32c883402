"""Bin edges: fixed ones for scores and latency, fitted ones for features, and the digest that guards addition."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vigil.core.ids import digest
from vigil.profiles.types import Edges

if TYPE_CHECKING:
    import numpy as np


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# 99 edges (100 bins) evenly spaced in logit from -6.86 to 6.86 (p from 0.001 to 0.999): neighbours differ by 0.14 in
# logit, which is at most 0.035 in probability.
SCORE_EDGES: tuple[float, ...] = tuple(_logistic(0.14 * step) for step in range(-49, 50))
# 1 ms to 102 s, each edge 10 % above the last: a percentile read as its bin's upper edge is at most 10 % too high.
LATENCY_EDGES_MS: tuple[float, ...] = tuple(1.1**step for step in range(122))


def edges_digest(edges: Edges) -> str:
    """Profiles add up only if they were counted on the same edges; this is how they know."""
    kept = edges.model_dump(mode="json")
    return digest({k: v for k, v in kept.items() if v or k in ("numeric", "levels")}, length=16)


def fit(values: "np.ndarray", bins: int) -> tuple[float, ...]:
    """Strictly increasing finite edges: just below the smallest value, bins - 1 quantiles, the largest value.

    So the first and the last bin hold exactly what lies outside the range of the reference, and are empty on it. Equal
    quantiles are one edge: a constant column has two edges, and one bin between them that holds it.
    values: shape (n,), may hold NaN and infinities. Raises ValueError when no value is finite, or for bins < 1.

    >>> import numpy as np
    >>> [round(e, 6) for e in fit(np.arange(101.0), 4)]
    [-0.0, 25.0, 50.0, 75.0, 100.0]
    """
    import numpy as np

    if bins < 1:
        raise ValueError(f"a column needs at least one bin, not {bins}")
    floats = np.asarray(values, dtype=float)
    finite = floats[np.isfinite(floats)]
    if finite.size == 0:
        raise ValueError("no finite value to fit bin edges to")
    with np.errstate(over="ignore", invalid="ignore"):  # quantiles of values near 1e308 overflow: not kept
        inner = np.quantile(finite, np.linspace(0, 1, bins + 1)[1:-1])
        below = np.nextafter(finite.min(), -np.inf)
    edges = np.unique(np.concatenate([[below], inner, [finite.max()]]))
    return tuple(float(e) for e in edges[np.isfinite(edges)])


def tails(edges: Sequence[float]) -> tuple[float, float]:
    """(lo, hi): a column's sums are kept for the values up to lo and above hi, its outermost bins of the reference.

    `fit` puts the first and the last edge at the reference's own smallest and largest value, so the bins beside them
    are the long ones of a skewed column. Fewer than three edges have none: then the tails are what lies outside.

    >>> tails((0.0, 1.0, 5.0, 90.0)), tails((0.0, 1.0))
    ((1.0, 5.0), (0.0, 1.0))
    """
    return (edges[1], edges[-2]) if len(edges) > 2 else (edges[0], edges[-1])


def single(edges: Sequence[float]) -> tuple[float, ...]:
    """The edges to which numbers of four bytes are compared, so that each falls where the number that it was does.

    Kept in four bytes, 0.1 is 0.100000001490…, beyond an edge at 0.1. So the edges are rounded as the numbers were; the
    first one, which `fit` puts just below the smallest number, stays below it. Some may become equal.

    >>> single((math.nextafter(0.1, 0), 0.1)), single((0.0, 0.5))
    ((0.09999999403953552, 0.10000000149011612), (0.0, 0.5))
    """
    import numpy as np

    most = float(np.finfo(np.float32).max)
    rounded = np.clip(np.asarray(edges, dtype=float), -most, most).astype(np.float32)
    if len(edges) and float(rounded[0]) != edges[0]:  # as numbers of eight bytes
        smallest = np.float32(np.clip(np.nextafter(edges[0], np.inf), -most, most))
        rounded[0] = min(rounded[0], np.nextafter(smallest, np.float32(-np.inf)))
    return tuple(float(e) for e in rounded)


def bin_of(value: float, edges: Sequence[float]) -> int:
    """The bin j with edges[j-1] < value <= edges[j].

    >>> [bin_of(v, (1.0, 2.0)) for v in (1.0, 1.5, 2.1)]
    [0, 1, 2]
    """
    return sum(value > edge for edge in edges)
