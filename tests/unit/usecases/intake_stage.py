"""Real stores in a folder, a stranger's log beside them, and the monitor that explains it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from vigil import wiring
from vigil.adapters.memory import FrozenClock
from vigil.adapters.parquet_log import ParquetLog
from vigil.adapters.source_reader import SourceReader
from vigil.config.schema import Monitor
from vigil.core.window import night_window
from vigil.settings import Settings

NIGHT = date(2026, 11, 20)
NOW = datetime(2027, 1, 31, 9, tzinfo=UTC)  # long enough after the night for labels to have come
LOANS = ("ref", "asked_on", "risk", "answer", "income", "city")


class Stores(NamedTuple):
    """What taking rows needs of the ports: the log, the door, and the time."""

    log: ParquetLog
    intake: SourceReader
    clock: FrozenClock


def stores(home: Path, now: datetime = NOW) -> Any:
    """A log and a door in a folder of their own."""
    reader = SourceReader(home, home / "state/intake", {})
    return Stores(ParquetLog(home / "state/predictions"), reader, FrozenClock(now))


def ports(home: Path) -> Any:
    """All ports on a home of its own: Parquet, SQLite, nothing that leaves the machine."""
    return wiring.open_ports(Settings(home=home, state=home / "state"))


def monitor(**parts: Any) -> Monitor:
    """A binary monitor over loans.csv. `source` is merged."""
    source: dict[str, Any] = {
        "predictions": "loans.csv",
        "served_at": {"column": "asked_on", "timezone": "Europe/Berlin"},
        "columns": {"prediction_id": "ref", "score": "risk", "prediction": "answer"},
        **parts.pop("source", {}),
    }
    declared: dict[str, Any] = {
        "version": "vigil/v1",
        "model": "loans",
        "task": "binary",
        "timezone": "Europe/Berlin",
        "data": {"score": "score", "prediction": "prediction"},
        "source": source,
        "features": {"income": "numeric", "city": "category"},
        "decision": {"positive": "default", "threshold": 0.5, "favourable": "grant", "deserving": "paid"},
        "people": {"owner": "ada@example.com", "on_call": ["ada@example.com"]},
    }
    return Monitor.model_validate({**declared, **parts})


def loans(count: int, *, first: int = 0, night: date = NIGHT, **columns: Any) -> pd.DataFrame:
    """`count` loans, one a minute from nine o'clock. Columns may be replaced, added, or taken away with None."""
    start = datetime.combine(night, datetime.min.time()) + timedelta(hours=9)
    made: dict[str, Any] = {
        "ref": [f"{n:05d}" for n in range(first, first + count)],
        "asked_on": [(start + timedelta(minutes=n)).isoformat(" ") for n in range(count)],
        "risk": [round((n * 37 % 100) / 100, 2) for n in range(first, first + count)],
        "answer": ["deny" if n * 37 % 100 >= 50 else "grant" for n in range(first, first + count)],
        "income": [1000.0 + n * 7 % 300 for n in range(first, first + count)],
        "city": [("Bonn", "Köln", "Ulm")[n % 3] for n in range(first, first + count)],
        **columns,
    }
    return pd.DataFrame({name: values for name, values in made.items() if values is not None})


def append(path: Path, rows: pd.DataFrame) -> None:
    """Adds rows to a CSV, as a service that logs does."""
    rows.to_csv(path, mode="a", index=False, header=not path.exists())


def kept(ports: Any, watched: Monitor, nights: Sequence[date] = (NIGHT,)) -> list[dict[str, Any]]:
    """The rows of these nights as Vigil has them, by id."""
    found: list[dict[str, Any]] = []
    for night in nights:
        part = ports.log.partition(watched, night_window(night, watched.timezone))
        found += ports.log.sample(watched, part, rows=10**6).to_pylist()
    return sorted(found, key=lambda row: (row["prediction_id"], row["served_at"]))
