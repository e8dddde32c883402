"""What Vigil remembers: profiles, results, the ledger, leases and the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from vigil.core.spec import Spec

if TYPE_CHECKING:
    from vigil.incidents.types import Event
    from vigil.metrics.types import Measurement
    from vigil.profiles.types import Edges, Key, Profile
    from vigil.verdicts.types import NightResult


class ReadProfiles(Protocol):
    """Reads kept profiles, bin edges and baselines."""

    def night(
        self, monitor: str, environment: str, night: date, *, partition_digest: str | None = None
    ) -> Mapping[Key, Profile]:
        """The latest profile of each version and role of that night; of other rows and labels, where they are named."""
        ...

    def partition_digest(self, monitor: str, environment: str, night: date) -> str | None: ...
    def edges(self, monitor: str, *, digest: str | None = None) -> Edges | None:
        """The monitor's present edges, or those with a digest."""
        ...

    def baseline(self, monitor: str, version: str) -> Profile | None: ...


class Profiles(ReadProfiles, Protocol):
    """Kept profiles, by night and partition digest. Putting the same key and digest twice is once."""

    def put(self, key: Key, profile: Profile, *, partition_digest: str) -> None: ...
    def put_night(self, found: Mapping[Key, Profile], *, partition_digest: str) -> None:
        """All profiles of one scan, or none: a crash half-way must not leave a night that looks complete."""
        ...

    def put_edges(self, monitor: str, edges: Edges, *, reason: str) -> str:
        """Returns the edges_digest. The first edges are frozen: other ones need a reason and add a row."""
        ...

    def put_baseline(self, monitor: str, version: str, profile: Profile) -> None: ...
    def replacing(self, monitor: str, version: str) -> AbstractContextManager[None]:
        """Edges, and the version's baseline, are as before where the block raises."""
        ...


class ReadResults(Protocol):
    """Reads judged nights. They are bitemporal: what was known when stays readable."""

    def latest(
        self, monitor: str, environment: str, night: date, *, known_at: datetime | None = None
    ) -> NightResult | None: ...
    def history(self, monitor: str, environment: str, before: date, nights: int) -> tuple[NightResult, ...]:
        """Latest result of each of the `nights` nights before `before`, oldest first; gaps stay out."""
        ...

    def between(self, monitor: str, environment: str, first: date, last: date) -> tuple[NightResult, ...]:
        """Latest result of each night from `first` to `last`, both included, oldest first; gaps stay out."""
        ...

    def first(
        self,
        monitor: str,
        environment: str,
        *,
        since: date,
        before: date,
        nights: int,
    ) -> tuple[NightResult, ...]:
        """Latest result of each of the first `nights` nights from `since` on, before `before`, that had rows, oldest
        first, however far they lie apart."""
        ...

    def oldest(self, monitor: str, environment: str) -> date | None:
        """The first night that was ever judged."""
        ...

    def versions_of_truth(
        self, monitor: str, environment: str, night: date
    ) -> tuple[tuple[datetime, NightResult], ...]:
        """Every result of one night with its evaluated_at, oldest first (restatements)."""
        ...

    def newest(self, monitor: str, environment: str) -> tuple[date, datetime] | None:
        """The newest judged night and when it was evaluated."""
        ...


class Results(ReadResults, Protocol):
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


class ReadLedger(Protocol):
    """Reads the event streams."""

    def read(self, stream: str) -> tuple[Event, ...]: ...
    def streams(self, prefix: str = "") -> tuple[str, ...]: ...


class Ledger(ReadLedger, Protocol):
    """Append-only hash-chained event streams."""

    def append(
        self, stream: str, *, expected: int, key: str, type: str, at: datetime, payload: Mapping[str, object]
    ) -> Event:
        """Appends number expected + 1. A key that the stream has already returns its event and appends
        nothing; else, when the stream is not at `expected`, raises Conflict."""
        ...

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
