"""What is known of the truth of a night, and since when: labels by the time at which they were observed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_files import rows_of
from vigil.adapters.duckdb_rows import (
    OUTCOME,
    columns_of,
    connect,
    instant,
    literal,
    quoted,
    require,
    stored_columns,
    text_of,
)

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.core.window import Window

HOUR = 3_600_000_000  # microseconds


def outcome_rows(db: Any, monitor: Monitor, files: Sequence[str]) -> tuple[str, str]:
    """SQL of the rows of the outcome files, and of their label as text. Raises DataError where a column is missing."""
    source = rows_of(db, files)
    have = columns_of(db, source)
    require(OUTCOME, have, f"the outcomes of {monitor.model}")
    return source, text_of("label", have["label"])


def observed(through: datetime | None) -> str:
    """SQL: a label was known by then.

    >>> observed(None)
    'true'
    """
    return (
        "true"
        if through is None
        else f"{instant('observed_at')} <= CAST({literal(through.isoformat())} AS TIMESTAMPTZ)"
    )


def outcomes_digest(
    monitor: Monitor,
    window: Window,
    files: Sequence[str],
    outcome_files: Sequence[str],
    through: datetime | None = None,
) -> str:
    """Changes exactly when a label of a prediction in the window is added or changed; the same label twice is one.

    md5 and not DuckDB's hash(), which may change with its version: an upgrade must not re-evaluate every night.
    """
    with connect() as db:
        stored_columns(db, monitor, files)
        outcomes, label = outcome_rows(db, monitor, outcome_files)
        key, at = quoted(monitor.data.prediction_id), instant(monitor.data.served_at)
        seen = f"CAST(epoch_us({instant('observed_at')}) AS VARCHAR)"
        sql = (
            "SELECT count(*), bit_xor(md5_number_lower(id || chr(31) || label || chr(31) || seen)) FROM ("
            f"SELECT DISTINCT CAST(prediction_id AS VARCHAR) AS id, coalesce({label}, chr(30)) AS label, "
            f"{seen} AS seen FROM {outcomes} WHERE {observed(through)} AND CAST(prediction_id AS VARCHAR) IN ("
            f"SELECT CAST({key} AS VARCHAR) FROM {rows_of(db, files)} WHERE environment = ? AND {at} >= ? AND "
            f"{at} < ?))"
        )
        given = [monitor.environment, window.start, window.end]
        count, mixed = db.execute(sql, given).fetchall()[0]
    return f"{count}:{mixed}" if count else ""


def hours_of_labels(
    monitor: Monitor, window: Window, files: Sequence[str], outcome_files: Sequence[str]
) -> tuple[datetime, ...]:
    """The ends of the hours in which labels of the window's predictions were observed, in order."""
    with connect() as db:
        stored_columns(db, monitor, files)
        outcomes, _ = outcome_rows(db, monitor, outcome_files)
        key, at, seen = quoted(monitor.data.prediction_id), instant(monitor.data.served_at), instant("observed_at")
        sql = (
            f"SELECT DISTINCT (epoch_us({seen}) + {HOUR - 1}) // {HOUR} FROM {outcomes} "
            "WHERE CAST(prediction_id AS VARCHAR) IN ("
            f"SELECT CAST({key} AS VARCHAR) FROM {rows_of(db, files)} WHERE environment = ? AND {at} >= ? AND "
            f"{at} < ?) ORDER BY 1"
        )
        given = [monitor.environment, window.start, window.end]
        hours = [hour for (hour,) in db.execute(sql, given).fetchall() if hour is not None]
    return tuple(datetime.fromtimestamp(3600 * hour, UTC) for hour in hours)
