"""Compiled expectations in Great Expectations' own sentences, without importing it: seconds, on every night.

A contract test holds each of them against the sentence that GX itself renders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vigil.adapters.gx_words import condition_of, filled

Kwargs = Mapping[str, Any]


def words(kind: str, kwargs: Kwargs) -> str | None:
    """The sentence of an expectation of this type, or None where only GX can say it.

    >>> words("expect_column_values_to_be_between", {"column": "age", "min_value": 18, "mostly": 0.99})
    'age values must be at least 18, at least 99 % of the time'
    """
    known = SENTENCES.get(kind)
    if known is None:
        return None
    mostly = kwargs.get("mostly", 1.0)
    condition = kwargs.get("row_condition")
    if condition and kind.startswith(("expect_table", "expect_column_to")):
        return None
    text = known(kwargs)
    if mostly < 1:
        text += ", at least $mostly_pct % of the time"
    if condition:
        text = f"If $condition, then {text}"
    given = {**kwargs, "mostly_pct": f"{mostly * 100:.15g}", "condition": condition_of(condition)}
    given |= {f"v__{i}": member for i, member in enumerate(kwargs.get("value_set") or kwargs.get("column_set") or ())}
    return filled(text, given)


def _bounds(kwargs: Kwargs) -> str:
    parts = []
    if kwargs.get("min_value") is not None:
        parts.append(("greater than " if kwargs.get("strict_min") else "at least ") + "$min_value")
    if kwargs.get("max_value") is not None:
        parts.append(("less than " if kwargs.get("strict_max") else "at most ") + "$max_value")
    return " and ".join(parts)


def _number(what: str) -> Callable[[Kwargs], str]:
    """The sentence about one number of a column."""
    return lambda k: (
        f"$column {what} must be {_bounds(k)}" if _bounds(k) else f"$column {what} may have any numerical value"
    )


def _share(what: str) -> Callable[[Kwargs], str]:
    whole = f"proportion of {what} values"
    return lambda k: f"$column {whole} must be {_bounds(k)}" if _bounds(k) else f"$column may have any {whole}"


def _many(what: str, subject: str = "") -> Callable[[Kwargs], str]:
    must, may = (f"{subject} must", f"{subject} may") if subject else ("must", "May")
    return lambda k: f"{must} have {_bounds(k)} {what}" if _bounds(k) else f"{may} have any number of {what}"


def _quantiles(kwargs: Kwargs) -> str:
    ranges = kwargs["quantile_ranges"]
    spans = zip(ranges["quantiles"], ranges["value_ranges"], strict=True)
    told = ", ".join(f"{q:g} {_span(*span)}" for q, span in spans)
    return f"$column quantiles must be: {told}"


def _span(low: float | None, high: float | None) -> str:
    parts = [f"at least {low:,.12g}" if low is not None else "", f"at most {high:,.12g}" if high is not None else ""]
    return " and ".join(filter(None, parts)) or "anything"


def _like(word: str) -> Callable[[Kwargs], str]:
    return lambda _: f"$column values must {word} this LIKE pattern: $like_pattern"


def _likes(word: str) -> Callable[[Kwargs], str]:
    def sentence(kwargs: Kwargs) -> str:
        listed = ", ".join(map(str, kwargs["like_pattern_list"]))
        return f"$column values must {word} {kwargs.get('match_on', 'any')} of these LIKE patterns: {listed}"

    return sentence


def _members(kwargs: Kwargs, name: str) -> str:
    return " ".join(f"$v__{i}" for i, _ in enumerate(kwargs[name]))


def _not_null(kwargs: Kwargs) -> str:
    return "$column values must " + ("never" if kwargs.get("mostly", 1.0) >= 1 else "not") + " be null"


def _lengths(kwargs: Kwargs) -> str:
    always = "always " if kwargs.get("mostly", 1.0) >= 1 else ""
    return f"$column values must {always}be {_bounds(kwargs)} characters long"


def _columns(kwargs: Kwargs) -> str:
    how = "exactly" if kwargs.get("exact_match", True) else "at least"
    return f"must have {how} these columns (in any order): {_members(kwargs, 'column_set')}"


SENTENCES: Mapping[str, Callable[[Kwargs], str]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": lambda _: "$column values must be null",
    "expect_column_values_to_be_between": lambda k: f"$column values must be {_bounds(k)}",
    "expect_column_values_to_be_in_set": lambda k: (
        f"$column values must belong to this set: {_members(k, 'value_set')}"
    ),
    "expect_column_values_to_not_be_in_set": lambda k: (
        f"$column values must not belong to this set: {_members(k, 'value_set')}"
    ),
    "expect_column_values_to_be_unique": lambda _: "$column values must be unique",
    "expect_column_values_to_match_regex": lambda _: "$column values must match this regular expression: $regex",
    "expect_column_values_to_not_match_regex": lambda _: (
        "$column values must not match this regular expression: $regex"
    ),
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_value_lengths_to_equal": lambda _: "$column values must be $value characters long",
    "expect_column_min_to_be_between": _number("minimum value"),
    "expect_column_max_to_be_between": _number("maximum value"),
    "expect_column_mean_to_be_between": _number("mean"),
    "expect_column_median_to_be_between": _number("median"),
    "expect_column_stdev_to_be_between": _number("standard deviation"),
    "expect_column_sum_to_be_between": _number("sum"),
    "expect_column_unique_value_count_to_be_between": _many("unique values", "$column"),
    "expect_column_proportion_of_unique_values_to_be_between": _share("unique"),
    "expect_column_proportion_of_non_null_values_to_be_between": _share("non-null"),
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_distinct_values_to_be_in_set": lambda k: (
        f"$column distinct values must belong to this set: {_members(k, 'value_set')}"
    ),
    "expect_column_distinct_values_to_equal_set": lambda k: (
        f"$column distinct values must match this set: {_members(k, 'value_set')}"
    ),
    "expect_column_distinct_values_to_contain_set": lambda k: (
        f"$column distinct values must contain this set: {_members(k, 'value_set')}"
    ),
    "expect_column_values_to_match_like_pattern": _like("match"),
    "expect_column_values_to_not_match_like_pattern": _like("not match"),
    "expect_column_values_to_match_like_pattern_list": _likes("match"),
    "expect_column_values_to_not_match_like_pattern_list": _likes("not match"),
    "unexpected_rows_expectation": lambda _: "no row may be found by this query: $unexpected_rows_query",
    "expect_table_row_count_to_be_between": _many("rows"),
    "expect_table_column_count_to_be_between": _many("columns"),
    "expect_table_column_count_to_equal": lambda _: "must have exactly $value columns",
    "expect_table_columns_to_match_ordered_list": lambda k: (
        f"must have these columns in this order: {', '.join(map(str, k['column_list']))}"
    ),
    "expect_table_row_count_to_equal": lambda _: "must have exactly $value rows",
    "expect_table_columns_to_match_set": _columns,
    "expect_column_to_exist": lambda _: "$column is a required field",
}
