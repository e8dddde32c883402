"""Detects what each column of an unknown log holds: times, numbers, categories, text, ids or nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.intake.times import OFFSET
from vigil.onboarding.codes import Why, codes

if TYPE_CHECKING:
    import pandas as pd

FORMATS = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p",
    "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%Y%m%d%H%M%S", "%Y%m%d %H:%M", "%d %b %Y %H:%M", "%d %b %Y", "%b %d %Y %H:%M", "%a %d %b %Y %H:%M:%S",
)  # fmt: skip
EPOCHS = {"epoch_s": (9e8, 4.1e9), "epoch_ms": (9e11, 4.1e12)}  # 1998 to 2099
CLEARLY = 3  # times as long is the span of a log when day and month are taken for each other
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
    OPAQUE = "opaque"  # lists, structures, bytes or durations: no value that could be counted or compared


class DayOrMonth(StrEnum):
    """What comes first in 03/04/2026."""

    DAY = "day-first"
    MONTH = "month-first"


class Look(Spec):
    """One column. shares are of all rows; low and high of numbers, levels (most frequent first) of the others."""

    name: str
    holds: Holds
    rows: int
    distinct: int
    missing: float
    whole: bool = False  # numbers without a fraction
    codes: Why | None = None  # of whole numbers that are names, not a quantity
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()
    time_format: str | None = None  # for `Time.format`
    zoned: bool = False  # times carry their offset
    partly_zoned: bool = False  # some do, and some do not
    ambiguous: str | None = None  # the other format that reads all values
    decided: bool = True  # whether the rows tell which of the two it is

    @property
    def counts(self) -> bool:
        """Whether the values are numbers; one that never changed too."""
        constant = self.holds is Holds.CONSTANT and bool(re.fullmatch(NUMBER, self.levels[0]))
        return self.holds is Holds.NUMBER or constant

    @property
    def quantity(self) -> bool:
        """Whether a feature with these values is watched as a number: codes are not, numbers though they are."""
        return self.counts and self.codes is None


def look(frame: pd.DataFrame) -> dict[str, Look]:
    """Every column of a sample, in order."""
    return {str(name): column(str(name), frame[name]) for name in frame.columns}


def column(name: str, values: pd.Series) -> Look:
    """One column of a sample. Text in which all values are numbers, or times, counts as such."""
    from vigil.intake.column_values import text

    if values.dtype.kind in "mc" or (values.dtype == object and any(map(_opaque, values.dropna()))):
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


def _opaque(value: object) -> bool:
    import pandas as pd

    return isinstance(value, bytes | timedelta | complex) or not pd.api.types.is_scalar(value)


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
    offsets = words.str.contains(OFFSET, regex=True)
    zoned = bool(offsets.all())
    iso = words.str.match(r"\d{4}-\d\d-\d\d")
    if iso.all() and pd.to_datetime(words, format="ISO8601", errors="coerce", utc=True).notna().all():
        mixed = bool(offsets.any()) and not zoned
        return Look(**facts, holds=Holds.TIME, time_format="auto", zoned=zoned, partly_zoned=mixed)
    reads = [f for f in FORMATS if pd.to_datetime(words.head(200), format=f, errors="coerce").notna().all()]
    reads = [f for f in reads if pd.to_datetime(words, format=f, errors="coerce").notna().all()]
    if not reads:
        return None
    first, other, decided = _likelier(words, reads[0], reads[1]) if len(reads) > 1 else (reads[0], None, True)
    return Look(**facts, holds=Holds.TIME, time_format=first, ambiguous=other, decided=decided)


def _likelier(words: pd.Series, one: str, other: str) -> tuple[str, str, bool]:
    """(the format by which the rows are a log, the other, whether that is clear): in order of time, as a log is
    written, or within a span that is much shorter."""
    import pandas as pd

    both = [pd.to_datetime(words, format=f) for f in (one, other)]
    spans = [times.max() - times.min() for times in both]
    forward = [float((times.diff().dropna() >= pd.Timedelta(0)).mean()) for times in both]
    if (both[0] == both[1]).all():
        return one, other, True
    for better, worse in ((0, 1), (1, 0)):
        if forward[better] == 1 > forward[worse] or CLEARLY * spans[better] < spans[worse]:
            return (one, other)[better], (one, other)[worse], True
    return one, other, False


def dated(one: Look, said: DayOrMonth | None) -> Look:
    """A column of times as people said that its dates are written. Raises DataError where nobody knows."""
    if one.ambiguous is None or one.time_format is None or (said is None and one.decided):
        return one
    if said is None:
        raise DataError(
            f"{one.name} can be read as {one.time_format} and as {one.ambiguous}, and its rows fit both: choose with "
            f"--dates {DayOrMonth.DAY} or --dates {DayOrMonth.MONTH}"
        )
    if one.time_format.startswith("%d") == (said is DayOrMonth.DAY):
        return one
    return one.model_copy(update={"time_format": one.ambiguous, "ambiguous": one.time_format})


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
    why = codes(facts["name"], numbers) if whole and holds is Holds.NUMBER else None
    ends = {"low": float(numbers.min()), "high": float(numbers.max())}
    return Look(**facts, holds=holds, whole=whole, codes=why, levels=levels, **ends)


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
