"""The notes that the stages of a night leave for each other, each with its own type."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from vigil.core.spec import Spec
from vigil.ports import QualityOutcome, TrafficCount
from vigil.ports.notes import NoteKind, StageNote
from vigil.profiles.row_ledger import Elsewhere
from vigil.usecases.ingest import Ingested


class NoBaseline(Spec):
    """The model has no bin edges yet, so that nothing can be profiled. why: in words, with the next step."""

    kind: Literal["no baseline"] = "no baseline"
    why: str


class SchemaProblem(Spec):
    """The rows are not of the shape that the monitor declares. why: in words. digest: of the partition."""

    kind: Literal["schema"] = "schema"
    why: str
    digest: str = ""


Problem = Annotated[NoBaseline | SchemaProblem, Field(discriminator="kind")]


class ProblemNote(StageNote):
    """Left by `profile`: why there is no profile; None where there is one, or no rows."""

    kind: Literal[NoteKind.PROBLEM] = NoteKind.PROBLEM
    content: Problem | None

    @field_validator("content", mode="before")
    @classmethod
    def _nothing(cls, content: object) -> object:
        """Older releases kept an empty object where there was no problem."""
        return content or None


class IntakeNote(StageNote):
    """Left by `intake`: what was taken in, by all runs of the night."""

    kind: Literal[NoteKind.INTAKE] = NoteKind.INTAKE
    content: Ingested


class TrafficNote(StageNote):
    """Left by `profile`: how many requests the night had, as it was known then."""

    kind: Literal[NoteKind.TRAFFIC] = NoteKind.TRAFFIC
    content: TrafficCount


class SuiteNote(StageNote):
    """Left by `quality`: what the suite found in these rows."""

    kind: Literal[NoteKind.SUITE] = NoteKind.SUITE
    content: QualityOutcome


class RowsNote(StageNote):
    """Left by `profile`: which rows of the night's files are of other nights and environments."""

    kind: Literal[NoteKind.ROWS] = NoteKind.ROWS
    content: Elsewhere
