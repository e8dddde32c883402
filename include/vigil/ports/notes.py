"""Notes: what a stage of a night leaves for the stages after it, and for whoever judges the night again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeVar

from pydantic import model_validator

from vigil.core.spec import Spec


class NoteKind(StrEnum):
    """What a note is about."""

    PROBLEM = "problem"  # why a night has no profile
    INTAKE = "intake"  # what was taken in of a log that others write
    TRAFFIC = "traffic"  # how many requests somebody else counted
    SUITE = "quality"  # what the suite found in rows
    ROWS = "rows"  # which rows of the night's files are of the night


class StageNote(Spec):
    """One note; each kind has a type with its own `content`. rows: identifies the rows that it is about, if it is."""

    kind: NoteKind
    rows: str = ""

    @model_validator(mode="before")
    @classmethod
    def _of_older_release(cls, data: object) -> object:
        """Older releases kept the content alone."""
        return {"content": data} if isinstance(data, Mapping) and "content" not in data else data


Note = TypeVar("Note", bound=StageNote)


class StageNotes(Protocol):
    """Notes by monitor, night, kind and rows."""

    def put(self, monitor: str, night: date, note: StageNote) -> None:
        """Keeps a note instead of the one of the same kind and rows; a reader finds one of the two, whole."""
        ...

    def get(self, monitor: str, night: date, kind: type[Note], *, rows: str = "") -> Note | None:
        """The note, or None. Raises DataError where it cannot be read."""
        ...
