"""How wide a numeric feature is, apart from where it sits."""

from collections.abc import Iterator

from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.drift.position_shift import moved
from vigil.metrics.given import Given
from vigil.metrics.types import Reading


def width_shift(given: Given) -> Iterator[Reading]:
    """Mean quadratic residual of the normal scores of each numeric feature's bins, minus the baseline's; signed.

    Above 0 it is wider than it was, below 0 narrower; in standard deviations of that residual on the baseline. A move
    of the mean alone hardly shows here: the residual has no correlation with the position. See `scores.frame`.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> night = NumericColumn(rows=4000, bins=(1500, 1000, 1500))
    >>> round(next(width_shift(feature(night, NumericColumn(rows=4000, bins=(1000, 2000, 1000))))).value, 3)
    0.5
    """
    for name, now, was in given.numeric():
        yield moved(name, now, was, "width")


def group_width_shift(given: Given) -> Iterator[Reading]:
    """`width_shift` within each protected group, subject "feature|attribute=group"."""
    return in_groups(given, width_shift)
