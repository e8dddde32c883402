"""Implausible times of rows: in the future, long ago, or far from the other rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from vigil.core.window import Window

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

AHEAD = timedelta(hours=1)  # clocks differ
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # what is older is an epoch's start, a wrong unit, or half a year's number
LEAST_GAP = 14  # days without rows, below which rows are late rather than dated wrongly
GAPS = 10  # times the usual gap between two days with rows; a log that is written monthly has gaps of a month
SPANS = 2  # times the days that the other rows lie apart


class OddTime(StrEnum):
    """Why a row is not stored without asking."""

    FUTURE = "future"
    ANCIENT = "ancient"
    FAR = "far"


def odd_times(times: pd.Series, *, now: datetime, span: Window) -> pd.Series[Any]:
    """An OddTime for each of some instants, or None.

    span: times in it are never far, however the others lie. All that a piece of a log has should be given: far is what
    lies apart from the most of it, by more than the days with rows usually do.
    """
    import pandas as pd

    odd = pd.Series(None, index=times.index, dtype=object)
    odd[times > now + AHEAD] = OddTime.FUTURE
    odd[times < EARLIEST] = OddTime.ANCIENT
    rest = times[odd.isna() & times.notna()]
    if len(rest):
        days = rest.dt.floor("D").astype("int64") // 86_400_000_000
        wanted = (rest >= span.start) & (rest < span.end)
        odd[rest.index[(~wanted).to_numpy() & _far(days.to_numpy(), wanted.to_numpy())]] = OddTime.FAR
    return odd


def _far(days: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Which days lie apart from the most of them. wanted: rows of which some, where there are, are among the most."""
    import numpy as np

    unique, place, counts = np.unique(days, return_inverse=True, return_counts=True)
    gaps = np.diff(unique)
    if not len(gaps):
        return np.zeros(len(days), dtype=bool)
    usual = float(np.quantile(gaps, 0.25, method="lower")) if len(gaps) > 1 else 1.0
    limit = max(LEAST_GAP, GAPS * usual)
    group = np.concatenate([[0], np.cumsum(gaps > limit)])
    sizes = np.bincount(group, weights=counts)
    hits = np.bincount(group[place], weights=wanted)
    body = unique[group == max(range(len(sizes)), key=lambda n: (hits[n] > 0, sizes[n], n))]
    apart = np.maximum(body[0] - unique, unique - body[-1])
    far: np.ndarray = (apart > max(limit, SPANS * (body[-1] - body[0])))[place]
    return far
