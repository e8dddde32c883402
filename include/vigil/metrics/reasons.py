"""Why a number cannot be known. Each `why_not` starts with one of these; the judge reads the start, people the rest."""

LABELS_PENDING = "labels pending"
NO_BASELINE = "no baseline"
NO_ROWS = "no rows"
ALL_NULL = "all null"
NO_SPREAD = "no spread on the baseline"
NOT_LOGGED = "not logged"
TOO_FEW = "too few rows"
CHECK_FAILED = "check failed"

MANY_LEVELS = f"{NOT_LOGGED}: the reference has too many levels to know a new one by name"

REASONS = (LABELS_PENDING, NO_BASELINE, NO_ROWS, ALL_NULL, NO_SPREAD, NOT_LOGGED, TOO_FEW, CHECK_FAILED)


def because(reason: str, more: str) -> str:
    """A reason and the particulars.

    >>> because(TOO_FEW, "12 positive labels, 50 are needed")
    'too few rows: 12 positive labels, 50 are needed'
    """
    return f"{reason}: {more}"
