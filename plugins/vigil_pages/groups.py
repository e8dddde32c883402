"""Fairness as dots with their intervals: each group of each measure, the worst first. Values only.

Tonight's numbers; where a measure needs labels that are not due yet, those of the newest night that has them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG
from vigil.metrics.types import Kind
from vigil.verdicts.types import Cause

from .trends import RANK, Line, limit_lines, now, rules_of
from .words import amount

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from vigil.config.schema import Monitor
    from vigil.metrics.types import Measurement
    from vigil.verdicts.types import NightResult, Verdict

    Told = tuple[Verdict, str]  # a verdict, and of which night where it is not the newest

MOST_GROUPS = 12
EQUAL = {Kind.RATIO: 1.0, Kind.DIFFERENCE: 0.0}  # where nobody is treated differently


@dataclass(frozen=True)
class Group:
    """One group: its number with its 95 % interval, or why there is none."""

    name: str
    state: str
    value: float | None
    low: float | None
    high: float | None
    was: float | None  # the same number on the yardstick
    words: str
    detail: str  # rows, yardstick and counts


@dataclass(frozen=True)
class Measure:
    """One measure of fairness: its groups on one scale."""

    metric: str
    says: str
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    limits: tuple[str, ...]
    scale: tuple[float, float]
    more: tuple[tuple[str, int], ...] = ()


def fairness(monitor: Monitor, results: Sequence[NightResult]) -> list[Measure]:
    """The measures that a rule asks about, as the newest night has them."""
    if not results:
        return []
    newest = [v for v in results[-1].verdicts if v.family is Family.FAIRNESS and not v.of_budget]
    earlier = _labelled(results, {v.id for v in newest if v.cause is Cause.LABELS_PENDING})
    found: dict[str, list[Told]] = {}
    for v in newest:
        found.setdefault(v.metric, []).append(earlier.get(v.id, (v, "")))
    return [_measure(monitor, metric, told) for metric, told in found.items()]


def _labelled(results: Sequence[NightResult], wanted: Collection[str]) -> dict[str, Told]:
    """The newest verdict on each wanted question whose labels had come, with the words for which night that is."""
    found: dict[str, Told] = {}
    for result in results if wanted else ():
        for v in result.verdicts:
            if v.id in wanted and v.cause is not Cause.LABELS_PENDING and v.measurement is not None:
                found[v.id] = (v, f"night of {result.night}, the newest with labels")
    return found


def _measure(monitor: Monitor, metric: str, told: list[Told]) -> Measure:
    ordered = sorted(told, key=lambda one: (-RANK[one[0].state], one[0].subject))
    shown, rest = ordered[:MOST_GROUPS], ordered[MOST_GROUPS:]
    measured = [v.measurement for v, _ in shown if v.measurement is not None]
    lines: dict[float, Line] = {}
    for v, _ in shown:
        if v.measurement is not None and v.measurement.kind in EQUAL:
            lines[EQUAL[v.measurement.kind]] = Line(EQUAL[v.measurement.kind], "mark", "equal")
        for line in limit_lines(rules_of(monitor.rules, v), v.measurement) if v.measurement is not None else ():
            lines[line.value] = line
    more = Counter(v.state for v, _ in rest)
    entry = CATALOG.get(metric)
    return Measure(
        metric=metric,
        says=entry.says if entry else "",
        groups=tuple(_group(v, when) for v, when in shown),
        lines=tuple(sorted(lines.values(), key=lambda x: x.value)),
        limits=tuple(x.label for x in lines.values() if x.kind != "mark" and x.label),
        scale=_scale(measured, lines.values()),
        more=tuple((s.value, more[s]) for s in sorted(more, key=lambda s: -RANK[s])),
    )


def _scale(measured: Sequence[Measurement], lines: Iterable[Line]) -> tuple[float, float]:
    """From the lowest to the highest of what is drawn, with some room."""
    ends = [line.value for line in lines]
    ends += [x for m in measured for x in (m.value, m.low, m.high, m.baseline) if x is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def _group(v: Verdict, when: str) -> Group:
    m = v.measurement
    if m is None or m.value is None:
        return Group(v.subject, v.state.value, None, None, None, None, v.reason, when)
    told = [when] if when else []
    told.append(f"{m.n:,} {'row' if m.n == 1 else 'rows'}")
    if m.baseline is not None:
        told.append(f"was {amount(m.baseline, m.unit)} on the {m.yardstick or 'baseline'}")
    if m.detail:
        told.append(m.detail)
    return Group(v.subject, v.state.value, m.value, m.low, m.high, m.baseline, now(m), "; ".join(told))
