"""The rows of a night as two views: `served`, each row once, and `night`, the same with its latest label.

Views and not tables: a scan reads each column from the files when it counts it, and a night is never in memory as a
whole. What is kept of each row is the hash of its id, and of each label the row that it belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_files import rows_of
from vigil.adapters.duckdb_labels import observed, outcome_rows
from vigil.adapters.duckdb_rows import has_id, instant, literal, quoted
from vigil.core.errors import DataError
from vigil.core.words import Role, Task
from vigil.profiles.layout import FeatureType

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.ports import Partition

SLOT = 900  # seconds: every zone's offset is a multiple of a quarter of an hour
EXTRA = ("vigil_contradictory", "vigil_slot")  # what `night` has beside the log's columns and `label`
PIECE = 20_000  # rows of a row group: smaller ones on average, and more than PIECES of them, are put together first
PIECES = 64
HASHED = 4_000_000  # ids compared at a time
FEW = 3  # labels a row: where the files hold no more of them, all are read rather than looked for


def label_join(db: Any, monitor: Monitor, partition: Partition, *, columns: Sequence[str]) -> None:
    """Makes `served` and `night`: rows of the window and environment, the earliest of each id, latest label joined.

    A challenger in shadow answers the same requests, so its rows are de-duplicated among themselves. Rows without an
    id (null or blank) are all kept, and no label finds them. Rows of one id with the same time are told apart by
    content, so that the order of rows and files does not matter. `served` has `columns` and vigil_slot (quarters of an
    hour since the window began), `night` also label and vigil_contradictory. `dropped` has the version and role of each
    repeated row, and whether its content is another one than that of the row that is kept; `unnamed` has version and
    role of each row without an id.
    """
    d = monitor.data
    wanted = [c for c in dict.fromkeys(columns) if c != "label"]
    kept = ", ".join(f"{instant(c)} AS {quoted(c)}" if c == d.served_at else quoted(c) for c in wanted)
    db.execute("SET preserve_insertion_order = false")
    db.execute(f"CREATE TEMP VIEW stored AS {_stored(db, monitor, partition)}")
    _check_roles(db, monitor)
    _find_repeated(db, monitor, wanted)
    source = _rewritten(db, kept, partition.files) or f"(SELECT {kept} FROM stored)"
    start = int(partition.window.start.timestamp()) * 1_000_000
    slot = f"CAST((epoch_us({quoted(d.served_at)}) - {start}) // {SLOT * 1_000_000} AS INTEGER)"
    db.execute(f"CREATE TEMP VIEW served AS SELECT *, {slot} AS vigil_slot FROM {source}")
    truth(db, monitor, partition.outcome_files, through=partition.labels_through)
    db.execute(
        "CREATE TEMP VIEW night AS SELECT s.* EXCLUDE (vigil_slot), t.label, "
        "coalesce(t.contradictory, false) AS vigil_contradictory, s.vigil_slot FROM served s "
        f"LEFT JOIN truth t ON CAST(s.{quoted(d.prediction_id)} AS VARCHAR) = t.prediction_id"
    )


def make_asked(db: Any, monitor: Monitor, *, labels: bool = True) -> int:
    """Makes `asked`, the rows of the night that were served, which suites and people look at; without `labels`, null.

    A challenger's answers are nobody's. Returns how many rows of those roles were left out as repeated.
    """
    served = f"CAST({quoted(monitor.data.role)} AS VARCHAR) <> {literal(Role.CHALLENGER)}"
    wanted = f"* EXCLUDE ({', '.join(map(quoted, EXTRA))}) FROM night"
    if not labels:
        wanted = "* EXCLUDE (vigil_slot), CAST(NULL AS VARCHAR) AS label FROM served"
    db.execute(f"CREATE TEMP VIEW asked AS SELECT {wanted} WHERE {served}")
    repeated = f"SELECT count(*) FROM dropped WHERE role <> {literal(Role.CHALLENGER)}"
    return int(db.execute(repeated).fetchall()[0][0])


def _stored(db: Any, monitor: Monitor, partition: Partition) -> str:
    """SQL of the rows of the window and environment, with where each of them is."""
    when = instant(monitor.data.served_at)
    first, end = (
        f"CAST({literal(t.isoformat())} AS TIMESTAMPTZ)" for t in (partition.window.start, partition.window.end)
    )
    return (
        f"SELECT * FROM {rows_of(db, partition.files, numbers=_numbers(monitor))} "
        f"WHERE environment = {literal(monitor.environment)} AND {when} >= {first} AND {when} < {end}"
    )


def _numbers(monitor: Monitor) -> list[str]:
    """Columns that are read as numbers, whatever they were stored as."""
    d = monitor.data
    features = [name for name, kind in monitor.features.items() if kind is FeatureType.NUMERIC]
    answer = [d.prediction] if monitor.task is Task.REGRESSION else []
    named = [name for name in (d.score, d.sampling_weight, d.latency_ms) if name]
    return [*features, *map("contrib__{}".format, monitor.features), *monitor.sums, *answer, *named]


def _check_roles(db: Any, monitor: Monitor) -> None:
    role = quoted(monitor.data.role)
    found = [r for (r,) in db.execute(f"SELECT DISTINCT CAST({role} AS VARCHAR) FROM stored").fetchall()]
    wrong = sorted(str(r) for r in found if r not in set(Role))
    if wrong:
        raise DataError(
            f"the prediction log of {monitor.model}: {monitor.data.role} is {', '.join(map(repr, wrong[:3]))} in some "
            f"rows; it must be one of {', '.join(Role)}"
        )


def _find_repeated(db: Any, monitor: Monitor, columns: Sequence[str]) -> None:
    """Makes `ids`, the hash of each row's id, `unnamed`, the rows without one, and `dropped`, the rows to leave out.

    Ids with different hashes are different, so that only rows whose hash occurs twice are compared by content.
    """
    d = monitor.data
    key, role = quoted(d.prediction_id), f"{quoted(d.role)} = {literal(Role.CHALLENGER)}"
    mine = f"hash(CAST({key} AS VARCHAR), {role})"
    whose = f"{quoted(d.model_version)} AS version, CAST({quoted(d.role)} AS VARCHAR) AS role"
    db.execute(
        f"CREATE TEMP TABLE ids AS SELECT {mine} AS mine, hash(CAST({key} AS VARCHAR)) AS id FROM stored "
        f"WHERE {has_id(d.prediction_id)}"
    )
    every, with_id = (db.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in ("stored", "ids"))
    which = f"WHERE NOT {has_id(d.prediction_id)}" if every > with_id else "LIMIT 0"
    db.execute(f"CREATE TEMP TABLE unnamed AS SELECT {whose} FROM stored {which}")
    parts = 1 + with_id // HASHED
    db.execute("CREATE TEMP TABLE twice (mine UBIGINT)")
    for part in range(parts):
        which = f"WHERE mine % {parts} = {part}" if parts > 1 else ""
        db.execute(f"INSERT INTO twice SELECT mine FROM ids {which} GROUP BY mine HAVING count(*) > 1")
    content = f"hash(ROW({', '.join(quoted(c) for c in columns)}))"
    order = f"PARTITION BY CAST({key} AS VARCHAR), {role} ORDER BY {instant(d.served_at)}, {content}"
    db.execute(
        f"CREATE TEMP TABLE dropped AS SELECT vigil_file, vigil_row, {whose}, "
        f"{content} <> first_value({content}) OVER ({order}) AS conflicting FROM stored "
        f"WHERE {has_id(d.prediction_id)} AND {mine} IN (FROM twice) "
        f"QUALIFY row_number() OVER ({order}) > 1"
        if db.execute("SELECT count(*) FROM twice").fetchall()[0][0]
        else "CREATE TEMP TABLE dropped (vigil_file UBIGINT, vigil_row BIGINT, version VARCHAR, role VARCHAR, "
        "conflicting BOOLEAN)"
    )


def _rewritten(db: Any, kept: str, files: Sequence[str]) -> str | None:
    """SQL of the rows that stay, in one file in DuckDB's own folder, where reading the night as it lies is dear.

    That is where rows are repeated, or where thousands of small pieces would be opened anew for each query.
    """
    pieces, rows = db.execute(
        "SELECT sum(num_row_groups), sum(num_rows) FROM parquet_file_metadata(?)", [list(files)]
    ).fetchall()[0]
    repeated = db.execute("SELECT count(*) FROM dropped").fetchall()[0][0]
    if not repeated and (pieces <= PIECES or rows > PIECE * pieces):
        return None
    folder = db.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
    target = str(Path(folder) / "night.parquet")
    stays = "s.vigil_file = d.vigil_file AND s.vigil_row = d.vigil_row"
    db.execute(
        f"COPY (SELECT {kept} FROM stored s WHERE NOT EXISTS (SELECT 1 FROM dropped d WHERE {stays})) "
        f"TO {literal(target)} (FORMAT parquet, COMPRESSION lz4)"
    )
    return f"read_parquet({literal(target)})"


def truth(db: Any, monitor: Monitor, files: Sequence[str], *, through: datetime | None) -> None:
    """Makes `truth`: the latest label of each prediction of the night that was observed by `through`.

    Of labels observed at the same time, the last in text order.
    """
    if not files:
        db.execute("CREATE TEMP TABLE truth (prediction_id VARCHAR, label VARCHAR, contradictory BOOLEAN)")
        return
    source, label = outcome_rows(db, monitor, files)
    rows, known = (
        db.execute(sql, given).fetchall()[0][0]
        for sql, given in (
            ("SELECT count(*) FROM ids", []),
            ("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [list(files)]),
        )
    )
    named = has_id("prediction_id")
    of_the_night = "hash(CAST(prediction_id AS VARCHAR)) IN (SELECT id FROM ids)" if known > FEW * rows else "true"
    by_then = observed(through)
    db.execute(
        f"CREATE TEMP TABLE truth AS SELECT CAST(prediction_id AS VARCHAR) AS prediction_id, max({label}) AS label, "
        f"min({label}) <> max({label}) AS contradictory FROM {source} "
        f"WHERE {of_the_night} AND {named} AND {by_then} GROUP BY 1"
    )
    if db.execute("SELECT count(*) FROM truth WHERE contradictory").fetchall()[0][0]:
        latest = f"arg_max({label}, ({instant('observed_at')}, {label}))"
        db.execute(
            f"UPDATE truth SET label = l.label FROM (SELECT CAST(prediction_id AS VARCHAR) AS id, {latest} AS label "
            f"FROM {source} WHERE id IN (SELECT prediction_id FROM truth WHERE contradictory) AND {by_then} "
            "GROUP BY id) l WHERE truth.prediction_id = l.id"
        )
