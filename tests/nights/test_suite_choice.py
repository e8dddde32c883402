"""Who checks a night's suite: Great Expectations in memory, or the scan where the rows lie. Both say the same."""

import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from stage import MODEL, TONIGHT, Bank, monitor

from vigil.usecases import nightly
from vigil.usecases.lint_data import findings
from vigil.usecases.nights import partition, quality_of
from vigil.verdicts.types import Cause, State

pytestmark = pytest.mark.slow  # imports Great Expectations
SUITE = {"name": "shop", "expectations": [
    {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 500}, "meta": {"vigil": {"gate": True}}},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "amount", "min_value": 30, "max_value": 70}},
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "channel", "value_set": ["web", "branch"]}},
    {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "prediction_id"}},
    {"type": "expect_column_values_to_be_of_type", "kwargs": {"column": "amount", "type_": "float64"}},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "gone"}},
]}  # fmt: skip


def checked(bank: Bank, how: str) -> tuple[Any, str]:
    """What the suite says of tonight, and the page of it."""
    bank.monitor = monitor(suite="shop", quality=how)
    folder = bank.folder / "expectations"
    folder.mkdir(exist_ok=True)
    (folder / "shop.json").write_text(json.dumps(SUITE))
    nightly.quality(bank.ports, bank.monitor, TONIGHT)
    found = partition(bank.ports, bank.monitor, TONIGHT)
    page = bank.artifacts.path(MODEL, TONIGHT, "data_docs.html").read_text(encoding="utf-8")
    return quality_of(bank.ports, bank.monitor, TONIGHT, found), page


def test_the_scan_and_great_expectations_give_the_same_verdicts_of_a_stored_night(bank: Bank):
    bank.serve(TONIGHT)
    (gx, verdicts), page = checked(bank, "gx")
    (scan, again), other = checked(bank, "compiled")
    assert verdicts == again
    assert gx.failed_gates == scan.failed_gates == ()
    assert {v.state for v in again} == {State.OK, State.BREACH, State.UNKNOWN}
    assert "counted by the scan" not in page
    assert "4 counted by the scan, 2 by Great Expectations" in other


def test_a_large_night_is_counted_by_the_scan_and_a_small_one_by_great_expectations(bank: Bank, monkeypatch):
    bank.serve(TONIGHT)
    assert "counted by the scan" not in checked(bank, "auto")[1]
    monkeypatch.setattr(nightly, "SUITE_ROWS", 799)
    assert "counted by the scan" in checked(bank, "auto")[1]
    assert "counted by the scan" not in checked(bank, "gx")[1]


@pytest.mark.parametrize("how", ["gx", "compiled"])
def test_a_night_without_rows_leaves_nothing_behind(bank: Bank, how):
    bank.monitor = monitor(suite="shop", quality=how)
    nightly.quality(bank.ports, bank.monitor, TONIGHT)
    assert quality_of(bank.ports, bank.monitor, TONIGHT, partition(bank.ports, bank.monitor, TONIGHT))[1] == ()


@pytest.mark.parametrize("how", ["gx", "compiled"])
def test_an_expectation_that_raises_costs_the_night_nothing_else(bank: Bank, how, monkeypatch):
    bank.serve(TONIGHT)
    raising = {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "channel", "max_value": 3}}
    monkeypatch.setitem(SUITE, "expectations", [*SUITE["expectations"], raising])
    (_, verdicts), _ = checked(bank, how)
    (one,) = [v for v in verdicts if v.subject == "column_mean_to_be_between(channel)"]
    assert (one.state, one.cause, one.overdue) == (State.UNKNOWN, Cause.CHECK_FAILED, True)
    assert "the check itself failed (" in one.reason
    assert "web" not in one.reason
    assert sum(v.state is State.OK for v in verdicts) >= 4


@pytest.mark.parametrize("how", ["gx", "compiled"])
def test_a_suite_that_fails_as_a_whole_is_one_unknown_and_the_numbers_of_the_night_are_judged(bank: Bank, how):
    class Broken:
        def run(self, *_, **__):
            raise RuntimeError("secret of row 7")

        scan = run

        def rows(self, _):
            return 1

    bank.serve(TONIGHT)
    bank.monitor = monitor(suite="shop", quality=how)
    bank.ports = replace(bank.ports, quality=Broken(), quality_scan=Broken())
    nightly.quality(bank.ports, bank.monitor, TONIGHT)
    nightly.profile(bank.ports, bank.monitor, TONIGHT)
    nightly.judge(bank.ports, bank.monitor, TONIGHT)
    result = bank.ports.results.latest(MODEL, bank.monitor.environment, TONIGHT)
    (suite,) = [v for v in result.verdicts if v.metric == "expectation"]
    assert (suite.state, suite.cause, suite.overdue) == (State.UNKNOWN, Cause.CHECK_FAILED, True)
    assert suite.reason == "suite: check failed; the suite 'shop' could not be run (RuntimeError)"
    assert any(v.state is State.OK for v in result.verdicts)


def test_lint_data_says_what_of_a_suite_cannot_be_checked_on_the_reference_and_goes_on(bank: Bank, monkeypatch):
    bank.serve(TONIGHT)
    rows = pa.table({"amount": [40.0, 90.0], "channel": ["web", "branch"]})
    monkeypatch.setattr(bank.ports.log, "reference", lambda _: rows)
    asked = [
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "channel", "max_value": 3}},
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "amount", "max_value": {"$PARAMETER": "p"}}},
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "amount", "max_value": 50}},
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "of_the_log", "max_value": 50}},
        "no expectation",
    ]
    suite = {"name": "s", "expectations": asked}
    told = [what for place, what in findings(bank.ports, bank.monitor, suite, today=TONIGHT) if place == ("suite",)]
    assert len(told) == 4
    assert told[0].startswith("it cannot be checked on the reference: column_mean_to_be_between(channel)")
    assert "'p' has no value" in told[1]
    assert told[2].startswith("it fails on the reference itself: amount maximum value must be at most 50")
    assert "it has no `type`" in told[3]
