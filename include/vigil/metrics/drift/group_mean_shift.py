"""How far the mean of a numeric feature moved within one protected group: what the total hides."""

from collections.abc import Iterator

from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.drift.mean_shift import mean_shift
from vigil.metrics.given import Given
from vigil.metrics.types import Reading


def group_mean_shift(given: Given) -> Iterator[Reading]:
    """As `mean_shift`, for each numeric feature in each group that occurs tonight, against the same group.

    Subject "feature|attribute=group". A shift in a group of 8 % is invisible in the total and obvious here.

    >>> from vigil.metrics.example import SEX, columns, profile, view
    >>> from vigil.profiles.types import NumericColumn
    >>> night = NumericColumn(rows=400, bins=(400,), total=800.0, total_sq=2000.0)
    >>> holdout = NumericColumn(rows=400, bins=(400,), total=400.0, total_sq=800.0)
    >>> tonight, was = (profile(group_columns={"sex=female": columns(c)}) for c in (night, holdout))
    >>> reading = next(group_mean_shift(Given(tonight, was, view(features={"x": "numeric"}, protected=(SEX,)))))
    >>> reading.subject, round(reading.value, 3)
    ('x|sex=female', 1.0)
    """
    return in_groups(given, mean_shift)
