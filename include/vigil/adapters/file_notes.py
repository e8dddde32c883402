"""The notes of a night's stages as JSON files, beside the night's reports."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vigil.core.errors import DataError
from vigil.core.ids import digest
from vigil.ports.notes import Note, NoteKind, StageNote

if TYPE_CHECKING:
    from vigil.ports import Artifacts


def file_name(kind: NoteKind, rows: str = "") -> str:
    """The name of a note's file.

    >>> file_name(NoteKind.PROBLEM), file_name(NoteKind.SUITE, "4f2a")
    ('problem.json', 'quality-4f2a.json')
    """
    return f"{kind.value}-{rows}.json" if rows else f"{kind.value}.json"


class FileNotes:
    """Implements the StageNotes port over the files of an Artifacts port."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    def put(self, monitor: str, night: date, note: StageNote) -> None:
        """As the port says: written beside its place, and moved there at once."""
        path = self._artifacts.path(monitor, night, file_name(note.kind, note.rows))
        text = note.model_dump_json()
        draft = path.with_name(f".{path.name}.{digest(text, length=8)}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)

    def get(self, monitor: str, night: date, kind: type[Note], *, rows: str = "") -> Note | None:
        """As the port says."""
        path = self._artifacts.path(monitor, night, file_name(kind.model_fields["kind"].default, rows))
        if not path.exists():
            return None
        try:
            return kind.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise DataError(
                f"{path} cannot be read as a note of the night ({where}: {first['msg']}); delete it and run the night "
                f"again: `vigil night {monitor} {night}`"
            ) from error
