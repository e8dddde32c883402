"""The rows of a night in DuckDB: in the window, of the environment, each id once, with its latest label."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.core.window import Window
    from vigil.ports import Partition

READ = "read_parquet(?, union_by_name=true, hive_partitioning=false)"


@cache
def _instance(_process: int) -> Any:
    """One in-memory DuckDB a process: starting one costs 15 ms, a connection to it next to nothing.

    It fetches nothing, loads no extension, and takes no more than its share.
    """
    import duckdb

    config = {
        "threads": 2,
        "memory_limit": "2GB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    return duckdb.connect(":memory:", config=config)


@contextmanager
def connect() -> Iterator[Any]:
    """A connection of its own, with temporary tables of its own, to the process's DuckDB."""
    db = _instance(os.getpid()).cursor()
    try:
        yield db
    finally:
        db.close()


def quoted(name: str) -> str:
    """A column name as an SQL identifier, whatever characters it has.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def columns_of(db: Any, relation: str) -> dict[str, str]:
    """Column -> DuckDB type of a table or view."""
    return {name: kind for name, kind, *_ in db.execute(f"DESCRIBE {relation}").fetchall()}


def label_join(db: Any, monitor: Monitor, partition: Partition) -> None:
    """Makes the table `night`: rows of the window and environment, the earliest of each id, label joined.

    Adds label, vigil_contradictory and vigil_hour (hours since the window began), and the table
    `night_duplicates` (how many rows of each version and role were left out).
    """
    d = monitor.data
    db.execute(
        f"CREATE TEMP TABLE raw AS SELECT * FROM {READ} WHERE environment = ? "
        f"AND {quoted(d.served_at)} >= ? AND {quoted(d.served_at)} < ?",
        [list(partition.files), monitor.environment, partition.window.start, partition.window.end],
    )
    _outcomes(db, partition.outcome_files)
    _night(db, monitor, partition.window.start)


def _outcomes(db: Any, files: Sequence[str]) -> None:
    if not files:
        db.execute("CREATE TEMP TABLE truth (prediction_id VARCHAR, label VARCHAR, contradictory BOOLEAN)")
        return
    db.execute(
        "CREATE TEMP TABLE truth AS SELECT prediction_id, arg_max(label, observed_at) AS label, "
        f"count(DISTINCT label) > 1 AS contradictory FROM {READ} GROUP BY prediction_id",
        [list(files)],
    )


def _night(db: Any, monitor: Monitor, start: Any) -> None:
    d = monitor.data
    key, at = quoted(d.prediction_id), quoted(d.served_at)
    own_label = "label" in columns_of(db, "raw")
    rows = "(SELECT * EXCLUDE (label) FROM raw)" if own_label else "raw"
    db.execute(
        f"CREATE TEMP TABLE night AS SELECT r.*, t.label, coalesce(t.contradictory, false) AS vigil_contradictory, "
        f"CAST(floor((epoch(r.{at}) - epoch(CAST(? AS TIMESTAMPTZ))) / 3600) AS INTEGER) AS vigil_hour "
        f"FROM {rows} r LEFT JOIN truth t ON r.{key} = t.prediction_id "
        f"QUALIFY row_number() OVER (PARTITION BY r.{key} ORDER BY r.{at}) = 1",
        [start],
    )


def outcomes_digest(monitor: Monitor, window: Window, files: Sequence[str], outcome_files: Sequence[str]) -> str:
    """Changes exactly when a label of a prediction in the window is added or changed."""
    key, at = quoted(monitor.data.prediction_id), quoted(monitor.data.served_at)
    sql = (
        f"SELECT count(*), bit_xor(hash(o.prediction_id, o.label, o.observed_at)) FROM {READ} o "
        f"WHERE o.prediction_id IN (SELECT {key} FROM {READ} WHERE environment = ? AND {at} >= ? AND {at} < ?)"
    )
    with connect() as db:
        given = [list(outcome_files), list(files), monitor.environment, window.start, window.end]
        count, mixed = db.execute(sql, given).fetchall()[0]
    return f"{count}:{mixed}"
