"""Why a number cannot be known: a value for code to decide on, and words for people to read."""

from enum import StrEnum
from typing import NamedTuple


class Absence(StrEnum):
    """Why a measurement has no value. The judge turns it into the cause of an unknown verdict."""

    LABELS_PENDING = "labels pending"
    NO_BASELINE = "no baseline"
    NO_ROWS = "no rows"
    ALL_NULL = "all null"
    NO_SPREAD = "no spread on the baseline"
    NOT_LOGGED = "not logged"
    TOO_FEW = "too few rows"
    CHECK_FAILED = "check failed"


class WhyNot(NamedTuple):
    """An absence, and its sentence for people. No code reads the words."""

    absence: Absence
    words: str


LABELS_PENDING, NO_BASELINE, NO_ROWS, ALL_NULL, NO_SPREAD, NOT_LOGGED, TOO_FEW, CHECK_FAILED = (
    WhyNot(absence, absence.value) for absence in Absence
)


def because(reason: WhyNot, more: str) -> WhyNot:
    """A reason and the particulars.

    >>> because(TOO_FEW, "12 positive labels, 50 are needed").words
    'too few rows: 12 positive labels, 50 are needed'
    """
    return WhyNot(reason.absence, f"{reason.words}: {more}")


MANY_LEVELS = because(NOT_LOGGED, "the reference has too many levels to know a new one by name")


def absence_of_older_release(why_not: str) -> Absence:
    """The absence of a measurement stored before it was a field: its words begin with it. Only for reading the store.

    >>> absence_of_older_release("check failed: ValueError: fewer bins than edges").value
    'check failed'
    """
    return next((absence for absence in Absence if why_not.startswith(absence.value)), Absence.NO_ROWS)
