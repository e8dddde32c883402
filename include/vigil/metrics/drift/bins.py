"""Counts of tonight and of the baseline on the same bins, and what both divergences do with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt

from vigil.core.errors import MismatchedEdges
from vigil.metrics.drift.divergence import Counts
from vigil.metrics.given import Column, Given
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import ALL_NULL, NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading
from vigil.profiles.types import CategoryColumn, NumericColumn

Measure = Callable[[str, Counts, Counts], Reading]
MISSING = "(missing)"
NEW = "(new)"
OTHER = "(other)"  # the long tail of the reference
GROUPS = 20  # of the score's fine bins, about equally full on the baseline


def levels_of(column: CategoryColumn) -> dict[str, int]:
    """Counts by level; what is missing, what is new and the long tail are levels too."""
    return {**column.levels, MISSING: column.nulls, NEW: column.new, OTHER: column.other}


def same_levels(now: Mapping[str, int], was: Mapping[str, int]) -> tuple[list[int], list[int]]:
    """Both counts over the levels that occur in either, in one order.

    >>> same_levels({"a": 3, "b": 1}, {"a": 5, "c": 2})
    ([3, 1, 0], [5, 0, 2])
    """
    levels = sorted(k for k in {*now, *was} if now.get(k, 0) or was.get(k, 0))
    return [now.get(k, 0) for k in levels], [was.get(k, 0) for k in levels]


def same(now: Column, was: Column) -> tuple[Counts, Counts]:
    """Both counts of a column's values, on the same bins or levels. Nulls are not values.

    Raises MismatchedEdges for different numbers of bins, or a column that changed its kind.
    """
    if isinstance(now, CategoryColumn) and isinstance(was, CategoryColumn):
        mine, theirs = ({**c.levels, NEW: c.new, OTHER: c.other} for c in (now, was))
        return same_levels(mine, theirs)
    if not isinstance(now, NumericColumn) or not isinstance(was, NumericColumn):
        raise MismatchedEdges("the column is numeric on one side and a category on the other: re-profile the older one")
    if len(now.bins) != len(was.bins):
        raise MismatchedEdges(
            f"{len(now.bins)} bins tonight, {len(was.bins)} on the baseline: re-profile the older one"
        )
    return now.bins, was.bins


def grouped(now: Counts, was: Counts, groups: int = GROUPS) -> tuple[list[float], list[float]]:
    """Fine bins added up to at most `groups` neighbours, about equally full on the baseline.

    A hundred score bins are right for AUC and too many for PSI: its noise grows with their number.

    >>> grouped((1, 1, 1, 1, 6), (0, 5, 5, 10, 0), groups=2)
    ([3.0, 7.0], [10.0, 10.0])
    """
    total, before = sum(was), 0.0
    a, b = [0.0] * groups, [0.0] * groups
    for x, y in zip(now, was, strict=True):
        j = min(groups - 1, int(groups * (before + y / 2) / total)) if total else 0
        before += y
        a[j] += x
        b[j] += y
    return a, b


def scatter(slopes: Sequence[float], shares: Sequence[float], n: float) -> float:
    """Variance of a smooth function of multinomial shares (delta method): (sum s^2 p - (sum s p)^2) / n."""
    mean = sum(s * p for s, p in zip(slopes, shares, strict=True))
    return sum(p * (s - mean) ** 2 for s, p in zip(slopes, shares, strict=True)) / n


def noise(bins: int, n: float, m: float) -> tuple[float, float]:
    """(mean, sd) of PSI when nothing changed: (1/n + 1/m) times a chi-square of bins - 1. Source: Yurdakul (2018).

    >>> [round(x, 4) for x in noise(11, 1000, 1000)]
    [0.02, 0.0089]
    """
    scale = 1 / n + 1 / m
    return (bins - 1) * scale, sqrt(2 * (bins - 1)) * scale


def compare(given: Given, measure: Measure) -> Iterator[Reading]:
    """One reading for each feature: of its counts tonight and on the baseline, or why not."""
    for name, now, was in given.features():
        yield against(name, now, was, measure)


def against(name: str, now: Column, was: Column | None, measure: Measure) -> Reading:
    """The reading of one column, or why not."""
    if was is None or not _values(was):
        return unknown(name, NO_BASELINE, n=now.rows)
    if not _values(now):
        return unknown(name, ALL_NULL if now.rows else NO_ROWS)
    return measure(name, *same(now, was))


def _values(column: Column) -> int:
    return column.finite if isinstance(column, NumericColumn) else column.filled
