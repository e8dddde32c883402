"""Where every row of a night's files went: judged, or in a place that has a name; and what the judged ones are without.

Places add up to the rows of the files. What a row is without (a score, a group, a label, …) is counted among the rows
that are judged: such a row is in some numbers of the night and not in others.
"""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from vigil.core.spec import Spec


class Place(StrEnum):
    """Where a row is. Each row of the night's files is in exactly one place."""

    JUDGED = "judged"
    CHALLENGER = "challenger"  # answered by a challenger in shadow, and judged apart
    REPEATED = "repeated"  # the id and the content of another row
    CONFLICTING = "conflicting"  # the id of another row, and other content
    OTHER_ENVIRONMENT = "other_environment"
    NO_ENVIRONMENT = "no_environment"
    OTHER_NIGHT = "other_night"  # beside the night's rows in the files that may hold some
    NO_TIME = "no_time"
    NOT_PROFILED = "not_profiled"  # of this night and environment, but the scan stopped: the schema says why


class Lack(StrEnum):
    """What a judged row is without."""

    ANSWER = "answer"
    SCORE = "score"
    SCORE_OF_LABELLED = "score_of_labelled"  # of the rows with a label
    GROUP = "group"
    GROUP_OF_LABELLED = "group_of_labelled"  # of the rows with a label
    LABEL = "label"  # it may still come
    LABEL_WORD = "label_word"  # the label is there, in a word that is no class (of a regression: no number)
    WEIGHT = "weight"
    RANKING = "ranking"
    STRATUM = "stratum"
    VALUE = "value"  # of a feature: null, of another type or not finite
    FLAG = "flag"
    LATENCY = "latency"
    PIPELINE = "pipeline"
    STATUS = "status"  # the status is neither ok, error nor timeout
    ID = "id"


class Remainder(Spec):
    """Judged rows that are without something.

    subject: the column, the protected attribute or the kind of flag.
    of: the rows that should have it. reference_rows, reference_of: the same on the yardstick; None where it has none.
    """

    lack: Lack
    subject: str
    rows: int
    of: int
    reference_rows: int | None = None
    reference_of: int | None = None

    @property
    def share(self) -> float:
        """Of the rows that should have it, those without."""
        return self.rows / self.of if self.of else 0.0

    @property
    def reference(self) -> float | None:
        """The same share on the yardstick."""
        return (
            self.reference_rows / self.reference_of if self.reference_rows is not None and self.reference_of else None
        )


class Elsewhere(Spec):
    """What a look at the times and environments of a night's files found, before anything is profiled.

    places: rows that are not of this night and environment, by place. own: those that are.
    environments: rows of the night in each other environment, the largest first.
    """

    own: int = 0
    places: Mapping[Place, int] = Field(default_factory=dict)
    environments: Mapping[str, int] = Field(default_factory=dict)


class RowLedger(Spec):
    """Every row of a night's files.

    places: rows in each place; a place without rows is not there. unreadable: files whose rows nobody could count.
    environments: as in `Elsewhere`. remainders: what judged rows are without; a lack that no row has is not there.
    yardstick: what the remainders' reference is called.
    """

    places: Mapping[Place, int] = Field(default_factory=dict)
    environments: Mapping[str, int] = Field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    remainders: tuple[Remainder, ...] = ()
    yardstick: str = ""

    @property
    def rows(self) -> int:
        """All rows of the files that could be read."""
        return sum(self.places.values())

    def at(self, place: Place) -> int:
        """Rows in a place."""
        return self.places.get(place, 0)

    def without(self, lack: Lack, subject: str) -> Remainder | None:
        """The judged rows without something; None where every row has it."""
        return next((r for r in self.remainders if (r.lack, r.subject) == (lack, subject)), None)
