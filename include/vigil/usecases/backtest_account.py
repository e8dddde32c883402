"""What a backtest comes to: alarms a year with their interval, recorded incidents that were found or missed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.incidents.types import Incident, Status
from vigil.usecases.backtest import Judged, Told
from vigil.verdicts.coverage import coverage_of
from vigil.verdicts.rates import Rate, per_year

OVER = (Status.NEVER_WAS, Status.MERGED)
BLIND = "monitor"  # the metric of a night that could not be judged
ALL_FALSE = "every alarm on a night that no recorded incident has counts as false"


class Recorded(Spec):
    """An incident that really was: its nights, and what is known of it."""

    first: date
    last: date
    what: str

    def has(self, night: date) -> bool:
        """Whether it was going on."""
        return self.first <= night <= self.last


class Truth(Spec):
    """What is known of the nights beside the judgement."""

    recorded: tuple[Recorded, ...] = ()
    says: str  # where it is known from


class Opened(Spec):
    """An incident that the backtest opened. false: none of its nights belongs to a recorded one."""

    opened: date
    found: date  # the night on whose morning it was opened
    last: date
    closed: bool
    severity: str
    findings: tuple[str, ...]
    false: bool


class Found(Spec):
    """A recorded incident, and the first of its nights that raised an alarm."""

    first: date
    last: date
    what: str
    warned: date | None
    incident: date | None  # first night with a signal; None: it was missed


class Answered(Spec):
    """Questions of a family that were due on nights with rows, and those of them that were judged."""

    family: Family
    due: int
    judged: int


class Account(Spec):
    """The sums of a backtest. quiet: judged nights that belong to no recorded incident and made no yardstick."""

    monitor: str
    settings_digest: str
    first: date
    last: date
    nights: int
    judged: int
    quiet: int
    rows: int
    states: dict[str, int]
    coverage: tuple[Answered, ...] = ()
    false_alarm_nights: int
    alarms: Rate
    false_incidents: int
    incidents_per_year: Rate
    incidents: tuple[Opened, ...]
    recorded: tuple[Found, ...]
    restated: tuple[date, ...]
    unjudged: tuple[date, ...]
    rest: tuple[date, ...] = ()  # days without rows and without service: no nights
    yardsticks: tuple[tuple[date, str], ...]  # since which night which one
    notes: tuple[str, ...]

    @property
    def missed(self) -> tuple[Found, ...]:
        """Recorded incidents on whose nights none was opened."""
        return tuple(r for r in self.recorded if r.incident is None)


def truth_of(faults: Sequence[Mapping[str, Any]], last: date) -> Truth:
    """The faults of a simulated home (its truth.json) that people should hear of."""
    try:
        found = [
            Recorded(
                first=date.fromisoformat(one["onset"]),
                last=date.fromisoformat(one["until"]) if one.get("until") else last,
                what=" ".join(str(one[k]) for k in ("fault", "feature", "group") if one.get(k)),
            )
            for one in faults
            if one["expected_incident"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"truth.json cannot be read ({type(error).__name__}: {error})") from error
    return Truth(recorded=tuple(found), says=f"recorded incidents are the faults of truth.json; {ALL_FALSE}")


def truth_in(known: Sequence[Incident]) -> Truth:
    """The incidents of the ledger, except those that never were, and those of a monitor that was blind: what broke
    then was the run of a night, and nothing in the log tells of it."""
    were = [i for i in known if i.status not in OVER]
    found = [
        Recorded(first=i.opened_night, last=i.last_bad_night, what=f"{i.id} ({', '.join(_families(i))})")
        for i in were
        if not _only_blind(i)
    ]
    where = "recorded incidents are those of the ledger" if found else "no incident is recorded"
    if len(found) < len(were):
        where += f" ({len(were) - len(found)} of a blind monitor are left out: a replay cannot find them)"
    return Truth(recorded=tuple(found), says=f"{where}; {ALL_FALSE}")


def _only_blind(incident: Incident) -> bool:
    """Whether all that was wrong is that nobody looked."""
    return {s.verdict.metric for f in incident.findings for s in f.signals} == {BLIND}


def _families(incident: Incident) -> list[str]:
    return list(dict.fromkeys(f.family.value for f in incident.findings))


def account(told: Told, truth: Truth) -> Account:
    """The sums. A yardstick's own nights are judged, and counted nowhere."""
    days = told.nights
    within = [r for r in truth.recorded if days[0].night <= r.last and r.first <= days[-1].night]
    bad = {d.night for d in days if any(r.has(d.night) for r in within)}
    quiet = [d for d in days if d.night not in bad and d.night not in told.reference and d.last.rows > 0]
    opened = [_opened(told, i, bad) for i in told.incidents]
    false = [o for o in opened if o.false and o.opened not in told.reference]
    alarming = sum(d.alarming for d in quiet)
    return Account(
        monitor=told.monitor.model,
        settings_digest=told.monitor.digest,
        first=days[0].night,
        last=days[-1].night,
        nights=sum(not _rests(d) for d in days),
        judged=sum(d.last.rows > 0 for d in days),
        quiet=len(quiet),
        rows=sum(d.last.rows for d in days),
        states=dict(sorted(Counter(v.state.value for d in days for v in d.last.verdicts).items())),
        coverage=_answered(days),
        false_alarm_nights=alarming,
        alarms=per_year(alarming, len(quiet)),
        false_incidents=len(false),
        incidents_per_year=per_year(len(false), len(quiet)),
        incidents=tuple(opened),
        recorded=tuple(_found(r, days) for r in within),
        restated=tuple(d.night for d in days if d.first != d.last),
        unjudged=tuple(d.night for d in days if d.last.rows == 0 and not _rests(d)),
        rest=tuple(d.night for d in days if _rests(d)),
        yardsticks=_yardsticks(days),
        notes=_notes(told, truth),
    )


def _answered(days: Sequence[Judged]) -> tuple[Answered, ...]:
    due: Counter[Family] = Counter()
    judged: Counter[Family] = Counter()
    for one in (c for d in days if d.last.rows for c in coverage_of(d.last)):
        due[one.family] += one.due
        judged[one.family] += one.judged
    return tuple(Answered(family=f, due=due[f], judged=judged[f]) for f in Family if due[f])


def _rests(day: Judged) -> bool:
    """Whether it was a day of rest; one of which that is not known yet stays a night without a judgement."""
    return day.last.rest and not day.last.verdicts


def _opened(told: Told, incident: Incident, bad: set[date]) -> Opened:
    mine = [d for d in told.nights if d.joined and d.joined.incident == incident.id]
    known = min((d.joined.known for d in mine if d.joined), default=incident.opened_at)  # its nights may be another's
    found = max((d.night for d in told.nights if d.night < known.date()), default=incident.opened_night)
    return Opened(
        opened=incident.opened_night,
        found=found,
        last=incident.last_bad_night,
        closed=not incident.is_open,
        severity=incident.severity.name,
        findings=tuple(dict.fromkeys(name for d in mine if d.joined for _, name in d.joined.signals)),
        false=not any(d.night in bad for d in mine),
    )


def _found(recorded: Recorded, days: Sequence[Judged]) -> Found:
    mine = [d for d in days if recorded.has(d.night)]
    return Found(
        first=recorded.first,
        last=recorded.last,
        what=recorded.what,
        warned=next((d.night for d in mine if d.alarming), None),
        incident=next((d.night for d in mine if d.joined), None),
    )


def _yardsticks(days: Sequence[Judged]) -> tuple[tuple[date, str], ...]:
    """What nights were compared with, and since when: another version brings another one."""
    told: list[tuple[date, str]] = []
    for day in days:
        seen = Counter(v.measurement.yardstick for v in day.last.verdicts if v.measurement and v.measurement.yardstick)
        seen.update(m.yardstick for m in day.last.measurements if m.yardstick)
        if not seen:
            continue
        name = seen.most_common(1)[0][0]
        versions = ", ".join(f"version {v}" for v in sorted(day.last.versions))
        says = f"{versions} against the {name}"
        if not told or told[-1][1] != says:
            told.append((day.night, says))
    return tuple(told)


def _notes(told: Told, truth: Truth) -> tuple[str, ...]:
    notes = [truth.says]
    if told.reference:
        first, last = told.reference[0], told.reference[-1]
        notes.append(
            f"the home has no baseline: the first {len(told.reference)} nights with rows ({first} to {last}) made one; "
            "they are judged by their own yardstick, and their alarms are not counted"
        )
    seen = dict.fromkeys(f"{d.night}: {note}" for d in told.nights for note in d.last.notes)
    return (*notes, *seen)


def failures(sums: Account, *, per: float | None, present: Account | None = None) -> tuple[str, ...]:
    """Why a check should fail: a change that misses a recorded incident, incidents beyond the budget (`per` year).

    present: what the settings come to that `sums` are a change of; what they miss too is not the change's doing.
    """
    found = []
    if present is not None:
        now = {(m.first, m.what) for m in present.missed}
        lost = [m for m in sums.missed if (m.first, m.what) not in now]
        found += [f"it would miss {m.what} ({m.first} to {m.last})" for m in lost]
    if per is not None and sums.incidents_per_year.value is not None and sums.incidents_per_year.value > per:
        found.append(
            f"{sums.false_incidents} incident(s) on {sums.quiet} nights without a recorded one: "
            f"{sums.incidents_per_year} a year, the budget is {per:g}"
        )
    return tuple(found)
