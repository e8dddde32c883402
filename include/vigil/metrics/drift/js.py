"""Jensen-Shannon distance of each feature against the baseline, on the monitor's own bins."""

from collections.abc import Iterator
from math import log, log2, sqrt

from vigil.metrics.drift import divergence
from vigil.metrics.drift.bins import compare, noise, scatter
from vigil.metrics.drift.divergence import Counts
from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.types import Reading


def limits(p: Counts, q: Counts) -> tuple[float, float]:
    """95 % limits with the sampling noise of both sides taken out; the lower one is 0 for noise alone.

    Near equality the divergence in bits is PSI / (8 ln 2), whose noise is known (`bins.noise`); beside it the delta
    method for the shares of both sides. Both on the divergence, then the root. Never above 1 or below the raw value.
    """
    n, m = sum(p), sum(q)
    left, right = divergence.occupied(p, q)
    a, b = [x / n for x in left], [x / m for x in right]
    of_a = [_slope(x, y) for x, y in zip(a, b, strict=True)]
    of_b = [_slope(y, x) for x, y in zip(a, b, strict=True)]
    mean, sd = (part / (8 * log(2)) for part in noise(len(a), n, m))
    raw = divergence.jensen_shannon_bits(a, b)
    half = z_of() * sqrt(sd**2 + scatter(of_a, a, n) + scatter(of_b, b, m))
    return sqrt(max(0.0, raw - mean - half)), sqrt(min(1.0, max(raw, raw - mean + half)))


def _slope(share: float, other: float) -> float:
    return log2(2 * share / (share + other)) / 2 if share > 0 else 0.0


def js_reading(subject: str, p: Counts, q: Counts) -> Reading:
    """The raw distance, its limits, and tonight's rows."""
    low, high = limits(p, q)
    return Reading(subject=subject, value=divergence.jensen_shannon(p, q), low=low, high=high, n=int(sum(p)))


def js(given: Given) -> Iterator[Reading]:
    """Distance in [0, 1] of each feature's values (new levels are one level), see `divergence.jensen_shannon`.

    Nulls and what is no finite number are left to `missing` and its neighbours.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> night = NumericColumn(rows=10_000, bins=(5000, 5000))
    >>> round(next(js(feature(night, NumericColumn(rows=10_000, bins=(4000, 6000))))).value, 4)
    0.0854
    """
    return compare(given, js_reading)


def group_js(given: Given) -> Iterator[Reading]:
    """`js` within each protected group, subject "feature|attribute=group"."""
    return in_groups(given, js)
