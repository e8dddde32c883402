"""What the examples share: a night's ids and times, derived, so that the same night is always the same."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd


def generator(model: str, night: date, seed: int) -> np.random.Generator:
    """Random numbers of one model's night: the same on every machine."""
    return np.random.default_rng([seed, night.toordinal(), *model.encode()])


def stamped(rows: pd.DataFrame, model: str, night: date, zone: str, rng: np.random.Generator) -> pd.DataFrame:
    """Adds prediction_id and served_at: requests over the local day, busiest in the early afternoon."""
    start = datetime.combine(night, time(0), ZoneInfo(zone)).astimezone(UTC)
    end = datetime.combine(night + timedelta(days=1), time(0), ZoneInfo(zone)).astimezone(UTC)
    place = np.sort(rng.beta(2.2, 2.0, len(rows))) * 0.999
    at = [start + (end - start) * float(p) for p in place]
    ids = [f"{model}-{night}-{i:05d}" for i in range(len(rows))]
    return rows.reset_index(drop=True).assign(prediction_id=ids, served_at=pd.to_datetime(at, utc=True))
