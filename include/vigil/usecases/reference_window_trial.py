"""Which nights should be the reference window of drift: tried on quiet nights of the log and with injected faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.metrics.types import Measurement
from vigil.onboarding.evidence import Evidence
from vigil.onboarding.reference_window import ReferenceWindow, WindowChoice
from vigil.usecases.first_nights import judged
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import NightResult, Rules, State, Surprise, column_of

LEARNT = 14  # nights after which drift is judged without a guess
LEAST_NIGHTS = 42
QUIET = 0.05  # of the nights with an alarm: up to here the first nights teach well, and nothing is tried
LEVELS = (0.005, 0.0005, 0.00005)  # false-discovery rates, of which each window gets the first that is quiet
FAULTS, LASTING = 18, 3  # how many are injected, and on how many nights each
SIZES: Mapping[str, float] = {"position_shift": 0.5, "level_shift": 0.2}  # metric -> the smallest, in its own unit
TIMES = (1, 2, 4)  # the sizes, in smallest ones: a night of few rows shows only the large ones
ROLLING = {"window": "rolling", "nights": 28}
BAD = (State.WARN, State.BREACH)


class Tried(NamedTuple):
    """One way to learn. alarms: nights with a drift breach, after the first 14; seen: faults that were noticed."""

    surprise: Surprise
    alarms: int
    seen: int


def choose_window(monitor: Monitor, shown: Evidence, days: Sequence[date]) -> WindowChoice | None:
    """The window of nights that finds more injected faults at as few alarms; None where the first nights do well.

    shown: what was measured on each of `days`, in order. The monitor's first nights teach unless they make an alarm of
    more than 5 % of the nights: then the last 28 nights and their trend are tried beside them. Each gets the level at
    which it is quiet; the one that notices more of the same faults (0.5, 1 and 2 sd of a feature, a level by 0.2, 0.4
    and 0.8 on the arcsine scale, three nights long) is chosen; where both notice as many, the one with fewer alarms.
    """
    if len(days) < LEAST_NIGHTS:
        return None
    drift = monitor.model_copy(update={"rules": Rules(drift=monitor.rules.drift)})
    usual = judged(drift, shown, days)
    allowed = int(QUIET * (len(days) - LEARNT))
    before = _alarms(usual)
    if before <= allowed:
        return None
    first = _tried(drift, shown, days, drift.surprise, allowed, levels=LEVELS[1:])  # at the first one it is not quiet
    last = _tried(drift, shown, days, drift.surprise.model_copy(update=ROLLING), allowed)
    rolls = (last.alarms <= allowed, last.seen, -last.alarms) > (first.alarms <= allowed, first.seen, -first.alarms)
    best = last if rolls else first
    return WindowChoice(
        window=ReferenceWindow.ROLLING if rolls else ReferenceWindow.FIRST,
        level=best.surprise.level,
        nights=len(days) - LEARNT,
        faults=len(list(_faults(shown, days))),
        alarms_of_first=before,
        alarms=best.alarms,
        seen=best.seen,
        seen_otherwise=(first if rolls else last).seen,
    )


def _tried(
    monitor: Monitor,
    shown: Evidence,
    days: Sequence[date],
    surprise: Surprise,
    allowed: int,
    *,
    levels: Sequence[float] = LEVELS,
) -> Tried:
    """A window at the first level that is quiet, or at the last one."""
    for level in levels:
        one = monitor.model_copy(update={"surprise": surprise.model_copy(update={"level": level})})
        results = judged(one, shown, days)
        alarms = _alarms(results)
        if alarms <= allowed:
            break
    return Tried(one.surprise, alarms, sum(_noticed(one, shown, results, fault) for fault in _faults(shown, days)))


def _alarms(results: Sequence[NightResult]) -> int:
    return sum(
        any(v.state is State.BREACH and v.family is Family.DRIFT for v in result.verdicts)
        for result in results[LEARNT:]
    )


class Fault(NamedTuple):
    """A question whose value is moved by `size` from the night with this place on."""

    at: int
    question: str
    size: float


def _faults(shown: Evidence, days: Sequence[date]) -> Iterator[Fault]:
    """The same faults for every window: spread over the features and the last half of the nights, up and down."""
    known = [sorted(m.id for m in night if m.metric in SIZES and m.value is not None) for night in shown.nights]
    half, last = len(days) // 2, len(days) - LASTING
    for n in range(FAULTS):
        at = half + n * (last - half) // FAULTS
        if known[at]:
            question = known[at][(n * len(known[at])) // FAULTS]
            size = SIZES[question.partition("/")[0]] * TIMES[n % len(TIMES)]
            yield Fault(at, question, size if n % 2 == 0 else -size)


def _noticed(monitor: Monitor, shown: Evidence, quiet: Sequence[NightResult], fault: Fault) -> bool:
    """Whether the fault's column is warned of on its nights, where it is not without the fault."""
    column = column_of(fault.question.partition("/")[2])
    past = list(quiet[: fault.at])
    for place in range(fault.at, fault.at + LASTING):
        changed = tuple(_moved(m, fault.size) if m.id == fault.question else m for m in shown.nights[place])
        night = quiet[place].night
        facts = Facts(night=night, as_of=night, labels=monitor.labels, surprise=monitor.surprise)
        verdicts = judge(changed, monitor.rules, past, facts)
        result = quiet[place].model_copy(update={"verdicts": verdicts, "measurements": ()})
        if column in _warned(result) - _warned(quiet[place]):
            return True
        past.append(result)
    return False


def _warned(result: NightResult) -> set[str]:
    return {column_of(v.subject) for v in result.verdicts if v.state in BAD and v.family is Family.DRIFT}


def _moved(m: Measurement, size: float) -> Measurement:
    ends = {end: value + size for end in ("value", "low", "high") if (value := getattr(m, end)) is not None}
    return m.model_copy(update=ends)
