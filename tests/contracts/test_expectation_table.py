"""Every core expectation of Great Expectations can be ok and breach, in both engines and on a night of any size."""

import logging
import runpy
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vigil.adapters import duckdb_suite
from vigil.adapters.duckdb_suite import CompiledSuite
from vigil.adapters.gx_suite import GxSuite
from vigil.config.load import load_monitor
from vigil.verdicts.types import Cause, State

pytestmark = pytest.mark.slow  # runs Great Expectations
ROOT = Path(__file__).resolve().parents[2]
PAGE = runpy.run_path(str(ROOT / "docs" / "reference" / "expectations.py"))
MONITOR = load_monitor(ROOT / "monitors" / "iris.yaml")


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)


@pytest.mark.parametrize("adapter", [GxSuite, CompiledSuite])
def test_good_rows_are_ok_bad_rows_breach_and_what_cannot_be_checked_is_unknown(adapter):
    found = PAGE["states"](adapter, PAGE["SMALL"])
    assert {kind: told for (kind, _, _), told in zip(PAGE["CASES"], found, strict=True)} == {
        kind: ("ok", "breach", "unknown") for kind, _, _ in PAGE["CASES"]
    }


def test_the_table_has_every_core_expectation_once():
    kinds = [kind for kind, _, _ in PAGE["CASES"]]
    assert len(kinds) == len(set(kinds))
    assert PAGE["core"]() == {*kinds, *PAGE["ELSEWHERE"]}


def test_beyond_memory_nothing_that_a_sample_cannot_tell_is_ok_or_breach():
    for (kind, _, _), (good, bad) in zip(PAGE["CASES"], PAGE["sampled"](), strict=True):
        rests = PAGE["rests_on"]((good, bad))
        if rests == "all rows":
            assert (good.state, bad.state) == (State.OK, State.BREACH), kind
        elif rests == "unknown":
            assert {good.state, bad.state} == {State.UNKNOWN}, kind
        else:  # with `mostly` 1, none wrong of a sample does not say that none is
            assert (good.state, good.cause, bad.state) == (State.UNKNOWN, Cause.TOO_FEW_ROWS, State.BREACH), kind


def test_what_compares_with_another_table_is_unknown_and_says_so():
    asked = list(PAGE["ELSEWHERE"].items())
    for verdict in PAGE["checked"](CompiledSuite, asked, PAGE["rows"](10)):
        assert (verdict.state, verdict.cause, verdict.overdue) == (State.UNKNOWN, Cause.CHECK_FAILED, True)


@pytest.mark.parametrize(
    ("wrong", "mostly", "state"),
    [(0, 0.9, "ok"), (500, 0.9, "breach"), (200, 0.9, "unknown"), (1, 1.0, "breach"), (0, 1.0, "unknown")],
)
def test_a_sample_answers_where_its_limits_do_and_says_how_many_rows_it_is(monkeypatch, wrong, mostly, state):
    monkeypatch.setattr(duckdb_suite, "GX_CELLS", 1000)
    rows = 2000
    texts = np.array(["ok"] * rows, dtype=object)
    texts[:wrong] = "no"
    if wrong == 1:
        monkeypatch.setattr(duckdb_suite, "GX_ROWS", rows)
    else:
        monkeypatch.setattr(duckdb_suite, "GX_ROWS", 1500)
    table = pa.table({"id": [f"r{i}" for i in range(rows)], "t": pa.array(texts, pa.string())})
    asked = {"type": "expect_column_values_to_match_regex_list", "kwargs": {"column": "t", "regex_list": ["ok"]}}
    asked["kwargs"]["mostly"] = mostly
    suite = {"name": "s", "expectations": [asked]}
    (verdict,) = CompiledSuite(ROOT, None).check(MONITOR, suite, table)
    assert verdict.state.value == state
    assert f"in a sample of {duckdb_suite.GX_ROWS:,} of 2,000 rows, so of all rows [" in verdict.reason
    assert verdict.overdue is False


def test_what_needs_more_than_one_read_is_judged_over_all_rows(monkeypatch):
    monkeypatch.setattr(duckdb_suite, "GX_CELLS", 2 * PAGE["SMALL"])
    for (kind, _, _), (good, bad) in zip(PAGE["CASES"], _pairs(CompiledSuite), strict=True):
        assert (good, bad) == ("ok", "breach"), kind


def _pairs(adapter):
    return [(good, bad) for good, bad, _ in PAGE["states"](adapter, PAGE["SMALL"])]


@pytest.mark.parametrize("adapter", [GxSuite, CompiledSuite])
def test_quantiles_are_those_of_pandas(adapter):
    rng = np.random.default_rng(4)
    for n in (1, 2, 5, 10, 101):
        values = pa.table({"x": rng.normal(0, 1, n)})
        for q in (0.0, 0.1, 0.25, 0.5, 0.9, 1.0):
            right = float(values.to_pandas()["x"].quantile(q, interpolation="nearest"))
            ranges = {"quantiles": [q], "value_ranges": [[right, right]]}
            asked = {"type": "expect_column_quantile_values_to_be_between"}
            asked["kwargs"] = {"column": "x", "quantile_ranges": ranges}
            (verdict,) = adapter(ROOT, None).check(MONITOR, {"name": "s", "expectations": [asked]}, values)
            assert verdict.state is State.OK, (n, q, verdict.reason)
