"""Demand for rental bikes, hour by hour, in Washington: trained on 2011, judged on real days of October 2012.

Rentals grew, so that a model of 2011 forecasts too little on every day of 2012: its owner knows.
On 29 October 2012 Hurricane Sandy closes the city: one hour of data that day, eleven the next. Both really happened.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from examples.nights import before, generator, moved
from examples.served import Forecaster

MODEL, ZONE, ENVIRONMENT = "bike_demand", "America/New_York", "production"
DATA = Path(__file__).parent / "data" / "bike_hours.parquet"
CATEGORIES = ["season", "weather", "weekday"]
NUMBERS = ["hour", "working_day", "temp_norm", "humidity_norm", "windspeed_norm"]
FEATURES = [*NUMBERS, *CATEGORIES]
PROTECTED: list[str] = []
LOGGED = FEATURES
HAPPENED = date(2012, 10, 29)
LAST, QUIET, LABEL_DAYS = date(2012, 10, 30), 21, 1
PIPELINE = "weather-2026.11"
CELSIUS = 41  # the publisher divided temperatures by their maximum


class Fault(StrEnum):
    """What can go wrong on a night, beside what did go wrong."""

    CELSIUS = "celsius"  # the weather feed sends degrees instead of shares of the maximum


@cache
def hours() -> pd.DataFrame:
    """Every hour of both years that the publisher has."""
    data = pd.read_parquet(DATA)
    at = data["timestamp"]
    made = data.assign(day=at.dt.date, hour=at.dt.hour.astype(float), working_day=data["is_working_day"].astype(float))
    return made.assign(label=data["rental_count"].astype(float))[["timestamp", "day", *FEATURES, "label"]]


def calendar(last: date) -> list[tuple[date, date]]:
    """(real day of October 2012, its day of the played calendar): weekdays stay. The last two are Sandy's."""
    return moved(before(LAST, QUIET + 2), last)


def night_rows(night: date, *, seed: int = 7, fault: Fault | None = None, played: date | None = None) -> pd.DataFrame:
    """A day's forecasts, one an hour, made at the hour."""
    rng, data, day = generator(MODEL, night, seed), hours(), played or night
    rows = data[data["day"] == night].drop(columns=["day"]).reset_index(drop=True)
    local = rows["timestamp"].astype("datetime64[us]") + (day - night)
    at = local.dt.tz_localize(ZONE, ambiguous=np.ones(len(rows), bool), nonexistent=timedelta(hours=1))
    rows = rows.drop(columns=["timestamp"]).assign(
        prediction_id=[f"{MODEL}-{day}-{int(h):02d}" for h in rows["hour"]],
        served_at=at.dt.tz_convert("UTC"),
        pipeline_version=PIPELINE,
        latency_ms=rng.gamma(3, 8, len(rows)).round(2),
    )
    if fault is Fault.CELSIUS:
        rows = rows.assign(temp_norm=rows["temp_norm"] * CELSIUS, pipeline_version="weather-2026.12")
    return rows


def _of_2011() -> tuple[pd.DataFrame, pd.DataFrame]:
    """(training, holdout): every fifth day of 2011 is held out."""
    year = hours()[hours()["day"] < date(2012, 1, 1)]
    held = pd.to_datetime(year["day"]).dt.dayofyear % 5 == 0
    return year[~held], year[held]


def train() -> tuple[Forecaster, pd.DataFrame]:
    """A random forest on hour, weekday, season and weather."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rows = _of_2011()[0]
    known = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = ColumnTransformer([("numbers", "passthrough", NUMBERS), ("known", known, CATEGORIES)])
    model = make_pipeline(parts, RandomForestRegressor(20, min_samples_leaf=3, random_state=2011))
    return Forecaster(model.fit(rows[FEATURES], rows["label"]), FEATURES), rows.drop(columns=["timestamp", "day"])


def holdout() -> pd.DataFrame:
    """Days of 2011 that it was not trained on."""
    return _of_2011()[1][[*FEATURES, "label"]]


def right(seen: pd.DataFrame) -> Sequence[bool]:
    """Which answers were right: within a quarter of what was rented."""
    return list((seen["prediction"] - seen["label"]).abs() <= 0.25 * seen["label"])
