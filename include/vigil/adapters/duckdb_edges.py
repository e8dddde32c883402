"""Bin edges and category levels of reference rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_rows import columns_of, connect, quoted, require, text_of
from vigil.core.errors import DataError
from vigil.core.words import Task
from vigil.profiles.edges import fit
from vigil.profiles.layout import FeatureType
from vigil.profiles.types import Edges

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor

TAIL = 20_000  # further levels that are known by name; a column with more of them is open
TAIL_LENGTH = 1_000_000  # characters that they may have together


def fitted(monitor: Monitor, rows: pa.Table) -> Edges:
    """Quantile edges and level lists from reference rows. Raises DataError for a column without values."""
    wanted = dict(monitor.features)
    if monitor.task is Task.REGRESSION:
        wanted[monitor.data.prediction] = FeatureType.NUMERIC
    require(wanted, rows.column_names, f"the reference rows of {monitor.model}")
    numeric: dict[str, tuple[float, ...]] = {}
    levels: dict[str, tuple[str, ...]] = {}
    tails: dict[str, tuple[str, ...]] = {}
    open_: list[str] = []
    with connect() as db:
        db.register("given", rows)
        types = columns_of(db, "given")
        for name, kind in wanted.items():
            if kind is FeatureType.NUMERIC:
                numeric[name] = _edges(db, monitor, name)
                continue
            levels[name], tail = _levels(db, text_of(name, types[name]), monitor.levels)
            if tail is None:
                open_.append(name)
            elif tail:
                tails[name] = tail
    return Edges(numeric=numeric, levels=levels, tails=tails, open=tuple(sorted(open_)))


def _levels(db: Any, text: str, most: int) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The most frequent values, and the others, in text order; None for more than can be kept by name."""
    counted = db.execute(
        f"SELECT {text} AS level FROM given WHERE {text} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?",
        [most + TAIL + 1],
    ).fetchall()
    found = [level for (level,) in counted]
    tail = sorted(found[most:])
    kept = len(tail) <= TAIL and sum(map(len, tail)) <= TAIL_LENGTH
    return tuple(sorted(found[:most])), tuple(tail) if kept else None


def _edges(db: Any, monitor: Monitor, name: str) -> tuple[float, ...]:
    import numpy as np

    found = db.execute(f"SELECT TRY_CAST({quoted(name)} AS DOUBLE) AS x FROM given").fetchnumpy()["x"]
    try:
        return fit(np.ma.filled(found.astype(float), np.nan), monitor.bins)
    except ValueError as error:
        raise DataError(f"{monitor.model}: reference column {name!r}: {error}") from error
