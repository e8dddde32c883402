"""Two real logs, night by night: a bank's calls (May to August 2008) and a city's bikes (2011 and 2012).

Nothing is injected. What should be found in the bank's calls is in expected_bank.yaml, listed from plain shares before
the judge saw them; what the bikes have is known from the calendar and the weather service: weekdays, seasons, a
hurricane, and a second year that rents more. `python benchmarks/detection_real.py` prints it and writes
benchmarks/results/real.json.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from detection_play import Watch, about, alarms
from rich.console import Console

from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.config.schema import Monitor
from vigil.core.words import Role
from vigil.verdicts.types import NightResult

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "examples" / "data"
RESULTS = HERE / "results" / "real.json"
out = Console(highlight=False)
BANK = ("job", "marital_status", "education", "credit_in_default", "housing_loan", "personal_loan", "contact_type")
TAUGHT_UNTIL = date(2008, 6, 30)


def bank_monitor() -> Monitor:
    """Client and campaign features; May and June teach. No hour, no weekend: nobody calls then."""
    rules = [{"metric": m, "surprise": True} for m in ("position_shift", "width_shift", "level_shift")]
    return Monitor.model_validate(
        {
            "version": "vigil/v1", "model": "bank_calls", "task": "binary", "timezone": "Europe/Lisbon",
            "features": {**dict.fromkeys(BANK, "category"), "age": "numeric", "contacts_this_campaign": "numeric"},
            "bins": 10, "decision": {"positive": "1", "favourable": "call", "deserving": "1"},
            "rules": {"drift": rules}, "people": {"owner": "owner@example.com"},
            "surprise": {"until": TAUGHT_UNTIL.isoformat(), "since": "2008-05-05"},
        }
    )  # fmt: skip


def bank() -> dict[str, Any]:
    """What was named in which month, against what was expected."""
    rows = pd.read_parquet(DATA / "bank_calls.parquet")
    rows = rows.assign(prediction="call", day=pd.to_datetime(rows["contact_day"]).dt.date)
    monitor = bank_monitor()
    training_rows = rows[rows["day"] <= TAUGHT_UNTIL]
    results = list(_watched(monitor, training_rows, rows))
    named: dict[str, set[str]] = defaultdict(set)
    features: dict[str, set[str]] = defaultdict(set)
    for r in results:
        for v in alarms(r):
            named[f"{r.night:%Y-%m}"].add(v.subject)
            features[f"{r.night:%Y-%m}"].add(about(v))
    expected = yaml.safe_load((HERE / "expected_bank.yaml").read_text())
    checks = [
        {"what": f"{name} in {month}", "found": _named(name, named[month], training_rows)}
        for month, names in expected["levels"].items()
        for name in names
    ]
    first = next((r.night for r in results if any(about(v) == "contact_type" for v in alarms(r))), None)
    calm = [r for r in results if r.night <= TAUGHT_UNTIL]
    return {
        "contact_type_named_in_july": "contact_type" in features["2008-07"],
        "contact_type_first_named": str(first),
        "levels_expected": len(checks), "levels_found": sum(c["found"] for c in checks),
        "missed": [c["what"] for c in checks if not c["found"]],
        "features_named": {m: sorted(f) for m, f in sorted(features.items())},
        "alarm_nights_while_taught": sum(bool(alarms(r)) for r in calm), "nights_while_taught": len(calm),
    }  # fmt: skip


def _named(name: str, subjects: set[str], training_rows: pd.DataFrame) -> bool:
    """Whether a level was named; one that the nights that teach never had is called new."""
    feature, level = name.split(":")
    return name in subjects or (f"{feature}:(new)" in subjects and level not in set(training_rows[feature]))


def bikes_monitor() -> Monitor:
    """Weather in, rentals out; weekdays and the year are the calendar's. 400 nights teach."""
    few = {"min_rows": 1}
    drift = [
        {"metric": m, "surprise": True, **few}
        for m in ("position_shift", "missing_shift", "level_shift", "score_shift")
    ]
    return Monitor.model_validate(
        {
            "version": "vigil/v1", "model": "bike_demand", "task": "regression", "timezone": "America/New_York",
            "features": {"temp_norm": "numeric", "humidity_norm": "numeric", "windspeed_norm": "numeric",
                         "weather": "category"},
            "bins": 10,
            "rules": {
                "service": [{"metric": "volume", "breach": "< 20", "surprise": True, **few}],
                "drift": drift,
                "performance": [{"metric": m, "surprise": True, "floor": 10, **few} for m in ("bias", "mae")],
            },
            "people": {"owner": "owner@example.com"},
            "surprise": {"season": ["weekday", "year"], "nights": 400},
        }
    )  # fmt: skip


def forecast(rows: pd.DataFrame) -> np.ndarray:
    """What a model of 2011 says: of 2011's own days by folds of days that it has not seen, of 2012 by all of 2011."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import GroupKFold

    inputs = rows[["temp_norm", "humidity_norm", "windspeed_norm"]].assign(
        hour=rows["timestamp"].dt.hour, weekday=rows["timestamp"].dt.weekday,
        working=rows["is_working_day"].astype(int),
        weather=rows["weather"].astype("category").cat.codes, month=rows["timestamp"].dt.month,
    )  # fmt: skip
    past = (rows["timestamp"].dt.year == 2011).to_numpy()
    predictions = np.empty(len(rows))
    x, y, days = inputs[past], rows.loc[past, "rental_count"], rows.loc[past, "timestamp"].dt.date.astype(str)
    folds = np.empty(len(x))
    for fit, ask in GroupKFold(5).split(x, y, days):
        folds[ask] = HistGradientBoostingRegressor(random_state=0).fit(x.iloc[fit], y.iloc[fit]).predict(x.iloc[ask])
    predictions[past] = folds
    predictions[~past] = HistGradientBoostingRegressor(random_state=0).fit(x, y).predict(inputs[~past])
    return predictions


def bikes() -> dict[str, Any]:
    """2012, judged by what 2011 taught."""
    rows = pd.read_parquet(DATA / "bike_hours.parquet")
    rows = rows.assign(
        prediction=forecast(rows), label=rows["rental_count"].astype(float), day=rows["timestamp"].dt.date
    )
    monitor = bikes_monitor()
    results = list(_watched(monitor, rows[rows["timestamp"].dt.year == 2011], rows))
    results_2012 = [r for r in results if r.night.year == 2012]
    hours = rows.groupby("day").size()
    short = [d for d in hours.index if d.year == 2012 and hours[d] < 20]
    by_volume = {r.night for r in results_2012 if any(v.metric == "volume" for v in alarms(r))}
    performance = [r.night for r in results_2012 for v in alarms(r) if v.metric in ("bias", "mae")]
    drift = [
        (r.night, f"{v.id}{' ticket' if v.ticket else ''}")
        for r in results_2012
        for v in alarms(r)
        if v.metric not in ("bias", "mae", "volume")
    ]
    days: dict[str, int] = defaultdict(int)
    for night in {n for n, _ in drift}:
        days[f"{night:%a}"] += 1
    return {
        "judged_nights": len(results_2012),
        "short_days": [str(d) for d in short], "short_days_found_by_volume": [str(d) for d in short if d in by_volume],
        "other_nights_alarmed_by_volume": sorted(str(d) for d in by_volume if d not in short),
        "growth_first_seen": str(min(performance)) if performance else None,
        "nights_with_performance_alarms": len(set(performance)),
        "drift_alarm_nights": len({n for n, _ in drift}), "drift_alarm_nights_by_weekday": dict(days),
        "drift_alarms": sorted({f"{n:%Y-%m} {i}" for n, i in drift}),
        "drift_nights_without_tickets": sorted({f"{n} {i}" for n, i in drift if "ticket" not in i}),
    }  # fmt: skip


def _watched(monitor: Monitor, training_rows: pd.DataFrame, rows: pd.DataFrame) -> Iterator[NightResult]:
    scanner = DuckDBScanner()
    edges = scanner.fit_edges(monitor, _table(monitor, training_rows))
    first = min(rows["day"])
    holdout = scanner.scan_table(
        monitor, _table(monitor, training_rows), edges, night=first, version="1", role=Role.CHAMPION
    )
    watch = Watch(monitor, (edges, holdout))
    for day in sorted(set(rows["day"])):
        mine = rows[rows["day"] == day]
        columns = scanner.scan_table(monitor, _table(monitor, mine), edges, night=day, version="1", role=Role.CHAMPION)
        yield watch.judge(day, columns)


def _table(monitor: Monitor, rows: pd.DataFrame) -> pa.Table:
    results = [*monitor.features, "prediction", *(["label"] if "label" in rows else [])]
    return pa.Table.from_pandas(rows[results], preserve_index=False)


def main() -> None:
    """Both, in words and as JSON."""
    document = {"bank_marketing": bank(), "bike_sharing": bikes()}
    RESULTS.write_text(json.dumps(document, indent=1, default=str) + "\n")
    out.print(json.dumps(document, indent=1, default=str))


if __name__ == "__main__":
    main()
