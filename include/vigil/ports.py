"""What use cases need from the outside world: the smallest Protocols that do.

Every adapter of a port passes the same contract suite (tests/contracts). Tables cross as pyarrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import ConfigDict, Field

from vigil.core.spec import Spec
from vigil.core.window import Window
from vigil.core.words import Role

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.incidents.types import Event
    from vigil.intake.types import Source
    from vigil.metrics.types import Measurement
    from vigil.profiles.types import Edges, Key, Profile
    from vigil.responses.types import Message, Receipt, Room
    from vigil.verdicts.types import NightResult, Verdict


class Clock(Protocol):
    """The time, UTC. Only shells and adapters hold a real one."""

    def now(self) -> datetime: ...


class Partition(Spec):
    """The stored rows of one model's night: files, and a digest that changes when rows or labels do.

    files may hold rows outside the window; `window` decides. broken: (file, reason) of unreadable
    files: their rows are missing from every number, so the partition's verdicts cannot be `ok`.
    """

    model: str
    environment: str
    window: Window
    files: tuple[str, ...]
    outcome_files: tuple[str, ...]
    broken: tuple[tuple[str, str], ...] = ()
    digest: str

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True, extra="forbid")


INTAKE = "intake"  # how the batches begin that came from a `source:`


class PredictionLog(Protocol):
    """The stored predictions and outcomes of all models.

    write_* commit atomically: a reader sees all rows of a batch or none. The same batch_id twice is
    one batch. Rows go to the UTC date of their `served_at` (predictions) or `observed_at` (outcomes).
    Raises DataError where required columns are missing or have the wrong type.
    """

    def write_predictions(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]: ...
    def write_outcomes(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]: ...
    def unknown_predictions(self, model: str, rows: pa.Table) -> pa.Table:
        """Those rows whose id and UTC date are not in the log: a file that grows is taken again and again."""
        ...

    def unknown_outcomes(self, model: str, rows: pa.Table) -> pa.Table:
        """Those rows whose id, label and observed_at are not in the log."""
        ...

    def set_aside(self, model: str, *, at: datetime) -> int:
        """Takes out of the log what came from a `source:`, and keeps it elsewhere; returns how many files."""
        ...

    def write_reference(self, model: str, rows: pa.Table) -> str:
        """Keeps the reference rows of a model without a registry; returns the digest of their content."""
        ...

    def reference(self, model: str) -> pa.Table | None: ...
    def partition(self, monitor: Monitor, window: Window) -> Partition: ...
    def find(self, prediction_id: str, *, model: str | None = None) -> Mapping[str, Any] | None: ...
    def sample(self, monitor: Monitor, partition: Partition, *, rows: int) -> pa.Table:
        """At most `rows` de-duplicated rows in the window, chosen by hash of the id: always the same ones.

        Columns: the log's own, plus `label` (null where unknown). All rows when rows >= their number.
        """
        ...


class Piece(Spec):
    """Some rows of a log that others write, as they are there."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True, extra="forbid")

    origin: str  # the file's name, or the database's
    batch: str  # identifies the piece and its content
    first: int  # number of its first row in the origin, from 1
    rows: Any  # pandas DataFrame


class Intake(Protocol):
    """Logs that others write. A piece counts as taken when the next one is asked for, unless it is only looked at."""

    def pieces(
        self,
        model: str,
        source: Source,
        where: str,
        window: Window | None,
        *,
        again: bool = False,
        look: bool = False,
    ) -> Iterator[Piece]: ...


class Scanner(Protocol):
    """One scan of a partition -> one profile per (version, role). Missing columns raise DataError."""

    def scan(self, monitor: Monitor, partition: Partition, edges: Edges, night: date) -> Mapping[Key, Profile]: ...
    def fit_edges(self, monitor: Monitor, rows: pa.Table) -> Edges:
        """Quantile edges and level lists from reference rows."""
        ...

    def scan_table(
        self, monitor: Monitor, rows: pa.Table, edges: Edges, *, night: date, version: str, role: Role
    ) -> Profile:
        """Profile of rows in memory (a holdout, a replay): the same engine, the same counts.

        Columns as in the log; `label` may be among them."""
        ...


class Profiles(Protocol):
    """Kept profiles, by night and partition digest. Putting the same key and digest twice is once."""

    def put(self, key: Key, profile: Profile, *, partition_digest: str) -> None: ...
    def put_night(self, found: Mapping[Key, Profile], *, partition_digest: str) -> None:
        """All profiles of one scan, or none: a crash half-way must not leave a night that looks complete."""
        ...

    def night(self, monitor: str, environment: str, night: date) -> Mapping[Key, Profile]:
        """The latest profile of each version and role of that night."""
        ...

    def partition_digest(self, monitor: str, environment: str, night: date) -> str | None: ...
    def put_edges(self, monitor: str, edges: Edges, *, reason: str) -> str:
        """Returns the edges_digest. The first edges are frozen: other ones need a reason and add a row."""
        ...

    def edges(self, monitor: str) -> Edges | None: ...
    def put_baseline(self, monitor: str, version: str, profile: Profile) -> None: ...
    def baseline(self, monitor: str, version: str) -> Profile | None: ...


class Results(Protocol):
    """Append-only, bitemporal results: what was known when stays readable."""

    def put_measurements(
        self,
        monitor: str,
        environment: str,
        night: date,
        source: str,
        measurements: Sequence[Measurement],
        *,
        partition_digest: str,
    ) -> None:
        """Measurements of a stage (`quality`, `profile`) until the night is judged; replaces by key."""
        ...

    def measurements(
        self, monitor: str, environment: str, night: date, source: str, *, partition_digest: str
    ) -> tuple[Measurement, ...] | None: ...
    def append(self, result: NightResult, *, evaluated_at: datetime, labels_through: datetime | None) -> bool:
        """False, and nothing stored, when the latest result of that night has the same digest_key."""
        ...

    def latest(
        self, monitor: str, environment: str, night: date, *, known_at: datetime | None = None
    ) -> NightResult | None: ...
    def history(self, monitor: str, environment: str, before: date, nights: int) -> tuple[NightResult, ...]:
        """Latest result of each of the `nights` nights before `before`, oldest first; gaps stay out."""
        ...

    def versions_of_truth(
        self, monitor: str, environment: str, night: date
    ) -> tuple[tuple[datetime, NightResult], ...]:
        """Every result of one night with its evaluated_at, oldest first (restatements)."""
        ...

    def newest(self, monitor: str, environment: str) -> tuple[date, datetime] | None:
        """The newest judged night and when it was evaluated."""
        ...


class Ledger(Protocol):
    """Append-only hash-chained event streams."""

    def read(self, stream: str) -> tuple[Event, ...]: ...
    def append(
        self, stream: str, *, expected: int, key: str, type: str, at: datetime, payload: Mapping[str, Any]
    ) -> Event:
        """Appends number expected + 1. A key that the stream has already returns its event and appends
        nothing; else, when the stream is not at `expected`, raises Conflict."""
        ...

    def streams(self, prefix: str = "") -> tuple[str, ...]: ...
    def checkpoint(self, at: datetime) -> Mapping[str, tuple[int, str]]:
        """Heads of all streams (sequence, hash), appended to the system stream and to a file outside the database."""
        ...

    def verify(self) -> tuple[str, ...]:
        """Problems found (empty: the chains hold and no checkpointed event is lost)."""
        ...


class Grant(Spec):
    """A held lease. `token` grows with each grant: a write with an older token is refused."""

    name: str
    holder: str
    token: int
    expires_at: datetime


class Lease(Protocol):
    """One holder at a time, with a fencing token."""

    def acquire(self, name: str, holder: str, *, now: datetime, seconds: int) -> Grant | None:
        """None while somebody else holds it. The same holder gets its own grant back (retry)."""
        ...

    def check(self, grant: Grant, *, now: datetime) -> None:
        """Raises LeaseLost."""
        ...

    def release(self, grant: Grant) -> None: ...


class OutboxEntry(Spec):
    """One effect of one action: pending -> in_flight -> done | ambiguous | failed."""

    key: str  # "<action id>/<effect>"
    state: str
    attempts: int = 0
    in_flight_at: datetime | None = None
    reference: dict[str, str] = Field(default_factory=dict)
    error: str = ""


class Outbox(Protocol):
    """Effects that a service has no idempotency key for."""

    def get(self, key: str) -> OutboxEntry | None: ...
    def put(self, entry: OutboxEntry) -> None: ...


class QualitySuite(Protocol):
    """Great Expectations over a partition's rows.

    Returns measurements of the quality family (metric "expectation", subject "<type>(<column>)",
    value = share of unexpected rows, detail = the expectation in words), and the failed gates.
    """

    def run(self, monitor: Monitor, rows: pa.Table, *, night: date) -> QualityOutcome: ...
    def check(self, monitor: Monitor, suite: Mapping[str, Any], rows: pa.Table) -> tuple[Verdict, ...]:
        """Tries a suite (GX's JSON) on rows; a verdict for each expectation, in order. Keeps nothing."""
        ...


class QualityOutcome(Spec):
    """What the suite found. failed_gates: expectations marked meta.vigil.gate that failed."""

    verdicts: tuple[Any, ...]  # tuple[Verdict, ...]: severity critical -> breach, warning -> warn
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
    def post(self, action: str, channel: str, message: Message) -> Receipt:
        """`channel` is a channel id, or `#name` of a channel that exists or is created."""
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


class Artifacts(Protocol):
    """Files for people: reports, data docs."""

    def path(self, monitor: str, night: date, name: str) -> Path: ...
    def url(self, monitor: str, night: date, name: str) -> str: ...


class Ports(Spec):
    """All of them: what `wiring` hands to a use case."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True, extra="forbid")

    clock: Any
    log: Any
    intake: Any = None  # only monitors with a `source:` need it
    scanner: Any
    profiles: Any
    results: Any
    ledger: Any
    lease: Any
    outbox: Any
    quality: Any
    reporter: Any
    notifier: Callable[[], Any]  # made when first needed: a missing connection must not stop judging
    registry: Any
    runner: Any
    probe: Any
    artifacts: Any
    public_url: str = ""  # base of the links in messages
