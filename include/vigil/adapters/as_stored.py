"""Point-in-time, read-only views: results, profiles, events and notes as they were when a judgement was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from vigil.adapters.as_known import NotesApart
from vigil.core.window import night_window
from vigil.ports.notes import NoteKind

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.core.window import Window
    from vigil.incidents.types import Event
    from vigil.ports import Partition, ReadLedger, ReadLog, ReadProfiles, ReadResults
    from vigil.profiles.types import Edges, Key, Profile
    from vigil.verdicts.types import NightResult

SUITES = f"{NoteKind.SUITE.value}-"  # how names of suites' notes begin
GONE = "(rows that are not in the log any more)"


class ResultsThen:
    """ReadResults, cut at a moment: judgements of later are not there."""

    def __init__(self, stored: ReadResults, at: datetime) -> None:
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
        """The first night that was judged by then."""
        return next(self._judged(monitor, environment, backwards=False), None)

    def newest(self, monitor: str, environment: str) -> tuple[date, datetime] | None:
        """The newest night that was judged by then, and when it was last evaluated by then."""
        night = next(self._judged(monitor, environment, backwards=True), None)
        versions = self.versions_of_truth(monitor, environment, night) if night else ()
        return (night, versions[-1][0]) if night and versions else None

    def versions_of_truth(
        self, monitor: str, environment: str, night: date
    ) -> tuple[tuple[datetime, NightResult], ...]:
        """The judgements of one night by then, oldest first."""
        return tuple(v for v in self._stored.versions_of_truth(monitor, environment, night) if v[0] <= self._at)

    def _judged(self, monitor: str, environment: str, *, backwards: bool) -> Iterator[date]:
        """The nights that were judged by then, oldest first, or newest first."""
        first, last = self._stored.oldest(monitor, environment), self._stored.newest(monitor, environment)
        days = range((last[0] - first).days + 1) if first and last else range(0)
        for n in reversed(days) if backwards else days:
            if first and self.latest(monitor, environment, night := first + timedelta(days=n)) is not None:
                yield night


class ProfilesThen:
    """ReadProfiles of the rows and labels that were judged by then, on the edges that they were counted on."""

    def __init__(self, stored: ReadProfiles, results: ResultsThen, edges_digest: str) -> None:
        self._stored, self._results, self._edges = stored, results, edges_digest

    def night(
        self, monitor: str, environment: str, night: date, *, partition_digest: str | None = None
    ) -> Mapping[Key, Profile]:
        """The profiles of a night's latest judgement, or those of other rows that are named; none of later nights."""
        known = partition_digest or self.partition_digest(monitor, environment, night)
        return self._stored.night(monitor, environment, night, partition_digest=known) if known else {}

    def partition_digest(self, monitor: str, environment: str, night: date) -> str | None:
        """Of which rows and labels the night's latest judgement was."""
        judged = self._results.latest(monitor, environment, night)
        return judged.partition_digest if judged else None

    def edges(self, monitor: str, *, digest: str | None = None) -> Edges | None:
        """The bin edges of the judgement, or those with a digest."""
        if digest is not None:
            return self._stored.edges(monitor, digest=digest)
        return self._stored.edges(monitor, digest=self._edges or None) or self._stored.edges(monitor)

    def baseline(self, monitor: str, version: str) -> Profile | None:
        """As stored: a baseline that was replaced since is gone, and the rebuilt judgement then differs."""
        return self._stored.baseline(monitor, version)


class LedgerThen:
    """ReadLedger, cut at a moment."""

    def __init__(self, stored: ReadLedger, at: datetime) -> None:
        self._stored, self._at = stored, at

    def read(self, stream: str) -> tuple[Event, ...]:
        """The events of a stream that there were."""
        return tuple(event for event in self._stored.read(stream) if event.at <= self._at)

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of all streams that had events by then."""
        return tuple(name for name in self._stored.streams(prefix) if self.read(name))


class LogThen:
    """ReadLog: labels of later are not there. A judgement is of profiles: the rows that it was of may be gone."""

    def __init__(self, log: ReadLog, judged: NightResult, at: datetime) -> None:
        self._log, self._judged, self._at = log, judged, at

    def partition(self, monitor: Monitor, window: Window, *, labels_through: datetime | None = None) -> Partition:
        """The partition by then; of the judged night with the digest that was judged, whatever the log has now."""
        through = min(labels_through or self._at, self._at)
        if window != night_window(self._judged.night, monitor.timezone):
            return self._log.partition(monitor, window, labels_through=through)
        known = self._log.partition(monitor, window, labels_through=through)
        if known.digest != self._judged.partition_digest:  # some releases judged with all labels
            whole = self._log.partition(monitor, window)
            known = whole if whole.digest == self._judged.partition_digest else known
        files = known.files or ((GONE,) if self._judged.rows else ())
        return known.model_copy(update={"digest": self._judged.partition_digest, "files": files})

    def sample(self, monitor: Monitor, partition: Partition, *, rows: int) -> pa.Table:
        """As the log samples."""
        return self._log.sample(monitor, partition, rows=rows)

    def reference(self, model: str) -> pa.Table | None:
        """As the log has it now."""
        return self._log.reference(model)


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
