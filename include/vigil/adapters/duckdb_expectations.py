"""Great Expectations' simple expectations as SQL over a night: one function each, looked up by GX's own type.

A function answers with a plan, or with None where SQL would not say the very same as GX on pandas: another type of
column, an argument that is not listed here, a condition that is more than one comparison. Those are left to GX.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vigil.adapters.duckdb_regex import re2
from vigil.adapters.duckdb_rows import double, literal, quoted
from vigil.adapters.duckdb_word import not_a_number

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
REAL = ("FLOAT", "DOUBLE")
TEXT = "VARCHAR"
ALWAYS = {"mostly", "row_condition", "condition_parser", "batch_id", "column"}
COMPARISON = re.compile(r"""\s*(\w+)\s*(==|!=|<=|>=|<|>)\s*(?:(-?\d+(?:\.\d+)?)|"([^"\\]*)"|'([^'\\]*)')\s*""")
Found = tuple[bool, dict[str, Any]]  # GX's success and result
Finish = Callable[[Mapping[str, Any]], Found]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of the database, and what GX would say of the answer.

    sums: alias -> aggregate over the whole night; `where` is part of them. query: a SELECT of one row with a relation
    `{rows}`, for what needs a grouping of its own. texts: (column, condition, predicate) for what is asked of each
    distinct text in Python, as GX does: rows (`n`), those with a text (`there`) and wrong ones (`bad`). Where the plan
    has sums too, they have the first two already, and the wrong ones are added.
    """

    finish: Finish
    sums: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    texts: tuple[str, str, Callable[[str], bool]] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One expectation: its arguments, DuckDB's types of the columns, and its row condition as SQL."""

    kwargs: Mapping[str, Any]
    kinds: Mapping[str, str]
    where: str = "true"

    @property
    def column(self) -> str:
        """Its column."""
        return str(self.kwargs["column"])

    @property
    def kind(self) -> str:
        """DuckDB's type of its column."""
        return self.kinds[self.column]

    def only(self, *known: str) -> bool:
        """Whether it has no argument but these and those that every expectation has."""
        return {k for k, v in self.kwargs.items() if v is not None} <= ALWAYS | set(known)

    def number(self, name: str) -> float | None:
        """An argument that is a number, or None."""
        found = self.kwargs.get(name)
        return found if is_number(found) else None


def is_number(value: object) -> bool:
    """A finite number that is not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def value(name: str, kind: str) -> str:
    """SQL of a column's value; NaN is missing, as pandas has it."""
    plain = quoted(name)
    return f"(CASE WHEN {not_a_number(plain)} THEN NULL ELSE {plain} END)" if kind in REAL else plain


def constant(number: float, kind: str) -> str:
    """SQL of a number to be compared with a column of this type."""
    if kind in WHOLE and float(number).is_integer() and abs(number) < 2**63:
        return str(int(number))
    return f"CAST({double(number)} AS FLOAT)" if kind == "FLOAT" else double(number)


def condition(asked: Any, kinds: Mapping[str, str]) -> str | None:
    """SQL of a row condition: none, or one comparison of a column with a number or a text. None: left to GX."""
    if not asked:
        return "true"
    if isinstance(asked, Mapping):
        asked = asked.get("pass_through_filter")
    found = COMPARISON.fullmatch(asked) if isinstance(asked, str) else None
    if found is None or found[1] not in kinds:
        return None
    name, sign, number, double_quoted, single_quoted = found.groups()
    kind, text = kinds[name], double_quoted if double_quoted is not None else single_quoted
    if sign == "!=" and kind in WHOLE:  # pandas has two ways to hold missing whole numbers, and two answers
        return None
    if number is not None and kind in (*WHOLE, *REAL):
        other = constant(float(number), kind)
    elif text is not None and kind == TEXT and sign in ("==", "!="):
        other = literal(text)
    else:
        return None
    x = value(name, kind)
    if sign == "!=":  # pandas: what is missing differs from everything
        return f"({x} IS DISTINCT FROM {other})"
    return f"coalesce({x} {'=' if sign == '==' else sign} {other}, false)"


def compiled(kind: str, kwargs: Mapping[str, Any], kinds: Mapping[str, str]) -> Plan | None:
    """The plan of one expectation, or None where it is left to GX."""
    known = COMPILERS.get(kind)
    where = condition(kwargs.get("row_condition"), kinds)
    mostly = kwargs.get("mostly", 1.0)
    if known is None or where is None or not is_number(mostly):
        return None
    if "column" in kwargs and kwargs["column"] not in kinds and kind != "expect_column_to_exist":
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


def mapped(n: int, missing: int, bad: int, mostly: float) -> Found:
    """GX's result of an expectation about values."""
    there = n - missing
    result: dict[str, Any] = {
        "element_count": n,
        "unexpected_count": bad,
        "unexpected_percent": 100 * bad / there if there else None,
        "partial_unexpected_list": [],
        "missing_count": missing,
        "missing_percent": 100 * missing / n if n else None,
        "unexpected_percent_total": 100 * bad / n if n else None,
        "unexpected_percent_nonmissing": 100 * bad / there if there else None,
    }
    return not there or (there - bad) / there >= mostly, result


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
    within = bounds(asked, value(asked.column, asked.kind))
    return _map(asked, f"NOT ({within})") if within else None


def bounds(asked: Asked, x: str) -> str | None:
    """SQL of "x is between the bounds"; None where a bound is no number."""
    parts = []
    for name, sign in (("min", ">"), ("max", "<")):
        bound = asked.kwargs.get(f"{name}_value")
        if bound is None:
            continue
        if not is_number(bound):
            return None
        strict = "" if asked.kwargs.get(f"strict_{name}") else "="
        parts.append(f"{x} {sign}{strict} {constant(bound, asked.kind)}")
    return " AND ".join(parts) or None


def _members(asked: Asked) -> str | None:
    """SQL of the set of values, of the column's own type."""
    members = asked.kwargs.get("value_set")
    if not isinstance(members, Sequence) or isinstance(members, str) or not members:
        return None
    if asked.kind == TEXT and all(isinstance(m, str) for m in members):
        return ", ".join(literal(m) for m in members)
    if asked.kind in (*WHOLE, *REAL) and all(is_number(m) for m in members):
        return ", ".join(constant(m, asked.kind) for m in members)
    return None


def _set(asked: Asked, negate: str) -> Plan | None:
    members = _members(asked) if asked.only("value_set") else None
    return _map(asked, f"{value(asked.column, asked.kind)} {negate}IN ({members})") if members else None


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
    if asked.kind != TEXT or not asked.only("min_value", "max_value"):
        return None
    within = bounds(asked, f"length({quoted(asked.column)})")
    return _map(asked, f"NOT ({within})") if within else None


def _length(asked: Asked) -> Plan | None:
    wanted = asked.number("value")
    if asked.kind != TEXT or wanted is None or not asked.only("value"):
        return None
    return _map(asked, f"length({quoted(asked.column)}) <> {double(wanted)}")


# expectations about a column, or about the whole table


def _aggregate(asked: Asked, sql: str) -> Plan | None:
    """One number of a column between two bounds; a column without a value has none."""
    if asked.kind not in (*WHOLE, "DOUBLE") or not asked.only("min_value", "max_value", "strict_min", "strict_max"):
        return None
    if asked.where != "true" or not all(asked.kwargs.get(b) is None or is_number(asked.kwargs[b])
                                        for b in ("min_value", "max_value")):  # fmt: skip
        return None
    x = value(asked.column, asked.kind)

    def finish(f: Mapping[str, Any]) -> Found:
        found = f["found"]
        return found is not None and _within(found, asked.kwargs), {"observed_value": found}

    return Plan(finish, sums={"found": sql.format(x=x)})


def _within(found: float, kwargs: Mapping[str, Any]) -> bool:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    above = low is None or (found > low if kwargs.get("strict_min") else found >= low)
    below = high is None or (found < high if kwargs.get("strict_max") else found <= high)
    return above and below


def _min(asked: Asked) -> Plan | None:
    return _aggregate(asked, "min({x})")


def _max(asked: Asked) -> Plan | None:
    return _aggregate(asked, "max({x})")


def _mean(asked: Asked) -> Plan | None:
    return _aggregate(asked, "avg({x})")


def _rows_between(asked: Asked) -> Plan | None:
    if not asked.only("min_value", "max_value") or asked.where != "true":
        return None
    finish: Finish = lambda f: (_within(f["n"], asked.kwargs), {"observed_value": f["n"]})  # noqa: E731
    return Plan(finish, sums={"n": "count(*)"})


def _rows_equal(asked: Asked) -> Plan | None:
    wanted = asked.number("value")
    if wanted is None or not asked.only("value") or asked.where != "true":
        return None
    return Plan(lambda f: (f["n"] == wanted, {"observed_value": f["n"]}), sums={"n": "count(*)"})


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
    "expect_column_min_to_be_between": _min,
    "expect_column_max_to_be_between": _max,
    "expect_column_mean_to_be_between": _mean,
    "expect_table_row_count_to_be_between": _rows_between,
    "expect_table_row_count_to_equal": _rows_equal,
    "expect_table_columns_to_match_set": _columns,
    "expect_column_to_exist": _exists,
}
