"""The stage of the use cases around a night: every port in memory, and a credit model whose nights can be judged."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from vigil.adapters.file_artifacts import FileArtifacts
from vigil.adapters.file_notes import FileNotes
from vigil.adapters.memory import (
    FrozenClock,
    MemoryLease,
    MemoryLedger,
    MemoryOutbox,
    MemoryProfiles,
    MemoryResults,
)
from vigil.adapters.memory_notifier import MemoryNotifier
from vigil.adapters.memory_registry import MemoryRegistry
from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.incidents.correlate import fingerprint
from vigil.incidents.episodes import bad_night_events
from vigil.incidents.lifecycle import fold
from vigil.incidents.severity import assess
from vigil.incidents.types import Incident, Signal
from vigil.ports import Ports
from vigil.usecases.incidents import write
from vigil.verdicts.types import NightResult, State, Verdict

MODEL = "credit"
NIGHT = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)  # the night has been over for nine hours
URL = "http://127.0.0.1:8080"


def monitor(**parts: Any) -> Monitor:
    """A tier-1 credit model in production, with people and a room for severe incidents."""
    declared: dict[str, Any] = {
        "version": "vigil/v1",
        "model": MODEL,
        "task": "binary",
        "features": {"age": "numeric", "income": "numeric"},
        "decision": {"favourable": "0", "deserving": "0"},
        "risk": {"tier": 1},
        "people": {"owner": "owner@bank.example", "on_call": ["call@bank.example"]},
        "response": {"room": {"production": "SEV2"}},
    }
    return Monitor.model_validate({**declared, **parts})


def verdict(state: State = State.BREACH, family: Family = Family.PERFORMANCE, **more: Any) -> Verdict:
    """Of a figure that fell."""
    base = {"metric": "auc", "subject": "all", "family": family, "state": state, "reason": "auc(all) 0.6 < 0.7"}
    return Verdict(**{**base, **more})


class MemoryStage:
    """Ports in memory; `monitors` are those that load."""

    def __init__(self, folder: Path, *watched: Monitor) -> None:
        self.clock = FrozenClock(NOW)
        self.ledger = MemoryLedger()
        self.results = MemoryResults()
        self.profiles = MemoryProfiles()
        self.notifier = MemoryNotifier(clock=self.clock)
        self.registry = MemoryRegistry(folder / "registry")
        self.artifacts = FileArtifacts(folder / "artifacts", URL)
        self.notes = FileNotes(self.artifacts)
        self.monitors = {m.model: m for m in watched or (monitor(),)}

    def ports(self, **more: Any) -> Ports:
        """All of them; `more` replaces some."""
        unused = dict.fromkeys(
            ("log", "intake", "scanner", "quality", "quality_scan", "reporter", "runner", "probe", "traffic")
        )
        own = {
            name: getattr(self, name)
            for name in ("clock", "ledger", "results", "profiles", "registry", "artifacts", "notes")
        }
        mine = {"lease": MemoryLease(), "outbox": MemoryOutbox(), "notifier": lambda: self.notifier, "public_url": URL}
        return Ports(**{**unused, **own, **mine, **more})

    def judged(self, night: date, *verdicts: Verdict, watched: Monitor | None = None) -> NightResult:
        """Stores a judgement of the night."""
        m = watched or next(iter(self.monitors.values()))
        result = NightResult(monitor=m.model, environment=m.environment, night=night, partition_digest=f"p{night}",
                             config_digest=m.digest, edges_digest="e", verdicts=verdicts)  # fmt: skip
        self.results.append(result, evaluated_at=self.clock.now(), labels_through=None)
        return result

    def opened(self, name: str, *verdicts: Verdict, night: date = NIGHT, watched: Monitor | None = None) -> str:
        """Opens an incident of these verdicts."""
        m = watched or next(iter(self.monitors.values()))
        signals = [
            Signal(fingerprint=fingerprint(m.model, m.environment, v), night=night, verdict=v)
            for v in verdicts or (verdict(),)
        ]
        assessment = assess(signals, m.risk, environment=m.environment, has_fallback=False, mitigated=False)
        events = bad_night_events(
            None,
            signals,
            monitor=m.model,
            environment=m.environment,
            night=night,
            knowledge="k",
            assessment=assessment,
            versions={"1": 500},
            report_url=None,
        )
        write(self.ports(), name, events)
        return name

    def told(self, incident: str, type: str, **payload: Any) -> None:
        """Something more happened to an incident."""
        stream = f"incident/{incident}"
        at = len(self.ledger.read(stream))
        self.ledger.append(stream, expected=at, key=f"{type}/{at}", type=type, at=self.clock.now(), payload=payload)

    def incidents(self) -> list[Incident]:
        """All of them, by name."""
        found = [fold(self.ledger.read(stream)) for stream in self.ledger.streams("incident/")]
        return [i for i in found if i is not None]

    def events(self) -> int:
        """How much was ever written."""
        return sum(len(self.ledger.read(stream)) for stream in self.ledger.streams())
