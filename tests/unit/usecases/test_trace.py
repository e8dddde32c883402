"""One prediction leads to the version that made it, the night it was judged in, and what became of that night."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.unit.adapters.log_stage import row, table
from tests.unit.usecases.memory_stage import MODEL, NIGHT, MemoryStage, monitor, verdict
from vigil.adapters.parquet_log import ParquetLog
from vigil.core.errors import DataError
from vigil.usecases.trace import trace
from vigil.verdicts.types import State

TAIPEI = ZoneInfo("Asia/Taipei")
WATCHED = monitor(features={"income": "numeric", "city": "category"})


@pytest.fixture
def stage(tmp_path):
    made = MemoryStage(tmp_path, WATCHED)
    made.registry.add(MODEL, files={"MLmodel": b"m"}, inputs={})
    made.log = ParquetLog(tmp_path / "log")
    return made


def logged(stage, *rows, model=MODEL):
    stage.log.write_predictions(model, table(list(rows)), batch_id=rows[0]["prediction_id"])


def found(stage, prediction_id="p1", monitors=None):
    known = stage.monitors if monitors is None else monitors
    return trace(stage.ports(log=stage.log), known, prediction_id)


def test_a_prediction_leads_to_its_row_its_version_and_its_night(stage):
    logged(stage, row("p1", score=0.7), row("p2"))
    stage.judged(NIGHT, verdict(State.OK))
    told = found(stage)
    assert (told.model, told.night, told.row["prediction_id"], told.row["score"]) == (MODEL, NIGHT, "p1", 0.7)
    assert (told.version.model, told.version.version) == (MODEL, "1")
    assert told.result.night == NIGHT
    assert (told.not_ok, told.incident) == ((), None)


def test_inputs_are_left_out_of_what_is_shown(stage):
    """They may be personal data, and the trace is copied into tickets."""
    logged(stage, row("p1", income=123456.0, city="Bonn"))
    assert not {"income", "city"} & set(found(stage).row)


def test_everything_about_the_night_that_was_not_ok_is_said(stage):
    logged(stage, row("p1"))
    stage.judged(
        NIGHT,
        verdict(State.OK, reason="fine"),
        verdict(State.BREACH, reason="auc(all) 0.6 < 0.7"),
        verdict(State.UNKNOWN, metric="psi", reason="psi(age): no baseline"),
    )
    assert found(stage).not_ok == ("auc(all) 0.6 < 0.7", "psi(age): no baseline")


def test_a_night_that_nobody_judged_is_not_told_as_a_good_one(stage):
    logged(stage, row("p1"))
    told = found(stage)
    assert told.result is None
    assert told.not_ok == ("the night of 2026-11-20 was not judged",)


def test_the_night_is_the_local_day_of_the_model(stage):
    late = datetime(2026, 11, 20, 23, 30, tzinfo=TAIPEI)
    logged(stage, row("p1", served_at=late), row("p2", served_at=late + timedelta(hours=1)))
    local = {MODEL: monitor(timezone="Asia/Taipei")}
    assert found(stage, "p1", local).night == date(2026, 11, 20)
    assert found(stage, "p2", local).night == date(2026, 11, 21)


@pytest.mark.parametrize(("served", "inside"), [(-1, False), (0, True), (1, True), (2, True), (3, False)])
def test_the_incident_is_the_one_whose_nights_hold_the_prediction(stage, served, inside):
    name = stage.opened("20261120-credit-production")
    (incident,) = stage.incidents()
    stage.told(
        name,
        "signals",
        night=f"{NIGHT + timedelta(days=2)}",
        signals=[],
        assessment=incident.assessment.model_dump(mode="json"),
    )
    when = datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("UTC")) + timedelta(days=served)
    logged(stage, row("p1", served_at=when))
    assert found(stage).incident == (name if inside else None)


def test_an_incident_of_another_model_is_not_this_one_s(stage):
    stage.opened("20261120-iris-production", watched=monitor(model="iris"))
    logged(stage, row("p1"))
    assert found(stage).incident is None


@pytest.mark.parametrize("version", ["7", "abc"])
def test_a_version_that_the_registry_does_not_have_is_no_obstacle(stage, version):
    """Models that no registry knows are watched like others."""
    logged(stage, row("p1", model_version=version))
    told = found(stage)
    assert told.version is None
    assert told.row["model_version"] == version


def test_an_id_that_no_log_has_is_said_to_be_unknown_or_too_old(stage):
    logged(stage, row("p1"))
    with pytest.raises(DataError, match=r"no prediction 'p9' in the log; is it older than the retention\?"):
        found(stage, "p9")


def test_a_prediction_of_a_model_that_no_monitor_watches_says_so(stage):
    logged(stage, row("p1"), model="forgotten")
    with pytest.raises(DataError, match="belongs to 'forgotten', which no monitor watches"):
        found(stage)
