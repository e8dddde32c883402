"""How two backtests of the same nights differ."""

from collections import Counter
from datetime import date, timedelta

from vigil.core.spec import Spec
from vigil.usecases.backtest import Judged, Told
from vigil.usecases.backtest_account import Account
from vigil.verdicts.rates import Rate
from vigil.verdicts.types import State


class Difference(Spec):
    """What other settings would have changed. subjects: question -> nights on which its state differs."""

    present: str  # settings digest
    changed: str
    alarms: tuple[Rate, Rate]
    incidents: tuple[Rate, Rate]
    missed: tuple[str, ...]  # recorded incidents that the changed settings miss
    missed_now: tuple[str, ...]  # and the present ones
    added: tuple[date, ...]  # incidents that only the changed settings open
    gone: tuple[date, ...]
    subjects: dict[str, int]
    groups: tuple[str, ...]


def difference(present: tuple[Told, Account], changed: tuple[Told, Account]) -> Difference:
    """The consequences of a change."""
    (then, was), (now, will) = present, changed
    moved: Counter[str] = Counter()
    for before, after in zip(then.nights, now.nights, strict=True):
        a, b = _states(before), _states(after)
        moved.update(q for q in {*a, *b} if a.get(q) is not b.get(q))
    groups = {part for q in moved for part in q.partition("/")[2].split("|") if "=" in part}
    return Difference(
        present=was.settings_digest,
        changed=will.settings_digest,
        alarms=(was.alarms, will.alarms),
        incidents=(was.incidents_per_year, will.incidents_per_year),
        missed=tuple(m.what for m in will.missed),
        missed_now=tuple(m.what for m in was.missed),
        added=_only(will, was),
        gone=_only(was, will),
        subjects=dict(sorted(moved.items(), key=lambda item: (-item[1], item[0]))),
        groups=tuple(sorted(groups)),
    )


def _states(day: Judged) -> dict[str, State]:
    return {v.id: v.state for v in day.last.verdicts}


def _only(one: Account, other: Account) -> tuple[date, ...]:
    """Incidents of one that share no night with an incident of the other."""
    nights = {o.opened + timedelta(days=n) for o in other.incidents for n in range((o.last - o.opened).days + 1)}
    mine = [(o, {o.opened + timedelta(days=n) for n in range((o.last - o.opened).days + 1)}) for o in one.incidents]
    return tuple(o.opened for o, own in mine if not own & nights)
