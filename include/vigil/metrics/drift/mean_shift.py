"""How far the mean of a numeric feature moved, in standard deviations of the baseline."""

from collections.abc import Iterator, Mapping
from math import sqrt

from vigil.metrics.readings import ALL_NULL, NO_BASELINE
from vigil.metrics.types import Reading, View
from vigil.profiles.types import NumericColumn, Profile


def shift(subject: str, now: NumericColumn, was: NumericColumn | None) -> Reading:
    """(mean tonight - mean of the baseline) / sd of the baseline, with the normal interval of both means.

    >>> a = NumericColumn(rows=4, bins=(4,), total=8.0, total_sq=18.0)
    >>> b = NumericColumn(rows=4, bins=(4,), total=4.0, total_sq=8.0)
    >>> shift("x", a, b).value
    1.0
    """
    if was is None or was.finite < 2:
        return Reading(subject=subject, why_not=NO_BASELINE)
    if not now.finite:
        return Reading(subject=subject, why_not=ALL_NULL)
    mean, sd = was.total / was.finite, _sd(was)
    scale = sd or max(abs(mean), 1.0) * 1e-9
    value = (now.total / now.finite - mean) / scale
    half = 1.96 * sqrt((_sd(now) / scale) ** 2 / now.finite + 1 / was.finite)
    return Reading(subject=subject, value=value, low=value - half, high=value + half, n=now.finite, baseline=0.0)


def _sd(column: NumericColumn) -> float:
    mean = column.total / column.finite
    return sqrt(max(column.total_sq / column.finite - mean * mean, 0.0))


def mean_shift(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Per numeric feature, in sd of the baseline; 0 means no shift, the sign its direction."""
    del view
    before: Mapping[str, NumericColumn] = baseline.columns.numeric if baseline else {}
    for name, column in night.columns.numeric.items():
        yield shift(name, column, before.get(name))


def group_mean_shift(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """The same within each protected group, subject "feature|attribute=group": what a total hides."""
    del view
    before = baseline.group_columns if baseline else {}
    for group, columns in night.group_columns.items():
        was = before[group].numeric if group in before else {}
        for name, column in columns.numeric.items():
            yield shift(f"{name}|{group}", column, was.get(name))


def score_shift(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """The same for the model's score (binary) or its predicted value (regression)."""
    del view
    before = baseline.prediction.numeric if baseline else {}
    for name, column in night.prediction.numeric.items():
        yield shift(name, column, before.get(name))
