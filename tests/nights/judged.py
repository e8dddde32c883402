"""A model whose nights are judged by hand: verdicts are written down, and the incident process runs over them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.unit.usecases.memory_stage import MODEL, MemoryStage, monitor
from vigil.adapters.memory import FrozenClock
from vigil.core.ids import digest
from vigil.core.words import Family, Role, Task
from vigil.incidents.types import Event, Incident
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.profiles.types import Key, Profile
from vigil.usecases.incidents import all_incidents, correlate
from vigil.usecases.respond import deliver, plan
from vigil.verdicts.types import Cause, NightResult, Onset, State, Verdict

FIRST = date(2026, 10, 1)
KNOWN, NEW = Onset.KNOWN, Onset.NEW


def after(days: int) -> date:
    return FIRST + timedelta(days=days)


def a_verdict(metric: str, subject: str, family: Family, value: float, state: State, **more: Any) -> Verdict:
    """With a measurement; `more` goes to the verdict."""
    worse = Worse.LOWER if family in (Family.FAIRNESS, Family.PERFORMANCE) else Worse.AWAY
    m = Measurement(metric=metric, subject=subject, family=family, kind=Kind.NUMBER, value=value, low=value - 0.02,
                    high=value + 0.02, n=400, unit="", worse=worse)  # fmt: skip
    reason = f"{metric}({subject}) {value:g}"
    return Verdict(metric=metric, subject=subject, family=family, state=state, reason=reason, measurement=m, **more)


def ratio(
    value: float = 0.7, onset: Onset | None = None, *, group: str = "sex=female", state: State = State.BREACH
) -> Verdict:
    """The selection-rate ratio of a group."""
    return a_verdict("selection_rate_ratio", group, Family.FAIRNESS, value, state, onset=onset)


def shift(column: str = "income", value: float = 0.6, state: State = State.BREACH, **more: Any) -> Verdict:
    """How far a column has moved."""
    return a_verdict("mean_shift", column, Family.DRIFT, value, state, **more)


def recall(value: float = 0.5, onset: Onset | None = NEW, state: State = State.BREACH) -> Verdict:
    return a_verdict("recall", "all", Family.PERFORMANCE, value, state, onset=onset)


def fine(verdict: Verdict) -> Verdict:
    """The same question, answered well."""
    return verdict.model_copy(update={"state": State.OK, "onset": None, "hard": False, "ticket": False})


def unknown(verdict: Verdict, cause: Cause = Cause.TOO_FEW_ROWS) -> Verdict:
    """The same question, not answered."""
    changes = {"state": State.UNKNOWN, "cause": cause, "measurement": None, "onset": None}
    return verdict.model_copy(update=changes)


class Watched:
    """A model and what became of its nights. Rooms are opened for SEV1."""

    def __init__(self, folder: Path, **response: Any) -> None:
        policy = {"room": {"production": "SEV1"}, "recovery_nights": 2, **response}
        self.stage = MemoryStage(folder, monitor(risk={"tier": 2}, response=policy))
        self.monitor = self.stage.monitors[MODEL]

    def night(self, days: int, *verdicts: Verdict, rows: int = 400, champion: bool = True) -> str | None:
        """Judges a night so, and joins it; the incident that has something to do."""
        night = after(days)
        role = Role.CHAMPION if champion else Role.FALLBACK
        if rows:
            key = Key(monitor=MODEL, environment="production", night=night, version="1", role=role)
            made = Profile(monitor=MODEL, environment="production", task=Task.BINARY, nights=(night,), roles=(role,),
                           versions={"1": rows}, edges_digest="e", rows=rows)  # fmt: skip
            self.stage.profiles.put(key, made, partition_digest=f"p{night}")
        result = NightResult(monitor=MODEL, environment="production", night=night, partition_digest=f"p{night}",
                             config_digest="c", edges_digest="e", verdicts=verdicts, rows=rows,
                             champion_rows=rows if champion else 0,
                             basis=digest([v.model_dump(mode="json") for v in verdicts]))  # fmt: skip
        self.stage.clock = FrozenClock(datetime(night.year, night.month, night.day, 4, tzinfo=UTC) + timedelta(days=1))
        self.stage.results.append(result, evaluated_at=self.stage.clock.now(), labels_through=None)
        return correlate(self.stage.ports(), self.monitor, night)

    def nights(self, days: range, *verdicts: Verdict, **how: Any) -> None:
        """The same on several nights."""
        for n in days:
            self.night(n, *verdicts, **how)

    @property
    def incidents(self) -> list[Incident]:
        """Oldest first."""
        return sorted(all_incidents(self.stage.ports()), key=lambda i: i.opened_night)

    @property
    def only(self) -> Incident:
        (one,) = self.incidents
        return one

    def events(self, incident: Incident) -> tuple[Event, ...]:
        return self.stage.ledger.read(f"incident/{incident.id}")

    def respond(self) -> None:
        """All that is to do for all incidents, as the respond DAG does it."""
        for incident in self.incidents:
            for action in plan(self.stage.ports(), self.stage.monitors, incident.id):
                deliver(self.stage.ports(), self.stage.monitors, action)
