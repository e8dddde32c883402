"""Expectations about one number of a column, about its set of values, or about the whole table, as SQL.

None of them may be asked of a sample: a sum, a smallest value or a number of values is of all rows or of none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from vigil.adapters.duckdb_plan import (
    REAL,
    TEXT,
    WHOLE,
    Asked,
    Finish,
    Found,
    Plan,
    is_number,
    members,
    value,
    whole_bounds,
    within,
)  # fmt: skip
from vigil.adapters.duckdb_rows import double

BOUNDS = ("min_value", "max_value", "strict_min", "strict_max")
CLOSE = 1e-4  # how near to a bound GX lets a quantile be, as a share of the bound
COUNTED_AS = (*WHOLE, *REAL, TEXT)  # types whose distinct values are the same to pandas


def _between(asked: Asked, sql: str, kinds: Sequence[str] = (*WHOLE, "DOUBLE")) -> Plan | None:
    """One number of a column between two bounds; a column without a value has none."""
    if asked.kind not in kinds or not asked.only(*BOUNDS) or asked.where != "true":
        return None
    if not all(asked.kwargs.get(b) is None or is_number(asked.kwargs[b]) for b in ("min_value", "max_value")):
        return None
    x = value(asked.column, asked.kind)

    def finish(f: Mapping[str, Any]) -> Found:
        found = f["found"]
        return found is not None and within(found, asked.kwargs), {"observed_value": found}

    return Plan(finish, sums={"found": sql.format(x=x)})


def _min(asked: Asked) -> Plan | None:
    return _between(asked, "min({x})")


def _max(asked: Asked) -> Plan | None:
    return _between(asked, "max({x})")


def _mean(asked: Asked) -> Plan | None:
    return _between(asked, "avg({x})")


def _median(asked: Asked) -> Plan | None:
    return _between(asked, "median({x})")


def _stdev(asked: Asked) -> Plan | None:
    return _between(asked, "stddev_samp({x})")


def _sum(asked: Asked) -> Plan | None:
    return _between(asked, "coalesce(sum({x}), 0)")


def _unique_count(asked: Asked) -> Plan | None:
    return _between(asked, "count(DISTINCT {x})", COUNTED_AS) if whole_bounds(asked) else None


def _unique_share(asked: Asked) -> Plan | None:
    return _between(asked, "CASE WHEN count({x}) = 0 THEN 0.0 ELSE count(DISTINCT {x}) / count({x}) END", COUNTED_AS)


def _filled_share(asked: Asked) -> Plan | None:
    share = "CASE WHEN count(*) = 0 THEN 0.0 ELSE count({x}) / count(*) END"
    return _between(asked, share, COUNTED_AS)


def _quantiles(asked: Asked) -> Plan | None:
    """The values at the places nearest to the quantiles, as pandas has them ("nearest", a half to the even place)."""
    ranges = asked.kwargs.get("quantile_ranges")
    if asked.kind not in (*WHOLE, "DOUBLE") or not asked.only("quantile_ranges", "allow_relative_error"):
        return None
    if asked.where != "true" or asked.kwargs.get("allow_relative_error") not in (None, False, "nearest"):
        return None
    if not isinstance(ranges, Mapping) or not all(is_number(b) or b is None for r in ranges["value_ranges"] for b in r):
        return None
    x, quantiles = value(asked.column, asked.kind), list(ranges["quantiles"])
    places = (f"round_even({double(q)} * (n - 1), 0)" for q in quantiles)
    query = (
        f"SELECT {', '.join(f'max(x) FILTER (i = {place}) AS q{k}' for k, place in enumerate(places))} "
        "FROM (SELECT x, row_number() OVER (ORDER BY x) - 1 AS i, count(*) OVER () AS n "
        f"FROM (SELECT {x} AS x FROM {{rows}}) WHERE x IS NOT NULL)"
    )

    def finish(f: Mapping[str, Any]) -> Found:
        found = [f[f"q{k}"] for k in range(len(quantiles))]
        right = [_in_range(q, *span) for q, span in zip(found, ranges["value_ranges"], strict=True)]
        seen = {"quantiles": quantiles, "values": found}
        return all(right), {"observed_value": seen, "details": {"success_details": right}}

    return Plan(finish, query=query)


def _in_range(found: float | None, low: float | None, high: float | None) -> bool:
    if found is None:
        return False
    if any(b is not None and abs(found - b) <= 1e-8 + CLOSE * abs(b) for b in (low, high)):
        return True
    return (low is None or found >= low) and (high is None or found <= high)


# the set of a column's values


def _distinct(asked: Asked, *, others: bool, missing: bool) -> Plan | None:
    """How many other values the column has, and how many of the set it has not.

    others: whether other values are wrong; missing: whether those are that it has not.
    """
    listed = members(asked) if asked.only("value_set") and asked.where == "true" else None
    if listed is None:
        return None
    x, wanted = value(asked.column, asked.kind), len(set(asked.kwargs["value_set"]))
    sums = {
        "there": f"count({x})",
        "others": f"count(DISTINCT CASE WHEN {x} NOT IN ({listed}) THEN {x} END)",
        "inside": f"count(DISTINCT CASE WHEN {x} IN ({listed}) THEN {x} END)",
    }

    def finish(f: Mapping[str, Any]) -> Found:
        counts = {"unexpected_count": f["others"]} if others else {}
        counts |= {"missing_count": wanted - f["inside"]} if missing else {}
        empty = {"element_count": 0} if not f["there"] and not missing else {}
        return not any(counts.values()), {"observed_value": None, **counts, **empty}

    return Plan(finish, sums=sums)


def _distinct_in(asked: Asked) -> Plan | None:
    return _distinct(asked, others=True, missing=False)


def _distinct_equal(asked: Asked) -> Plan | None:
    return _distinct(asked, others=True, missing=True)


def _distinct_contain(asked: Asked) -> Plan | None:
    return _distinct(asked, others=False, missing=True)


# the whole table


def _rows_between(asked: Asked) -> Plan | None:
    if not asked.only(*BOUNDS) or asked.where != "true" or not whole_bounds(asked):
        return None
    finish: Finish = lambda f: (within(f["n"], asked.kwargs), {"observed_value": f["n"]})  # noqa: E731
    return Plan(finish, sums={"n": "count(*)"})


def _rows_equal(asked: Asked) -> Plan | None:
    wanted = asked.number("value")
    if wanted is None or not asked.only("value") or asked.where != "true":
        return None
    return Plan(lambda f: (f["n"] == wanted, {"observed_value": f["n"]}), sums={"n": "count(*)"})


def _columns_between(asked: Asked) -> Plan | None:
    if not asked.only("min_value", "max_value") or asked.where != "true":
        return None
    n = len(asked.kinds)
    return Plan(lambda _: (within(n, asked.kwargs), {"observed_value": n}))


def _columns_equal(asked: Asked) -> Plan | None:
    wanted, n = asked.number("value"), len(asked.kinds)
    if wanted is None or not asked.only("value"):
        return None
    return Plan(lambda _: (n == wanted, {"observed_value": n}))


def _columns_ordered(asked: Asked) -> Plan | None:
    wanted, have = asked.kwargs.get("column_list"), list(asked.kinds)
    if not isinstance(wanted, list) or not wanted or not asked.only("column_list"):
        return None
    result: dict[str, Any] = {"observed_value": have}
    wrong = [
        {"Expected Column Position": k, "Expected": expected, "Found": there}
        for k, (expected, there) in enumerate(zip_longest(wanted, have))
        if expected != there
    ]
    if wrong:
        result["details"] = {"mismatched": wrong}
    return Plan(lambda _: (not wrong, result))


def _columns(asked: Asked) -> Plan | None:
    wanted = asked.kwargs.get("column_set")
    if not isinstance(wanted, Sequence) or not asked.only("column_set", "exact_match") or not wanted:
        return None
    have, names = set(asked.kinds), set(wanted)
    missing, more = sorted(names - have), sorted(have - names)
    details = {k: v for k, v in (("unexpected", more), ("missing", missing)) if v}
    result: dict[str, Any] = {"observed_value": sorted(have)}
    if details:
        result["details"] = {"mismatched": details}
    right = not missing and (not asked.kwargs.get("exact_match", True) or not more)
    return Plan(lambda _: (right, result))


def _exists(asked: Asked) -> Plan | None:
    there = asked.column in asked.kinds
    return Plan(lambda _: (there, {})) if asked.only() else None


AGGREGATES: Mapping[str, Callable[[Asked], Plan | None]] = {
    "expect_column_min_to_be_between": _min,
    "expect_column_max_to_be_between": _max,
    "expect_column_mean_to_be_between": _mean,
    "expect_column_median_to_be_between": _median,
    "expect_column_stdev_to_be_between": _stdev,
    "expect_column_sum_to_be_between": _sum,
    "expect_column_unique_value_count_to_be_between": _unique_count,
    "expect_column_proportion_of_unique_values_to_be_between": _unique_share,
    "expect_column_proportion_of_non_null_values_to_be_between": _filled_share,
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_distinct_values_to_be_in_set": _distinct_in,
    "expect_column_distinct_values_to_equal_set": _distinct_equal,
    "expect_column_distinct_values_to_contain_set": _distinct_contain,
    "expect_table_row_count_to_be_between": _rows_between,
    "expect_table_row_count_to_equal": _rows_equal,
    "expect_table_column_count_to_be_between": _columns_between,
    "expect_table_column_count_to_equal": _columns_equal,
    "expect_table_columns_to_match_ordered_list": _columns_ordered,
    "expect_table_columns_to_match_set": _columns,
    "expect_column_to_exist": _exists,
}
