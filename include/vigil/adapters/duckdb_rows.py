"""A DuckDB session of its own, and the words of its SQL: names, literals, text, times, columns that must be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_word import word_of
from vigil.core.errors import DataError
from vigil.profiles.edges import single

if TYPE_CHECKING:
    from vigil.config.schema import Monitor

READ = "read_parquet(?, union_by_name=true, hive_partitioning=false)"
BLANKS = "' ' || chr(9) || chr(10) || chr(13)"  # SQL of what a blank text consists of
OUTCOME = ("prediction_id", "label", "observed_at")


@contextmanager
def connect() -> Iterator[Any]:
    """An in-memory DuckDB that fetches nothing, takes no more than its share, and spills into a folder of its own.

    What the data make impossible (a column that cannot be compared, a type that cannot be read) is raised as
    DataError; a disk or memory that fails stays DuckDB's own error, because a retry may help.
    """
    import duckdb

    with TemporaryDirectory(prefix="vigil-scan-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
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


def double(value: float) -> str:
    """A number as an SQL literal that keeps its last bit: bare decimals are rounded on their way.

    >>> double(0.1)
    "CAST('0.1' AS DOUBLE)"
    """
    return f"CAST('{float(value)!r}' AS DOUBLE)"


def compared(edges: Sequence[float], kind: str) -> tuple[float, ...]:
    """The edges to which the values of a column of this type are compared; as many, but some may be equal."""
    return single(edges) if kind == "FLOAT" else tuple(edges)


def text_of(name: str, kind: str) -> str:
    """SQL of the word of a column's value (`core/value_word`): 1, 1.0, true and "True" are "1"; NaN is missing.

    kind: DuckDB's name of the column's type.

    >>> text_of("age", "BIGINT")
    'CAST("age" AS VARCHAR)'
    """
    return word_of(quoted(name), kind)


def name_of(name: str, kind: str) -> str:
    """SQL of a name, such as a version: numbers have their word, and text is what it is, because 1.0 may not be 1.

    >>> name_of("model_version", "VARCHAR")
    'CAST("model_version" AS VARCHAR)'
    """
    return f"CAST({quoted(name)} AS VARCHAR)" if kind == "VARCHAR" else text_of(name, kind)


def has_id(name: str) -> str:
    """SQL: the column names a row. A blank id names none: rows that share it are not the same row.

    Most ids begin with a letter or digit, which is behind all blanks: only the others are trimmed.
    """
    text = f"CAST({quoted(name)} AS VARCHAR)"
    return f"CASE WHEN {text} >= '!' THEN true ELSE coalesce(trim({text}, {BLANKS}) <> '', false) END"


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
