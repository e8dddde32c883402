"""Jensen-Shannon distance of each feature against the baseline, on the monitor's own bins."""

from collections.abc import Iterator
from math import log, log2, sqrt

from vigil.metrics.drift.bins import Counts, compare, noise, scatter
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.types import Reading


def jensen_shannon(p: Counts, q: Counts) -> float:
    """Square root of the Jensen-Shannon divergence in bits, in [0, 1]; 0 means equal, 1 means nothing in common.

    p, q: counts, shape (bins,), on the same bins; empty bins need no smoothing. Raises ValueError for different
    lengths. Source: Lin (1991); Endres and Schindelin (2003) for the distance.

    >>> round(jensen_shannon([5000, 5000], [4000, 6000]), 4), jensen_shannon([1, 0], [0, 1])
    (0.0854, 1.0)
    """
    n, m = sum(p), sum(q)
    return sqrt(_divergence([x / n for x in p], [x / m for x in q]))


def _divergence(a: Counts, b: Counts) -> float:
    mixed = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
    total = sum(_term(x, mid) + _term(y, mid) for x, y, mid in zip(a, b, mixed, strict=True))
    return min(max(total / 2, 0.0), 1.0)


def _term(share: float, mid: float) -> float:
    return share * log2(share / mid) if share > 0 else 0.0


def limits(p: Counts, q: Counts) -> tuple[float, float]:
    """95 % limits with the sampling noise of both sides taken out; the lower one is 0 for noise alone.

    Near equality the divergence in bits is PSI / (8 ln 2), whose noise is known (`bins.noise`); beside it the delta
    method for the shares of both sides. Both on the divergence, then the root. Never above 1 or below the raw value.
    """
    n, m = sum(p), sum(q)
    a, b = [x / n for x in p], [x / m for x in q]
    of_a = [_slope(x, y) for x, y in zip(a, b, strict=True)]
    of_b = [_slope(y, x) for x, y in zip(a, b, strict=True)]
    mean, sd = (part / (8 * log(2)) for part in noise(len(a), n, m))
    raw = _divergence(a, b)
    half = z_of() * sqrt(sd**2 + scatter(of_a, a, n) + scatter(of_b, b, m))
    return sqrt(max(0.0, raw - mean - half)), sqrt(min(1.0, max(raw, raw - mean + half)))


def _slope(share: float, other: float) -> float:
    return log2(2 * share / (share + other)) / 2 if share > 0 else 0.0


def js_reading(subject: str, p: Counts, q: Counts) -> Reading:
    """The raw distance, its limits, and tonight's rows."""
    low, high = limits(p, q)
    return Reading(subject=subject, value=jensen_shannon(p, q), low=low, high=high, n=int(sum(p)))


def js(given: Given) -> Iterator[Reading]:
    """Distance in [0, 1] of each feature, missing values as a bin of their own; see `jensen_shannon`.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> night = NumericColumn(rows=10_000, bins=(5000, 5000))
    >>> round(next(js(feature(night, NumericColumn(rows=10_000, bins=(4000, 6000))))).value, 4)
    0.0854
    """
    return compare(given, js_reading)
