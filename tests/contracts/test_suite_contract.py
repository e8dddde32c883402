"""Great Expectations on pandas and the same suite counted by DuckDB: the same counts, and the same verdicts."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.adapters import log_stage
from vigil.adapters.duckdb_expectations import COMPILERS, compiled
from vigil.adapters.duckdb_rows import columns_of, connect
from vigil.adapters.duckdb_suite import CompiledSuite, checked
from vigil.adapters.file_artifacts import FileArtifacts
from vigil.adapters.gx_suite import NOT_ON_PANDAS, GxSuite, gx_results
from vigil.adapters.gx_words import sentence
from vigil.adapters.parquet_log import ParquetLog
from vigil.config.load import load_monitor
from vigil.config.suites import suite_of
from vigil.core.window import night_window
from vigil.ports import QualityOutcome
from vigil.verdicts.types import State, Verdict

pytestmark = pytest.mark.slow  # imports Great Expectations
HOME = Path(__file__).resolve().parents[2]
MONITOR = load_monitor(HOME / "monitors" / "iris.yaml")
NIGHT = date(2026, 9, 1)
COUNTS = ("element_count", "missing_count", "unexpected_count")


def expect(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": "critical", "meta": {}}


AWKWARD = pd.DataFrame(
    {
        "id": ["a", "b", "b", None, "", "é", "e\u0301", " a", "🦜", "a\n"],
        "real": [1.0, -0.0, np.nan, np.inf, -np.inf, 1e308, 5e-324, 0.1, 2.5, 2.5],
        "small": np.array([0.1, 0.2, np.nan, 1e30, -1, 0, 3, 3, 7, 8], dtype="float32"),
        "whole": [1, 2, 3, 2**53 + 1, -5, 0, 7, 7, 9, 10],
        "gaps": pd.array([1, None, 3, 3, None, 6, 7, 8, 9, 10], dtype="Int64"),
        "flag": [True, False, None, True, True, False, False, True, True, True],
        "text": ["x1", "y22", None, "nan", "None", "z", "12", "x1", "ab\n", "ü"],
        "nothing": [None] * 10,
        "same": ["k"] * 10,
        "when": [datetime(2026, 9, 1, h, tzinfo=UTC) for h in range(10)],
    }
)
NUMERIC = ("real", "whole", "gaps", "small")
ASKED = [
    *(expect(f"column_values_to_{n}be_null", column=c, mostly=m) for n in ("", "not_") for c in AWKWARD
      for m in (1.0, 0.8)),
    *(expect("column_values_to_be_between", column=c, **b) for c in NUMERIC for b in (
        {"min_value": 0}, {"max_value": 7}, {"min_value": 0.1, "max_value": 9.5, "mostly": 0.6},
        {"min_value": 3, "strict_min": True}, {"max_value": 3, "strict_max": True})),
    *(expect(f"column_values_to_{n}be_in_set", column=c, value_set=v) for n in ("", "not_") for c, v in (
        ("text", ["x1", "z", "'", "ü"]), ("id", ["a", ""]), ("whole", [1, 2.0, 9007199254740993]), ("real", [2.5, 0]),
        ("flag", [True]), ("text", [1, 2]), ("nothing", ["a"]))),
    *(expect("column_values_to_be_unique", column=c) for c in AWKWARD if c != "nothing"),
    *(expect(f"column_values_to_{n}match_regex", column=c, regex=r) for n in ("", "not_") for c in ("text", "id")
      for r in (r"^x\d$", r"\w+", "a|ü", r"^[^\n]$", r"\.")),
    *(expect("column_value_lengths_to_be_between", column=c, min_value=1, max_value=2) for c in ("text", "id")),
    expect("column_value_lengths_to_equal", column="same", value=1),
    *(expect(f"column_{a}_to_be_between", column=c, min_value=-5, max_value=8) for a in ("min", "max", "mean")
      for c in ("whole", "gaps")),
    *(expect(f"column_{a}_to_be_between", column=c, **b) for a in ("median", "stdev", "sum", "max")
      for c in ("whole", "gaps") for b in (
          {"min_value": 3, "max_value": 40}, {"max_value": 3, "strict_max": True}, {})),
    *(expect(f"column_{a}_to_be_between", column=c, **b) for c in ("text", "id", "whole", "gaps", "real", "same")
      for a in ("unique_value_count", "proportion_of_unique_values", "proportion_of_non_null_values")
      for b in ({"min_value": 1, "max_value": 8}, {"min_value": 1, "strict_min": True}, {"max_value": 1}, {})),
    *(expect(f"column_distinct_values_to_{a}_set", column=c, value_set=v) for a in ("be_in", "equal", "contain")
      for c, v in (("same", ["k"]), ("same", ["k", "m"]), ("text", ["x1"]), ("gaps", [1, 3, 6, 7, 8, 9, 10]),
                   ("real", [2.5, 0]))),
    expect("table_column_count_to_be_between", min_value=3, max_value=12),
    expect("table_column_count_to_equal", value=3),
    expect("table_columns_to_match_ordered_list", column_list=list(AWKWARD)),
    expect("table_columns_to_match_ordered_list", column_list=["id", "small"]),
    expect("table_row_count_to_be_between", min_value=10, strict_min=True),
    expect("column_value_lengths_to_be_between", column="id", min_value=1, strict_min=True),
    expect("column_min_to_be_between", column="gaps", min_value=1, strict_min=True),
    expect("table_row_count_to_be_between", min_value=5, max_value=10),
    expect("table_row_count_to_be_between", min_value=11),
    expect("table_row_count_to_equal", value=10),
    expect("table_columns_to_match_set", column_set=list(AWKWARD), exact_match=True),
    expect("table_columns_to_match_set", column_set=["id", "gone"], exact_match=False),
    expect("table_columns_to_match_set", column_set=["id"], exact_match=True),
    expect("column_to_exist", column="id"),
    expect("column_to_exist", column="gone"),
    *(expect("column_values_to_be_between", column="real", min_value=0, condition_parser="pandas", row_condition=c)
      for c in ('same == "k"', "whole > 2", 'text != "x1"', "gaps != 3", 'text == "x1"')),
    expect("column_values_to_not_be_null", column="gaps", condition_parser="pandas", row_condition="whole >= 7"),
    expect("column_values_to_be_unique", column="whole", condition_parser="pandas", row_condition='text == "x1"'),
]  # fmt: skip


def both(asked: list[dict[str, Any]], rows: pa.Table) -> list[tuple[Any, Any]]:
    suite = suite_of({"name": "s", "expectations": asked}, "s", "iris")
    gx = gx_results(suite.expectations, rows)
    with connect() as db:
        db.register("asked", rows)
        mine, _ = checked(db, suite, MONITOR)
    return list(zip((gx[place] for place in sorted(gx)), mine.results, strict=True))


def said(result: Any) -> dict[str, Any]:
    """What of a result is a fact: whether it holds, its counts, what was seen of the whole table."""
    told = {k: result.result[k] for k in COUNTS if result.result.get(k) is not None}
    seen = result.result.get("observed_value")
    if seen is not None:
        told["seen"] = seen if isinstance(seen, list) else f"{float(seen):.12g}"
    return {"success": bool(result.success), "details": result.result.get("details"), **told}


def test_the_compiled_form_counts_what_great_expectations_counts_on_awkward_rows():
    rows = pa.Table.from_pandas(AWKWARD, preserve_index=False)
    for gx, mine in both(ASKED, rows):
        assert said(mine) == said(gx), gx.expectation_config
        assert getattr(mine, "sentence", None) in (None, sentence(gx).strip())


SPOKEN = [
    expect("column_values_to_be_between", column="real", min_value=0, max_value=0.5, strict_min=True, strict_max=True,
           mostly=0.999),
    expect("column_values_to_be_in_set", column="text", value_set=["a", "b", "c"] * 60, mostly=0.95),
    expect("column_values_to_not_be_in_set", column="whole", value_set=[1, 12345], mostly=0.95),
    expect("column_values_to_match_regex", column="id", regex="a b$c {2}", mostly=0.9),
    expect("column_value_lengths_to_be_between", column="id", min_value=1),
    expect("column_value_lengths_to_be_between", column="id", max_value=1, mostly=0.7),
    expect("column_value_lengths_to_equal", column="id", value=3, mostly=0.3),
    expect("column_max_to_be_between", column="whole", max_value=12000, strict_max=True),
    expect("table_row_count_to_be_between", min_value=200, max_value=12000),
    expect("table_columns_to_match_set", column_set=list("abcdefghijklmnop"), exact_match=False),
    expect("column_values_to_not_be_null", column="real", mostly=0.9, condition_parser="pandas",
           row_condition="whole > 2"),
]  # fmt: skip


def test_what_is_compiled_is_said_in_the_sentences_of_great_expectations():
    for gx, mine in both(SPOKEN, pa.Table.from_pandas(AWKWARD, preserve_index=False)):
        assert mine.sentence == sentence(gx)


def test_a_suite_that_is_compiled_as_a_whole_needs_no_great_expectations(tmp_path):
    code = (
        "import sys, datetime, pyarrow as pa\n"
        "from pathlib import Path\n"
        "from vigil.adapters.duckdb_suite import CompiledSuite\n"
        "from vigil.adapters.file_artifacts import FileArtifacts\n"
        "from vigil.config.load import load_monitor\n"
        f"home, to = Path({str(HOME)!r}), Path({str(tmp_path)!r})\n"
        "monitor = load_monitor(home / 'monitors' / 'iris.yaml')\n"
        "suite = CompiledSuite(home / 'expectations', FileArtifacts(to, 'http://127.0.0.1:1'))\n"
        "names = ['prediction_id', 'served_at', 'prediction', *monitor.features]\n"
        "rows = pa.table({n: pa.array(['a'] if n in names[:3] else [1.0]) for n in names})\n"
        "print(len(suite.run(monitor, rows, night=datetime.date(2026, 9, 1)).verdicts))\n"
        "print('great_expectations' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, imported = done.stdout.split()
    assert int(count) > 5
    assert imported == "False"


@pytest.mark.parametrize("rows", [AWKWARD.iloc[:0], AWKWARD.iloc[2:3], AWKWARD.iloc[:1]], ids=["none", "nulls", "one"])
def test_so_it_does_on_no_row_and_on_one(rows):
    kinds = pa.Table.from_pandas(AWKWARD, preserve_index=False).schema
    table = pa.Table.from_pandas(rows, schema=kinds, preserve_index=False)
    counts_only = [
        e for e in ASKED if "_min_" not in e["type"] and "_max_" not in e["type"] and "_mean_" not in e["type"]
    ]
    for gx, mine in both(counts_only, table):
        if gx.exception_info.get("raised_exception") is False:
            assert said(mine) == said(gx), gx.expectation_config


numbers = st.none() | st.floats(width=64) | st.integers(-9, 9).map(float)
words = st.none() | st.text("ab1'\"\\%_é\n ", max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(numbers, words, st.integers(-3, 3)), min_size=1, max_size=30), st.integers(-5, 5),
       st.sampled_from([1.0, 0.9, 0.5]))  # fmt: skip
def test_so_it_does_on_whatever_rows(values, bound, mostly):
    frame = pd.DataFrame(values, columns=["x", "t", "i"]).astype({"x": float, "t": object})
    known = list(frame["t"].dropna().unique()[:3]) or ["a"]
    asked = [
        expect("column_values_to_be_between", column="x", min_value=bound, mostly=mostly),
        expect("column_values_to_be_between", column="i", max_value=bound, strict_max=True, mostly=mostly),
        expect("column_values_to_be_in_set", column="t", value_set=known, mostly=mostly),
        expect("column_values_to_be_in_set", column="i", value_set=[bound, 0]),
        expect("column_values_to_not_be_null", column="t", mostly=mostly),
        expect("column_values_to_be_unique", column="t"),
        expect("column_values_to_be_unique", column="x"),
        expect("column_values_to_match_regex", column="t", regex=r"^[ab]\w*$"),
        expect("column_value_lengths_to_be_between", column="t", max_value=2),
    ]
    table = pa.Table.from_pandas(frame, preserve_index=False).cast(
        pa.schema([("x", pa.float64()), ("t", pa.string()), ("i", pa.int64())])
    )
    for gx, mine in both(asked, table):
        assert said(mine) == said(gx), gx.expectation_config


def test_most_of_them_are_compiled_and_not_left_to_great_expectations():
    with connect() as db:
        db.register("asked", pa.Table.from_pandas(AWKWARD, preserve_index=False))
        kinds = columns_of(db, "asked")
    plans = [compiled(e["type"], e["kwargs"], kinds) for e in ASKED]
    assert sum(p is not None for p in plans) > 0.9 * len(ASKED)
    never_by_gx = NOT_ON_PANDAS
    assert {e["type"] for e, p in zip(ASKED, plans, strict=True) if p is not None} == set(COMPILERS) - never_by_gx


@pytest.mark.parametrize("adapter", [GxSuite, CompiledSuite])
def test_both_adapters_say_the_same_in_verdicts_gates_and_words(tmp_path, adapter):
    (tmp_path / "iris.json").write_text((HOME / "expectations" / "iris.json").read_text())
    rows = pd.DataFrame({"prediction_id": ["a", "b", "b"], "petal_length": [1.0, 900.0, None]})
    suite = adapter(tmp_path, FileArtifacts(tmp_path / "artifacts", "http://127.0.0.1:1"))
    outcome = suite.run(MONITOR, pa.Table.from_pandas(rows, preserve_index=False), night=NIGHT)
    found = [Verdict.model_validate(v) for v in outcome.verdicts]
    told = {v.subject: (v.state.value, v.reason) for v in found}
    assert told["column_values_to_be_unique(prediction_id)"][0] == "breach"
    other = GxSuite(tmp_path, FileArtifacts(tmp_path / "gx", "http://127.0.0.1:1"))
    again = other.run(MONITOR, pa.Table.from_pandas(rows, preserve_index=False), night=NIGHT)
    assert outcome.verdicts == again.verdicts
    assert outcome.failed_gates == again.failed_gates != ()


@pytest.mark.parametrize("adapter", [GxSuite, CompiledSuite])
def test_a_suite_that_is_missing_or_broken_is_unknown_with_the_file_and_the_next_step(tmp_path, adapter):
    suite = adapter(tmp_path, FileArtifacts(tmp_path / "artifacts", "http://127.0.0.1:1"))
    rows = pa.table({"x": [1.0]})
    (missing,) = suite.run(MONITOR, rows, night=NIGHT).verdicts
    assert "there is no" in missing.reason
    assert missing.state is State.UNKNOWN
    (tmp_path / "iris.json").write_text("{")
    (broken,) = suite.run(MONITOR, rows, night=NIGHT).verdicts
    assert "is not a suite in JSON" in broken.reason


@pytest.mark.parametrize("adapter", [GxSuite, CompiledSuite])
def test_a_suite_is_tried_without_keeping_anything(tmp_path, adapter):
    suite = adapter(tmp_path, FileArtifacts(tmp_path / "artifacts", "http://127.0.0.1:1"))
    asked = {"name": "s", "expectations": [expect("column_values_to_be_between", column="x", max_value=3)]}
    (verdict,) = suite.check(MONITOR, asked, pa.table({"x": [1.0, 5.0]}))
    assert verdict.state.value == "breach"
    assert list(tmp_path.iterdir()) == []


# the same night of a log, for both

WINDOW = night_window(log_stage.NIGHT, "UTC")
OF_A_LOG = {
    "name": "s",
    "expectations": [
        {**expect("column_values_to_be_unique", column="prediction_id"), "meta": {"vigil": {"gate": True}}},
        {**expect("table_row_count_to_equal", value=8), "meta": {"vigil": {"gate": True}}},
        expect("column_values_to_be_unique", column="prediction_id", mostly=0.3),
        expect("column_values_to_be_unique", column="income"),
        expect("column_values_to_be_in_set", column="role", value_set=["champion", "fallback"]),
        expect("column_values_to_be_unique", column="prediction_id", condition_parser="pandas",
               row_condition='city == "Bonn"'),
    ],
}  # fmt: skip


def served(**parts: Any) -> list[dict[str, Any]]:
    return [{**r, "income": float(i)} for i, r in enumerate(log_stage.rows(8, **parts))]


def on_a_night(folder: Path, batches: list[list[dict[str, Any]]], labels: bool) -> list[QualityOutcome]:
    """What GX says of the sample of all rows, and what the scan says."""
    log, watched = ParquetLog(folder / "log"), log_stage.monitor(suite="s")
    for i, batch in enumerate(batches):
        log.write_predictions("credit", log_stage.table(batch), batch_id=f"b{i}")
    more = [expect("column_values_to_be_null", column="label")] if labels else []
    suite = {**OF_A_LOG, "expectations": [*OF_A_LOG["expectations"], *more]}
    (folder / "s.json").write_text(json.dumps(suite))
    found, artifacts = log.partition(watched, WINDOW), FileArtifacts(folder / "artifacts", "http://127.0.0.1:1")
    rows = log.sample(watched, found, rows=10**6)
    gx = GxSuite(folder, artifacts).run(watched, rows, night=log_stage.NIGHT)
    page = json.loads(artifacts.path("credit", log_stage.NIGHT, "gx_validation.json").read_text())
    assert page["success"] is all(each["success"] for each in page["results"])
    counted_ = CompiledSuite(folder, artifacts)
    mine = counted_.scan(watched, found, night=log_stage.NIGHT)
    assert mine is not None
    assert counted_.run(watched, rows, night=log_stage.NIGHT) == mine
    assert counted_.check(watched, suite, rows) == GxSuite(folder, artifacts).check(watched, suite, rows)
    return [gx, mine]


@pytest.mark.parametrize("labels", [True, False])
def test_a_challenger_in_shadow_is_in_the_rows_of_neither(tmp_path, labels):
    shadow = [*served(role="challenger", model_version="2"), log_stage.row("own", role="challenger")]
    gx, mine = on_a_night(tmp_path, [served(), shadow, shadow], labels)
    assert gx == mine
    assert mine.failed_gates == ()
    assert {v.state for v in mine.verdicts} == {State.OK}
    assert {v.measurement.n for v in mine.verdicts} == {8}


@pytest.mark.parametrize("labels", [True, False])
def test_ids_that_were_logged_three_times_are_unique_for_neither(tmp_path, labels):
    gx, mine = on_a_night(tmp_path, [served(), served(), served()[:4], served(role="challenger")], labels)
    assert gx == mine
    assert mine.failed_gates == ("column_values_to_be_unique(prediction_id)",)
    unique, count, lenient, income, _, conditioned, *_ = (Verdict.model_validate(v) for v in mine.verdicts)
    assert "12 of 20 are not" in unique.reason
    assert [v.state.value for v in (unique, count, lenient, income, conditioned)] == ["breach", *["ok"] * 4]
