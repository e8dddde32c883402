"""Files of rows as one relation, whatever type each of them gave a column.

Read together, a column takes the widest of its types, and its values the words of that type: the "0" of a file of
numbers becomes "0.0" as soon as another file has text. Files of which this would be so are read apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_rows import columns_of, connect, instant, literal, quoted, text_of

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.core.window import Window

TEXT, SMALL, REAL, NOTHING, ELSE = "text", "small", "real", "nothing", "else"  # kinds of types
REWORDED = ("BOOLEAN", "FLOAT", "DOUBLE", "DECIMAL")  # DuckDB's types whose values read otherwise as plain text
Shape = tuple[tuple[str, str], ...]  # column in small letters, kind of its type


def files_of(names: Sequence[str]) -> str:
    """SQL of the rows in these files: a view has no parameters."""
    return f"read_parquet([{', '.join(map(literal, names))}], union_by_name=true, hive_partitioning=false)"


def rows_of(db: Any, files: Sequence[str], *, numbers: Collection[str] = ()) -> str:
    """SQL of the rows of all files, and of where each is: vigil_file and vigil_row.

    A column that is text in some file is, in every file, the text that `text_of` makes of it, unless it is one of the
    `numbers`. One that is FLOAT in some file only is the number that was written: 0.1, not 0.10000000149.
    """
    shapes = {file: _shape(file, *_state(file)) for file in files} if len(files) > 1 else {}
    mixed = _mixed(set(shapes.values()))
    parts, before = [], 0
    for group in _alike(shapes, mixed) if mixed else [files]:
        told = _reworded(columns_of(db, files_of(group)), mixed, {n.lower() for n in numbers}) if mixed else []
        star = f"* REPLACE ({', '.join(told)})" if told else "*"
        where = f"{before} + file_index AS vigil_file, file_row_number AS vigil_row"
        parts.append(f"SELECT {star}, {where} FROM {files_of(group)}")
        before += len(group)
    return f"({' UNION ALL BY NAME '.join(parts)})"


def unclaimed_of(file: str, *, at: str, window: Window, environment: str) -> tuple[int, int]:
    """Rows of a file that may be this environment's and have no time, and rows of the window without an environment."""
    when = instant(at)
    sql = (
        f"SELECT count(*) FILTER ({when} IS NULL AND coalesce(CAST(environment AS VARCHAR) = $mine, true)), "
        f"count(*) FILTER (environment IS NULL AND {when} >= $first AND {when} < $end) FROM {files_of([file])}"
    )
    with connect() as db:
        given = {"mine": environment, "first": window.start, "end": window.end}
        times, places = db.execute(sql, given).fetchall()[0]
    return int(times), int(places)


def is_dated(schema: pa.Schema, at: str) -> bool:
    """Whether a file has a column of times of that name."""
    from pyarrow import types

    return at in schema.names and types.is_timestamp(schema.field(at).type)


def _state(file: str) -> tuple[int, int]:
    """What changes when a file is put in the place of another."""
    found = Path(file).stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=20_000)
def _shape(file: str, *_: int) -> Shape:
    """The columns of a file. A night's files are opened many times, and never changed."""
    import pyarrow.parquet as pq

    shape = tuple(sorted((field.name.lower(), _kind(field.type)) for field in pq.read_schema(file)))
    return _once(shape)


@lru_cache(maxsize=1000)
def _once(shape: Shape) -> Shape:
    """The same object for the same shape: thousands of files have the same."""
    return shape


def _kind(type_: pa.DataType) -> str:
    """Kind of an Arrow type: what is REAL or SMALL has other words as text, and SMALL other digits among REAL."""
    from pyarrow import types

    if types.is_dictionary(type_):
        type_ = type_.value_type
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return TEXT
    if types.is_float32(type_) or types.is_float16(type_):
        return SMALL
    if types.is_boolean(type_) or types.is_float64(type_) or types.is_decimal(type_):
        return REAL
    return NOTHING if types.is_null(type_) else ELSE


def _mixed(shapes: Collection[Shape]) -> dict[str, set[str]]:
    """Column in small letters -> its kinds, where they are read as other words or numbers together than alone."""
    found: dict[str, set[str]] = {}
    for name, kind in {each for shape in shapes for each in shape} if len(shapes) > 1 else ():
        found.setdefault(name, set()).add(kind)
    return {name: kinds for name, kinds in found.items() if _is_mixed(kinds)}


def _is_mixed(kinds: set[str]) -> bool:
    if TEXT in kinds:
        return bool(kinds & {REAL, SMALL})
    return SMALL in kinds and not kinds <= {SMALL, NOTHING}


def _alike(shapes: Mapping[str, Shape], mixed: Collection[str]) -> list[list[str]]:
    """The files in groups, within which the mixed columns have one kind of type each."""
    groups: dict[Shape, list[str]] = {}
    for file, shape in shapes.items():
        groups.setdefault(tuple(each for each in shape if each[0] in mixed), []).append(file)
    return list(groups.values())


def _reworded(have: Mapping[str, str], mixed: Mapping[str, set[str]], numbers: Collection[str]) -> list[str]:
    """What is to be read otherwise in files with these columns: "SQL AS column"."""
    told = []
    for name, kind in have.items():
        kinds, column = mixed.get(name.lower(), set()), quoted(name)
        if TEXT in kinds and kind.startswith(REWORDED) and name.lower() not in numbers:
            told.append(f"{text_of(name, kind)} AS {column}")
        elif kinds and TEXT not in kinds and kind == "FLOAT":
            told.append(f"CAST(CAST({column} AS VARCHAR) AS DOUBLE) AS {column}")
    return told
