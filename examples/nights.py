"""What the examples share: a night's ids and times, derived, so that the same night is always the same."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd


def generator(model: str, night: date, seed: int) -> np.random.Generator:
    """Random numbers of one model's night: the same on every machine."""
    return np.random.default_rng([seed, night.toordinal(), *model.encode()])


def before(last: date, nights: int) -> list[date]:
    """So many nights, in order, the last of them `last`."""
    return [last - timedelta(days=n) for n in range(nights - 1, -1, -1)]


def moved(days: list[date], last: date) -> list[tuple[date, date]]:
    """(real day, day of another calendar): moved by whole weeks, so that weekdays stay, to end at `last` or before."""
    weeks = (last - days[-1]).days // 7
    return [(day, day + timedelta(weeks=weeks)) for day in days]


def stamped(
    rows: pd.DataFrame,
    model: str,
    night: date,
    zone: str,
    rng: np.random.Generator,
    *,
    place: np.ndarray | None = None,
) -> pd.DataFrame:
    """Adds prediction_id and served_at: requests over the local day, busiest in the early afternoon.

    place: where in the day each request lies, in [0, 1), in order; drawn where nobody knows.
    """
    start = datetime.combine(night, time(0), ZoneInfo(zone)).astimezone(UTC)
    end = datetime.combine(night + timedelta(days=1), time(0), ZoneInfo(zone)).astimezone(UTC)
    if place is None:
        place = np.sort(rng.beta(2.2, 2.0, len(rows))) * 0.999
    at = [start + (end - start) * float(p) for p in place]
    ids = [f"{model}-{night}-{i:05d}" for i in range(len(rows))]
    return rows.reset_index(drop=True).assign(prediction_id=ids, served_at=pd.to_datetime(at, utc=True))
