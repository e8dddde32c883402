"""Surprise on real stores: default rules, a breach on the second night, promotions, re-baselining, proposals."""

from datetime import timedelta

import pandas as pd
import pytest
from stage import MODEL, TONIGHT, Bank

from vigil.core.errors import DataError
from vigil.usecases.baseline import rebaseline, usual_of
from vigil.usecases.incidents import all_incidents
from vigil.usecases.promote import promote
from vigil.verdicts.types import Cause, State, Surprise

pytestmark = pytest.mark.slow  # real stores, many nights


def richer(rows: pd.DataFrame) -> pd.DataFrame:
    """Everybody asks for half an sd more."""
    return rows.assign(amount=rows["amount"] + 5)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    rules = {"service": [{"metric": "volume", "surprise": True, "floor": 0.25}]}  # nothing about drift: the default
    return Bank(tmp_path_factory.mktemp("surprised"), rules=rules).promoted().teach(20)


def of(result, metric):
    return {v.subject: v for v in result.verdicts if v.metric == metric}


def test_the_default_rules_watch_all_that_can_move_and_a_quiet_night_is_ok(taught):
    night = TONIGHT
    taught.serve(night)
    assert taught.night(night) is None
    result = taught.ports.results.latest(MODEL, "staging", night)
    asked = {v.metric for v in result.verdicts if v.family == "drift"}
    assert asked == {"position_shift", "width_shift", "level_shift", "missing_shift", "group_position_shift",
                     "group_missing_shift", "group_level_shift", "group_share_shift", "score_shift",
                     "class_shift"}  # fmt: skip
    assert {v.state for v in result.verdicts if v.family == "drift"} == {State.OK}
    assert all(v.would_see for v in result.verdicts if v.family == "drift")


def test_a_shift_warns_on_its_first_night_and_is_one_incident_on_its_second(taught):
    first, second = TONIGHT + timedelta(days=1), TONIGHT + timedelta(days=2)
    taught.serve(first, richer)
    assert taught.night(first) is None
    warned = of(taught.ports.results.latest(MODEL, "staging", first), "position_shift")["amount"]
    assert warned.state is State.WARN
    taught.serve(second, richer)
    incident = taught.night(second)
    (found,) = all_incidents(taught.ports)
    assert found.id == incident
    assert found.mitigation.value == "none"
    subjects = {s.verdict.subject.split("|")[0] for f in found.findings for s in f.signals}
    assert "amount" in subjects
    assert "tenure" not in subjects


def test_a_promotion_does_not_forget_what_is_usual(taught):
    """Scores of past nights are measured anew against the new version's holdout."""
    promote(taught.ports, taught.monitor, "1", actor="ada", reason="test", alias="champion", despite_freeze=True)
    night = TONIGHT + timedelta(days=6)
    asked = taught.serve(night)
    assert len(asked)
    result = taught.judge(night)
    verdict = of(result, "position_shift")["amount"]
    assert verdict.state is State.OK
    assert "nights (" in verdict.reason


def test_a_rebaselining_is_recorded_and_obeyed(taught):
    since = TONIGHT - timedelta(days=8)
    said = rebaseline(taught.ports, taught.monitor, since=since, until=None, actor="ada", reason="new clients")
    assert str(since) in said
    assert usual_of(taught.ports, taught.monitor).since == since
    (event,) = [e for e in taught.ports.ledger.read(f"model/{MODEL}") if e.type == "rebaselined"]
    assert (event.payload["actor"], event.payload["reason"]) == ("ada", "new clients")
    night = TONIGHT + timedelta(days=7)
    taught.serve(night)
    assert f"({since} to" in of(taught.judge(night), "position_shift")["amount"].reason


def test_a_rebaselining_on_nights_that_nobody_judged_is_refused(taught):
    with pytest.raises(DataError, match=r"0 usable nights .* at least 7"):
        rebaseline(taught.ports, taught.monitor, since=TONIGHT - timedelta(days=400),
                   until=TONIGHT - timedelta(days=300), actor="ada", reason="x")  # fmt: skip


def test_the_first_night_ever_is_unknown_with_what_is_needed(tmp_path):
    bank = Bank(tmp_path, rules={}).promoted()
    bank.serve(TONIGHT)
    found = of(bank.judge(), "position_shift")["amount"]
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_NIGHTS)
    assert "0 past nights; 5 are needed to know what is usual" in found.reason


def test_other_nights_are_proposed_once_those_that_teach_are_old(tmp_path):
    bank = Bank(tmp_path, rules={}, surprise=Surprise(nights=7).model_dump()).promoted().teach(40)
    bank.serve(TONIGHT)
    bank.night()
    notes = map(str, bank.ports.results.latest(MODEL, "staging", TONIGHT).notes)
    note = next(n for n in notes if "vigil rebaseline" in n)
    assert f"`vigil rebaseline {MODEL} --since " in note
    events = [e for e in bank.ports.ledger.read(f"model/{MODEL}") if e.type == "rebaseline_proposed"]
    bank.night()
    assert len(events) == 1
    assert all_incidents(bank.ports) == []
