"""The page about expectations, from a run: every core expectation on good rows, on bad ones, and not to be checked.

`generate.py` writes it. A type of Great Expectations that is not in `CASES` fails the run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from vigil.adapters import duckdb_suite
from vigil.adapters.duckdb_suite import CompiledSuite
from vigil.adapters.gx_suite import GxSuite
from vigil.config.load import load_monitor
from vigil.verdicts.types import Verdict

ROOT = Path(__file__).resolve().parents[2]
NOTE = "<!-- Written by `make docs` from a run. Do not edit. -->\n"
SMALL, LARGE, SAMPLE = 400, 200_001, 200
Kwargs = dict[str, Any]
PAIRS = [["a", "a"], ["b", "a"]]
A, B = {"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.1}


def _rows(n: int) -> pa.Table:
    """Rows in which every good expectation holds and every bad one does not, however many they are."""
    places = range(n)
    return pa.table(
        {
            "id": [f"r{i:07}" for i in places],
            "x": [float(i) for i in places],
            "y": [float(i) + 1 for i in places],
            "k": ["ab"[i % 2] for i in places],
            "one": ["a"] * n,
            "json": ['{"a": 1}' if i % 100 == 0 else None for i in places],  # a schema takes half a millisecond a value
            "day": ["2026-01-02" if i % 100 == 0 else None for i in places],
            "empty": pa.nulls(n, pa.string()),
        }
    )


COLUMNS = _rows(1).column_names


def _weights(of: Mapping[str, float]) -> Kwargs:
    return {"column": "k", "partition_object": {"values": list(of), "weights": list(of.values())}, "threshold": 0.1}


def _case(kind: str, column: str, good: Kwargs, bad: Kwargs) -> tuple[str, Kwargs, Kwargs]:
    return f"expect_{kind}", {"column": column, **good}, {"column": column, **bad}


CASES: tuple[tuple[str, Kwargs, Kwargs], ...] = (
    # each value
    ("expect_column_values_to_not_be_null", {"column": "x"}, {"column": "empty"}),
    ("expect_column_values_to_be_null", {"column": "empty"}, {"column": "x"}),
    _case("column_values_to_be_between", "x", {"min_value": 0}, {"max_value": 5}),
    _case("column_values_to_be_in_set", "k", {"value_set": ["a", "b"]}, {"value_set": ["a"]}),
    _case("column_values_to_not_be_in_set", "k", {"value_set": ["z"]}, {"value_set": ["a"]}),
    ("expect_column_values_to_be_unique", {"column": "id"}, {"column": "k"}),
    _case("column_values_to_match_regex", "id", {"regex": "^r"}, {"regex": "^q"}),
    _case("column_values_to_not_match_regex", "id", {"regex": "^q"}, {"regex": "^r"}),
    _case("column_values_to_match_regex_list", "id", {"regex_list": ["^r"]}, {"regex_list": ["^q"]}),
    _case("column_values_to_not_match_regex_list", "id", {"regex_list": ["^q"]}, {"regex_list": ["^r"]}),
    _case("column_values_to_match_like_pattern", "id", {"like_pattern": "r%"}, {"like_pattern": "q%"}),
    _case("column_values_to_not_match_like_pattern", "id", {"like_pattern": "q%"}, {"like_pattern": "r%"}),
    _case("column_values_to_match_like_pattern_list", "id", {"like_pattern_list": ["r%"]},
          {"like_pattern_list": ["q%"]}),
    _case("column_values_to_not_match_like_pattern_list", "id", {"like_pattern_list": ["q%"]},
          {"like_pattern_list": ["r%"]}),
    _case("column_value_lengths_to_be_between", "id", {"max_value": 8}, {"max_value": 2}),
    _case("column_value_lengths_to_equal", "id", {"value": 8}, {"value": 2}),
    _case("column_values_to_be_of_type", "x", {"type_": "float64"}, {"type_": "int64"}),
    _case("column_values_to_be_in_type_list", "x", {"type_list": ["float64"]}, {"type_list": ["int64"]}),
    _case("column_values_to_match_strftime_format", "day", {"strftime_format": "%Y-%m-%d"}, {"strftime_format": "%Y"}),
    ("expect_column_values_to_be_dateutil_parseable", {"column": "day"}, {"column": "k"}),
    ("expect_column_values_to_be_json_parseable", {"column": "json"}, {"column": "k"}),
    _case("column_values_to_match_json_schema", "json", {"json_schema": {"type": "object"}},
          {"json_schema": {"type": "array"}}),
    _case("column_values_to_be_increasing", "x", {}, {"column": "fall"}),
    _case("column_values_to_be_decreasing", "x", {"column": "fall"}, {}),
    _case("column_value_z_scores_to_be_less_than", "x", {"threshold": 3, "double_sided": True},
          {"threshold": 1, "double_sided": True}),
    _case("column_values_to_not_be_outliers", "x", {"method": "iqr", "multiplier": 1.5},
          {"method": "iqr", "multiplier": 0.1}),
    # one number of a column, its set of values
    _case("column_min_to_be_between", "x", {"min_value": 0}, {"min_value": 5}),
    _case("column_max_to_be_between", "x", {"min_value": 5}, {"max_value": 5}),
    _case("column_mean_to_be_between", "x", {"min_value": 5}, {"max_value": 5}),
    _case("column_median_to_be_between", "x", {"min_value": 5}, {"max_value": 5}),
    _case("column_stdev_to_be_between", "x", {"min_value": 5}, {"max_value": 5}),
    _case("column_sum_to_be_between", "x", {"min_value": 5}, {"max_value": 5}),
    _case("column_quantile_values_to_be_between", "x",
          {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[5, None]]}},
          {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[None, 5]]}}),
    _case("column_unique_value_count_to_be_between", "k", {"max_value": 2}, {"min_value": 3}),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "x", "min_value": 0.9},
     {"column": "k", "min_value": 0.9}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "x", "min_value": 0.9},
     {"column": "empty", "min_value": 0.9}),
    _case("column_distinct_values_to_be_in_set", "k", {"value_set": ["a", "b"]}, {"value_set": ["a"]}),
    _case("column_distinct_values_to_equal_set", "k", {"value_set": ["a", "b"]}, {"value_set": ["a"]}),
    _case("column_distinct_values_to_contain_set", "k", {"value_set": ["a"]}, {"value_set": ["z"]}),
    _case("column_most_common_value_to_be_in_set", "one", {"value_set": ["a"]}, {"value_set": ["z"]}),
    ("expect_column_kl_divergence_to_be_less_than", _weights(A), _weights(B)),
    _case("column_type_to_be", "x", {"type_": "float64"}, {"type_": "int64"}),
    ("expect_column_to_exist", {"column": "x"}, {"column": "nowhere"}),
    # several columns
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "y", "column_B": "x"},
     {"column_A": "x", "column_B": "y"}),
    ("expect_column_pair_values_to_be_equal", {"column_A": "x", "column_B": "x"}, {"column_A": "x", "column_B": "y"}),
    ("expect_column_pair_values_to_be_in_set", {"column_A": "k", "column_B": "one", "value_pairs_set": PAIRS},
     {"column_A": "k", "column_B": "one", "value_pairs_set": PAIRS[:1]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["id", "k"]}, {"column_list": ["k", "one"]}),
    ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["x", "y"]},
     {"column_list": ["x", "same"]}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["x", "fall"], "sum_total": 0},
     {"column_list": ["x", "y"], "sum_total": 0}),
    ("expect_multicolumn_values_to_be_equal", {"column_list": ["x", "same"]}, {"column_list": ["x", "y"]}),
    # the table
    ("expect_table_row_count_to_be_between", {"min_value": 3}, {"max_value": 3}),
    ("expect_table_row_count_to_equal", {"value": SMALL}, {"value": 3}),
    ("expect_table_column_count_to_be_between", {"min_value": 3}, {"max_value": 3}),
    ("expect_table_column_count_to_equal", {"value": 10}, {"value": 3}),
    ("expect_table_columns_to_match_set", {"column_set": ["id", "x"], "exact_match": False}, {"column_set": ["x"]}),
    ("expect_table_columns_to_match_ordered_list", {"column_list": [*COLUMNS, "fall", "same"]}, {"column_list": ["x"]}),
    ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT * FROM {batch} WHERE x < 0"},
     {"unexpected_rows_query": "SELECT * FROM {batch} WHERE x < 5"}),
)  # fmt: skip
ELSEWHERE = {  # they compare with what is not in the rows
    "expect_table_row_count_to_equal_other_table": {"other_table_name": "t"},
    "expect_query_results_to_match_comparison": {
        "base_query": "SELECT 1", "comparison_data_source_name": "s", "comparison_query": "SELECT 1",
    },
}  # fmt: skip


def rows(n: int) -> pa.Table:
    """The rows of a run."""
    table = _rows(n)
    fall = pa.array([-float(i) for i in range(n)])
    return table.append_column("fall", fall).append_column("same", table["x"])


def core() -> set[str]:
    """The types of Great Expectations' own expectations."""
    import great_expectations.expectations as gxe

    found = {
        getattr(getattr(gxe, name), "expectation_type", "")
        for name in dir(gxe)
        if name.startswith(("Expect", "Unexpected")) and name != "Expectation"
    }
    renamed = {"expect_multicolumn_values_to_be_unique"}  # the 0.1x name of another one
    return found - renamed - {""}


def unable(kwargs: Kwargs) -> Kwargs:
    """Arguments with which nothing can be checked: a parameter that has no value."""
    name = next(iter(kwargs))
    return {**kwargs, name: {"$PARAMETER": "without_a_value"}}


def checked(adapter: Any, asked: Sequence[tuple[str, Kwargs]], table: pa.Table) -> list[Verdict]:
    """The verdicts of an adapter on expectations of these rows, all in one suite."""
    monitor = load_monitor(ROOT / "monitors" / "iris.yaml")
    suite = {"name": "reference", "expectations": [{"type": kind, "kwargs": kwargs} for kind, kwargs in asked]}
    return list(adapter(ROOT / "expectations", None).check(monitor, suite, table))


def states(adapter: Any, n: int) -> list[tuple[str, str, str]]:
    """Of each case: what good rows, bad rows and an expectation that cannot be checked come to."""
    asked = [one for kind, good, bad in CASES for one in ((kind, good), (kind, bad), (kind, unable(good)))]
    asked = [(kind, _sized(kwargs, n)) for kind, kwargs in asked]
    found = [verdict.state.value for verdict in checked(adapter, asked, rows(n))]
    return list(zip(found[::3], found[1::3], found[2::3], strict=True))


def sampled() -> list[tuple[Verdict, Verdict]]:
    """Good and bad of a night that Great Expectations cannot hold: of what is left to it, a sample or nothing."""
    cells, most = duckdb_suite.GX_CELLS, duckdb_suite.GX_ROWS
    duckdb_suite.GX_CELLS, duckdb_suite.GX_ROWS = 0, SAMPLE
    try:
        asked = [one for kind, good, bad in CASES for one in ((kind, good), (kind, bad))]
        found = checked(CompiledSuite, asked, rows(SMALL))
    finally:
        duckdb_suite.GX_CELLS, duckdb_suite.GX_ROWS = cells, most
    return list(zip(found[::2], found[1::2], strict=True))


def _sized(kwargs: Kwargs, n: int) -> Kwargs:
    """The row count that is right for so many rows."""
    return {"value": n} if kwargs == {"value": SMALL} else kwargs


def rests_on(verdicts: tuple[Verdict, Verdict]) -> str:
    """What a night beyond memory is judged by."""
    told = " ".join(v.reason for v in verdicts)
    if "in a sample of" in told:
        return "a sample"
    return "unknown" if "no sample tells" in told else "all rows"


def expectations() -> str:
    """The page."""
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    missing = core() - {kind for kind, _, _ in CASES} - set(ELSEWHERE)
    if missing:
        raise ValueError(f"add to CASES what Great Expectations has more: {', '.join(sorted(missing))}")
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield from (NOTE, "# Expectations", "")
    yield (
        "Every core expectation of Great Expectations, as it came out of a run: on rows that are good, on rows that "
        "are bad, and with a parameter that has no value, in this order. *GX* is Great Expectations on pandas "
        f"({SMALL} rows), *scan* is `quality: compiled`, *large* is a night of {LARGE:,} rows as `quality: auto` "
        "judges it. *Beyond memory* is what a night rests on where the columns of one expectation are more than "
        f"{duckdb_suite.GX_CELLS:,} values: all rows where the scan counts it, a sample of "
        f"{duckdb_suite.GX_ROWS:,} rows with its limits where a share of values is asked, else unknown."
    )
    yield from ("", "| expectation | GX | scan | large | beyond memory |", "| --- | --- | --- | --- | --- |")
    engines = (states(GxSuite, SMALL), states(CompiledSuite, SMALL), states(CompiledSuite, LARGE))
    for (kind, _, _), gx, scan, large, beyond in zip(CASES, *engines, sampled(), strict=True):
        told = " | ".join(", ".join(each) for each in (gx, scan, large))
        yield f"| `{kind}` | {told} | {rests_on(beyond)} |"
    for kind in ELSEWHERE:
        yield f"| `{kind}` | unknown | unknown | unknown | unknown |"
    yield ""
    yield (
        "The last two compare with a table or a database that a night's rows are not part of. A sample says so in "
        "the verdict, with the limits of chance for all rows at a level of 99.99 %; where the limit that was asked "
        "for lies within them, the verdict is unknown."
    )
