"""How often each level of a category comes."""

from collections.abc import Iterator

from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.drift.missing_shift import share_moved
from vigil.metrics.drift.scores import level_counts
from vigil.metrics.given import Given
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE
from vigil.metrics.types import Reading


def level_shift(given: Given) -> Iterator[Reading]:
    """Of each level's share among filled values, on the scale 2 arcsin sqrt p; signed, 0 is no change.

    Subject "feature:level"; the baseline's 12 most frequent levels, "(other)" for the rest together, "(new)".

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import CategoryColumn
    >>> night = CategoryColumn(rows=100, levels={"a": 60, "b": 40})
    >>> [(r.subject, r.detail) for r in level_shift(feature(night, CategoryColumn(rows=100, levels={"a": 100})))][:2]
    [('x:a', '100.0% -> 60.0%'), ('x:(other)', '0.0% -> 40.0%')]
    """
    for name, now, was in given.category():
        if was is None or not was.filled:
            yield unknown(name, NO_BASELINE, n=now.filled)
            continue
        for level, (k1, k0) in level_counts(now, was).items():
            yield share_moved(f"{name}:{level}", k1, now.filled, k0, was.filled)


def group_level_shift(given: Given) -> Iterator[Reading]:
    """`level_shift` within each protected group, subject "feature:level|attribute=group"."""
    return in_groups(given, level_shift)
