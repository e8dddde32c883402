"""What the judgement would have said: past nights judged in date order, by what was known each morning.

The steps are those of every night; the ports that they work on remember in memory only, and nobody is told.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.stages import Stage
from vigil.core.window import night_window
from vigil.core.words import Family, Role
from vigil.incidents.events import BadNight, incident_event
from vigil.incidents.types import Incident
from vigil.ports import BacktestPorts, Ports
from vigil.profiles.types import Edges, Profile
from vigil.usecases.night.run import NightOptions, run_night
from vigil.usecases.nights import incidents, lookback, partition
from vigil.usecases.reference import LEAST, REFERENCE
from vigil.usecases.watch import blind
from vigil.verdicts.types import Cause, NightResult, State, Verdict

FIRST_NIGHTS = 14  # that make the yardstick of a log without one, and never more than a third of them
REFERENCE_ROWS = 50_000


class Yardstick(Spec):
    """Bin edges and a baseline for a log whose home has none. nights: those that it was made of."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True, extra="forbid")

    edges: Edges
    baseline: Profile
    nights: tuple[date, ...]


class Joined(Spec):
    """What the signals of one night did: the incident that they opened or joined, and how severe it was then."""

    incident: str
    opened: date
    severity: str
    signals: tuple[tuple[str, str], ...]  # (family, metric/subject)
    known: datetime  # when it was known


class Judged(Spec):
    """A night as it stood on its own morning, and as it stands after the last one."""

    night: date
    first: NightResult
    last: NightResult
    joined: Joined | None = None

    @property
    def alarming(self) -> bool:
        """Whether anything was warn or worse, then or since."""
        return any(v.state in (State.WARN, State.BREACH) for r in (self.first, self.last) for v in r.verdicts)


class Told(Spec):
    """Everything that a backtest found. reference: nights that its yardstick was made of."""

    monitor: Monitor
    nights: tuple[Judged, ...]
    incidents: tuple[Incident, ...]
    reference: tuple[date, ...] = ()


def morning(monitor: Monitor, night: date) -> datetime:
    """When a night is judged: its first scheduled run after it is over, and a day later at most.

    >>> from vigil.core.window import night_window
    >>> credit = Monitor.model_construct(schedule="0 2 * * *", timezone="Europe/Berlin")
    >>> morning(credit, date(2026, 3, 28)).isoformat()
    '2026-03-29T01:00:00+00:00'
    """
    from croniter import croniter  # type: ignore[import-untyped]

    zone, end = ZoneInfo(monitor.timezone), night_window(night, monitor.timezone).end
    due = croniter(monitor.schedule, end.astimezone(zone) - timedelta(seconds=1)).get_next(datetime)
    at: datetime = min(due.astimezone(UTC), end + timedelta(days=1))
    return at


def nights_of(ports: BacktestPorts, monitor: Monitor, dates: Sequence[date]) -> list[date]:
    """The nights from the first with rows to the last, those without rows between them included.

    dates: UTC dates that the log has, in order. Raises DataError for a log without rows of this monitor.
    """
    stand(ports, datetime.max.replace(tzinfo=UTC) - timedelta(days=2))
    days = sorted({day + timedelta(days=n) for day in dates for n in (-1, 0, 1)})
    first = next((day for day in days if partition(ports, monitor, day).files), None)
    last = next((day for day in reversed(days) if partition(ports, monitor, day).files), None)
    if first is None or last is None:
        raise DataError(
            f"the prediction log has no rows of {monitor.model} in {monitor.environment}; a monitor with a `source:` "
            "gets them by `vigil ingest`"
        )
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def stand(ports: BacktestPorts, at: datetime) -> None:
    """Sets the clock of a rehearsal."""
    ports.clock.advance(at - ports.clock.now())


def yardstick(ports: BacktestPorts, monitor: Monitor, nights: Sequence[date]) -> Yardstick | None:
    """None where the home has bin edges; else made of the reference rows in the log, else of its first nights."""
    import pyarrow as pa

    if ports.profiles.edges(monitor.model) is not None:
        return None
    rows, used = ports.log.reference(monitor.model), []
    if rows is None:
        tables: list[Any] = []
        for night in nights:
            stand(ports, morning(monitor, night))
            sample = ports.log.sample(monitor, partition(ports, monitor, night), rows=REFERENCE_ROWS)
            if sample.num_rows:
                tables.append(sample)
                used.append(night)
            if len(used) >= min(FIRST_NIGHTS, max(1, len(nights) // 3)):
                break
        rows = pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})
    if rows.num_rows < LEAST:
        raise DataError(f"{monitor.model}: {rows.num_rows} rows make no yardstick; at least {LEAST} are needed")
    edges = ports.scanner.fit_edges(monitor, rows)
    last = used[-1] if used else nights[0]
    baseline = ports.scanner.scan_table(monitor, rows, edges, night=last, version=REFERENCE, role=Role.CHAMPION)
    return Yardstick(edges=edges, baseline=baseline, nights=tuple(used))


def judged(ports: BacktestPorts, monitor: Monitor, nights: Sequence[date], made: Yardstick | None) -> Iterator[date]:
    """Judges the nights in date order, each on its own morning; yields each when it is done."""
    if made is not None:
        ports.profiles.put_edges(monitor.model, made.edges, reason="made for a backtest")
        ports.profiles.put_baseline(monitor.model, REFERENCE, made.baseline)
    for night in sorted(nights):
        stand(ports, morning(monitor, night))
        _judge(ports, monitor, night)
        yield night


def _judge(ports: Ports, monitor: Monitor, night: date) -> None:
    """The steps of one night. Rows that cannot be read make their night blind, and no other."""
    past = [each for each in lookback(monitor, night) if each != night]
    for each in past:
        _attempt(ports, monitor, each, as_of=night)
    why = _attempt(ports, monitor, night, as_of=night)
    if why:
        ports.results.append(_blind(monitor, night, why), evaluated_at=ports.clock.now(), labels_through=None)
        blind(ports, monitor, night, reason=why)
        options = NightOptions(nights=tuple(past))
        progress = run_night(ports, monitor, night, stages=(Stage.JUDGE,), options=options)
        for each in progress.changed:
            run_night(ports, monitor, each, stages=(Stage.CORRELATE,))
    else:
        run_night(ports, monitor, night, stages=(Stage.JUDGE, Stage.CORRELATE))


def _attempt(ports: Ports, monitor: Monitor, night: date, *, as_of: date) -> str:
    """Checks and profiles a night; returns why it could not be done."""
    try:
        if night == as_of:
            compiled = monitor.model_copy(update={"quality": "compiled"})
            run_night(ports, compiled, night, stages=(Stage.QUALITY,))
        _profile(ports, monitor, night, as_of)
    except Exception as error:  # noqa: BLE001 - whatever a file does to whoever reads it, the other nights are judged
        first = (str(error).splitlines() or [""])[0]
        return f"{type(error).__name__}: {first[:300]}"
    return ""


def _profile(ports: Ports, monitor: Monitor, night: date, as_of: date) -> None:
    """As the step of the night does it, whose notes of a problem are those of the night that has it."""
    if night != as_of:
        known = ports.profiles.partition_digest(monitor.model, monitor.environment, night)
        if known is None or known == partition(ports, monitor, night).digest:
            return
    run_night(ports, monitor, as_of, stages=(Stage.PROFILE,), options=NightOptions(nights=(night,)))


def _blind(monitor: Monitor, night: date, why: str) -> NightResult:
    verdict = Verdict(
        metric="monitor",
        subject="all",
        family=Family.QUALITY,
        state=State.UNKNOWN,
        cause=Cause.CHECK_FAILED,
        reason=f"{monitor.model} was not judged on {night}: {why}",
        overdue=True,
    )
    return NightResult(
        monitor=monitor.model,
        environment=monitor.environment,
        night=night,
        partition_digest="",
        config_digest=monitor.digest,
        edges_digest="",
        verdicts=(verdict,),
    )


def told(ports: Ports, monitor: Monitor, nights: Sequence[date], made: Yardstick | None) -> Told:
    """What was found, when all nights are judged."""
    found = incidents(ports, monitor)
    joined = _joined(ports, {i.id: i.opened_night for i in found})
    each = []
    for night in sorted(nights):
        versions = ports.results.versions_of_truth(monitor.model, monitor.environment, night)
        each.append(Judged(night=night, first=versions[0][1], last=versions[-1][1], joined=joined.get(night)))
    return Told(monitor=monitor, nights=tuple(each), incidents=tuple(found), reference=made.nights if made else ())


def _joined(ports: Ports, opened: dict[str, date]) -> dict[date, Joined]:
    """The signals of each night, whenever they were known; the first time counts."""
    found: dict[date, Joined] = {}
    for name, first in opened.items():
        for event in ports.ledger.read(f"incident/{name}"):
            body = incident_event(event)
            if not isinstance(body, BadNight):
                continue
            night, before = body.night, found.get(body.night)
            new = [(s.verdict.family.value, s.verdict.id) for s in body.signals]
            found[night] = Joined(
                incident=name,
                opened=first,
                severity=body.assessment.severity.name if body.assessment else "",
                signals=tuple(dict.fromkeys([*(before.signals if before else ()), *new])),
                known=before.known if before else event.at,
            )
    return found
