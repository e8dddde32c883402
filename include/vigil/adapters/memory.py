"""The state ports without a database: for tests and rehearsals. They pass the same contracts as the SQL ones."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from vigil.core.errors import Conflict, DataError, LeaseLost, LedgerError
from vigil.core.ids import canonical
from vigil.incidents.chain import (
    CHECKPOINT,
    GENESIS,
    SYSTEM,
    Checkpoint,
    Head,
    as_checkpoint,
    event_hash,
    verify_chain,
    verify_checkpoints,
)
from vigil.incidents.types import Event
from vigil.metrics.types import Measurement
from vigil.ports import Grant, OutboxEntry
from vigil.profiles.edges import edges_digest
from vigil.profiles.types import Edges, Key, Profile
from vigil.verdicts.types import NightResult


class FrozenClock:
    """A clock that stands still until it is told.

    >>> clock = FrozenClock(datetime(2026, 3, 1, 2, tzinfo=UTC))
    >>> clock.advance(timedelta(minutes=5))
    >>> clock.now().isoformat()
    '2026-03-01T02:05:00+00:00'
    """

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it was set to, UTC."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Moves it on."""
        self._at += by


class MemoryLedger:
    """Ledger. `noted` is the list that stands for the file outside the database."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Event]] = {}
        self.noted: list[Checkpoint] = []

    def read(self, stream: str) -> tuple[Event, ...]:
        """All events of a stream, oldest first."""
        return tuple(self._streams.get(stream, ()))

    def append(
        self, stream: str, *, expected: int, key: str, type: str, at: datetime, payload: Mapping[str, Any]
    ) -> Event:
        """Event number expected + 1; the event that has the key already; or Conflict."""
        if at.tzinfo is None:
            raise LedgerError(f"{stream} {key}: an event needs a time with a zone, not {at.isoformat()}")
        events = self._streams.get(stream, [])
        same = next((event for event in events if event.key == key), None)
        if same is not None:
            return same
        if len(events) != expected:
            raise Conflict(f"{stream}: it has {len(events)} events, not {expected}; read it again and decide again")
        facts: dict[str, Any] = {"stream": stream, "sequence": expected + 1, "key": key, "type": type}
        facts |= {"at": at.astimezone(UTC), "payload": _as_stored(payload)}
        facts["previous"] = events[-1].hash if events else GENESIS
        event = Event(**facts, hash=event_hash(**facts))
        self._streams[stream] = [*events, event]
        return event

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of all streams that begin with `prefix`, in order."""
        return tuple(sorted(name for name in self._streams if name.startswith(prefix)))

    def checkpoint(self, at: datetime) -> Mapping[str, Head]:
        """Records the heads of all streams, inside and in `noted`."""
        heads = {name: (events[-1].sequence, events[-1].hash) for name, events in self._streams.items()}
        length = heads.pop(SYSTEM, (0, GENESIS))[0]
        key = f"{CHECKPOINT}/{at.astimezone(UTC).isoformat()}"
        made = self.append(SYSTEM, expected=length, key=key, type=CHECKPOINT, at=at, payload={"heads": heads})
        point = as_checkpoint(made)
        if point is not None and point not in self.noted:
            self.noted.append(point)
        return heads

    def verify(self) -> tuple[str, ...]:
        """Recomputes every chain and compares the checkpoints."""
        found = [line for name in self.streams() for line in verify_chain(name, self.read(name))]
        stored = {name: {e.sequence: e.hash for e in self.read(name)} for name in self.streams()}
        made = [e for e in self.read(SYSTEM) if e.type == CHECKPOINT]
        return (*found, *verify_checkpoints(stored, made, self.noted))


class MemoryResults:
    """Results."""

    def __init__(self) -> None:
        self._stages: dict[tuple[str, str, date, str, str], tuple[Measurement, ...]] = {}
        self._nights: dict[tuple[str, str, date], list[tuple[datetime, NightResult]]] = {}

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
        """Keeps what a stage measured; a second put replaces the first."""
        self._stages[monitor, environment, night, source, partition_digest] = tuple(measurements)

    def measurements(
        self, monitor: str, environment: str, night: date, source: str, *, partition_digest: str
    ) -> tuple[Measurement, ...] | None:
        """What a stage measured of these rows, or None."""
        return self._stages.get((monitor, environment, night, source, partition_digest))

    def append(self, result: NightResult, *, evaluated_at: datetime, labels_through: datetime | None) -> bool:
        """Stores a judgement; False when the latest one of the night is the same judgement of the same facts."""
        del labels_through  # only asked for in SQL
        told = self._nights.setdefault((result.monitor, result.environment, result.night), [])
        if told and told[-1][1].digest_key == result.digest_key:
            return False
        told.append((evaluated_at, result))
        return True

    def latest(
        self, monitor: str, environment: str, night: date, *, known_at: datetime | None = None
    ) -> NightResult | None:
        """The latest judgement of a night, or the one that was the latest at `known_at`."""
        told = self._nights.get((monitor, environment, night), [])
        known = [result for at, result in told if known_at is None or at <= known_at]
        return known[-1] if known else None

    def history(self, monitor: str, environment: str, before: date, nights: int) -> tuple[NightResult, ...]:
        """The latest judgement of each night in the `nights` nights before `before`, oldest first."""
        return self.between(monitor, environment, before - timedelta(days=nights), before - timedelta(days=1))

    def between(self, monitor: str, environment: str, first: date, last: date) -> tuple[NightResult, ...]:
        """The latest judgement of each night from `first` to `last`, oldest first."""
        mine = [n for m, e, n in self._nights if (m, e) == (monitor, environment) and first <= n <= last]
        return tuple(self._nights[monitor, environment, n][-1][1] for n in sorted(mine))

    def first(
        self,
        monitor: str,
        environment: str,
        *,
        since: date,
        before: date,
        nights: int,
    ) -> tuple[NightResult, ...]:
        """The latest judgement of the first nights that had rows, oldest first."""
        judged = self.between(monitor, environment, since, before - timedelta(days=1))
        return tuple(r for r in judged if r.rows)[:nights]

    def oldest(self, monitor: str, environment: str) -> date | None:
        """The first night that was ever judged."""
        return min((n for m, e, n in self._nights if (m, e) == (monitor, environment)), default=None)

    def versions_of_truth(
        self, monitor: str, environment: str, night: date
    ) -> tuple[tuple[datetime, NightResult], ...]:
        """Every judgement of one night with its time, oldest first."""
        return tuple(self._nights.get((monitor, environment, night), ()))

    def newest(self, monitor: str, environment: str) -> tuple[date, datetime] | None:
        """The newest judged night and when it was last evaluated."""
        mine = [n for m, e, n in self._nights if (m, e) == (monitor, environment)]
        return (max(mine), self._nights[monitor, environment, max(mine)][-1][0]) if mine else None


class MemoryProfiles:
    """Profiles, bin edges and baselines."""

    def __init__(self) -> None:
        self._rows: list[tuple[Key, str, Profile]] = []
        self._edges: dict[str, list[Edges]] = {}
        self._baselines: dict[tuple[str, str], Profile] = {}

    def put(self, key: Key, profile: Profile, *, partition_digest: str) -> None:
        """Keeps a profile; the same key and digest twice is once."""
        newest = next(((d, p.edges_digest) for k, d, p in reversed(self._rows) if k == key), None)
        if newest != (partition_digest, profile.edges_digest):
            self._rows.append((key, partition_digest, profile))

    def put_night(self, found: Mapping[Key, Profile], *, partition_digest: str) -> None:
        """Keeps all profiles of a scan."""
        for key, profile in found.items():
            self.put(key, profile, partition_digest=partition_digest)

    def night(
        self, monitor: str, environment: str, night: date, *, partition_digest: str | None = None
    ) -> Mapping[Key, Profile]:
        """The latest profile of each version and role among the rows that the night has now, or had with a digest."""
        digest = partition_digest or self.partition_digest(monitor, environment, night)
        return {k: p for k, d, p in self._rows if d == digest and _is_of(k, monitor, environment, night)}

    def partition_digest(self, monitor: str, environment: str, night: date) -> str | None:
        """Of which rows and labels the latest profile of the night is."""
        return next((d for k, d, _ in reversed(self._rows) if _is_of(k, monitor, environment, night)), None)

    def put_edges(self, monitor: str, edges: Edges, *, reason: str) -> str:
        """Freezes edges; the same ones again change nothing, other ones need a reason (DataError)."""
        present = self.edges(monitor)
        if present is not None and present != edges and not reason.strip():
            raise DataError(f"{monitor}: its bin edges are frozen; other ones need a reason, for the record")
        if edges != present:
            self._edges.setdefault(monitor, []).append(edges)
        return edges_digest(edges)

    def edges(self, monitor: str, *, digest: str | None = None) -> Edges | None:
        """The monitor's present edges, or those with a digest."""
        found = [e for e in self._edges.get(monitor, []) if digest is None or edges_digest(e) == digest]
        return found[-1] if found else None

    def put_baseline(self, monitor: str, version: str, profile: Profile) -> None:
        """The profile of a version's holdout; a second put replaces the first."""
        self._baselines[monitor, version] = profile

    def baseline(self, monitor: str, version: str) -> Profile | None:
        """The recorded baseline of a version."""
        return self._baselines.get((monitor, version))

    @contextmanager
    def replacing(self, monitor: str, version: str) -> Iterator[None]:
        """Edges and the version's baseline are as before where the block raises."""
        edges, baseline = [*self._edges.get(monitor, [])], self._baselines.get((monitor, version))
        try:
            yield
        except BaseException:
            self._edges[monitor] = edges
            self._baselines.pop((monitor, version), None)
            self._baselines |= {(monitor, version): baseline} if baseline is not None else {}
            raise


class MemoryLease:
    """Lease."""

    def __init__(self) -> None:
        self._held: dict[str, Grant] = {}  # also expired ones and, with an empty holder, released ones

    def acquire(self, name: str, holder: str, *, now: datetime, seconds: int) -> Grant | None:
        """A grant, or None while somebody else holds the lease. The same holder gets its own grant back."""
        was = self._held.get(name)
        held = was is not None and bool(was.holder) and was.expires_at > now
        if was is not None and held and was.holder != holder:
            return None
        token = 1 if was is None else was.token if held else was.token + 1
        grant = Grant(name=name, holder=holder, token=token, expires_at=now + timedelta(seconds=seconds))
        self._held[name] = grant
        return grant

    def check(self, grant: Grant, *, now: datetime) -> None:
        """Raises LeaseLost when the grant is no longer the valid one."""
        was = self._held.get(grant.name)
        if was is None or (was.holder, was.token) != (grant.holder, grant.token):
            whose = f"{was.holder} has the lease" if was is not None and was.holder else "the lease was given back"
            raise LeaseLost(f"{grant.name}: {whose} now; {grant.holder} may write nothing more, take it again first")
        if was.expires_at <= now:
            raise LeaseLost(
                f"{grant.name}: the lease of {grant.holder} expired at {was.expires_at:%H:%M:%S} UTC; "
                "take it again first"
            )

    def release(self, grant: Grant) -> None:
        """Gives the lease back; harmless when it is already lost."""
        was = self._held.get(grant.name)
        if was is not None and (was.holder, was.token) == (grant.holder, grant.token):
            self._held[grant.name] = was.model_copy(update={"holder": ""})


class MemoryOutbox:
    """Outbox."""

    def __init__(self) -> None:
        self._entries: dict[str, OutboxEntry] = {}

    def get(self, key: str) -> OutboxEntry | None:
        """The entry of one effect."""
        return self._entries.get(key)

    def put(self, entry: OutboxEntry) -> None:
        """Stores an entry, replacing the one of the same key."""
        self._entries[entry.key] = entry


def _is_of(key: Key, monitor: str, environment: str, night: date) -> bool:
    return (key.monitor, key.environment, key.night) == (monitor, environment, night)


def _as_stored(payload: Mapping[str, Any]) -> dict[str, Any]:
    """As it would come back from a database: JSON, and nobody else's object."""
    stored: dict[str, Any] = json.loads(canonical(payload))
    return stored
