"""Point-in-time views of the stores for backtests: reads are cut at the clock, writes stay in memory.

A backtest judges past nights with the very use cases that judge them every night; these are the ports it hands them.
"""

from __future__ import annotations

import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from vigil.adapters.file_notes import file_name
from vigil.adapters.read_only import NoRegistry, ReadHalfOnly
from vigil.core.errors import NotRegistered
from vigil.core.ids import digest
from vigil.incidents.events import (
    NightJudged,
    NightJudgedLate,
    NightRestated,
    RebaselineProposed,
    SettingsRecorded,
)
from vigil.ports.notes import NoteKind
from vigil.profiles.codec import decode, encode
from vigil.profiles.edges import edges_digest
from vigil.profiles.types import Edges, Key, Profile
from vigil.responses.model_history import history

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.core.window import Window
    from vigil.incidents.types import Event
    from vigil.ports import Clock, Ledger, Partition, PredictionLog, ReadLedger, ReadLog, ReadProfiles, ServingState

MODELS = "model/"
# events that a judge adds; who judges anew adds its own
JUDGED = tuple(
    kind.ledger_type() for kind in (NightRestated, NightJudgedLate, NightJudged, SettingsRecorded, RebaselineProposed)
)
HOUR = timedelta(hours=1)
DECODED = 8  # nights whose profiles are held as objects; all others as the kilobytes that they are stored in
NOTED = tuple(
    map(file_name, (NoteKind.TRAFFIC, NoteKind.INTAKE))
)  # notes of a night that tell what was known outside the log


class Partitions:
    """Partitions that were looked up, for all who judge the same nights again.

    Between two moments at which no label of a night was observed its partition is the same: it is looked up once.
    """

    def __init__(self, log: PredictionLog) -> None:
        self._log = log
        self._hours: dict[str, tuple[datetime, ...]] = {}
        self._found: dict[str, list[tuple[datetime, Partition]]] = {}

    def at(self, monitor: Monitor, window: Window, through: datetime) -> Partition:
        """The window's partition with the labels that were observed by then."""
        key = digest([monitor.model, monitor.environment, monitor.data, monitor.features, str(window)], length=32)
        if key not in self._hours:
            self._hours[key] = self._log.label_times(monitor, window)
        known = self._found.setdefault(key, [])
        for then, partition in known:
            if not any(min(then, through) < hour < max(then, through) + HOUR for hour in self._hours[key]):
                return partition
        found = self._log.partition(monitor, window, labels_through=through)
        known.append((through, found))
        return found


class LogAsKnown(ReadHalfOnly):
    """PredictionLog: labels that were observed after the clock's time are not there. All but the read half refuses."""

    def __init__(self, log: ReadLog, partitions: Partitions, clock: Clock) -> None:
        self._log, self._partitions, self._clock = log, partitions, clock

    def partition(self, monitor: Monitor, window: Window, *, labels_through: datetime | None = None) -> Partition:
        """The stored rows of the window, and the labels known by now."""
        now = self._clock.now()
        return self._partitions.at(monitor, window, min(now, labels_through or now))

    def sample(self, monitor: Monitor, partition: Partition, *, rows: int) -> pa.Table:
        """As the log samples."""
        return self._log.sample(monitor, partition, rows=rows)

    def reference(self, model: str) -> pa.Table | None:
        """As the log has it."""
        return self._log.reference(model)


class LedgerAsKnown:
    """Ledger: a model's stored events up to the clock's time, and behind them, in memory, what is appended now.

    Incidents begin anew: those that are stored were opened by other judgements.
    """

    def __init__(self, stored: ReadLedger, mine: Ledger, clock: Clock) -> None:
        self._stored, self._mine, self._clock = stored, mine, clock
        self._read: dict[str, tuple[Event, ...]] = {}

    def read(self, stream: str) -> tuple[Event, ...]:
        """The events of a stream, oldest first."""
        return (*self._then(stream), *self._mine.read(stream))

    def append(
        self, stream: str, *, expected: int, key: str, type: str, at: datetime, payload: Mapping[str, object]
    ) -> Event:
        """Appends in memory, behind what is there."""
        before = expected - len(self._then(stream))
        return self._mine.append(stream, expected=before, key=key, type=type, at=at, payload=payload)

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of the models' streams, and of those that were begun now."""
        models = [name for name in self._stored.streams(prefix) if self._then(name)]
        return tuple(sorted({*models, *self._mine.streams(prefix)}))

    def checkpoint(self, at: datetime) -> Mapping[str, tuple[int, str]]:
        """Of what was appended."""
        return self._mine.checkpoint(at)

    def verify(self) -> tuple[str, ...]:
        """Of what was appended."""
        return self._mine.verify()

    def _then(self, stream: str) -> tuple[Event, ...]:
        if not stream.startswith(MODELS):
            return ()
        if stream not in self._read:
            self._read[stream] = tuple(e for e in self._stored.read(stream) if e.type not in JUDGED)
        return tuple(e for e in self._read[stream] if e.at <= self._clock.now())


class ProfilesAsKnown:
    """Profiles in memory, with the edges and baselines that are stored, or that were put here instead."""

    def __init__(self, stored: ReadProfiles) -> None:
        self._stored = stored
        self._nights: dict[tuple[str, str, date], tuple[str, list[tuple[Key, bytes]]]] = {}
        self._decoded: OrderedDict[tuple[str, str, date, str], dict[Key, Profile]] = OrderedDict()
        self._edges: dict[str, Edges | None] = {}
        self._baselines: dict[tuple[str, str], Profile | None] = {}

    def put(self, key: Key, profile: Profile, *, partition_digest: str) -> None:
        """Keeps a profile beside those of the same rows, instead of those of other rows."""
        known, kept = self._nights.get((key.monitor, key.environment, key.night), ("", []))
        beside = {k: decode(p) for k, p in kept} if known == partition_digest else {}
        if key not in beside or beside[key].edges_digest != profile.edges_digest:
            self.put_night({**beside, key: profile}, partition_digest=partition_digest)

    def put_night(self, found: Mapping[Key, Profile], *, partition_digest: str) -> None:
        """Keeps the profiles of a scan instead of those that the night had."""
        for key in found:
            place = (key.monitor, key.environment, key.night)
            same = [(k, encode(p)) for k, p in found.items() if (k.monitor, k.environment, k.night) == place]
            self._nights[place] = (partition_digest, same)
            self._decoded.pop((*place, partition_digest), None)

    def night(
        self, monitor: str, environment: str, night: date, *, partition_digest: str | None = None
    ) -> Mapping[Key, Profile]:
        """The profiles of each version and role among the rows that the night has now; others are not kept."""
        if partition_digest not in (None, self.partition_digest(monitor, environment, night)):
            return {}
        found, kept = self._nights.get((monitor, environment, night), ("", []))
        place = (monitor, environment, night, found)
        if place not in self._decoded:
            self._decoded[place] = {key: decode(stored) for key, stored in kept}
            if len(self._decoded) > DECODED:
                self._decoded.popitem(last=False)
        return self._decoded[place]

    def partition_digest(self, monitor: str, environment: str, night: date) -> str | None:
        """Of which rows and labels the profile of the night is."""
        found = self._nights.get((monitor, environment, night))
        return found[0] if found else None

    def put_edges(self, monitor: str, edges: Edges, *, reason: str) -> str:
        """Edges that hold here instead of the stored ones."""
        del reason
        self._edges[monitor] = edges
        return edges_digest(edges)

    def edges(self, monitor: str, *, digest: str | None = None) -> Edges | None:
        """The edges of the monitor."""
        if digest is not None:
            return self._stored.edges(monitor, digest=digest)
        if monitor not in self._edges:
            self._edges[monitor] = self._stored.edges(monitor)
        return self._edges[monitor]

    def put_baseline(self, monitor: str, version: str, profile: Profile) -> None:
        """A baseline that holds here instead of the stored one."""
        self._baselines[monitor, version] = profile

    def baseline(self, monitor: str, version: str) -> Profile | None:
        """The baseline of a version."""
        key = (monitor, version)
        if key not in self._baselines:
            self._baselines[key] = self._stored.baseline(monitor, version)
        return self._baselines[key]

    @contextmanager
    def replacing(self, monitor: str, version: str) -> Iterator[None]:
        """Edges and the version's baseline are as before where the block raises."""
        edges, baseline = self.edges(monitor), self.baseline(monitor, version)
        try:
            yield
        except BaseException:
            self._edges[monitor], self._baselines[monitor, version] = edges, baseline
            raise


class RegistryAsRecorded(NoRegistry):
    """Registry: what should have answered, as the ledger tells; it knows of no later change. All else refuses.

    Before the first change that is recorded, what that change made is taken to have been so.
    """

    def __init__(self, ledger: ReadLedger, stored: ReadLedger) -> None:
        self._ledger, self._stored = ledger, stored

    def serving(self, model: str) -> ServingState:
        """The aliases by now. Raises NotRegistered for a model that the ledger has no alias of."""
        from vigil.ports import ServingState

        told = history(self._ledger.read(f"{MODELS}{model}"))
        if not told.aliases:
            events = self._stored.read(f"{MODELS}{model}")
            states = (history(events[:n]) for n in range(1, len(events) + 1))
            told = next((state for state in states if state.aliases), told)
        if not told.aliases:
            raise NotRegistered(f"the ledger has no alias of {model!r}")
        names = {name: told.aliases.get(name) for name in ("champion", "fallback", "challenger")}
        return ServingState(**names, serve=told.serve)


class NotesApart:
    """Artifacts in a folder of their own, with the notes of the home's nights that tell what no log does.

    everything: with every note that a stage left there.
    """

    def __init__(self, folder: Path, home: Path, *, everything: bool = False) -> None:
        self._folder, self._home, self._everything = folder, home, everything

    def path(self, monitor: str, night: date, name: str) -> Path:
        """Where a file is or will be; its folder exists."""
        path = self._folder / monitor / night.isoformat() / name
        noted = self._home / monitor / night.isoformat() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if (name in NOTED or self._everything) and not path.exists() and noted.exists():
            shutil.copyfile(noted, path)
        return path

    def url(self, monitor: str, night: date, name: str) -> str:
        """Nobody opens these."""
        return self.path(monitor, night, name).as_uri()
