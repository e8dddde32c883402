"""A suite's file as values: of Great Expectations 1.x and 0.1x, with parameters, and with limits that cross."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.config.load import lint
from vigil.config.suite_bounds import impossible
from vigil.config.suites import problems, suite_of

BETWEEN = "expect_column_values_to_be_between"
OF_0_15 = {
    "data_asset_type": None,
    "expectation_suite_name": "taxi.warning",
    "ge_cloud_id": None,
    "meta": {"great_expectations_version": "0.15.50"},
    "evaluation_parameters": {"most": 6, "least": 1},
    "expectations": [
        {
            "expectation_type": BETWEEN,
            "ge_cloud_id": None,
            "kwargs": {
                "column": "passengers", "min_value": {"$PARAMETER": "least"}, "max_value": {"$PARAMETER": "most"},
                "mostly": 0.99, "strict_min": None, "parse_strings_as_datetimes": None, "auto": True,
                "result_format": "COMPLETE", "catch_exceptions": False, "profiler_config": {"a": 1},
            },
            "meta": {"notes": {"content": "from the profiler"}},
        },
        {
            "expectation_type": "expect_column_pair_values_A_to_be_greater_than_B",
            "kwargs": {"column_A": "drop_off", "column_B": "pick_up"},
        },
        {"expectation_type": "expect_multicolumn_values_to_be_unique", "kwargs": {"column_list": ["a", "b"]}},
        {
            "expectation_type": "expect_table_row_count_to_equal",
            "kwargs": {"value": {"$PARAMETER": "urn:great_expectations:validations:x", "$PARAMETER.urn": 3}},
        },
        {
            "expectation_type": BETWEEN,
            "kwargs": {"column": "day", "min_value": "2020-01-01", "parse_strings_as_datetimes": True},
        },
        {"expectation_type": BETWEEN, "kwargs": {"column": "x", "max_value": {"$PARAMETER": "n", "$PARAMETER.n": 7}}},
    ],
}  # fmt: skip


def test_a_suite_of_great_expectations_0_15_is_read_with_its_parameters():
    suite = suite_of(OF_0_15, "expectations/taxi.json", "taxi")
    first, pair, unique, other, day, inline = suite.expectations
    assert suite.name == "taxi.warning"
    assert (first.type, first.problem) == (BETWEEN, "")
    assert first.kwargs == {"column": "passengers", "min_value": 1, "max_value": 6, "mostly": 0.99}
    assert pair.type == "expect_column_pair_values_a_to_be_greater_than_b"
    assert unique.type == "expect_select_column_values_to_be_unique_within_record"
    assert "the result of another validation" in other.problem
    assert "parse_strings_as_datetimes is of Great Expectations 0.1x" in day.problem
    assert inline.kwargs == {"column": "x", "max_value": 7}
    assert [line.split(": ")[0] for line in problems(suite)] == [
        "expectations/taxi.json, expectation 4 (expect_table_row_count_to_equal)",
        f"expectations/taxi.json, expectation 5 ({BETWEEN})",
    ]


def test_the_same_expectation_in_both_forms_is_the_same():
    kwargs = {"column": "x", "min_value": 3}
    old = suite_of({"expectation_suite_name": "s", "expectations": [{"expectation_type": BETWEEN, "kwargs": kwargs}]},
                   "s", "m")  # fmt: skip
    new = suite_of({"name": "s", "id": "1", "expectations": [{"type": BETWEEN, "kwargs": kwargs, "id": "2"}]}, "s", "m")
    assert old == new


numbers = st.integers(-5, 5) | st.floats(-5, 5)


@given(numbers, numbers, st.booleans(), st.booleans())
def test_limits_are_impossible_exactly_where_no_number_lies_between_them(low, high, strict_min, strict_max):
    kwargs = {"min_value": low, "max_value": high, "strict_min": strict_min, "strict_max": strict_max}
    exists = low < high or (low == high and not strict_min and not strict_max)
    assert (impossible(BETWEEN, kwargs) == "") is exists


@pytest.mark.parametrize(
    ("kwargs", "why"),
    [
        ({"min_value": "2026-02-01", "max_value": "2026-01-01"}, "min_value 2026-02-01 is above"),
        ({"mostly": -0.1}, "mostly is -0.1"),
        ({"min_value": "b", "max_value": "a"}, ""),
        ({"min_value": True, "max_value": 0}, ""),
    ],
)
def test_what_else_is_impossible(kwargs, why):
    found = impossible(BETWEEN, kwargs)
    assert found.startswith(why) if why else found == ""


@pytest.mark.parametrize(
    ("ranges", "why"),
    [
        ({"quantiles": [0.5], "value_ranges": [[9, 1]]}, "the quantile 0.5: the lowest value 9 is above"),
        ({"quantiles": [0.5, 0.9], "value_ranges": [[1, 9]]}, "2 quantiles and 1 value_ranges"),
        ({"quantiles": [5], "value_ranges": [[1, 9]]}, "the quantile 5 is not a number between 0 and 1"),
        ({"quantiles": [0.5], "value_ranges": [1]}, "is not [lowest, highest]"),
        ([0.5], "has two lists"),
        ({"quantiles": [0.5], "value_ranges": [[None, 1]]}, ""),
    ],
)
def test_quantiles_without_ranges_that_can_be_met_are_impossible(ranges, why):
    found = impossible("expect_column_quantile_values_to_be_between", {"quantile_ranges": ranges})
    assert why in found if why else found == ""


def test_lint_names_the_expectation_that_no_rows_can_meet(tmp_path):
    from pathlib import Path

    folder, suites = tmp_path / "monitors", tmp_path / "expectations"
    folder.mkdir()
    suites.mkdir()
    home = Path(__file__).resolve().parents[3]
    (folder / "iris.yaml").write_text((home / "monitors" / "iris.yaml").read_text())
    (suites / "iris.json").write_text(
        '{"expectations": [{"type": "expect_column_max_to_be_between", '
        '"kwargs": {"column": "x", "min_value": 9, "max_value": 1}}]}'
    )
    told = lint(folder, expectations_dir=suites)["iris.yaml"]
    assert told is not None
    assert "expectations/iris.json, expectation 1 (expect_column_max_to_be_between): min_value 9 is above" in told
    (suites / "iris.json").write_text("[")
    assert "expectations/iris.json is not a suite in JSON" in str(lint(folder, expectations_dir=suites)["iris.yaml"])
