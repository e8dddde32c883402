"""Great Expectations' simple expectations as SQL over a night: one function each, looked up by GX's own type.

A function answers with a plan, or with None where SQL would not say the very same as GX on pandas: another type of
column, an argument that is not listed here, a condition that is more than one comparison. Those are left to GX.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from vigil.adapters.duckdb_aggregates import AGGREGATES
from vigil.adapters.duckdb_plan import (
    REAL,
    TEXT,
    WHOLE,
    Asked,
    Finish,
    Found,
    Plan,
    bounds,
    condition,
    is_number,
    mapped,
    members,
    value,
    whole_bounds,
)  # fmt: skip
from vigil.adapters.duckdb_regex import re2
from vigil.adapters.duckdb_rows import double, literal, quoted


def compiled(kind: str, kwargs: Mapping[str, Any], kinds: Mapping[str, str]) -> Plan | None:
    """The plan of one expectation, or None where it is left to GX."""
    known = COMPILERS.get(kind)
    where = condition(kwargs.get("row_condition"), kinds)
    mostly = kwargs.get("mostly", 1.0)
    if known is None or where is None or not is_number(mostly):
        return None
    if "column" in kwargs and kwargs["column"] not in kinds and kind != "expect_column_to_exist":
        return None
    if not 0 <= mostly <= 1 or any(not isinstance(kwargs.get(b, False), bool) for b in ("strict_min", "strict_max")):
        return None
    return known(Asked(kwargs, kinds, where))


# expectations about each value


def _map(asked: Asked, bad: str) -> Plan:
    """Values for which `bad` holds, among those that are there."""
    x, where = value(asked.column, asked.kind), asked.where
    sums = {
        "n": f"count(CASE WHEN {where} THEN 1 END)",
        "there": f"count(CASE WHEN {where} THEN {x} END)",
        "bad": f"count(CASE WHEN {where} AND {x} IS NOT NULL AND {bad} THEN 1 END)",
    }
    return Plan(lambda f: mapped(f["n"], f["n"] - f["there"], f["bad"], _mostly(asked)), sums=sums)


def _mostly(asked: Asked) -> float:
    return float(asked.kwargs.get("mostly", 1.0))


def _nulls(asked: Asked, *, wanted: bool) -> Plan | None:
    if not asked.only():
        return None
    x, where = value(asked.column, asked.kind), asked.where
    bad = f"{x} IS {'NOT NULL' if wanted else 'NULL'}"
    sums = {
        "n": f"count(CASE WHEN {where} THEN 1 END)",
        "bad": f"count(CASE WHEN {where} AND {bad} THEN 1 END)",
    }

    def finish(f: Mapping[str, Any]) -> Found:
        n, wrong = f["n"], f["bad"]
        percent = 100 * wrong / n if n else None
        result: dict[str, Any] = {"element_count": n, "unexpected_count": wrong, "unexpected_percent": percent}
        return not n or (n - wrong) / n >= _mostly(asked), {**result, "partial_unexpected_list": []}

    return Plan(finish, sums=sums)


def _not_null(asked: Asked) -> Plan | None:
    return _nulls(asked, wanted=False)


def _null(asked: Asked) -> Plan | None:
    return _nulls(asked, wanted=True)


def _between(asked: Asked) -> Plan | None:
    if asked.kind not in (*WHOLE, *REAL) or not asked.only("min_value", "max_value", "strict_min", "strict_max"):
        return None
    inside = bounds(asked, value(asked.column, asked.kind))
    return _map(asked, f"NOT ({inside})") if inside else None


def _set(asked: Asked, negate: str) -> Plan | None:
    listed = members(asked) if asked.only("value_set") else None
    return _map(asked, f"{value(asked.column, asked.kind)} {negate}IN ({listed})") if listed else None


def _in_set(asked: Asked) -> Plan | None:
    return _set(asked, "NOT ")


def _not_in_set(asked: Asked) -> Plan | None:
    return _set(asked, "")


def _unique(asked: Asked) -> Plan | None:
    if asked.kind not in (*WHOLE, *REAL, TEXT) or not asked.only():
        return None
    x = value(asked.column, asked.kind)
    query = (
        "SELECT coalesce(sum(c), 0)::BIGINT AS n, coalesce(sum(c) FILTER (x IS NULL), 0)::BIGINT AS missing, "
        "coalesce(sum(c) FILTER (x IS NOT NULL AND c > 1), 0)::BIGINT AS bad "
        f"FROM (SELECT {x} AS x, count(*) AS c FROM {{rows}} WHERE {asked.where} GROUP BY 1)"
    )
    return Plan(lambda f: mapped(f["n"], f["missing"], f["bad"], _mostly(asked)), query=query)


def _regex(asked: Asked, *, wanted: bool) -> Plan | None:
    """Texts that match a pattern, or do not: in SQL where RE2 says what Python says, else each distinct text once."""
    pattern = asked.kwargs.get("regex")
    try:
        known = re.compile(pattern) if isinstance(pattern, str) and asked.only("regex") else None
    except re.error:
        known = None
    if known is None or asked.kind != TEXT:
        return None
    x, where, same = quoted(asked.column), asked.where, re2(known.pattern)
    right: Callable[[str], bool] = lambda text: (known.search(text) is not None) is wanted  # noqa: E731
    finish: Finish = lambda f: mapped(f["n"], f["n"] - f["there"], f["bad"], _mostly(asked))  # noqa: E731
    if same is None:
        return Plan(finish, texts=(asked.column, where, right))
    matches = f"regexp_matches({x}, {literal(same)})"
    ascii_, bad = f"strlen({x}) = length({x})", f"NOT {matches}" if wanted else matches
    sums = {
        "n": f"count(CASE WHEN {where} THEN 1 END)",
        "there": f"count(CASE WHEN {where} THEN {x} END)",
        "bad": f"count(CASE WHEN {where} AND {ascii_} AND {bad} THEN 1 END)",
    }
    return Plan(finish, sums=sums, texts=(asked.column, f"{where} AND NOT ({ascii_})", right))


def _match(asked: Asked) -> Plan | None:
    return _regex(asked, wanted=True)


def _no_match(asked: Asked) -> Plan | None:
    return _regex(asked, wanted=False)


def _lengths(asked: Asked) -> Plan | None:
    if asked.kind != TEXT or not asked.only("min_value", "max_value", "strict_min", "strict_max"):
        return None
    if not whole_bounds(asked):
        return None
    inside = bounds(asked, f"length({quoted(asked.column)})")
    return _map(asked, f"NOT ({inside})") if inside else None


def _length(asked: Asked) -> Plan | None:
    wanted = asked.number("value")
    if asked.kind != TEXT or wanted is None or not asked.only("value"):
        return None
    return _map(asked, f"length({quoted(asked.column)}) <> {double(wanted)}")


def _patterns(asked: Asked, name: str, *, wanted: bool, each: str = "OR") -> Plan | None:
    """SQL's own LIKE, which GX asks of databases only."""
    listed = asked.kwargs.get(name)
    listed = [listed] if isinstance(listed, str) else listed
    if asked.kind != TEXT or not asked.only(name, "match_on") or not isinstance(listed, list) or not listed:
        return None
    if not all(isinstance(pattern, str) for pattern in listed):
        return None
    matches = f" {each} ".join(f"{quoted(asked.column)} LIKE {literal(pattern)}" for pattern in listed)
    return _map(asked, f"NOT ({matches})" if wanted else f"({matches})")


def _like(asked: Asked) -> Plan | None:
    return _patterns(asked, "like_pattern", wanted=True)


def _unlike(asked: Asked) -> Plan | None:
    return _patterns(asked, "like_pattern", wanted=False)


def _likes(asked: Asked) -> Plan | None:
    match = {"any": "OR", "all": "AND"}.get(str(asked.kwargs.get("match_on", "any")))
    return _patterns(asked, "like_pattern_list", wanted=True, each=match) if match else None


def _unlikes(asked: Asked) -> Plan | None:
    return _patterns(asked, "like_pattern_list", wanted=False)


def _query(asked: Asked) -> Plan | None:
    """Rows that a SELECT of the author finds. `{batch}` stands for the rows of the night, as in GX."""
    text = asked.kwargs.get("unexpected_rows_query")
    if not isinstance(text, str) or "{batch}" not in text or set(asked.kwargs) - {"unexpected_rows_query"}:
        return None
    found = text.strip().rstrip(";").replace("{batch}", "{rows}")

    def finish(f: Mapping[str, Any]) -> Found:
        return not f["bad"], {"observed_value": f"{f['bad']:,} unexpected rows", "unexpected_count": f["bad"]}

    return Plan(finish, query=f"SELECT count(*) AS bad FROM ({found})")


COMPILERS: Mapping[str, Callable[[Asked], Plan | None]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_be_unique": _unique,
    "expect_column_values_to_match_regex": _match,
    "expect_column_values_to_not_match_regex": _no_match,
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_value_lengths_to_equal": _length,
    "expect_column_values_to_match_like_pattern": _like,
    "expect_column_values_to_not_match_like_pattern": _unlike,
    "expect_column_values_to_match_like_pattern_list": _likes,
    "expect_column_values_to_not_match_like_pattern_list": _unlikes,
    "unexpected_rows_expectation": _query,
    **AGGREGATES,
}
