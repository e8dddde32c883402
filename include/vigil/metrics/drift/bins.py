"""Counts of tonight and of the baseline on the same bins, and what both divergences do with them."""

from collections.abc import Callable, Iterator, Sequence
from math import sqrt

from vigil.core.errors import MismatchedEdges
from vigil.metrics.given import Column, Given
from vigil.metrics.reasons import NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading
from vigil.profiles.types import CategoryColumn, NumericColumn

Counts = Sequence[float]
MISSING = "(missing)"
NEW = "(new)"
GROUPS = 20  # of the score's fine bins, about equally full on the baseline


def levels_of(column: CategoryColumn) -> dict[str, int]:
    """Counts by level; what is missing and what is new are levels too."""
    return {**column.levels, MISSING: column.nulls, NEW: column.new}


def same_levels(now: dict[str, int], was: dict[str, int]) -> tuple[list[int], list[int]]:
    """Both counts over the levels that occur in either, in one order.

    >>> same_levels({"a": 3, "b": 1}, {"a": 5, "c": 2})
    ([3, 1, 0], [5, 0, 2])
    """
    levels = sorted(k for k in {*now, *was} if now.get(k, 0) or was.get(k, 0))
    return [now.get(k, 0) for k in levels], [was.get(k, 0) for k in levels]


def same_bins(now: NumericColumn, was: NumericColumn) -> tuple[list[int], list[int]]:
    """Both counts over the bins that are occupied in either; all that is not a finite number is the last bin.

    Raises MismatchedEdges for different numbers of bins.
    """
    width = max(len(now.bins), len(was.bins))
    if len(now.bins) not in (0, width) or len(was.bins) not in (0, width):
        raise MismatchedEdges(
            f"{len(now.bins)} bins tonight, {len(was.bins)} on the baseline: re-profile the older one"
        )
    a = [*(now.bins or (0,) * width), now.rows - now.finite]
    b = [*(was.bins or (0,) * width), was.rows - was.finite]
    kept = [(x, y) for x, y in zip(a, b, strict=True) if x or y]
    return [x for x, _ in kept], [y for _, y in kept]


def same(now: Column, was: Column) -> tuple[list[int], list[int]]:
    """Both counts of a column on the same bins or levels."""
    if isinstance(now, CategoryColumn) and isinstance(was, CategoryColumn):
        return same_levels(levels_of(now), levels_of(was))
    if isinstance(now, NumericColumn) and isinstance(was, NumericColumn):
        return same_bins(now, was)
    raise MismatchedEdges("the column is numeric on one side and a category on the other: re-profile the older one")


def grouped(now: Sequence[int], was: Sequence[int], groups: int = GROUPS) -> tuple[list[int], list[int]]:
    """Fine bins added up to at most `groups` neighbours, about equally full on the baseline.

    A hundred score bins are right for AUC and too many for PSI: its noise grows with their number.

    >>> grouped((1, 1, 1, 1, 6), (0, 5, 5, 10, 0), groups=2)
    ([3, 7], [10, 10])
    """
    total, before = sum(was), 0
    a, b = [0] * groups, [0] * groups
    for x, y in zip(now, was, strict=True):
        j = min(groups - 1, int(groups * (before + y / 2) / total)) if total else 0
        before += y
        a[j] += x
        b[j] += y
    kept = [(x, y) for x, y in zip(a, b, strict=True) if x or y]
    return [x for x, _ in kept], [y for _, y in kept]


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


def compare(given: Given, measure: Callable[[str, Counts, Counts], Reading]) -> Iterator[Reading]:
    """One reading for each feature: of its counts tonight and on the baseline, or why not."""
    for name, now, was in given.features():
        yield against(name, now, was, measure)


def against(name: str, now: Column, was: Column | None, measure: Callable[[str, Counts, Counts], Reading]) -> Reading:
    """The reading of one column, or why not."""
    if was is None or not was.rows:
        return Reading(subject=name, n=now.rows, why_not=NO_BASELINE)
    if not now.rows:
        return Reading(subject=name, why_not=NO_ROWS)
    return measure(name, *same(now, was))
