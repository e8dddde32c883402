"""How the share of missing values moved."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.drift.scores import share_score
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading


def share_moved(subject: str, k1: float, n1: int, k0: float, n0: int) -> Reading:
    """2 arcsin sqrt p tonight minus the baseline's, with the noise of both sides; the detail has the shares.

    >>> round(share_moved("x", 30, 1000, 10, 1000).value, 3)
    0.148
    """
    if not n0:
        return unknown(subject, NO_BASELINE, n=n1)
    if not n1:
        return unknown(subject, NO_ROWS)
    now, was = share_score(k1, n1), share_score(k0, n0)
    value, half = now.value - was.value, z_of() * sqrt(now.variance + was.variance)
    detail = f"{k0 / n0:.1%} -> {k1 / n1:.1%}"
    return Reading(
        subject=subject,
        value=value,
        low=value - half,
        high=value + half,
        n=n1,
        parts=(k1, n1, k0, n0),
        variance=now.variance,
        detail=detail,
    )


def missing_shift(given: Given) -> Iterator[Reading]:
    """Of each feature's null share, on the scale 2 arcsin sqrt p; signed, in [-pi, pi], 0 is no change.

    The step from 0 to 1 % counts as much as the one from 30 to 40 %. NaN and infinities are left to `not_finite`.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import CategoryColumn
    >>> night = CategoryColumn(rows=1000, nulls=30, levels={"a": 970})
    >>> next(missing_shift(feature(night, CategoryColumn(rows=1000, nulls=10, levels={"a": 990})))).detail
    '1.0% -> 3.0%'
    """
    for name, now, was in given.features():
        yield share_moved(name, now.nulls, now.rows, was.nulls if was else 0, was.rows if was else 0)


def group_missing_shift(given: Given) -> Iterator[Reading]:
    """`missing_shift` within each protected group, subject "feature|attribute=group"."""
    return in_groups(given, missing_shift)
