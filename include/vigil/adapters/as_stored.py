"""What was stored when a judgement was made: results, profiles, events and notes of that moment, for reading alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from vigil.adapters.as_known import NotesApart
from vigil.ports.notes import NoteKind

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.core.window import Window
    from vigil.incidents.types import Event
    from vigil.ports import Ledger, Partition, PredictionLog, Profiles, Results
    from vigil.profiles.types import Edges, Key, Profile
    from vigil.verdicts.types import NightResult

SUITES = f"{NoteKind.SUITE.value}-"  # how names of suites' notes begin
GONE = "(rows that are not in the log any more)"


class ResultsThen:
    """Results, as they were."""

    def __init__(self, stored: Results, at: datetime) -> None:
        self._stored, self._at = stored, at

    def latest(
        self, monitor: str, environment: str, night: date, *, known_at: datetime | None = None
    ) -> NightResult | None:
        """The judgement of a night that was the latest one then."""
        return self._stored.latest(monitor, environment, night, known_at=min(known_at or self._at, self._at))

    def history(self, monitor: str, environment: str, before: date, nights: int) -> tuple[NightResult, ...]:
        """The latest judgement of each night before `before`, oldest first."""
        return self.between(monitor, environment, before - timedelta(days=nights), before - timedelta(days=1))

    def between(self, monitor: str, environment: str, first: date, last: date) -> tuple[NightResult, ...]:
        """The latest judgement of each night from `first` to `last`, oldest first."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        found = (self.latest(monitor, environment, day) for day in days)
        return tuple(result for result in found if result is not None)

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
        found: list[NightResult] = []
        for day in (since + timedelta(days=n) for n in range((before - since).days)):
            result = self.latest(monitor, environment, day)
            found += [result] if result is not None and result.rows else []
            if len(found) >= nights:
                break
        return tuple(found[:nights])

    def oldest(self, monitor: str, environment: str) -> date | None:
        """The first night that was ever judged."""
        return self._stored.oldest(monitor, environment)


class ProfilesThen:
    """Profiles of the rows and labels that were judged, on the edges that they were counted on."""

    def __init__(self, stored: Profiles, results: ResultsThen, edges_digest: str) -> None:
        self._stored, self._results, self._edges = stored, results, edges_digest

    def night(self, monitor: str, environment: str, night: date) -> Mapping[Key, Profile]:
        """The profiles of a night's latest judgement."""
        judged = self._results.latest(monitor, environment, night)
        digest = judged.partition_digest if judged else None
        return self._stored.night(monitor, environment, night, partition_digest=digest)

    def edges(self, monitor: str) -> Edges | None:
        """The bin edges."""
        return self._stored.edges(monitor, digest=self._edges or None) or self._stored.edges(monitor)

    def baseline(self, monitor: str, version: str) -> Profile | None:
        """As stored: a baseline that was replaced since is gone, and the rebuilt judgement then differs."""
        return self._stored.baseline(monitor, version)


class LedgerThen:
    """Ledger, up to a moment."""

    def __init__(self, stored: Ledger, at: datetime) -> None:
        self._stored, self._at = stored, at

    def read(self, stream: str) -> tuple[Event, ...]:
        """The events of a stream that there were."""
        return tuple(event for event in self._stored.read(stream) if event.at <= self._at)

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of all streams, those that were empty then included."""
        return self._stored.streams(prefix)


class LogThen:
    """PredictionLog, for one question: which files a night had. A judgement is of profiles; rows may be gone."""

    def __init__(self, log: PredictionLog, judged: NightResult, at: datetime) -> None:
        self._log, self._judged, self._at = log, judged, at
        self.same: bool | None = None  # whether the log still has what was judged

    def partition(self, monitor: Monitor, window: Window, *, labels_through: datetime | None = None) -> Partition:
        """The partition with the digest that was judged, whatever the log has now."""
        found = self._log.partition(monitor, window, labels_through=labels_through or self._at)
        if found.digest != self._judged.partition_digest:
            whole = self._log.partition(monitor, window)
            found = whole if whole.digest == self._judged.partition_digest else found
        self.same = found.digest == self._judged.partition_digest
        files = found.files or ((GONE,) if self._judged.rows else ())
        return found.model_copy(update={"digest": self._judged.partition_digest, "files": files})


class NotesThen(NotesApart):
    """The notes of a night's stages. A suite's verdicts are found also where the log has moved since."""

    def __init__(self, folder: Path, home: Path) -> None:
        super().__init__(folder, home, everything=True)

    def path(self, monitor: str, night: date, name: str) -> Path:
        """A copy of the note."""
        path = super().path(monitor, night, name)
        if path.exists() or not name.startswith(SUITES):
            return path
        kept = sorted((self._home / monitor / night.isoformat()).glob(f"{SUITES}*.json"))
        return super().path(monitor, night, kept[-1].name) if len(kept) == 1 else path
