"""Where a numeric feature sits, on a scale that a heavy tail cannot dominate."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.drift.bins import same
from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.drift.scores import Frame, frame, mean_score
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import ALL_NULL, NO_BASELINE, NO_ROWS, NO_SPREAD
from vigil.metrics.types import Reading
from vigil.profiles.types import NumericColumn


def moved(name: str, now: NumericColumn, was: NumericColumn | None, part: str) -> Reading:
    """The mean of one part ("position", "width") of the frame's scores, tonight's minus the baseline's.

    The interval has the sampling noise of both sides.
    """
    if was is None or was.finite < 2:
        return unknown(name, NO_BASELINE, n=now.finite)
    if not now.finite:
        return unknown(name, ALL_NULL if now.rows else NO_ROWS)
    counts, before = same(now, was)
    made: Frame = frame(was)
    values = getattr(made, part)
    if not any(values):
        return unknown(name, NO_SPREAD, n=now.finite)
    tonight, yardstick = (mean_score([int(c) for c in side], values) for side in (counts, before))
    value = tonight.value - yardstick.value
    half = z_of() * sqrt(tonight.variance + yardstick.variance)
    return Reading(
        subject=name, value=value, low=value - half, high=value + half, n=tonight.n, variance=tonight.variance
    )


def position_shift(given: Given) -> Iterator[Reading]:
    """Mean normal score of each numeric feature's bins, minus the baseline's: sd of the baseline, signed.

    0 is no shift. As `mean_shift` for a bell; bounded for heavy tails, where one value in a thousand moves a mean.
    See `scores.frame`. Source: van der Waerden (1952).

    >>> from vigil.metrics.example import feature
    >>> night = NumericColumn(rows=4000, bins=(500, 2000, 1500))
    >>> round(next(position_shift(feature(night, NumericColumn(rows=4000, bins=(1000, 2000, 1000))))).value, 3)
    0.354
    """
    for name, now, was in given.numeric():
        yield moved(name, now, was, "position")


def group_position_shift(given: Given) -> Iterator[Reading]:
    """`position_shift` within each protected group, subject "feature|attribute=group"."""
    return in_groups(given, position_shift)
