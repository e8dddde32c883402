"""A home with a past: a small credit model's log of many nights, for whoever looks back."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml

from vigil import wiring
from vigil.adapters.parquet_log import ParquetLog
from vigil.config.load import load_monitor
from vigil.config.schema import Monitor
from vigil.core.window import night_window
from vigil.usecases.reference import set_reference

FIRST = date(2026, 3, 2)
ROWS = 240
ZONE = "Europe/Berlin"
RULES = {
    "quality": [{"metric": "missing", "breach": "> 0.10"}],
    "drift": [{"metric": "mean_shift", "sigma": 6, "floor": 0.3, "hard": "> 1.0"}],
    "performance": [{"metric": "recall", "breach": "< 0.40"}],
    "fairness": [{"metric": "selection_rate_ratio", "breach": "< 0.60"}],
}


def declared(**parts: Any) -> dict[str, Any]:
    """The monitor's YAML, as a document."""
    return {
        "version": "vigil/v1",
        "model": "credit",
        "timezone": ZONE,
        "task": "binary",
        "data": {"score": "score"},
        "features": {"income": "numeric", "city": "category"},
        "decision": {"positive": "1", "threshold": 0.5, "favourable": "0", "deserving": "0"},
        "protected": [{"attribute": "sex", "reference": "m", "groups": ["f"]}],
        "labels": {"delay_nights": 2, "grace_nights": 2, "mature_share": 0.8},
        "rules": RULES,
        "people": {"owner": "owner@example.com", "on_call": ["call@example.com"]},
        **parts,
    }


def night(day: date, *, rows: int = ROWS, income: float = 0.0, zone: str = ZONE, **parts: Any) -> pd.DataFrame:
    """Predictions of one local day, spread over all of its hours; `income` moves the mean, in sd."""
    rng = np.random.default_rng(day.toordinal())
    window = night_window(day, zone)
    at = pd.to_datetime(np.linspace(window.start.timestamp(), window.end.timestamp() - 1, rows), unit="s", utc=True)
    risk = rng.normal(size=rows)
    score = 1 / (1 + np.exp(-1.5 * risk))
    made = {
        "prediction_id": [f"{day}-{n}" for n in range(rows)],
        "served_at": at,
        "environment": "production",
        "model_version": "1",
        "role": "champion",
        "status": "ok",
        "latency_ms": 12.0,
        "pipeline_version": "p1",
        "income": 50 + 10 * (rng.normal(size=rows) - 0.3 * risk + income),
        "city": rng.choice(["Bonn", "Kiel"], size=rows),
        "sex": rng.choice(["m", "f"], size=rows),
        "score": score,
        "prediction": np.where(score >= 0.5, "1", "0"),
    }
    return pd.DataFrame({**made, **parts})


def labels(rows: pd.DataFrame, *, after: timedelta = timedelta(days=2)) -> pd.DataFrame:
    """What came true, known so long after each prediction."""
    rng = np.random.default_rng(len(rows))
    came = (rng.random(len(rows)) < rows["score"]).astype(int).astype(str)
    return pd.DataFrame(
        {"prediction_id": rows["prediction_id"], "label": came, "observed_at": rows["served_at"] + after}
    )


class Past:
    """The home in a folder. `write` logs nights; `referenced` gives it a database with a yardstick."""

    def __init__(self, home: Path, **parts: Any) -> None:
        self.home = home
        (home / "monitors").mkdir(parents=True)
        self.yaml = home / "monitors" / "credit.yaml"
        self.yaml.write_text(yaml.safe_dump(declared(**parts), sort_keys=False))
        self.log = ParquetLog(home / ".vigil" / "predictions")

    @classmethod
    def opened(cls, home: Path) -> "Past":
        """A home that is there already."""
        past = cls.__new__(cls)
        past.home, past.yaml = home, home / "monitors" / "credit.yaml"
        past.log = ParquetLog(home / ".vigil" / "predictions")
        return past

    @property
    def monitor(self) -> Monitor:
        return load_monitor(self.yaml)

    @property
    def settings(self) -> Any:
        return wiring.own_settings(self.home)

    def write(self, rows: pd.DataFrame, *, labelled: bool = True, **how: Any) -> None:
        batch = str(rows["prediction_id"][0])
        self.log.write_predictions("credit", table(rows), batch_id=batch)
        if labelled:
            self.log.write_outcomes("credit", table(labels(rows, **how)), batch_id=batch)

    def quiet(self, nights: int, *, first: date = FIRST, without: Iterable[int] = ()) -> "Past":
        """So many nights on which nothing is wrong, but for those that are missing."""
        for n in set(range(nights)) - set(without):
            self.write(night(first + timedelta(days=n), zone=self.monitor.timezone))
        return self

    def referenced(self) -> "Past":
        rows = night(FIRST - timedelta(days=30), rows=2000)
        whole = table(rows.merge(labels(rows)[["prediction_id", "label"]], on="prediction_id"))
        set_reference(wiring.open_ports(self.settings), self.monitor, whole, origin="a good month", actor="test")
        return self


def table(rows: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(rows, preserve_index=False)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
