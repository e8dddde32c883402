"""What moved: one curve for each feature and for the answers, the worst of the newest night first. Values only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vigil.core.words import Family
from vigil.metrics.types import Worse
from vigil.verdicts.history import distance
from vigil.verdicts.types import State

from .trends import RANK, Point, Trend, between, collect, in_words, limit_lines, newest_of, now, rules_of
from .words import amount

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from vigil.config.schema import Monitor
    from vigil.metrics.types import Measurement
    from vigil.verdicts.types import NightResult, Rule, Rules, Verdict

MOST = 12
FIRST = ("mean_shift", "share_shift", "score_shift", "prediction_shift", "psi", "prediction_psi")  # where equally bad


@dataclass(frozen=True)
class Drift:
    """The curves that are shown, and how many are not, by state."""

    shown: tuple[Trend, ...]
    night: date | None = None
    more: tuple[tuple[str, int], ...] = ()


def drift(monitor: Monitor, results: Sequence[NightResult], excluded: Collection[date] = ()) -> Drift:
    """One curve for each feature, and for the answers, the worst first; of the newest night with such numbers.

    excluded: nights that teach nothing about what is usual, those of incidents.
    """
    newest = newest_of(results, Family.DRIFT)
    if newest is None:
        return Drift(())
    ordered = sorted(_of_subjects(monitor.rules, newest).values(), key=lambda v: _calm(monitor.rules, v))
    shown, rest = ordered[:MOST], ordered[MOST:]
    series = collect(results, {v.id for v in shown})
    more = Counter(v.state for v in rest)
    return Drift(
        tuple(_drift(monitor, v, series[v.id], excluded) for v in shown),
        newest.night,
        tuple((s.value, more[s]) for s in sorted(more, key=lambda s: -RANK[s])),
    )


def _of_subjects(rules: Rules, result: NightResult) -> Mapping[str, Verdict]:
    """The worst verdict about each feature, group and the answers."""
    worst: dict[str, Verdict] = {}
    for v in result.verdicts:
        if v.family is Family.DRIFT and v.measurement is not None:
            have = worst.get(v.subject)
            if have is None or _calm(rules, v) < _calm(rules, have):
                worst[v.subject] = v
    return worst


def _calm(rules: Rules, v: Verdict) -> tuple[int, bool, float, int, str]:
    """Sorts the worst first: state, then how far it is on the way to its limit."""
    value = v.measurement.value if v.measurement else None
    limit = max((_scale(r) for r in rules_of(rules, v)), default=1.0)
    preferred = FIRST.index(v.metric) if v.metric in FIRST else len(FIRST)
    return -RANK[v.state], not v.hard, -abs(value or 0.0) / limit, preferred, v.subject


def _scale(rule: Rule) -> float:
    bounds = [abs(b.limit) for b in (rule.breach, rule.warn, rule.hard) if b is not None and b.limit]
    return min([*bounds, *([rule.floor] if rule.floor else [])], default=1.0)


def _drift(
    monitor: Monitor, v: Verdict, told: Sequence[tuple[Point, Measurement]], excluded: Collection[date]
) -> Trend:
    rules, m = rules_of(monitor.rules, v), told[-1][1]
    past = [one for point, one in told[:-1] if point.night not in excluded and point.state]
    usual, said = None, []
    for rule in rules:
        if rule.sigma is not None and (found := _usual(rule, m, past, calm=v.state is State.OK)) is not None:
            usual = found
            said.append(f"usual {_room(found, m.unit)}")
        elif rule.sigma is not None:
            said.append("too few nights to know what is usual")
    lines = limit_lines(rules, m)
    return Trend(
        name=_named(v.subject),
        metric=v.metric,
        unit=m.unit,
        points=tuple(point for point, _ in told),
        state=v.state.value,
        now=now(m),
        limits=(*said, *in_words(lines)),
        lines=tuple(lines),
        usual=usual,
        least=0.0,
        most=0.0,
    )


def _named(subject: str) -> str:
    """`all` is what the model answers; `feature|attribute=group` is a feature in a group."""
    if subject == "all":
        return "The answers"
    feature, _, group = subject.rpartition("|")
    return f"{feature} ({group})" if feature else group


def _usual(
    rule: Rule, m: Measurement, past: Sequence[Measurement], *, calm: bool
) -> tuple[float | None, float | None] | None:
    """Between which values tonight is no news: the judge's own arithmetic.

    calm: tonight is ok. A number that is far away has a wide interval of its own, which says nothing about what is
    usual: then the room is that of the night before, if it is smaller.
    """
    rooms = []
    for tonight in (m,) if calm else (m, *past[-1:]):
        found = distance(tonight, past, sigma=rule.sigma or 0.0, nights=rule.nights, floor=rule.floor)
        if found is not None:
            rooms.append((max((rule.sigma or 0.0) * found.scale, rule.floor), found.centre))
    if not rooms:
        return None
    room, centre = min(rooms)
    low, high = centre - room, centre + room
    return (None if m.worse is Worse.HIGHER else low), (None if m.worse is Worse.LOWER else high)


def _room(usual: tuple[float | None, float | None], unit: str) -> str:
    low, high = usual
    if low is None or high is None:
        return f"up to {amount(high, unit)}" if low is None else f"from {amount(low, unit)}"
    return between(low, high, unit)
