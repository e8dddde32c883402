"""Converts columns of times in any format to UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.intake.naming import absent
from vigil.intake.types import Time

if TYPE_CHECKING:
    import pandas as pd

EPOCH = {"epoch_s": 1_000_000, "epoch_ms": 1_000}  # microseconds
LATEST = 9e15  # microseconds: the year 2255, before which pandas' own instants end
# at the end of an ISO time, after its hours or minutes: Z, +02, +0200, +02:00
OFFSET = r"(?:[T ]\d\d(?:\d\d){0,2}|:\d\d)(?:[.,]\d+)?\s*(?:Z|[+-]\d\d(?::?\d\d)?)$"


def instants(frame: pd.DataFrame, time: Time, origin: str) -> pd.Series:
    """A column of times as UTC; NaT where there is none. Raises DataError when no value at all can be read."""
    import pandas as pd

    if time.column not in frame:
        raise DataError(absent(time.column, frame.columns, origin))
    given = frame[time.column]
    if time.format in EPOCH:
        count = pd.to_numeric(given, errors="coerce").astype(float) * EPOCH[time.format]
        read = pd.to_datetime(count.where(count.abs() < LATEST), unit="us", utc=True)
    elif isinstance(given.dtype, pd.DatetimeTZDtype):
        read = given.dt.tz_convert("UTC")
    elif pd.api.types.is_datetime64_any_dtype(given):
        read = _local(given, time.timezone)
    elif pd.api.types.is_numeric_dtype(given):
        raise DataError(f"{origin}: {time.column} holds numbers; add `format: epoch_s` or `format: epoch_ms`")
    else:
        read = _read(given, time)
    if given.notna().any() and read.isna().all():
        example = str(given.dropna().iloc[0])[:40]
        raise DataError(f"{origin}: {time.column} cannot be read as times (for example {example!r}); add its `format:`")
    return read.astype("datetime64[us, UTC]")


def _read(given: pd.Series, time: Time) -> pd.Series:
    """Words as instants: those with an offset as they say, the others in the time zone of the column."""
    import pandas as pd

    words = given.astype("string").str.strip()
    if time.format == "auto":
        how, offset = "ISO8601", words.str.contains(OFFSET, regex=True, na=False)
    else:
        how, offset = time.format, words.notna() & ("%z" in time.format or "%Z" in time.format)
    aware: Any = pd.to_datetime(words.where(offset), format=how, errors="coerce", utc=True)
    naive: Any = pd.to_datetime(words.where(~offset), format=how, errors="coerce", utc=True)
    both: pd.Series[Any] = aware.fillna(_local(naive.dt.tz_localize(None), time.timezone))
    return both


def _local(naive: pd.Series, zone: str) -> pd.Series:
    import numpy as np

    first = np.ones(len(naive), dtype=bool)
    local: pd.Series[Any] = naive.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    instant: pd.Series[Any] = local.dt.tz_convert("UTC")
    return instant
