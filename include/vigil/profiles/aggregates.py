"""What is counted of each column: rows of one table, lowered per SQL dialect. {x} is the column, {e} its edges.

A scan selects these for a few columns at a time: one SELECT over hundreds of columns collapses
(research/monitoring §2.2). NaN is guarded everywhere: DuckDB counts it in the lowest bin, and one NaN spoils a sum.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Aggregate(NamedTuple):
    """One number (or map) of one column; `sql` by dialect."""

    name: str
    sql: Mapping[str, str]


# {x} is a DOUBLE (TRY_CAST of the raw column {raw}); {lo} and {hi} are the first and the last edge.
_FINITE = "CASE WHEN isfinite({x}) THEN {x} END"

NUMERIC: tuple[Aggregate, ...] = (
    Aggregate("nulls", {"duckdb": "count(*) FILTER ({raw} IS NULL)"}),
    Aggregate("nans", {"duckdb": "count(*) FILTER (isnan({x}))"}),
    Aggregate("infs", {"duckdb": "count(*) FILTER (isinf({x}))"}),
    Aggregate("wrong_type", {"duckdb": "count(*) FILTER ({raw} IS NOT NULL AND {x} IS NULL)"}),
    Aggregate("bins", {"duckdb": f"histogram({_FINITE}, {{e}})"}),
    Aggregate("total", {"duckdb": f"sum({_FINITE})"}),
    Aggregate("total_sq", {"duckdb": f"sum(({_FINITE}) * ({_FINITE}))"}),
    Aggregate("low_sum", {"duckdb": "sum({x}) FILTER (isfinite({x}) AND {x} <= {lo})"}),
    Aggregate("high_sum", {"duckdb": "sum({x}) FILTER (isfinite({x}) AND {x} > {hi})"}),
    Aggregate("smallest", {"duckdb": f"min({_FINITE})"}),
    Aggregate("largest", {"duckdb": f"max({_FINITE})"}),
)


def lower(aggregate: Aggregate, dialect: str, **names: str) -> str:
    """The SQL of one aggregate for one column. Raises KeyError for a dialect that has no lowering."""
    return aggregate.sql[dialect].format(**names)
