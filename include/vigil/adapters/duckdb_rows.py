"""The rows of a night in DuckDB: in the window, of the environment, each id once, with its latest label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.core.words import Role

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.core.window import Window
    from vigil.ports import Partition

READ = "read_parquet(?, union_by_name=true, hive_partitioning=false)"
OUTCOME = ("prediction_id", "label", "observed_at")
SLOT = 900  # seconds: every zone's offset is a multiple of a quarter of an hour
EXTRA = ("vigil_contradictory", "vigil_slot")  # what `night` has beside the log's columns and `label`


@contextmanager
def connect() -> Iterator[Any]:
    """An in-memory DuckDB that fetches nothing, takes no more than its share, and spills into a folder of its own.

    What the data make impossible (a column that cannot be compared, a type that cannot be read) is raised as
    DataError; a disk or memory that fails stays DuckDB's own error, because a retry may help.
    """
    import duckdb

    with TemporaryDirectory(prefix="vigil-scan-") as spill:
        config = {
            "threads": 2,
            "memory_limit": "2GB",
            "temp_directory": spill,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        db = duckdb.connect(":memory:", config=config)
        try:
            db.execute("SET TimeZone = 'UTC'")  # times without a zone are UTC, whatever the machine's zone is
            yield db
        except (duckdb.DataError, duckdb.BinderException, duckdb.InvalidInputException) as error:
            # a conversion error quotes the value: data stay out of messages
            quotes = isinstance(error, duckdb.DataError)
            why = "a value has another type than its column" if quotes else str(error).splitlines()[0]
            raise DataError(f"the stored rows cannot be read as declared: {why}") from (None if quotes else error)
        finally:
            db.close()


def quoted(name: str) -> str:
    """A column name as an SQL identifier, whatever characters it has.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as an SQL literal.

    >>> literal("o'clock")
    "'o''clock'"
    """
    return "'" + text.replace("'", "''") + "'"


def text_of(name: str, kind: str) -> str:
    """SQL of a column's value as text, alike for all types: 1, 1.0 and true are "1"; NaN is missing.

    pandas turns whole numbers into floats as soon as one is missing; a group must not change its name on that night.
    kind: DuckDB's name of the column's type.

    >>> text_of("city", "VARCHAR")
    'CAST("city" AS VARCHAR)'
    """
    column = quoted(name)
    plain = f"CAST({column} AS VARCHAR)"
    if kind == "BOOLEAN":
        return f"CAST(CAST({column} AS INTEGER) AS VARCHAR)"
    if kind in ("FLOAT", "DOUBLE"):
        whole = f"{column} = trunc({column}) AND abs({column}) < 1e15"
        return (
            f"CASE WHEN isnan({column}) THEN NULL WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) "
            f"ELSE {plain} END"
        )
    if kind.startswith("DECIMAL"):
        return f"CASE WHEN {column} = trunc({column}) THEN CAST(CAST({column} AS HUGEINT) AS VARCHAR) ELSE {plain} END"
    return plain


def columns_of(db: Any, relation: str, given: Sequence[Any] = ()) -> dict[str, str]:
    """Column -> DuckDB type of a table, view or table function."""
    return {name: kind for name, kind, *_ in db.execute(f"DESCRIBE SELECT * FROM {relation}", list(given)).fetchall()}


def require(names: Iterable[str], columns: Iterable[str], where: str) -> None:
    """Raises DataError that names the first missing column, the columns there are, and the likeliest typing error."""
    have = sorted(columns)
    for name in names:
        if name in have:
            continue
        near = get_close_matches(name.lower(), [c.lower() for c in have], n=1)
        meant = next((c for c in have if near and c.lower() == near[0]), None)
        hint = f"did you mean {meant!r}? " if meant else ""
        raise DataError(f"column {name!r} is missing from {where}; {hint}It has: {', '.join(have) or 'no columns'}")


def stored_columns(db: Any, monitor: Monitor, files: Sequence[str]) -> dict[str, str]:
    """The columns of a monitor's prediction files. Raises DataError where one that dates or names a row is missing."""
    have = columns_of(db, READ, [list(files)])
    require(named(monitor), have, f"the prediction log of {monitor.model}")
    return have


def named(monitor: Monitor) -> tuple[str, ...]:
    """The columns without which a row is nobody's: what names it, dates it and says who answered."""
    d = monitor.data
    return ("environment", d.prediction_id, d.served_at, d.model_version, d.role)


def instant(name: str) -> str:
    """SQL of a time to the microsecond: pandas writes nanoseconds, which DuckDB compares with nothing else.

    >>> instant("served_at")
    'CAST("served_at" AS TIMESTAMPTZ)'
    """
    return f"CAST({quoted(name)} AS TIMESTAMPTZ)"


def label_join(db: Any, monitor: Monitor, partition: Partition, *, columns: Sequence[str]) -> None:
    """Makes the table `night`: rows of the window and environment, the earliest of each id, latest label joined.

    A challenger in shadow answers the same requests, so its rows are de-duplicated among themselves. Rows without an
    id are all kept. Rows of one id with the same time are told apart by content, so that the order of rows and files
    does not matter. `night` has `columns`, label, and EXTRA (vigil_slot: quarters of an hour since the window began);
    `raw` has the rows before de-duplication.
    """
    d = monitor.data
    at, when = quoted(d.served_at), instant(d.served_at)
    kept = ", ".join(
        f"{when} AS {at}" if c == d.served_at else quoted(c) for c in dict.fromkeys(columns) if c != "label"
    )
    db.execute(
        f"CREATE TEMP TABLE raw AS SELECT {kept} FROM {READ} WHERE environment = ? AND {when} >= ? AND {when} < ?",
        [list(partition.files), monitor.environment, partition.window.start, partition.window.end],
    )
    _check_roles(db, monitor)
    _truth(db, monitor, partition.outcome_files)
    key, role = quoted(d.prediction_id), quoted(d.role)
    db.execute(
        "CREATE TEMP TABLE night AS SELECT r.*, t.label, coalesce(t.contradictory, false) AS vigil_contradictory, "
        f"CAST(floor((epoch(r.{at}) - epoch(CAST(? AS TIMESTAMPTZ))) / {SLOT}) AS INTEGER) AS vigil_slot "
        f"FROM raw r LEFT JOIN truth t ON CAST(r.{key} AS VARCHAR) = t.prediction_id QUALIFY r.{key} IS NULL OR "
        f"row_number() OVER (PARTITION BY r.{key}, r.{role} = '{Role.CHALLENGER}' ORDER BY r.{at}, hash(r)) = 1",
        [partition.window.start],
    )


def _check_roles(db: Any, monitor: Monitor) -> None:
    role = quoted(monitor.data.role)
    found = [r for (r,) in db.execute(f"SELECT DISTINCT CAST({role} AS VARCHAR) FROM raw").fetchall()]
    wrong = sorted(str(r) for r in found if r not in set(Role))
    if wrong:
        raise DataError(
            f"the prediction log of {monitor.model}: {monitor.data.role} is {', '.join(map(repr, wrong[:3]))} in some "
            f"rows; it must be one of {', '.join(Role)}"
        )


def _truth(db: Any, monitor: Monitor, files: Sequence[str]) -> None:
    """The latest label of each prediction of the night; of labels observed at the same time, the last in text order."""
    if not files:
        db.execute("CREATE TEMP TABLE truth (prediction_id VARCHAR, label VARCHAR, contradictory BOOLEAN)")
        return
    label = text_of("label", _outcome_columns(db, monitor, files)["label"])
    latest = f"arg_max({label}, ({instant('observed_at')}, {label}))"
    db.execute(
        "CREATE TEMP TABLE truth AS SELECT CAST(prediction_id AS VARCHAR) AS prediction_id, "
        f"{latest} AS label, count(DISTINCT {label}) > 1 AS contradictory FROM {READ} "
        f"WHERE CAST(prediction_id AS VARCHAR) IN (SELECT CAST({quoted(monitor.data.prediction_id)} AS VARCHAR) "
        "FROM raw) GROUP BY 1",
        [list(files)],
    )


def _outcome_columns(db: Any, monitor: Monitor, files: Sequence[str]) -> Mapping[str, str]:
    have = columns_of(db, READ, [list(files)])
    require(OUTCOME, have, f"the outcomes of {monitor.model}")
    return have


def outcomes_digest(monitor: Monitor, window: Window, files: Sequence[str], outcome_files: Sequence[str]) -> str:
    """Changes exactly when a label of a prediction in the window is added or changed; the same label twice is one.

    md5 and not DuckDB's hash(), which may change with its version: an upgrade must not re-evaluate every night.
    """
    with connect() as db:
        stored_columns(db, monitor, files)
        label = text_of("label", _outcome_columns(db, monitor, outcome_files)["label"])
        key, at = quoted(monitor.data.prediction_id), instant(monitor.data.served_at)
        seen = f"CAST(epoch_us({instant('observed_at')}) AS VARCHAR)"
        sql = (
            "SELECT count(*), bit_xor(md5_number_lower(id || chr(31) || label || chr(31) || seen)) FROM ("
            f"SELECT DISTINCT CAST(prediction_id AS VARCHAR) AS id, coalesce({label}, chr(30)) AS label, "
            f"{seen} AS seen FROM {READ} WHERE CAST(prediction_id AS VARCHAR) IN ("
            f"SELECT CAST({key} AS VARCHAR) FROM {READ} WHERE environment = ? AND {at} >= ? AND {at} < ?))"
        )
        given = [list(outcome_files), list(files), monitor.environment, window.start, window.end]
        count, mixed = db.execute(sql, given).fetchall()[0]
    return f"{count}:{mixed}" if count else ""
