"""A past night that is judged tonight is judged whole: its suite runs, and the incident process hears of it."""

import json
from datetime import timedelta

import pytest
from stage import MODEL, TONIGHT, Bank, people, poorer_women, scored, states

from vigil.incidents.types import Status
from vigil.sdk import log_predictions
from vigil.usecases import nightly
from vigil.usecases.backfill import backfill
from vigil.usecases.incidents import all_incidents
from vigil.verdicts.types import Cause, State

pytestmark = pytest.mark.slow  # real stores, many nights
SUITE = {"name": "shop", "expectations": [
    {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 500, "max_value": 900},
     "meta": {"vigil": {"gate": True}}},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "amount"}},
]}  # fmt: skip
NEXT = TONIGHT + timedelta(days=1)


@pytest.fixture
def suited(bank: Bank) -> Bank:
    (bank.folder / "expectations").mkdir()
    (bank.folder / "expectations" / "shop.json").write_text(json.dumps(SUITE))
    bank.monitor = bank.monitor.model_copy(update={"suite": "shop", "quality": "compiled"})
    return bank


def come_late(bank: Bank, rows: int = 200) -> None:
    """Rows of tonight that another file brings."""
    late = people(TONIGHT, rows).assign(prediction_id=[f"late-{n}" for n in range(rows)])
    made = scored(late).drop(columns=["truth"])
    log_predictions(MODEL, made, environment="staging", model_version="2", root=bank.log)


def latest(bank: Bank, night=TONIGHT):
    return bank.ports.results.latest(MODEL, "staging", night)


def test_late_rows_are_checked_by_the_suite_before_their_night_is_judged_again(suited):
    suited.serve(TONIGHT)
    suited.night()
    assert set(states(latest(suited), "expectation").values()) == {State.OK}
    come_late(suited)
    suited.serve(NEXT)
    suited.night(NEXT)
    again = latest(suited)
    assert again.rows == 1000
    assert states(again, "expectation")["table_row_count_to_be_between(all)"] is State.BREACH
    assert "gate failed: table_row_count_to_be_between(all)" in map(str, again.notes)
    assert len(states(again, "expectation")) == 2


def test_a_suite_that_cannot_run_over_late_rows_is_unknown_and_a_failed_gate(suited, monkeypatch):
    suited.serve(TONIGHT)
    suited.night()
    come_late(suited)
    suited.serve(NEXT)
    nightly.quality(suited.ports, suited.monitor, NEXT)

    def die(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(nightly, "quality", die)
    nightly.profile(suited.ports, suited.monitor, NEXT)
    nightly.judge(suited.ports, suited.monitor, NEXT)
    again = latest(suited)
    (told,) = [v for v in again.verdicts if v.metric == "expectation"]
    assert (told.subject, told.state, told.cause, told.overdue) == ("suite", State.UNKNOWN, Cause.CHECK_FAILED, True)
    assert told.reason == "suite: check failed; the suite 'shop' has not run over these rows"
    assert states(again, "missing")["amount"] is State.UNKNOWN
    assert any(v.cause is Cause.GATE_FAILED for v in again.verdicts)
    assert State.OK in states(latest(suited, NEXT), "expectation").values()


def test_a_breach_of_a_night_that_was_missed_opens_its_incident_when_the_scheduler_is_back(bank):
    bank.serve(TONIGHT, poorer_women)
    bank.serve(NEXT)
    bank.night(NEXT)
    (incident,) = all_incidents(bank.ports)
    assert (incident.opened_night, incident.last_bad_night) == (TONIGHT, TONIGHT)
    assert incident.good_nights == (NEXT,)
    assert incident.status is Status.RESOLVED


def test_a_retry_of_the_run_that_found_a_missed_night_hears_of_it_again(bank):
    bank.serve(TONIGHT, poorer_women)
    bank.serve(NEXT)
    assert bank.judged(NEXT) == [TONIGHT]
    assert bank.judged(NEXT) == [TONIGHT]
    assert bank.judged(NEXT + timedelta(days=1)) == []


def test_a_weekly_run_tells_the_incident_process_of_all_its_nights(bank):
    days = [TONIGHT + timedelta(days=n) for n in range(7)]
    for day in days:
        bank.serve(day, poorer_women if day == days[2] else None)
    assert bank.judged(days[-1]) == days[:-1]
    nightly.correlate(bank.ports, bank.monitor, days[-1], changed=days[:-1])
    (incident,) = all_incidents(bank.ports)
    assert incident.opened_night == days[2]
    assert not incident.is_open


def test_history_that_the_first_run_finds_opens_nothing_however_often_it_is_tried(tmp_path):
    bank = Bank(tmp_path).promoted()
    for n in range(4, -1, -1):
        bank.serve(TONIGHT - timedelta(days=n), poorer_women if n == 3 else None)
    assert bank.judged() == []
    assert bank.judged() == []


def test_a_backfill_opens_nothing(bank):
    bank.serve(TONIGHT, poorer_women)
    bank.serve(NEXT)
    list(backfill(bank.ports, bank.monitor, [TONIGHT]))
    assert bank.judged(NEXT) == []
    assert all_incidents(bank.ports) == []
