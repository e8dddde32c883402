"""What each column of an unknown log holds: times, numbers, levels, text, ids or nothing."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from vigil.core.spec import Spec
from vigil.intake.normalise import OFFSET

if TYPE_CHECKING:
    import pandas as pd

FORMATS = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p",
    "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%Y%m%d%H%M%S", "%Y%m%d %H:%M", "%d %b %Y %H:%M", "%d %b %Y", "%b %d %Y %H:%M", "%a %d %b %Y %H:%M:%S",
)  # fmt: skip
EPOCHS = {"epoch_s": (9e8, 4.1e9), "epoch_ms": (9e11, 4.1e12)}  # 1998 to 2099
MOST_LEVELS = 50  # of a category that are listed
FREE_TEXT = 40  # characters: longer on average, and rarely repeated, is text that people wrote
NUMBER = r"-?(0|[1-9]\d*)?(\.\d+)?(e[+-]?\d+)?"
TIME_NAME = re.compile(r"time|date|_at$|_on$|_ts$|^ts$|when|stamp|epoch", re.IGNORECASE)


class Holds(StrEnum):
    """What kind of values a column has."""

    TIME = "time"
    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"  # free text: never a feature by itself
    ID = "id"  # another value in nearly every row
    CONSTANT = "constant"
    EMPTY = "empty"
    OPAQUE = "opaque"  # lists, structures or bytes: no value that could be counted or compared


class Look(Spec):
    """One column. shares are of all rows; low and high of numbers, levels (most frequent first) of the others."""

    name: str
    holds: Holds
    rows: int
    distinct: int
    missing: float
    whole: bool = False  # numbers without a fraction
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()
    time_format: str | None = None  # for `Time.format`
    zoned: bool = False  # times carry their offset
    ambiguous: str | None = None  # the other format that reads all values

    @property
    def counts(self) -> bool:
        """Whether the values are numbers; one that never changed too."""
        constant = self.holds is Holds.CONSTANT and bool(re.fullmatch(NUMBER, self.levels[0]))
        return self.holds is Holds.NUMBER or constant


def look(frame: pd.DataFrame) -> dict[str, Look]:
    """Every column of a sample, in order."""
    return {str(name): column(str(name), frame[name]) for name in frame.columns}


def column(name: str, values: pd.Series) -> Look:
    """One column of a sample. Text that is all numbers, or all times, is taken for what it says."""
    import pandas as pd

    from vigil.intake.column_values import text

    if values.dtype == object and any(isinstance(v, bytes) or not pd.api.types.is_scalar(v) for v in values.dropna()):
        missing = round(float(values.isna().mean()), 6)
        return Look(name=name, holds=Holds.OPAQUE, rows=len(values), distinct=0, missing=missing)
    plain = text(values) if not _is_time(values) else values
    there = plain.dropna()
    distinct = int(there.nunique())
    facts: dict[str, Any] = {"name": name, "rows": len(values), "distinct": distinct}
    facts["missing"] = round(1 - len(there) / len(values), 6) if len(values) else 1.0
    if there.empty:
        return Look(**facts, holds=Holds.EMPTY)
    if distinct == 1 and len(there) > 1 and not facts["missing"]:
        constant = Look(**facts, holds=Holds.CONSTANT, levels=(str(there.iloc[0]),))
        return _time(facts, values, there) or constant  # the one day of a short log is a time
    return _time(facts, values, there) or _number(facts, there) or _words(facts, there)


def _is_time(values: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_datetime64_any_dtype(values))


def _time(facts: dict[str, Any], values: pd.Series, there: pd.Series) -> Look | None:
    import pandas as pd

    if _is_time(values):
        zoned = isinstance(values.dtype, pd.DatetimeTZDtype)
        return Look(**facts, holds=Holds.TIME, time_format="auto", zoned=zoned)
    numbers = _numbers(there)
    if numbers is not None:
        hinted = bool(TIME_NAME.search(facts["name"]))
        for name, (low, high) in EPOCHS.items():
            if hinted and numbers.between(low, high).all():
                return Look(**facts, holds=Holds.TIME, time_format=name, zoned=True)
        if not (hinted and there.str.fullmatch(r"\d{8}|\d{14}").all()):
            return None
    words = there.astype("string").str.strip()
    zoned = bool(words.str.contains(OFFSET, regex=True).all())
    iso = words.str.match(r"\d{4}-\d\d-\d\d")
    if iso.all() and pd.to_datetime(words, format="ISO8601", errors="coerce", utc=True).notna().all():
        return Look(**facts, holds=Holds.TIME, time_format="auto", zoned=zoned)
    reads = [f for f in FORMATS if pd.to_datetime(words.head(200), format=f, errors="coerce").notna().all()]
    reads = [f for f in reads if pd.to_datetime(words, format=f, errors="coerce").notna().all()]
    if not reads:
        return None
    other = reads[1] if len(reads) > 1 else None
    return Look(**facts, holds=Holds.TIME, time_format=reads[0], ambiguous=other)


def _numbers(there: pd.Series) -> pd.Series[Any] | None:
    """The values as numbers if all are. A code with a leading zero is none."""
    import pandas as pd

    if there.astype("string").str.match(r"-?0\d").any():
        return None
    read: pd.Series[Any] = pd.to_numeric(there, errors="coerce")
    return read if read.notna().all() else None


def _number(facts: dict[str, Any], there: pd.Series) -> Look | None:
    numbers = _numbers(there)
    if numbers is None:
        return None
    whole = bool((numbers % 1 == 0).all())
    levels = tuple(str(v) for v in there.value_counts().index[:MOST_LEVELS]) if facts["distinct"] <= MOST_LEVELS else ()
    unique = whole and facts["distinct"] == len(there) and len(there) > MOST_LEVELS and _counts(numbers)
    holds = Holds.ID if unique else Holds.NUMBER
    return Look(**facts, holds=holds, whole=whole, low=float(numbers.min()), high=float(numbers.max()), levels=levels)


def _counts(numbers: pd.Series) -> bool:
    """Whole numbers that number rows: they fill a range, or lie far from zero."""
    span = float(numbers.max() - numbers.min()) + 1
    return span <= 20 * len(numbers) or float(numbers.min()) >= 10_000


def _words(facts: dict[str, Any], there: pd.Series) -> Look:
    share, length = facts["distinct"] / len(there), float(there.astype("string").str.len().mean())
    spaced = float(there.astype("string").str.contains(" ", regex=False).mean())
    levels = tuple(str(v) for v in there.value_counts().index[:MOST_LEVELS])
    if share > 0.3 and length > FREE_TEXT / 2 and spaced > 0.5:
        return Look(**facts, holds=Holds.TEXT)
    if share > 0.95 and len(there) > MOST_LEVELS:
        return Look(**facts, holds=Holds.ID)
    return Look(**facts, holds=Holds.CATEGORY, levels=levels)
