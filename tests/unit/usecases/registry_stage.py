"""The stage that promotion and rollback are tested on: memory ports, and a proxy that makes the k-th call fail."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from vigil.adapters.memory_registry import MemoryRegistry
from vigil.config.schema import Monitor
from vigil.core.errors import Conflict, LeaseLost
from vigil.core.ids import digest
from vigil.core.words import Family, Role, Task
from vigil.incidents.types import Event
from vigil.ports import Grant, Ports, VersionInfo
from vigil.profiles.types import Edges, Profile
from vigil.verdicts.types import State, Verdict

MODEL = "credit"
INPUTS = {"age": "double", "income": "double"}
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


class StageClock:
    """A clock that stands still unless it is told."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class StageLedger:
    """The ledger's contract, without a database."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Event]] = {}

    def read(self, stream: str) -> tuple[Event, ...]:
        return tuple(self._streams.get(stream, ()))

    def append(
        self, stream: str, *, expected: int, key: str, type: str, at: datetime, payload: Mapping[str, Any]
    ) -> Event:
        events = self._streams.setdefault(stream, [])
        for event in events:
            if event.key == key:
                return event
        if len(events) != expected:
            raise Conflict(f"{stream} is at {len(events)}, not {expected}")
        previous = events[-1].hash if events else "0" * 64
        event = Event(
            stream=stream,
            sequence=expected + 1,
            key=key,
            type=type,
            at=at,
            payload=dict(payload),
            previous=previous,
            hash=digest([previous, key, type, payload]),
        )
        events.append(event)
        return event

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        return tuple(name for name in self._streams if name.startswith(prefix))


class StageLease:
    """One holder at a time; the same holder gets its grant back."""

    def __init__(self) -> None:
        self.grants: dict[str, Grant] = {}
        self._token = 0

    def acquire(self, name: str, holder: str, *, now: datetime, seconds: int) -> Grant | None:
        have = self.grants.get(name)
        if have is not None and have.expires_at > now:
            return have if have.holder == holder else None
        self._token += 1
        grant = Grant(name=name, holder=holder, token=self._token, expires_at=now + timedelta(seconds=seconds))
        self.grants[name] = grant
        return grant

    def check(self, grant: Grant, *, now: datetime) -> None:
        if self.grants.get(grant.name) != grant or grant.expires_at <= now:
            raise LeaseLost(grant.name)

    def release(self, grant: Grant) -> None:
        if self.grants.get(grant.name) == grant:
            del self.grants[grant.name]


class StageProfiles:
    """Edges and baselines."""

    def __init__(self) -> None:
        self.first_edges: Edges | None = None
        self.baselines: dict[str, Profile] = {}

    def edges(self, monitor: str) -> Edges | None:
        return self.first_edges

    def put_edges(self, monitor: str, edges: Edges, *, reason: str) -> str:
        self.first_edges = edges
        return digest(edges)

    def put_baseline(self, monitor: str, version: str, profile: Profile) -> None:
        self.baselines[version] = profile

    def baseline(self, monitor: str, version: str) -> Profile | None:
        return self.baselines.get(version)


class StageScanner:
    """Counts rows, and insists on the log's own columns."""

    def fit_edges(self, monitor: Monitor, rows: pa.Table) -> Edges:
        return Edges(numeric={"age": (30.0, 50.0)})

    def scan_table(
        self, monitor: Monitor, rows: pa.Table, edges: Edges, *, night: date, version: str, role: Role
    ) -> Profile:
        for name in ("prediction_id", "served_at", "role", "status", "model_version", "label"):
            assert name in rows.column_names, name
        return Profile(
            monitor=monitor.model,
            environment=monitor.environment,
            task=Task.BINARY,
            nights=(night,),
            versions={version: rows.num_rows},
            edges_digest=digest(edges),
            rows=rows.num_rows,
        )


class StageGateway:
    """Answers with whatever the registry says, unless it is told to lag or to be away."""

    def __init__(self, registry: MemoryRegistry) -> None:
        self._registry = registry
        self.away = False
        self.stuck_at: tuple[str, str] | None = None

    def answering(self, model: str) -> tuple[str, str] | None:
        if self.away:
            return None
        state = self._registry.serving(model)
        return self.stuck_at or (str(state.serving), state.serve.value)


class Crash(Exception):
    """The process died here."""


class Fuse:
    """Makes the k-th port call fail, before or after it took effect."""

    def __init__(self, at: int, *, when: str) -> None:
        self.at = at
        self.when = when
        self.calls = 0

    def guard(self, port: Any) -> Any:
        fuse = self

        class Guarded:
            def __getattr__(self, name: str) -> Any:
                inner = getattr(port, name)
                if not callable(inner):
                    return inner

                def call(*args: Any, **kwargs: Any) -> Any:
                    fuse.calls += 1
                    mine = fuse.calls == fuse.at
                    if mine and fuse.when == "before":
                        raise Crash(name)
                    answer = inner(*args, **kwargs)
                    if mine:
                        raise Crash(name)
                    return answer

                return call

        return Guarded()


class Stage:
    """Three versions of a credit model with holdouts: nothing promoted yet."""

    def __init__(self, folder: Path) -> None:
        self.clock = StageClock()
        self.ledger = StageLedger()
        self.lease = StageLease()
        self.profiles = StageProfiles()
        self.registry = MemoryRegistry(folder)
        self.gateway = StageGateway(self.registry)
        for _ in range(3):
            self.add()

    def add(self, *, inputs: Mapping[str, str] = INPUTS, status: str = "READY") -> VersionInfo:
        rows = pa.table({"age": [20.0, 60.0], "income": [1.0, 2.0], "prediction": ["0", "1"], "label": ["0", "1"]})
        return self.registry.add(MODEL, files={"MLmodel": b"m"}, inputs=inputs, holdout=rows, status=status)

    def ports(self, fuse: Fuse | None = None) -> Ports:
        def guard(port: Any) -> Any:
            return port if fuse is None else fuse.guard(port)

        unused = dict.fromkeys(
            (
                "log",
                "intake",
                "results",
                "outbox",
                "quality",
                "quality_scan",
                "reporter",
                "runner",
                "artifacts",
                "notes",
                "traffic",
            )
        )
        return Ports(
            clock=self.clock,
            scanner=guard(StageScanner()),
            profiles=guard(self.profiles),
            ledger=guard(self.ledger),
            lease=guard(self.lease),
            registry=guard(self.registry),
            probe=guard(self.gateway),
            notifier=lambda: None,
            **unused,
        )

    def types(self, stream: str) -> list[str]:
        return [event.type for event in self.ledger.read(stream)]

    def open_incident(self, name: str, *, versions: Mapping[str, int]) -> str:
        verdict = Verdict(
            metric="selection_ratio", subject="sex=female", family=Family.FAIRNESS, state=State.BREACH, reason="0.6"
        )
        signal = {"fingerprint": "f", "night": "2026-11-20", "verdict": verdict.model_dump(mode="json")}
        assessment = {"severity": 2, "impact": 2, "urgency": 2, "tier": 1, "reasons": []}
        self.ledger.append(
            f"incident/{name}",
            expected=0,
            key="opened",
            type="opened",
            at=self.clock.now(),
            payload={
                "monitor": MODEL,
                "environment": "staging",
                "night": "2026-11-20",
                "signals": [signal],
                "assessment": assessment,
                "versions": dict(versions),
            },
        )
        return name

    def resolve(self, name: str) -> None:
        stream = f"incident/{name}"
        at = len(self.ledger.read(stream))
        self.ledger.append(stream, expected=at, key="resolved", type="resolved", at=self.clock.now(), payload={})


def credit_monitor(**response: Any) -> Monitor:
    return Monitor.model_validate(
        {
            "version": "vigil/v1",
            "model": MODEL,
            "environment": "staging",
            "task": "binary",
            "features": {"age": "numeric", "income": "numeric"},
            "decision": {"favourable": "0", "deserving": "0"},
            "people": {"owner": "owner@bank.example"},
            "response": {"rollback": "auto", "fallback": "auto", **response},
        }
    )


def moves(stage: Stage, alias: str = "champion") -> Sequence[str]:
    """What was written to an alias, in order."""
    return [value for _, name, value in stage.registry.writes if name == alias]
