"""The largest move of one level's share, in a category feature or in the predictions."""

from collections.abc import Iterator, Mapping
from math import sqrt

from vigil.metrics.readings import NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading, View
from vigil.profiles.types import CategoryColumn, Profile


def largest_move(subject: str, now: Mapping[str, int], was: Mapping[str, int]) -> Reading:
    """max over levels of |share tonight - share of the baseline|, in [0, 1]; the detail names the level.

    >>> largest_move("all", {"a": 90, "b": 10}, {"a": 50, "b": 50}).value
    0.4
    """
    n, m = sum(now.values()), sum(was.values())
    if not m:
        return Reading(subject=subject, why_not=NO_BASELINE)
    if not n:
        return Reading(subject=subject, why_not=NO_ROWS)
    moves = {k: now.get(k, 0) / n - was.get(k, 0) / m for k in sorted({*now, *was})}
    level, move = max(moves.items(), key=lambda item: abs(item[1]))
    p, q = now.get(level, 0) / n, was.get(level, 0) / m
    half = 1.96 * sqrt(p * (1 - p) / n + q * (1 - q) / m)
    detail = f"{level!r} {100 * q:.3g} % -> {100 * p:.3g} %"
    value = round(abs(move), 12)
    return Reading(subject=subject, value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=n,
                   baseline=0.0, detail=detail)  # fmt: skip


def _counts(column: CategoryColumn) -> dict[str, int]:
    return {**column.levels, "(missing)": column.nulls, "(new)": column.new}


def share_shift(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Per category feature; missing and new levels count as levels."""
    del view
    before = baseline.columns.category if baseline else {}
    for name, column in night.columns.category.items():
        yield largest_move(name, _counts(column), _counts(before[name]) if name in before else {})


def prediction_shift(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Over the predicted classes or decisions."""
    del view
    yield largest_move("all", night.outcome.predictions, baseline.outcome.predictions if baseline else {})


def top_class_share(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Share of the most frequent prediction, in [0, 1]: 1 means that the model always says the same."""
    del view
    now = night.outcome.predictions
    n = sum(now.values())
    if not n:
        yield Reading(subject="all", why_not=NO_ROWS)
        return
    was = baseline.outcome.predictions if baseline else {}
    top = max(sorted(now), key=lambda k: now[k])
    base = max(was.values()) / sum(was.values()) if was else None
    yield Reading(subject="all", value=now[top] / n, n=n, parts=(now[top], n), baseline=base, detail=f"{top!r}")
