"""Population stability index of each feature against the baseline, on the monitor's own bins."""

from collections.abc import Iterator
from math import log, sqrt

from vigil.metrics.drift import divergence
from vigil.metrics.drift.bins import compare, noise, scatter
from vigil.metrics.drift.divergence import Counts
from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.types import Reading


def limits(p: Counts, q: Counts) -> tuple[float, float]:
    """95 % limits of PSI with the sampling noise of both sides taken out; the lower one is 0 for noise alone.

    Without any change PSI is (1/n + 1/m) x chi-square(bins - 1), so its mean under no change is taken off; the
    variance adds that chi-square's to the delta method's for the shares of both sides. The upper limit is never
    below the raw value, which people see beside it.
    """
    n, m = sum(p), sum(q)
    a, b = (divergence.smoothed(side) for side in divergence.occupied(p, q))
    of_a = [log(x / y) + 1 - y / x for x, y in zip(a, b, strict=True)]
    of_b = [log(y / x) + 1 - x / y for x, y in zip(a, b, strict=True)]
    mean, sd = noise(len(a), n, m)
    half = z_of() * sqrt(sd**2 + scatter(of_a, a, n) + scatter(of_b, b, m))
    raw = divergence.psi(p, q)
    return max(0.0, raw - mean - half), max(raw, raw - mean + half)


def psi_reading(subject: str, p: Counts, q: Counts) -> Reading:
    """The raw value, its limits, and tonight's rows."""
    low, high = limits(p, q)
    return Reading(subject=subject, value=divergence.psi(p, q), low=low, high=high, n=int(sum(p)))


def psi(given: Given) -> Iterator[Reading]:
    """PSI in nats of each feature's values (new levels are one level), see `divergence.psi`.

    Nulls and what is no finite number are left to `missing` and its neighbours, as in the report for people.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> night = NumericColumn(rows=10_000, bins=(5000, 5000))
    >>> round(next(psi(feature(night, NumericColumn(rows=10_000, bins=(4000, 6000))))).value, 4)
    0.0405
    """
    return compare(given, psi_reading)


def group_psi(given: Given) -> Iterator[Reading]:
    """`psi` within each protected group, subject "feature|attribute=group"."""
    return in_groups(given, psi)
