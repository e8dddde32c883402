"""How an expectation is counted by DuckDB: what is asked of the database, and what GX would say of the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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


def within(found: float, kwargs: Mapping[str, Any]) -> bool:
    """Whether a number lies between the bounds; without bounds, any does."""
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    above = low is None or (found > low if kwargs.get("strict_min") else found >= low)
    below = high is None or (found < high if kwargs.get("strict_max") else found <= high)
    return above and below


def members(asked: Asked) -> str | None:
    """SQL of the set of values, of the column's own type."""
    listed = asked.kwargs.get("value_set")
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        return None
    if asked.kind == TEXT and all(isinstance(m, str) for m in listed):
        return ", ".join(literal(m) for m in listed)
    if asked.kind in (*WHOLE, *REAL) and all(is_number(m) for m in listed):
        return ", ".join(constant(m, asked.kind) for m in listed)
    return None


def whole_bounds(asked: Asked) -> bool:
    """Whether the bounds are whole numbers, as GX would take them of a count."""
    return all(float(b).is_integer() for b in map(asked.number, ("min_value", "max_value")) if b is not None)
