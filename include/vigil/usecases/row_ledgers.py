"""The ledger of a night's rows: made of a look at its files, its profiles, and the files nobody could read."""

from datetime import date
from pathlib import Path

from vigil.config.schema import Monitor
from vigil.core.words import Role
from vigil.metrics.lacking import SCORES, remainders
from vigil.ports import Partition, Ports, ReadPorts
from vigil.profiles.row_ledger import Elsewhere, Place, Remainder, RowLedger
from vigil.profiles.types import Profile
from vigil.usecases.night.notes import RowsNote
from vigil.usecases.nights import Night, view


def note_key(found: Partition) -> str:
    """Identifies the rows and labels in the note of where these rows are."""
    return found.digest[:12]


def look(ports: Ports, monitor: Monitor, night: date, found: Partition) -> Elsewhere:
    """Which rows of the night's files are of this night and environment. Raises DataError where they cannot be read."""
    seen: Elsewhere = ports.scanner.elsewhere(monitor, found) if found.files or found.beside else Elsewhere()
    ports.notes.put(monitor.model, night, RowsNote(rows=note_key(found), content=seen))
    return seen


def row_ledger(
    ports: ReadPorts, monitor: Monitor, night: date, found: Partition, loaded: Night | None
) -> RowLedger | None:
    """Every row of the partition in its place; None where nobody looked (the model has no baseline yet)."""
    note: RowsNote | None = ports.notes.get(monitor.model, night, RowsNote, rows=note_key(found))
    if note is None:
        return None
    seen = note.content
    places = _own(ports, monitor, night, seen.own) | dict(seen.places)
    return RowLedger(
        places={place: rows for place, rows in places.items() if rows},
        environments=seen.environments,
        unreadable=tuple(f"{Path(name).name}: {why}" for name, why in found.broken if name not in found.files),
        remainders=_remainders(monitor, loaded) if loaded else (),
        yardstick=loaded.yardstick if loaded and loaded.baseline else "",
    )


def answered_rows(monitor: Monitor, answers: Profile, baseline: Profile | None, *, scored: bool = True) -> RowLedger:
    """What the rows of one version's answers are without, for judging them alone: a champion's part, or a replay.

    scored: False for rules that stand in, which have no score to lose.
    """
    lost = remainders(answers, baseline, view(monitor))
    return RowLedger(
        places={Place.JUDGED: answers.rows} if answers.rows else {},
        remainders=tuple(r for r in lost if scored or r.lack not in SCORES),
    )


def _remainders(monitor: Monitor, loaded: Night) -> tuple[Remainder, ...]:
    return remainders(loaded.served, loaded.baseline, view(monitor), champion=loaded.champion)


def _own(ports: ReadPorts, monitor: Monitor, night: date, rows: int) -> dict[Place, int]:
    """The rows of this night and environment, by what the scan did with them."""
    profiles = ports.profiles.night(monitor.model, monitor.environment, night)
    repeated = sum(p.duplicates for p in profiles.values())
    conflicting = sum(p.conflicting for p in profiles.values())
    shadow = sum(p.rows for key, p in profiles.items() if key.role is Role.CHALLENGER)
    judged = sum(p.rows for p in profiles.values()) - shadow
    if judged + shadow + repeated != rows:  # the profiles are of other rows: the scan of these ones failed
        return {Place.NOT_PROFILED: rows}
    return {
        Place.JUDGED: judged,
        Place.CHALLENGER: shadow,
        Place.REPEATED: repeated - conflicting,
        Place.CONFLICTING: conflicting,
    }
