"""What an expectation is about: which columns, and whether a sample of the rows can tell anything of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vigil.adapters.gx_words import condition_of
from vigil.config.suites import Expectation

# shares of values or rows, each judged by itself: that of a sample is that of the night, give or take chance
SHARES = frozenset(
    f"expect_{name}"
    for name in (
        "column_values_to_be_between", "column_values_to_be_in_set", "column_values_to_not_be_in_set",
        "column_values_to_be_null", "column_values_to_not_be_null", "column_values_to_be_of_type",
        "column_values_to_be_in_type_list", "column_values_to_match_regex", "column_values_to_not_match_regex",
        "column_values_to_match_regex_list", "column_values_to_not_match_regex_list",
        "column_values_to_match_like_pattern", "column_values_to_not_match_like_pattern",
        "column_values_to_match_like_pattern_list", "column_values_to_not_match_like_pattern_list",
        "column_values_to_match_strftime_format", "column_values_to_be_dateutil_parseable",
        "column_values_to_be_json_parseable", "column_values_to_match_json_schema",
        "column_value_lengths_to_be_between", "column_value_lengths_to_equal",
        "column_pair_values_a_to_be_greater_than_b", "column_pair_values_to_be_equal",
        "column_pair_values_to_be_in_set", "multicolumn_sum_to_equal", "multicolumn_values_to_be_equal",
        "select_column_values_to_be_unique_within_record",
    )
)  # fmt: skip


def scales(one: Expectation) -> bool:
    """Whether what is found in a sample of the rows says something of all of them.

    Sums, smallest values, numbers of values, uniqueness, order and whatever is not known do not.
    """
    return one.type in SHARES


def columns_needed(one: Expectation, names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of the rows that an expectation names, in whatever argument; all of them where it names none."""
    condition = condition_of(one.kwargs["row_condition"]) if one.kwargs.get("row_condition") else ""
    asked = set(_texts(one.kwargs))
    return tuple(name for name in names if name in asked or (condition and name in condition)) or names


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for each in value.values() for text in _texts(each))
    elif isinstance(value, Sequence):
        yield from (text for each in value for text in _texts(each))
