"""Silence is not green: a night that nobody judged becomes an incident, with the people of its model."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.unit.usecases.memory_stage import MODEL, NIGHT, NOW, MemoryStage, monitor, verdict
from vigil.incidents.types import Severity, Status
from vigil.usecases.last_known import record
from vigil.usecases.respond import plan
from vigil.usecases.watch import blind, due_night, overdue
from vigil.verdicts.types import Cause, State


@pytest.fixture
def stage(tmp_path):
    return MemoryStage(tmp_path)


def look(stage, *, broken=(), **more):
    return overdue(stage.ports(), stage.monitors, dict(broken), now=stage.clock.now(), **more)


def reason(stage):
    (incident,) = stage.incidents()
    return incident.findings[0].signals[0].verdict.reason


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        (datetime(2026, 11, 21, 7, 59, tzinfo=UTC), "UTC", date(2026, 11, 19)),
        (datetime(2026, 11, 21, 8, 0, tzinfo=UTC), "UTC", date(2026, 11, 20)),
        (datetime(2026, 11, 20, 22, 59, tzinfo=UTC), "Asia/Tokyo", date(2026, 11, 19)),
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), "Asia/Tokyo", date(2026, 11, 20)),
        (datetime(2026, 11, 21, 12, 59, tzinfo=UTC), "America/New_York", date(2026, 11, 19)),
        (datetime(2026, 11, 21, 13, 0, tzinfo=UTC), "America/New_York", date(2026, 11, 20)),
        (datetime(2026, 10, 25, 5, 59, tzinfo=UTC), "Europe/Berlin", date(2026, 10, 23)),  # two o'clock comes twice
        (datetime(2026, 10, 25, 6, 0, tzinfo=UTC), "Europe/Berlin", date(2026, 10, 24)),
        (datetime(2026, 3, 29, 8, 0, tzinfo=UTC), "Europe/Berlin", date(2026, 3, 28)),  # two o'clock does not come
    ],
)
def test_a_night_is_due_six_hours_after_its_scheduled_run(now, zone, due):
    assert due_night(monitor(timezone=zone), now) == due


@pytest.mark.parametrize(
    ("schedule", "day", "due"),
    [
        ("0 2 * * mon", 16, date(2026, 11, 15)),
        ("0 2 * * mon", 22, date(2026, 11, 15)),
        ("0 2 * * mon", 23, date(2026, 11, 22)),
        ("0 2 1 * *", 22, date(2026, 10, 31)),
        ("0 2 * * tue-sat", 22, date(2026, 11, 20)),
        ("30 22 * * *", 22, date(2026, 11, 20)),
    ],
)
def test_the_night_that_is_due_is_that_of_the_last_scheduled_run(schedule, day, due):
    now = datetime(2026, 11, day, 12, tzinfo=UTC)
    assert due_night(monitor(schedule=schedule), now) == due


def test_a_weekly_monitor_is_not_blind_on_the_days_between(tmp_path):
    stage = MemoryStage(tmp_path, monitor(schedule="0 2 * * mon"))
    stage.judged(date(2026, 11, 15))
    assert look(stage) == []
    stage.clock.advance(timedelta(days=2))
    (found,) = look(stage)
    assert found == "20261122-credit-production"


def test_a_model_whose_newest_night_is_judged_is_not_blind(stage):
    stage.judged(NIGHT)
    assert look(stage) == []
    assert stage.incidents() == []


def test_a_night_that_was_not_judged_in_time_opens_an_incident_that_names_it(stage):
    stage.judged(NIGHT - timedelta(days=2))
    (found,) = look(stage)
    (incident,) = stage.incidents()
    assert incident.id == found == "20261120-credit-production"
    assert (incident.status, incident.opened_night, incident.monitor) == (Status.OPEN, NIGHT, MODEL)
    told = incident.findings[0].signals[0].verdict
    assert (told.id, told.state, told.cause, told.overdue) == (
        "monitor/night", State.UNKNOWN, Cause.CHECK_FAILED, True)  # fmt: skip
    assert reason(stage) == (
        "the monitor is blind: the night of 2026-11-20 was not judged; the newest judged night is 2026-11-18"
    )


def test_nobody_watching_a_tier_1_model_is_severe_enough_for_a_room(stage):
    stage.judged(NIGHT - timedelta(days=1))
    (found,) = look(stage)
    assert stage.incidents()[0].severity is Severity.SEV1
    assert [a["kind"] for a in plan(stage.ports(), stage.monitors, found)] == ["open_room"]


def test_looking_again_within_the_same_day_changes_nothing(stage):
    stage.judged(NIGHT - timedelta(days=1))
    first = look(stage)
    written = stage.events()
    stage.clock.advance(timedelta(hours=1))
    assert look(stage) == first
    assert stage.events() == written


def test_a_second_lost_night_joins_the_same_incident(stage):
    stage.judged(NIGHT - timedelta(days=1))
    first = look(stage)
    stage.clock.advance(timedelta(days=1))
    assert look(stage) == first
    (incident,) = stage.incidents()
    assert incident.last_bad_night == NIGHT + timedelta(days=1)


def test_a_model_that_was_never_judged_is_not_called_blind(stage):
    """It has no nights to lose yet; the doctor says what is missing, and the heartbeat names it."""
    assert look(stage) == []
    assert stage.events() == 0


@pytest.mark.parametrize("judged", [True, False])
def test_a_paused_dag_is_blind_whatever_was_judged_before(stage, judged):
    if judged:
        stage.judged(NIGHT)
    assert len(look(stage, paused=["vigil_nightly__credit"])) == 1
    assert reason(stage) == (
        "the monitor is blind: the DAG vigil_nightly__credit is paused: nobody watches credit; unpause it"
    )


def test_a_dag_that_airflow_does_not_know_is_blind(stage):
    stage.judged(NIGHT)
    assert len(look(stage, missing_dags={"vigil_nightly__credit"})) == 1
    assert "Airflow does not know the DAG vigil_nightly__credit" in reason(stage)


def test_paused_and_missing_dags_of_others_are_not_ours(stage):
    stage.judged(NIGHT)
    assert look(stage, paused=["etl", "vigil_nightly__iris"], missing_dags=["reports"]) == []


def test_each_monitor_is_looked_at_by_itself(tmp_path):
    other = monitor(model="iris")
    stage = MemoryStage(tmp_path, monitor(), other)
    stage.judged(NIGHT)
    stage.judged(NIGHT - timedelta(days=1), watched=other)
    assert look(stage) == ["20261120-iris-production"]


def test_a_yaml_that_breaks_is_an_incident_with_the_people_of_the_last_settings_that_loaded(stage):
    stage.judged(NIGHT)
    record(stage.ports(), stage.monitors.pop(MODEL))
    (found,) = look(stage, broken={MODEL: "credit.yaml:3: unknown key 'modle'"})
    assert found == "20261120-credit-production"
    assert reason(stage) == (
        "the monitor is blind: its YAML no longer loads: credit.yaml:3: unknown key 'modle'"
    )  # fmt: skip
    assert stage.ledger.read("system")[0].payload == {"model": MODEL, "error": "credit.yaml:3: unknown key 'modle'"}


def test_a_broken_yaml_is_recorded_once_a_day_and_joins_its_incident(stage):
    record(stage.ports(), stage.monitors.pop(MODEL))
    broken = {MODEL: "credit.yaml:3: wrong"}
    look(stage, broken=broken)
    written = stage.events()
    look(stage, broken=broken)
    assert stage.events() == written
    stage.clock.advance(timedelta(days=1))
    look(stage, broken=broken)
    assert [e.type for e in stage.ledger.read("system")] == ["monitor_broken"] * 2
    assert len(stage.incidents()) == 1


def test_a_broken_yaml_that_never_loaded_is_recorded_and_has_nobody_to_tell(stage):
    stage.judged(NIGHT)
    assert look(stage, broken={"new_model": "new_model.yaml:1: not YAML"}) == []
    assert [e.type for e in stage.ledger.read("system")] == ["monitor_broken"]
    assert stage.incidents() == []


def test_blindness_joins_the_incident_that_people_already_work_on(stage):
    harm = stage.opened("20261118-credit-production", verdict(), night=NIGHT - timedelta(days=2))
    stage.judged(NIGHT - timedelta(days=1))
    assert look(stage) == [harm]
    (incident,) = stage.incidents()
    assert {f.family.value for f in incident.findings} == {"performance", "service"}


def test_a_run_that_died_says_which_night_and_why(stage):
    found = blind(stage.ports(), stage.monitors[MODEL], NIGHT, reason="the task judge failed: no space left")
    assert found == "20261120-credit-production"
    assert reason(stage) == "the monitor is blind: the task judge failed: no space left"
    assert stage.incidents()[0].opened_at == NOW


def test_the_same_death_told_twice_is_one_event(stage):
    for _ in range(2):
        blind(stage.ports(), stage.monitors[MODEL], NIGHT, reason="the task judge failed")
    assert stage.events() == 1


def test_a_night_of_an_incident_that_never_was_can_be_blind(stage):
    never = stage.opened("20261120-credit-production", verdict())
    stage.told(never, "never_was", night=NIGHT.isoformat(), why="labels")
    found = blind(stage.ports(), stage.monitors[MODEL], NIGHT, reason="the task judge failed")
    assert found == f"{never}-2"
    assert blind(stage.ports(), stage.monitors[MODEL], NIGHT, reason="the task judge failed") == found
    assert [i.is_open for i in stage.incidents()] == [False, True]
