"""What counts against a change: recorded incidents that it misses, a replay could find, and the present settings do."""

from datetime import date, timedelta

import pytest

from tests.unit.usecases.memory_stage import MODEL, NIGHT, MemoryStage, verdict
from vigil.incidents.types import Status
from vigil.usecases.backtest import Joined, Judged, Told
from vigil.usecases.backtest_account import Recorded, Truth, account, failures, truth_in
from vigil.usecases.nights import incidents
from vigil.usecases.watch import blind
from vigil.verdicts.types import NightResult

AFTER = NIGHT + timedelta(days=1)


@pytest.fixture
def stage(tmp_path):
    return MemoryStage(tmp_path)


def night(day: date, *, joined: str = "") -> Judged:
    result = NightResult(monitor=MODEL, environment="production", night=day, partition_digest="p", config_digest="c",
                         edges_digest="e", rows=100, verdicts=())  # fmt: skip
    signal = (("drift", "mean_shift/age"),)
    at = Joined(incident=joined, opened=day, severity="SEV3", signals=signal, known="2026-11-22T00:00:00Z")
    return Judged(night=day, first=result, last=result, joined=at if joined else None)


def sums(stage, *alarms: date, truth: Truth):
    days = tuple(night(day, joined="x" if day in alarms else "") for day in (NIGHT, AFTER))
    return account(Told(monitor=stage.monitors[MODEL], nights=days, incidents=()), truth)


def test_nights_on_which_the_monitor_was_blind_are_no_incident_that_a_replay_could_find(stage):
    watched = stage.monitors[MODEL]
    blind(stage.ports(), watched, NIGHT, reason="the scheduler was down")
    told = truth_in(incidents(stage.ports(), watched))
    assert told.recorded == ()
    assert "no incident is recorded (1 of a blind monitor are left out: a replay cannot find them)" in told.says


def test_harm_that_a_blind_night_joined_is_recorded(stage):
    watched = stage.monitors[MODEL]
    harm = stage.opened("20261118-credit-production", verdict(), night=NIGHT - timedelta(days=2))
    assert blind(stage.ports(), watched, NIGHT, reason="the scheduler was down") == harm
    assert [r.first for r in truth_in(incidents(stage.ports(), watched)).recorded] == [NIGHT - timedelta(days=2)]


def test_a_change_fails_for_what_it_misses_beyond_what_is_missed_today(stage):
    truth = Truth(says="", recorded=(Recorded(first=NIGHT, last=NIGHT, what="mean income"),
                                     Recorded(first=AFTER, last=AFTER, what="mean income")))  # fmt: skip
    both, first, none = (sums(stage, *days, truth=truth) for days in ((NIGHT, AFTER), (NIGHT,), ()))
    assert failures(first, per=None, present=both) == (f"it would miss mean income ({AFTER} to {AFTER})",)
    assert failures(first, per=None, present=first) == ()
    assert failures(none, per=None, present=first) == (f"it would miss mean income ({NIGHT} to {NIGHT})",)
    assert failures(none, per=None) == ()


def test_an_incident_whose_nights_are_told_of_another_one_is_accounted_for(stage):
    """One that never was, and the one that its night opened after all."""
    never = stage.opened("20261120-credit-production", verdict())
    stage.told(never, "never_was", night=NIGHT.isoformat(), why="labels")
    (incident,) = stage.incidents()
    told = Told(monitor=stage.monitors[MODEL], nights=(night(NIGHT, joined=f"{never}-2"),), incidents=(incident,))
    (opened,) = account(told, Truth(says="")).incidents
    assert (incident.status, opened.opened, opened.closed) == (Status.NEVER_WAS, NIGHT, True)
