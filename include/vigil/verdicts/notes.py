"""What a person should know of a night beside its verdicts."""

from enum import StrEnum

from vigil.core.spec import Spec


class NoteKind(StrEnum):
    """What a note is about."""

    UNREADABLE_FILE = "unreadable file"
    GATE_FAILED = "gate failed"
    REMARK = "remark"  # of the weekday, of the nights that teach, of the yardstick


class Note(Spec):
    """One note; its words are for people alone."""

    kind: NoteKind = NoteKind.REMARK
    words: str

    @property
    def doubts(self) -> bool:
        """Whether an ok of the night is not trusted because of it."""
        return self.kind in (NoteKind.UNREADABLE_FILE, NoteKind.GATE_FAILED)

    def __str__(self) -> str:
        return self.words
