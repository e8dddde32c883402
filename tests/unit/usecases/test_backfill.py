"""Past nights are judged by the same steps, teach the nights after them, and reach nobody."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tests.unit.adapters.log_stage import outcome, row, table
from tests.unit.usecases.memory_stage import MODEL, NIGHT, MemoryStage, monitor
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.parquet_log import ParquetLog
from vigil.core.errors import LeaseLost, RegistryError
from vigil.usecases.backfill import backfill
from vigil.usecases.reference import set_reference
from vigil.verdicts.types import State

ROWS = 60
NIGHTS = [NIGHT - timedelta(days=back) for back in range(7, -1, -1)]
FEW = NIGHTS[-2:]
WATCHED = monitor(
    features={"income": "numeric", "city": "category"},
    data={"score": "score"},
    rules={
        "service": [{"metric": "volume", "sigma": 6, "floor": 20}],
        "quality": [{"metric": "missing", "breach": "> 0.05"}],
        "drift": [{"metric": "mean_shift", "sigma": 6, "floor": 0.5, "hard": "> 2"}],
    },
)


class Outside:
    """A service that nobody may ask for anything: every use of it fails the test."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"backfill reached outside: {name}")


def night_rows(night: date, *, income: float = 100.0, rows: int = ROWS) -> list[dict[str, Any]]:
    drawn = np.random.default_rng(night.toordinal()).normal(income, 10.0, rows)
    nine = datetime(night.year, night.month, night.day, 9, tzinfo=UTC)
    return [
        row(f"{night}-{i}", environment="production", served_at=nine + timedelta(minutes=i), income=float(x))
        for i, x in enumerate(drawn)
    ]


@pytest.fixture
def stage(tmp_path):
    made = MemoryStage(tmp_path, WATCHED)
    made.log, made.scanner = ParquetLog(tmp_path / "log"), DuckDBScanner()
    reference = table([{**r, "label": "0"} for r in night_rows(date(2026, 10, 1), rows=500)])
    set_reference(ports(made), WATCHED, reference, origin="test", actor="ana")
    for night in NIGHTS:
        made.log.write_predictions(MODEL, table(night_rows(night)), batch_id=f"{night}")
    return made


def ports(stage, **more):
    return stage.ports(log=stage.log, scanner=stage.scanner, **more)


def run(stage, nights=FEW, **more):
    return list(backfill(ports(stage, **more), WATCHED, nights))


def states(result):
    return {v.id: v.state for v in result.verdicts}


def test_each_night_is_judged_in_order_of_dates_whatever_order_is_asked_for(stage):
    results = run(stage, list(reversed(NIGHTS[-3:])))
    assert [r.night for r in results] == NIGHTS[-3:]
    assert all(r.rows == ROWS for r in results)
    assert [stage.results.latest(MODEL, "production", n) for n in NIGHTS[-3:]] == results


def test_a_night_is_yielded_as_soon_as_it_is_stored(stage):
    first = next(iter(backfill(ports(stage), WATCHED, FEW)))
    assert first.night == FEW[0]
    assert stage.results.newest(MODEL, "production")[0] == FEW[0]


def test_earlier_nights_teach_the_later_ones(stage):
    results = run(stage, NIGHTS)
    assert states(results[6])["mean_shift/income"] is State.UNKNOWN
    assert states(results[7])["mean_shift/income"] is State.OK
    assert states(results[7])["volume/all"] is State.OK


def test_a_bad_night_is_judged_bad_and_reaches_nobody(stage):
    bad = NIGHT + timedelta(days=1)
    stage.log.write_predictions(MODEL, table(night_rows(bad, income=900.0)), batch_id="bad")
    written = stage.events()
    outside = Outside()
    results = run(stage, [*FEW, bad], notifier=lambda: outside, registry=outside, probe=outside, runner=outside,
                  outbox=outside, reporter=outside)  # fmt: skip
    assert states(results[-1])["mean_shift/income"] is State.BREACH
    assert stage.incidents() == []
    assert stage.events() == written


def test_a_registry_that_is_away_does_not_keep_history_from_being_judged(stage):
    class Away:
        def __getattr__(self, name):
            raise RegistryError("the registry is away")

    assert len(run(stage, registry=Away())) == len(FEW)


def test_doing_it_again_changes_nothing(stage):
    first = run(stage)
    written = stage.events()
    stage.clock.advance(timedelta(hours=1))
    assert run(stage) == first
    assert len(stage.results.versions_of_truth(MODEL, "production", NIGHT)) == 1
    assert stage.events() == written


def test_labels_that_came_since_are_a_new_judgement_that_the_ledger_tells_of(stage):
    run(stage)
    labels = [outcome(f"{NIGHT}-{i}", "0") for i in range(ROWS)]
    stage.log.write_outcomes(MODEL, table(labels), batch_id="labels")
    run(stage, [NIGHT])
    assert len(stage.results.versions_of_truth(MODEL, "production", NIGHT)) == 2
    assert [e.payload["night"] for e in stage.ledger.read(f"model/{MODEL}") if e.type == "restated"] == [f"{NIGHT}"]


def test_a_night_without_rows_is_judged_as_unknown_not_left_out(stage):
    (result,) = run(stage, [NIGHT + timedelta(days=30)])
    assert result.rows == 0
    assert {v.state for v in result.verdicts} == {State.UNKNOWN}
    assert any("has no predictions for 2026-12-20" in v.reason for v in result.verdicts)


def test_only_the_nights_that_are_asked_for_are_judged(stage):
    run(stage, NIGHTS[4:6])
    assert [n for n in NIGHTS if stage.results.latest(MODEL, "production", n)] == NIGHTS[4:6]


def test_no_nights_are_nothing(stage):
    assert run(stage, []) == []


def test_a_second_backfill_is_refused_while_one_runs_and_allowed_when_it_ended_or_was_left(stage):
    shared = ports(stage)
    running = backfill(shared, WATCHED, FEW)
    next(running)
    with pytest.raises(LeaseLost, match="another backfill is judging past nights"):
        list(backfill(shared, WATCHED, FEW))
    running.close()
    assert [r.night for r in backfill(shared, WATCHED, FEW)] == FEW


def test_a_backfill_that_was_killed_lets_go_after_half_an_hour(stage):
    shared = ports(stage)
    running = backfill(shared, WATCHED, FEW)
    next(running)
    stage.clock.advance(timedelta(minutes=31))
    assert [r.night for r in backfill(shared, WATCHED, FEW)] == FEW
