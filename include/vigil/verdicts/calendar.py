"""What the calendar explains: weekdays, seasons, pay-days. Columns of the fit of what is usual.

Statistics: docs/statistics.md#what-is-usual.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WEEKS_FOR_DAYS = 8  # of reference nights, before each weekday has a level of its own
NIGHTS_FOR_YEAR = 400
HARMONICS = 2
YEAR = 365.25
TREND_NIGHTS = 21  # before a trend is told from chance
LEAST_OF_A_KIND = 3  # nights, before weekends differ from other days
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPAN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?")


def design(
    days: Sequence[date],
    taught: Sequence[bool],
    *,
    season: Sequence[str],
    terms: Mapping[str, Sequence[str]],
    trend: bool = False,
) -> tuple["Floats", tuple[str, ...]]:
    """(columns, their names): shape (N, P), the first all 1.

    trend: whether the level moves steadily; once TREND_NIGHTS teach.
    season: of "weekday" and "year". terms: declared effects of the calendar, name -> days, as `matches` reads them.

    >>> from datetime import timedelta
    >>> days = [date(2026, 1, 5) + timedelta(days=n) for n in range(30)]
    >>> design(days, [True] * 30, season=("weekday",), terms={"pay_day": ("25",)})[1]
    ('level', 'weekend', 'pay_day')
    """
    import numpy as np

    columns: dict[str, list[float]] = {"level": [1.0] * len(days)}
    known = [day for day, used in zip(days, taught, strict=True) if used]
    if trend and len(known) >= TREND_NIGHTS:
        columns["trend"] = [(day - days[-1]).days / 28 for day in days]
    if "weekday" in season:
        columns |= _week(days, known)
    if "year" in season and len(known) >= NIGHTS_FOR_YEAR:
        columns |= _year(days)
    for name, spans in terms.items():
        columns[name] = [float(any(matches(day, span) for span in spans)) for day in days]
    return np.array(list(columns.values()), dtype=float).T, tuple(columns)


def _week(days: Sequence[date], known: Sequence[date]) -> dict[str, list[float]]:
    if min((sum(d.weekday() == w for d in known) for w in range(7)), default=0) >= WEEKS_FOR_DAYS:
        return {name: [float(d.weekday() == w) for d in days] for w, name in enumerate(WEEKDAYS) if w}
    weekend = sum(d.weekday() >= 5 for d in known)
    if min(weekend, len(known) - weekend) < LEAST_OF_A_KIND:
        return {}
    return {"weekend": [float(d.weekday() >= 5) for d in days]}


def _year(days: Sequence[date]) -> dict[str, list[float]]:
    from math import cos, pi, sin

    turns = [2 * pi * d.timetuple().tm_yday / YEAR for d in days]
    waves: dict[str, list[float]] = {}
    for k in range(1, HARMONICS + 1):
        waves[f"year sin {k}"] = [sin(k * turn) for turn in turns]
        waves[f"year cos {k}"] = [cos(k * turn) for turn in turns]
    return waves


def matches(day: date, span: str) -> bool:
    """Whether a declared effect is on: "25" a day of every month, "last" its last, "fri", "12-24" of every year,
    "2026-11-20" or "2026-11-20..2026-11-30".

    >>> matches(date(2026, 11, 25), "25"), matches(date(2026, 11, 25), "2026-11-20..2026-11-24")
    (True, False)
    """
    from datetime import timedelta

    if span == "last":
        return (day + timedelta(days=1)).day == 1
    if span in WEEKDAYS:
        return WEEKDAYS[day.weekday()] == span
    if re.fullmatch(r"\d{1,2}", span):
        return day.day == int(span)
    if re.fullmatch(r"\d{2}-\d{2}", span):
        return f"{day:%m-%d}" == span
    found = SPAN.fullmatch(span)
    if found is None:
        return False
    first, last = found[1], found[2] or found[1]
    return date.fromisoformat(first) <= day <= date.fromisoformat(last)


def readable(span: str) -> bool:
    """Whether `matches` can read it; a date that no calendar has is not readable.

    >>> readable("last"), readable("31"), readable("2026-02-30")
    (True, True, False)
    """
    if span == "last" or span in WEEKDAYS or (re.fullmatch(r"\d{1,2}", span) and 1 <= int(span) <= 31):
        return True
    if re.fullmatch(r"\d{2}-\d{2}", span):
        return _is_date(f"2024-{span}")
    found = SPAN.fullmatch(span)
    return found is not None and _is_date(found[1]) and (found[2] is None or _is_date(found[2]))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
