"""Rows of a source held against those that the log has: unknown, known, or known with other content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_rows import READ, columns_of, connect, literal, quoted
from vigil.core.words import Role
from vigil.ports import Sifted

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.adapters.parquet_files import Footers

PREDICTION_KEY = ("CAST({0}.prediction_id AS VARCHAR)", f"CAST({{0}}.role AS VARCHAR) = {literal(Role.CHALLENGER)}")
OUTCOME_KEY = tuple(f"CAST({{0}}.{name} AS VARCHAR)" for name in ("prediction_id", "label", "observed_at"))
NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
           "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip


def sift(rows: pa.Table, files: Footers, key: tuple[str, ...]) -> Sifted:
    """key: SQL of what identifies a row, with {0} for its table."""
    if not files:
        return Sifted(rows, 0, 0)
    with connect() as db:
        db.register("given", rows)
        listed = ", ".join(map(literal, files))
        db.execute(f"CREATE TEMP VIEW known AS FROM {READ.replace('?', f'[{listed}]')}")
        same = " AND ".join(f"({part.format('r')}) = ({part.format('o')})" for part in key)
        unknown: pa.Table = db.sql(f"SELECT * FROM given r ANTI JOIN known o ON {same}").to_arrow_table()
        known = rows.num_rows - unknown.num_rows
        alike = _alike(db, files)
        equal = f"SELECT count(*) FROM given r SEMI JOIN known o ON {same} AND {alike}"
        as_before = int(db.execute(equal).fetchall()[0][0]) if known else 0
    return Sifted(unknown.select(rows.column_names), as_before, known - as_before)


def _alike(db: Any, files: Footers) -> str:
    """SQL of whether two rows have the same values in the columns that both have.

    A column that one of the files lacks is compared with none: it came to the monitor later. Numbers are compared as
    numbers, however they are stored.
    """
    shared = set.intersection(*({field.name for field in f.schema.to_arrow_schema()} for f in files.values()))
    given, stored = columns_of(db, "given"), columns_of(db, "known")
    terms = ["true"]
    for name in sorted(shared & set(given) & set(stored)):
        numeric = any(kind.partition("(")[0] in NUMERIC for kind in (given[name], stored[name]))
        r, o = (_word(f"{table}.{quoted(name)}", numeric=numeric) for table in "ro")
        terms.append(f"{r} IS NOT DISTINCT FROM {o}")
    return " AND ".join(terms)


def _word(value: str, *, numeric: bool) -> str:
    """SQL of a value as text; of a number alike for all types, and NULL for NaN."""
    plain = f"CAST({value} AS VARCHAR)"
    return f"nullif(coalesce(CAST(TRY_CAST({value} AS DOUBLE) AS VARCHAR), {plain}), 'nan')" if numeric else plain
