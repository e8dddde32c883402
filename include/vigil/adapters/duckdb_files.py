"""Files of rows as one relation, whatever type each of them gave a column.

Read together, a column takes the widest of its types, and its values the words of that type: the "0" of a file of
numbers becomes "0.0" as soon as another file has text. Files of which this would be so are read apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vigil.adapters.duckdb_rows import columns_of, connect, literal, quoted, text_of

TEXT = "VARCHAR"
REWORDED = ("BOOLEAN", "FLOAT", "DOUBLE", "DECIMAL")  # beginnings of types whose values read otherwise as plain text
EMPTY = '"NULL"'  # the type of a column of nothing


def files_of(names: Sequence[str]) -> str:
    """SQL of the rows in these files: a view has no parameters."""
    return f"read_parquet([{', '.join(map(literal, names))}], union_by_name=true, hive_partitioning=false)"


def rows_of(db: Any, files: Sequence[str], *, numbers: Collection[str] = ()) -> str:
    """SQL of the rows of all files, and of where each is: vigil_file and vigil_row.

    A column that is text in some file is, in every file, the text that `text_of` makes of it, unless it is one of the
    `numbers`. One that is FLOAT in some file only is the number that was written: 0.1, not 0.10000000149.
    """
    found = _types(db, files) if len(files) > 1 else {}
    mixed = {name: kinds for name, kinds in found.items() if _is_mixed(kinds)}
    parts, before = [], 0
    for group in _alike(db, files, mixed) if mixed else [files]:
        told = _reworded(columns_of(db, files_of(group)), mixed, {n.lower() for n in numbers}) if mixed else []
        star = f"* REPLACE ({', '.join(told)})" if told else "*"
        where = f"{before} + file_index AS vigil_file, file_row_number AS vigil_row"
        parts.append(f"SELECT {star}, {where} FROM {files_of(group)}")
        before += len(group)
    return f"({' UNION ALL BY NAME '.join(parts)})"


def nulls_of(file: str, column: str) -> int:
    """Rows of a file without a value in a column, counted."""
    with connect() as db:
        sql = f"SELECT count(*) - count({quoted(column)}) FROM {files_of([file])}"
        return int(db.execute(sql).fetchall()[0][0])


def _types(db: Any, files: Sequence[str]) -> dict[str, set[str]]:
    """Column in small letters -> the types that it has in the files, where it has more than one."""
    sql = (
        "SELECT lower(name), list(DISTINCT duckdb_type) FROM parquet_schema(?) WHERE duckdb_type IS NOT NULL "
        "GROUP BY 1 HAVING count(DISTINCT duckdb_type) > 1"
    )
    return {name: set(kinds) for name, kinds in db.execute(sql, [list(files)]).fetchall()}


def _is_mixed(kinds: Collection[str]) -> bool:
    if TEXT in kinds:
        return any(kind.startswith(REWORDED) for kind in kinds)
    return "FLOAT" in kinds and not set(kinds) <= {"FLOAT", EMPTY}


def _alike(db: Any, files: Sequence[str], mixed: Collection[str]) -> list[list[str]]:
    """The files in groups, within which the mixed columns have one type each."""
    sql = (
        "SELECT file_name, list(DISTINCT lower(name) || ' ' || duckdb_type) FROM parquet_schema(?) "
        "WHERE lower(name) IN (SELECT unnest(CAST(? AS VARCHAR[]))) AND duckdb_type IS NOT NULL GROUP BY 1"
    )
    kinds = {file: tuple(sorted(of)) for file, of in db.execute(sql, [list(files), sorted(mixed)]).fetchall()}
    groups: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        groups.setdefault(kinds.get(file, ()), []).append(file)
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
