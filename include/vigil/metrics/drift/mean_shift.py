"""How far the mean of a numeric feature moved, in standard deviations of the baseline."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.drift.scores import believed
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import plain, unknown
from vigil.metrics.reasons import ALL_NULL, NO_BASELINE, NO_ROWS, NO_SPREAD, because
from vigil.metrics.types import Reading
from vigil.profiles.types import NumericColumn

CANCELLED = 1e-12  # a variance below this share of the squared mean is rounding of the sums, not spread


def moments(column: NumericColumn) -> tuple[float, float]:
    """(mean, sd) of the finite values.

    >>> moments(NumericColumn(rows=2, bins=(2,), total=4.0, total_sq=10.0))
    (2.0, 1.0)
    """
    mean = column.total / column.finite
    variance = column.total_sq / column.finite - mean * mean
    return mean, sqrt(variance) if variance > CANCELLED * mean * mean else 0.0


def shift(subject: str, now: NumericColumn, was: NumericColumn | None) -> Reading:
    """(mean tonight - mean of the baseline) / sd of the baseline: Glass's delta, signed, any real number.

    Variance: s1^2 / (n1 s0^2) + 1 / n0 + d^2 / (2 (n0 - 1)), the last for the baseline's sd being an estimate. Few rows
    tell little of their s1 (one row nothing): see `scores.believed`.
    A constant that stays the same is 0; one that changes has no unit to be measured in (PSI and out_of_range see it).
    Source: Glass (1976); Hedges (1981) for the variance.

    >>> night = NumericColumn(rows=400, bins=(400,), total=800.0, total_sq=2000.0)
    >>> holdout = NumericColumn(rows=400, bins=(400,), total=400.0, total_sq=800.0)
    >>> reading = shift("x", night, holdout)
    >>> round(reading.value, 3), round(reading.low, 3), round(reading.high, 3)
    (1.0, 0.845, 1.155)
    """
    if was is None or was.finite < 2:
        return unknown(subject, NO_BASELINE, n=now.finite)
    if not now.finite:
        return unknown(subject, ALL_NULL if now.rows else NO_ROWS)
    (mean1, sd1), (mean0, sd0) = moments(now), moments(was)
    words = f"mean {plain(mean0)} -> {plain(mean1)}"
    if sd0 == 0:
        if sd1 == 0 and abs(mean1 - mean0) <= 1e-9 * max(abs(mean0), abs(mean1)):
            return Reading(subject=subject, value=0.0, low=0.0, high=0.0, n=now.finite, variance=0.0)
        return unknown(subject, because(NO_SPREAD, words), n=now.finite)
    value = (mean1 - mean0) / sd0
    variance = believed((sd1 / sd0) ** 2, 1.0, now.finite) / now.finite
    half = z_of() * sqrt(variance + 1 / was.finite + value**2 / (2 * (was.finite - 1)))
    return Reading(
        subject=subject,
        value=value,
        low=value - half,
        high=value + half,
        n=now.finite,
        variance=variance,
        detail=words,
    )


def mean_shift(given: Given) -> Iterator[Reading]:
    """Of each numeric feature, in sd of the baseline; 0 is no shift, the sign is its direction. See `shift`.

    >>> from vigil.metrics.example import feature
    >>> night = NumericColumn(rows=400, bins=(400,), total=800.0, total_sq=2000.0)
    >>> holdout = NumericColumn(rows=400, bins=(400,), total=400.0, total_sq=800.0)
    >>> next(mean_shift(feature(night, holdout))).detail
    'mean 1 -> 2'
    """
    for name, now, was in given.numeric():
        yield shift(name, now, was)
