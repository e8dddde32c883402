"""A credit model's rows, outcomes and nights, for whoever tests what reads and writes a prediction log."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from vigil.config.schema import Monitor
from vigil.core.window import Window, night_window
from vigil.ports import PredictionLog

NIGHT = date(2026, 11, 20)
NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 25, 9, tzinfo=UTC)
NEXT_DAY = NINE + timedelta(days=1)
WINDOW = night_window(NIGHT, "UTC")


def monitor(**parts: Any) -> Monitor:
    """A binary monitor with one numeric and one category feature and one protected attribute."""
    declared: dict[str, Any] = {
        "version": "vigil/v1",
        "model": "credit",
        "environment": "staging",
        "task": "binary",
        "data": {"score": "score"},
        "features": {"income": "numeric", "city": "category"},
        "decision": {"positive": "1", "threshold": 0.5, "favourable": "0", "deserving": "0"},
        "protected": [{"attribute": "sex", "reference": "m"}],
        "people": {"owner": "owner@example.com", "on_call": ["call@example.com"]},
    }
    return Monitor.model_validate({**declared, **parts})


def row(prediction_id: str, **parts: Any) -> dict[str, Any]:
    """One logged prediction."""
    return {
        "prediction_id": prediction_id,
        "served_at": NINE,
        "environment": "staging",
        "model_version": "1",
        "role": "champion",
        "status": "ok",
        "latency_ms": 12.0,
        "pipeline_version": "p1",
        "income": 100.0,
        "city": "Bonn",
        "sex": "f",
        "score": 0.2,
        "prediction": "0",
        **parts,
    }


def rows(count: int, *, prefix: str = "p", **parts: Any) -> list[dict[str, Any]]:
    """`count` predictions, one a second."""
    return [row(f"{prefix}{n}", **{"served_at": NINE + timedelta(seconds=n), **parts}) for n in range(count)]


def table(given: Sequence[dict[str, Any]]) -> pa.Table:
    """The rows as Arrow infers them."""
    return pa.Table.from_pylist(list(given))


def outcome(prediction_id: str, label: Any, observed_at: datetime = LATER) -> dict[str, Any]:
    """One row of ground truth."""
    return {"prediction_id": prediction_id, "label": label, "observed_at": observed_at}


def ids(log: PredictionLog, window: Window = WINDOW, watched: Monitor | None = None) -> list[str]:
    """The ids of a night, in order."""
    watched = watched or monitor()
    sample = log.sample(watched, log.partition(watched, window), rows=10**6)
    return sorted(sample.column("prediction_id").to_pylist()) if sample.num_columns else []


def label_of(log: PredictionLog, prediction_id: str) -> str | None:
    """The label of one prediction, as a judgement gets it."""
    sample = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=10**6).to_pylist()
    label: str | None = next(r["label"] for r in sample if r["prediction_id"] == prediction_id)
    return label


def digest(log: PredictionLog, window: Window = WINDOW, watched: Monitor | None = None) -> str:
    """The digest of a night's rows and labels."""
    return log.partition(watched or monitor(), window).digest
