"""Repeated rows in the eyes of a suite: it looks at each served row once, and would find every id unique."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_plan import mapped
from vigil.ports import REPEATED

if TYPE_CHECKING:
    import pyarrow as pa

UNIQUE = "expect_column_values_to_be_unique"


def repeated_of(rows: pa.Table) -> int:
    """Rows that were left out of these because their id is in another one."""
    return int((rows.schema.metadata or {}).get(REPEATED, 0))


def add_repeated(results: Iterable[Any], key: str, repeated: int) -> None:
    """Counts so many further rows, all of them unexpected, in what was found of "the ids are unique".

    results: of GX, or in its shape. With a row condition nobody knows how many of them it is about: left as it is.
    """
    for each in results if repeated else ():
        config, found = each.expectation_config, each.result or {}
        asked = config.type == UNIQUE and config.kwargs.get("column") == key and not config.kwargs.get("row_condition")
        if not asked or found.get("unexpected_count") is None:
            continue
        n, missing = int(found["element_count"]), int(found.get("missing_count") or 0)
        bad, mostly = int(found["unexpected_count"]), config.kwargs.get("mostly", 1.0)
        each.success, more = mapped(n + repeated, missing, bad + repeated, float(mostly))
        found.update(more)
