"""Great Expectations says what it saw; severities say what it means; nothing that could not be checked is ok."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from examples import credit, iris
from vigil.adapters.duckdb_suite import CompiledSuite
from vigil.adapters.file_artifacts import FileArtifacts
from vigil.adapters.gx_suite import GxSuite
from vigil.adapters.gx_words import failure, filled
from vigil.adapters.suite_results import DOCS, RESULT
from vigil.config.load import load_monitor
from vigil.config.schema import Monitor
from vigil.metrics.intervals import wilson
from vigil.ports import QualityOutcome
from vigil.verdicts.types import Cause, State, Verdict

pytestmark = pytest.mark.slow
HOME = Path(__file__).resolve().parents[3]
NIGHT = date(2026, 9, 1)
MONITOR = load_monitor(HOME / "monitors" / "iris.yaml")


def expect(kind: str, *, severity: str = "critical", gate: bool = False, **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": severity, "meta": {"vigil": {"gate": gate}}}


def run(tmp_path: Path, expectations: list[Any] | str, rows: pd.DataFrame, adapter: Any = GxSuite) -> QualityOutcome:
    """A suite given as expectations, or as the text of its file."""
    text = expectations if isinstance(expectations, str) else json.dumps({"name": "x", "expectations": expectations})
    folder = tmp_path / "expectations"
    folder.mkdir(exist_ok=True)
    (folder / "iris.json").write_text(text)
    return suite(tmp_path, folder, adapter).run(MONITOR, pa.Table.from_pandas(rows, preserve_index=False), night=NIGHT)


def suite(tmp_path: Path, folder: Path, adapter: Any = GxSuite) -> Any:
    return adapter(folder, FileArtifacts(tmp_path / "artifacts", "http://127.0.0.1:1"))


def verdicts(outcome: QualityOutcome) -> list[Verdict]:
    return [Verdict.model_validate(v) for v in outcome.verdicts]


def only(outcome: QualityOutcome) -> Verdict:
    [found] = verdicts(outcome)
    return found


def page(tmp_path: Path, name: str = DOCS) -> str:
    return (tmp_path / "artifacts" / "iris" / str(NIGHT) / name).read_text(encoding="utf-8")


ROWS = pd.DataFrame({"id": ["a", "b", "c", "d"], "x": [1.0, 2.0, None, 200.0]})
BETWEEN = "column_values_to_be_between"


@pytest.mark.parametrize("example", [iris, credit], ids=["iris", "credit"])
@pytest.mark.parametrize("faulty", [False, True], ids=["quiet", "fault"])
def test_the_example_suites_are_silent_on_quiet_nights_and_warn_of_the_column_that_is_wrong(
    example: Any, faulty: bool, tmp_path: Path
) -> None:
    monitor: Monitor = load_monitor(HOME / "monitors" / f"{example.MODEL}.yaml")
    rows = example.night_rows(NIGHT, fault=next(iter(example.Fault)) if faulty else None)
    rows = pd.concat([rows, example.rules().predict(None, rows)], axis=1)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    outcome = suite(tmp_path, HOME / "expectations").run(monitor, table, night=NIGHT)
    wrong = [v for v in verdicts(outcome) if v.state is not State.OK]
    column = {"iris": "(petal_length_cm)", "credit_scoring": "(credit_limit_ntd) #2"}[example.MODEL]
    assert [(v.state, v.subject) for v in wrong] == ([(State.WARN, f"{BETWEEN}{column}")] if faulty else [])
    assert outcome.failed_gates == ()
    assert outcome.docs_url == f"http://127.0.0.1:1/vigil/report/{example.MODEL}/{NIGHT}/{DOCS}"


@pytest.mark.parametrize(
    ("severity", "state"), [("critical", State.BREACH), ("warning", State.WARN), ("info", State.WARN)]
)
def test_severity_decides_what_a_failure_means(severity: str, state: State, tmp_path: Path) -> None:
    found = only(run(tmp_path, [expect(BETWEEN, column="x", max_value=10, severity=severity)], ROWS))
    assert found.state is state
    assert (found.metric, found.subject) == ("expectation", f"{BETWEEN}(x)")
    assert found.reason.startswith("x values must be at most 10: 1 of 3 are not")
    assert str(found.limit) == severity


@pytest.mark.parametrize("seed", range(4))
def test_the_share_is_of_the_values_that_are_there_with_wilson_limits(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(200) < 0.2, np.nan, rng.normal(0, 1, 200))
    found = only(run(tmp_path, [expect(BETWEEN, column="x", min_value=-1, max_value=1)], pd.DataFrame({"x": values})))
    there = values[~np.isnan(values)]
    bad = int((np.abs(there) > 1).sum())
    m = found.measurement
    assert m is not None
    assert m.parts == (bad, len(there))
    assert m.value == pytest.approx(bad / len(there))
    assert (m.low, m.high) == pytest.approx(wilson(bad, len(there)))


def test_a_failed_gate_is_named_and_hard_and_other_failures_are_no_gates(tmp_path: Path) -> None:
    asked = [
        expect("table_row_count_to_be_between", min_value=50, gate=True),
        expect("table_columns_to_match_set", column_set=["id", "y"], exact_match=False, gate=True),
        expect("column_values_to_be_unique", column="id", gate=True),
        expect(BETWEEN, column="x", max_value=10),
    ]
    outcome = run(tmp_path, asked, ROWS)
    found = {v.subject: v for v in verdicts(outcome)}
    assert set(outcome.failed_gates) == {"table_row_count_to_be_between(all)", "table_columns_to_match_set(all)"}
    assert found["table_row_count_to_be_between(all)"].hard
    assert found["table_row_count_to_be_between(all)"].reason == "must have at least 50 rows: observed 4"
    assert found["table_columns_to_match_set(all)"].reason.endswith("id, y: missing: y")
    assert found["column_values_to_be_unique(id)"].state is State.OK
    assert not found[f"{BETWEEN}(x)"].hard


def test_a_check_of_a_column_that_is_not_there_is_unknown_and_says_so(tmp_path: Path) -> None:
    found = only(run(tmp_path, [expect(BETWEEN, column="gone", max_value=1)], ROWS))
    assert (found.state, found.cause, found.overdue) == (State.UNKNOWN, Cause.CHECK_FAILED, True)
    assert "the rows have no column gone" in found.reason


def test_a_gate_that_could_not_be_checked_has_not_been_passed(tmp_path: Path) -> None:
    outcome = run(tmp_path, [expect("column_values_to_be_unique", column="gone", gate=True)], ROWS)
    assert outcome.failed_gates == ("column_values_to_be_unique(gone)",)


def test_a_column_that_must_exist_and_does_not_is_a_breach(tmp_path: Path) -> None:
    found = only(run(tmp_path, [expect("column_to_exist", column="gone")], ROWS))
    assert found.state is State.BREACH
    assert "no such column" in found.reason


def test_a_column_without_a_value_is_not_within_its_limits_but_unknown(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": pd.Series([None] * 5, dtype="float64")})
    found = only(run(tmp_path, [expect(BETWEEN, column="x", max_value=1)], rows))
    assert (found.state, found.cause, found.overdue) == (State.UNKNOWN, Cause.NO_DATA, False)


def test_a_check_that_raises_is_unknown_and_quotes_no_value(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": ["SECRET-1", "SECRET-2"]})
    outcome = run(tmp_path, [expect(BETWEEN, column="x", min_value=1, max_value=2)], rows)
    found = only(outcome)
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.CHECK_FAILED)
    assert "SECRET" not in found.model_dump_json() + page(tmp_path)


def test_values_of_rows_reach_neither_verdict_nor_page_nor_stored_result(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": ["fine", "SECRET-1", "SECRET-2"], "id": ["SECRET-3", "SECRET-3", "SECRET-4"]})
    asked = [
        expect("column_values_to_be_in_set", column="x", value_set=["fine"]),
        expect("column_values_to_be_unique", column="id"),
    ]
    outcome = run(tmp_path, asked, rows)
    assert {v.state for v in verdicts(outcome)} == {State.BREACH}
    assert "SECRET" not in outcome.model_dump_json() + page(tmp_path) + page(tmp_path, RESULT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ not json", "expectations/iris.json is not a suite in JSON"),
        ('{"name": "x"}', "expectations/iris.json has no list `expectations`"),
        ('{"name": "x", "expectations": []}', "expectations/iris.json has no expectations"),
    ],
)
def test_a_suite_that_cannot_be_read_is_one_unknown_that_names_the_file_and_the_place(
    text: str, said: str, tmp_path: Path
) -> None:
    outcome = run(tmp_path, text, ROWS)
    found = only(outcome)
    assert (found.state, found.cause, found.overdue) == (State.UNKNOWN, Cause.CHECK_FAILED, True)
    assert said in found.reason
    assert outcome.docs_url is None


FINE = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "x", "max_value": 500}}
BROKEN = [
    ({"kwargs": {}}, "it has no `type`"),
    ("between", "it has no `type`"),
    ({"type": "expect_miracles", "kwargs": {}}, "expect_miracles not found"),
    ({"type": "expect_column_values_to_be_between", "kwargs": {"column": "x", "min": 1}}, "not permitted"),
    ({"type": "expect_column_values_to_be_between", "kwargs": [1]}, "`kwargs` is not a mapping"),
    ({**FINE, "severity": "fatal"}, "severity 'fatal' is none of critical"),
    ({**FINE, "meta": {"vigil": True}}, "`meta` and `meta.vigil` are mappings"),
    (
        expect(BETWEEN, column="x", max_value={"$PARAMETER": "most"}),
        "'most' has no value: add it to",
    ),
    (expect(BETWEEN, column="x", max_value={"$PARAMETER": "most * 2"}), "'most * 2' cannot be worked out"),
    (expect(BETWEEN, column="x", max_value={"$PARAMETER": "now() + 1"}), "depends on the current time"),
    (expect(BETWEEN, column="x", min_value=9, max_value=1), "min_value 9 is above max_value 1"),
    (expect(BETWEEN, column="x", max_value=9, mostly=90), "mostly is 90"),
]


@pytest.mark.parametrize("adapter", [GxSuite, CompiledSuite])
@pytest.mark.parametrize(("broken", "why"), BROKEN)
def test_an_expectation_that_cannot_be_asked_is_its_own_unknown_and_the_others_are_checked(
    adapter: Any, broken: Any, why: str, tmp_path: Path
) -> None:
    outcome = run(tmp_path, [FINE, broken, expect(BETWEEN, column="x", max_value=10)], ROWS, adapter)
    fine, wrong, breach = verdicts(outcome)
    assert (fine.state, breach.state) == (State.OK, State.BREACH)
    assert (wrong.state, wrong.cause, wrong.overdue) == (State.UNKNOWN, Cause.CHECK_FAILED, True)
    assert why in wrong.reason
    assert wrong.reason.endswith("correct expectations/iris.json, expectation 2")


def test_a_missing_suite_is_unknown_and_says_what_to_do(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(ROWS, preserve_index=False)
    found = only(suite(tmp_path, tmp_path / "expectations").run(MONITOR, table, night=NIGHT))
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.CHECK_FAILED)
    assert "there is no expectations/iris.json: add it, or change `suite:` of monitor iris" in found.reason


def test_the_same_question_asked_twice_or_of_a_part_has_a_name_of_its_own(tmp_path: Path) -> None:
    asked = [
        expect(BETWEEN, column="x", max_value=500),
        expect(BETWEEN, column="x", max_value=10),
        expect(BETWEEN, column="x", max_value=5, row_condition="x < 3", condition_parser="pandas"),
    ]
    found = verdicts(run(tmp_path, asked, ROWS))
    assert len({v.id for v in found}) == 3
    assert {v.subject for v in found} == {f"{BETWEEN}(x)", f"{BETWEEN}(x) #2", f"{BETWEEN}(x if x < 3)"}
    assert all(v.measurement is not None and v.measurement.subject == v.subject for v in found)


def test_the_page_loads_nothing_escapes_everything_and_shows_failures_first(tmp_path: Path) -> None:
    rows = pd.DataFrame({"<script>alert(1)</script>": ["<img src=x>"], "y": [1]})
    asked = [
        expect(BETWEEN, column="y", max_value=3),
        expect("column_values_to_be_in_set", column="<script>alert(1)</script>", value_set=["<b>fine</b>"]),
    ]
    run(tmp_path, asked, rows)
    html = page(tmp_path)
    assert "<script" not in html
    assert "<b>fine" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "src=" not in html
    assert "http" not in html
    assert html.index(">breach<") < html.index(">ok<")


def test_the_kept_result_is_that_of_gx(tmp_path: Path) -> None:
    run(tmp_path, [expect(BETWEEN, column="x", max_value=10)], ROWS)
    kept = json.loads(page(tmp_path, RESULT))
    assert kept["success"] is False
    assert kept["results"][0]["result"]["unexpected_count"] == 1


def test_running_a_night_again_gives_the_same_verdicts(tmp_path: Path) -> None:
    asked = [expect(BETWEEN, column="x", max_value=10), expect("column_values_to_be_unique", column="id")]
    assert run(tmp_path, asked, ROWS) == run(tmp_path, asked, ROWS)


def test_a_long_set_is_cut_and_an_unknown_placeholder_stays_readable() -> None:
    template = "$column is one of " + " ".join(f"$v__{i}" for i in range(500))
    said = filled(template, {"column": "x", **{f"v__{i}": f"level {i}" for i in range(500)}})
    assert len(said) <= 400
    assert filled("$column and $nothing", {"column": "x"}) == "x and nothing"


def test_a_failure_is_told_apart_from_no_failure_in_both_shapes_of_gx() -> None:
    fine = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
    raised = {"raised_exception": True, "exception_message": "x", "exception_traceback": "…\nValueError: 'SECRET'"}
    assert failure(fine) is None
    assert failure({"a metric": fine}) is None
    assert failure(raised) == failure({"a metric": raised}) == "the check itself failed (ValueError)"
