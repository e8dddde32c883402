"""Divergences between two sets of counts on the same bins: the formulas, without anything of Vigil around them."""

from collections.abc import Sequence
from math import log, log2, sqrt

Counts = Sequence[float]
SMOOTH = 0.5  # added to every bin (Jeffreys' prior), so that a bin that is empty on one side stays finite


def occupied(p: Counts, q: Counts) -> tuple[list[float], list[float]]:
    """Both without the bins that are empty on both sides: they say nothing. Raises ValueError for different lengths.

    >>> occupied([3, 0, 1], [5, 0, 0])
    ([3, 1], [5, 0])
    """
    kept = [(x, y) for x, y in zip(p, q, strict=True) if x or y]
    return [x for x, _ in kept], [y for _, y in kept]


def smoothed(counts: Counts) -> list[float]:
    """Counts as shares that sum to 1 and are never 0."""
    total = sum(counts) + SMOOTH * len(counts)
    return [(c + SMOOTH) / total for c in counts]


def psi(p: Counts, q: Counts) -> float:
    """Population stability index sum((p - q) ln(p / q)) of smoothed shares, in nats; 0 is equal, no upper bound.

    p, q: counts, shape (bins,), on the same bins; bins empty on both sides are left out. Raises ValueError for
    different lengths. Source: Jeffreys (1946), J-divergence; Siddiqi (2006) for the name.

    >>> round(psi([5000, 5000], [4000, 6000]), 4)
    0.0405
    """
    a, b = occupied(p, q)
    return sum((x - y) * log(x / y) for x, y in zip(smoothed(a), smoothed(b), strict=True))


def jensen_shannon(p: Counts, q: Counts) -> float:
    """Square root of the Jensen-Shannon divergence in bits, in [0, 1]; 0 is equal, 1 is nothing in common.

    p, q: counts, shape (bins,), on the same bins; empty bins need no smoothing. Raises ValueError for different
    lengths, ZeroDivisionError for no counts. Source: Lin (1991); Endres and Schindelin (2003) for the distance.

    >>> round(jensen_shannon([5000, 5000], [4000, 6000]), 4), jensen_shannon([1, 0], [0, 1])
    (0.0854, 1.0)
    """
    n, m = sum(p), sum(q)
    return sqrt(jensen_shannon_bits([x / n for x in p], [x / m for x in q]))


def jensen_shannon_bits(a: Counts, b: Counts) -> float:
    """The divergence itself, of shares, in [0, 1] bits."""
    mixed = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
    total = sum(_term(x, mid) + _term(y, mid) for x, y, mid in zip(a, b, mixed, strict=True))
    return min(max(total / 2, 0.0), 1.0)


def _term(share: float, mid: float) -> float:
    return share * log2(share / mid) if share > 0 else 0.0
