"""Making readings from counts: the few shapes that most metrics share."""

from collections.abc import Mapping

from vigil.metrics.pool import interval
from vigil.metrics.types import Kind, Reading
from vigil.profiles.types import CategoryColumn, Columns, NumericColumn

NO_ROWS = "no rows"
NO_BASELINE = "no baseline"
ALL_NULL = "all null"
LABELS_PENDING = "labels pending"
TOO_FEW = "too few rows"


def share(subject: str, k: float, n: float, *, was: tuple[float, float] | None = None, detail: str = "") -> Reading:
    """k of n, with its Wilson interval; `was` is (k, n) on the baseline."""
    base = was[0] / was[1] if was and was[1] else None
    if not n:
        return Reading(subject=subject, why_not=NO_ROWS, baseline=base)
    value, low, high = interval(Kind.PROPORTION, (k, n))
    return Reading(
        subject=subject, value=value, low=low, high=high, n=int(n), parts=(k, n), baseline=base, detail=detail
    )


def all_columns(columns: Columns) -> Mapping[str, NumericColumn | CategoryColumn]:
    """Numeric and category columns together, by name."""
    return {**columns.numeric, **columns.category}
