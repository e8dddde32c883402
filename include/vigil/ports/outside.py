"""Whom Vigil talks to: suites, reports, chat, the registry, model processes, the serving layer, people's files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Role
from vigil.verdicts.types import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.ports.rows import Partition
    from vigil.profiles.types import Edges
    from vigil.responses.types import Message, Receipt, Room
    from vigil.verdicts.types import NightResult


class Clock(Protocol):
    """The time, UTC. Only shells and adapters hold a real one."""

    def now(self) -> datetime: ...


class SettableClock(Clock, Protocol):
    """A clock that stands still until it is moved: for backtests and tests."""

    def advance(self, by: timedelta) -> None: ...


class QualitySuite(Protocol):
    """Great Expectations over a partition's rows.

    Returns measurements of the quality family (metric "expectation", subject "<type>(<column>)",
    value = share of unexpected rows, detail = the expectation in words), and the failed gates.
    """

    def run(self, monitor: Monitor, rows: pa.Table, *, night: date) -> QualityOutcome: ...
    def check(self, monitor: Monitor, suite: Mapping[str, object], rows: pa.Table) -> tuple[Verdict, ...]:
        """Tries a suite (GX's JSON) on rows; a verdict for each expectation, in order. Keeps nothing."""
        ...


class QualityScan(Protocol):
    """The same suite over the stored rows of a night, counted where they lie."""

    def rows(self, partition: Partition) -> int:
        """Rows of the partition's files: at least as many as the night has."""
        ...

    def scan(self, monitor: Monitor, partition: Partition, *, night: date) -> QualityOutcome | None:
        """None for a night without rows."""
        ...


class QualityOutcome(Spec):
    """What the suite found. failed_gates: expectations marked meta.vigil.gate that failed."""

    verdicts: tuple[Verdict, ...]  # severity critical -> breach, warning -> warn
    failed_gates: tuple[str, ...] = ()
    docs_url: str | None = None


class Reporter(Protocol):
    """The HTML report for people."""

    def render(
        self, monitor: Monitor, *, current: pa.Table, reference: pa.Table, result: NightResult, edges: Edges, to: Path
    ) -> Path: ...


class Notifier(Protocol):
    """A chat service. Every method may be called again with the same action id: it then finds what it
    did and returns the same receipt. Raises Refused (no) or Ambiguous (unknown)."""

    def open_room(self, action: str, room: Room) -> Receipt: ...
    def update_room(self, action: str, reference: Mapping[str, str], room: Room) -> Receipt: ...
    def post(self, action: str, channel: str, message: Message, *, thread: str = "") -> Receipt:
        """`channel` is a channel id, or `#name` of a channel that exists or is created.

        thread: `ts` of a message of that channel, which this one is a reply to; it needs the channel's id.
        """
        ...


class VersionInfo(Spec):
    """One registered model version, as Vigil needs it."""

    model: str
    version: str
    aliases: tuple[str, ...] = ()
    run_id: str | None = None
    status: str = "READY"
    created_at: datetime
    tags: dict[str, str] = Field(default_factory=dict)
    git_commit: str | None = None
    dataset_sha256: str | None = None
    manifest: dict[str, str] = Field(default_factory=dict)  # artefact path -> sha256
    inputs: dict[str, str] = Field(default_factory=dict)  # signature: column -> type; empty = none recorded


class ServingState(Spec):
    """What the registry says should answer: the champion, or the fallback standing in for it."""

    champion: str | None
    fallback: str | None = None
    challenger: str | None = None
    serve: Role = Role.CHAMPION

    @property
    def serving(self) -> str | None:
        """The version that should answer now."""
        return self.fallback if self.serve is Role.FALLBACK else self.champion


class Explain(Protocol):
    """Adds contributions of features to the scores of a share of the rows; by default, the share that is configured."""

    def __call__(self, monitor: Monitor, rows: pa.Table, *, share: float | None = None) -> pa.Table: ...


class Registry(Protocol):
    """Model versions and aliases. It has no compare-and-set: callers hold the model's lease."""

    def versions(self, model: str) -> tuple[VersionInfo, ...]: ...
    def version(self, model: str, version: str) -> VersionInfo: ...
    def serving(self, model: str) -> ServingState: ...
    def move_alias(self, model: str, alias: str, version: str) -> None: ...
    def serve(self, model: str, role: Role) -> None:
        """Let the fallback stand in, or the champion serve again."""
        ...

    def tag(self, model: str, version: str, key: str, value: str) -> None: ...
    def verify(self, model: str, version: str) -> Path:
        """Downloads the version, checks every file against its manifest (TamperedArtifact), returns the folder."""
        ...

    def holdout(self, model: str, version: str) -> pa.Table:
        """The rows the version was tested on, with `label`; their digest is checked (TamperedArtifact)."""
        ...

    def log_night(self, monitor: Monitor, result: NightResult, *, report: Path | None) -> str | None:
        """The night as an MLflow run (tags, metrics, report). Returns its id."""
        ...


class ModelRunner(Protocol):
    """Scores rows with a registered version, outside this process, with limits."""

    def score(self, model: str, version: str, rows: pa.Table, *, seconds: int, megabytes: int) -> pa.Table:
        """The rows' order is kept. Columns: `prediction` (text), and `score` where the model gives one.
        Raises ReplayError with the reason (time, memory, crash, schema)."""
        ...


class ServingProbe(Protocol):
    """Asks the serving layer which version answers now."""

    def answering(self, model: str) -> tuple[str, str] | None:
        """(version, role), or None when no serving layer is reachable or configured."""
        ...


class TrafficCount(Spec):
    """How many requests a night had, or why nobody knows."""

    requests: int | None = None
    why_not: str = ""


class Traffic(Protocol):
    """Somebody else's count of requests: a load balancer's, Prometheus's. Never raises: nights are judged without."""

    def requests(self, monitor: Monitor, night: date) -> TrafficCount: ...


class Artifacts(Protocol):
    """Files for people: reports, data docs."""

    def path(self, monitor: str, night: date, name: str) -> Path: ...
    def url(self, monitor: str, night: date, name: str) -> str: ...
