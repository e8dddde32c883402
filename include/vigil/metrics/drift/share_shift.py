"""The largest move of one level's share in a category feature."""

from collections.abc import Iterator, Mapping

from vigil.metrics.drift.bins import levels_of
from vigil.metrics.given import Given
from vigil.metrics.intervals import LEVEL, newcombe
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading

LONGEST = 40  # characters of a level's name in words


def largest_move(subject: str, now: Mapping[str, int], was: Mapping[str, int]) -> Reading:
    """max over levels of |share tonight - share on the baseline|, in [0, 1]; the detail names the level.

    The interval is Newcombe's for that level at 1 - 0.05 / levels (Bonferroni), since the largest of many was
    picked: it reaches down to 0 where noise alone explains the move.

    >>> reading = largest_move("all", {"a": 90, "b": 10}, {"a": 50, "b": 50})
    >>> round(reading.value, 3), reading.detail
    (0.4, "'a' 50.0% -> 90.0%")
    """
    n, m = sum(now.values()), sum(was.values())
    if not m:
        return unknown(subject, NO_BASELINE, n=n)
    if not n:
        return unknown(subject, NO_ROWS)
    levels = sorted(k for k in {*now, *was} if now.get(k, 0) or was.get(k, 0))
    moves = {k: now.get(k, 0) / n - was.get(k, 0) / m for k in levels}
    top = max(levels, key=lambda k: abs(moves[k]))
    k1, k0 = now.get(top, 0), was.get(top, 0)
    low, high = newcombe(k1, n, k0, m, 1 - (1 - LEVEL) / len(levels))
    near = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    detail = f"{top[:LONGEST]!r} {k0 / m:.1%} -> {k1 / n:.1%}"
    far = max(abs(low), abs(high))
    return Reading(subject=subject, value=abs(moves[top]), low=near, high=far, n=n, detail=detail)


def share_shift(given: Given) -> Iterator[Reading]:
    """Of each category feature; missing values and new levels count as levels. See `largest_move`.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import CategoryColumn
    >>> night = CategoryColumn(rows=100, nulls=40, levels={"a": 60})
    >>> next(share_shift(feature(night, CategoryColumn(rows=100, levels={"a": 60, "b": 40})))).value
    0.4
    """
    for name, now, was in given.category():
        yield largest_move(name, levels_of(now), levels_of(was) if was is not None else {})
