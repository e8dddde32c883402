"""Population stability index of each feature against the baseline, on the monitor's own bins."""

from collections.abc import Iterator
from math import log, sqrt

from vigil.metrics.drift.bins import Counts, compare, noise, scatter
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.types import Reading

SMOOTH = 0.5  # added to every bin (Jeffreys' prior), so that a bin that is empty on one side stays finite


def smoothed(counts: Counts) -> list[float]:
    """Counts as shares that sum to 1 and are never 0."""
    total = sum(counts) + SMOOTH * len(counts)
    return [(c + SMOOTH) / total for c in counts]


def population_stability(p: Counts, q: Counts) -> float:
    """sum((p - q) ln(p / q)) of smoothed shares, in nats; 0 means equal, there is no upper bound.

    p, q: counts, shape (bins,), on the same bins. Raises ValueError for different lengths.
    Source: Jeffreys (1946), J-divergence; Siddiqi (2006) for the name.

    >>> round(population_stability([5000, 5000], [4000, 6000]), 4)
    0.0405
    """
    return sum((a - b) * log(a / b) for a, b in zip(smoothed(p), smoothed(q), strict=True))


def limits(p: Counts, q: Counts) -> tuple[float, float]:
    """95 % limits of PSI with the sampling noise of both sides taken out; the lower one is 0 for noise alone.

    Without any change PSI is (1/n + 1/m) x chi-square(bins - 1), so its mean under no change is taken off; the
    variance adds that chi-square's to the delta method's for the shares of both sides. The upper limit is never
    below the raw value, which people see beside it.
    """
    n, m = sum(p), sum(q)
    a, b = smoothed(p), smoothed(q)
    of_a = [log(x / y) + 1 - y / x for x, y in zip(a, b, strict=True)]
    of_b = [log(y / x) + 1 - x / y for x, y in zip(a, b, strict=True)]
    mean, sd = noise(len(a), n, m)
    half = z_of() * sqrt(sd**2 + scatter(of_a, a, n) + scatter(of_b, b, m))
    raw = population_stability(p, q)
    return max(0.0, raw - mean - half), max(raw, raw - mean + half)


def psi_reading(subject: str, p: Counts, q: Counts) -> Reading:
    """The raw value, its limits, and tonight's rows."""
    low, high = limits(p, q)
    return Reading(subject=subject, value=population_stability(p, q), low=low, high=high, n=int(sum(p)))


def psi(given: Given) -> Iterator[Reading]:
    """PSI in nats of each feature, missing values as a bin of their own (new levels too); see `population_stability`.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> night = NumericColumn(rows=10_000, bins=(5000, 5000))
    >>> round(next(psi(feature(night, NumericColumn(rows=10_000, bins=(4000, 6000))))).value, 4)
    0.0405
    """
    return compare(given, psi_reading)
