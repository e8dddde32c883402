"""Whole nights on real stores: a quiet one stays silent, a bad one becomes one incident, again and again the same."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from stage import MODEL, TONIGHT, Bank, Killed, Mortal, bank_after, people, poorer_women, scored, states

from vigil.core.stages import Stage
from vigil.incidents.types import Status
from vigil.responses.types import ActionKind
from vigil.sdk import log_predictions
from vigil.usecases import nightly, respond
from vigil.usecases.incidents import all_incidents
from vigil.usecases.night.run import run_night
from vigil.usecases.replay import replay
from vigil.verdicts.judge import judge
from vigil.verdicts.types import Cause, State

pytestmark = pytest.mark.slow  # real stores, many nights


@pytest.fixture(scope="module")
def undisturbed(quiet_past, tmp_path_factory) -> Bank:
    """A bank after a bad night in which nothing was killed and nothing run twice."""
    return bank_after(quiet_past, tmp_path_factory.mktemp("undisturbed") / "bank", poorer_women)


def one(bank: Bank):
    (found,) = all_incidents(bank.ports)
    return found


def deliver(bank: Bank, incident: str) -> None:
    """What the respond DAG does, but for mitigations."""
    watched = {MODEL: bank.monitor}
    for action in respond.plan(bank.ports, watched, incident):
        if action["kind"] != ActionKind.MITIGATE:
            respond.deliver(bank.ports, watched, action)


def test_a_quiet_night_stays_silent(bank):
    bank.serve(TONIGHT)
    assert bank.night() is None
    assert all_incidents(bank.ports) == []
    assert bank.notifier.channels == {}
    result = bank.ports.results.latest(MODEL, "staging", TONIGHT)
    assert {v.state for v in result.verdicts} <= {State.OK, State.UNKNOWN}
    assert {v.cause for v in result.verdicts if v.state is State.UNKNOWN} == {Cause.LABELS_PENDING}


def test_unfair_answers_become_one_incident_with_its_interval_and_the_right_mitigation(bank):
    bank.serve(TONIGHT, poorer_women)
    incident = bank.night()
    assert incident == "20260920-shop-staging"
    found = one(bank)
    (verdict,) = (s.verdict for f in found.findings for s in f.signals if s.verdict.metric == "selection_rate_ratio")
    m = verdict.measurement
    assert m.low < m.value < m.high < 0.8
    assert found.replay.mitigation.value == "fallback"
    assert {v.role for v in found.replay.versions} == {"previous", "fallback"}
    kinds = [a["kind"] for a in respond.plan(bank.ports, {MODEL: bank.monitor}, incident)]
    assert kinds[0] == ActionKind.OPEN_ROOM
    assert ActionKind.MITIGATE in kinds


def test_a_bad_night_that_is_judged_again_and_again_changes_nothing(bank):
    bank.serve(TONIGHT, poorer_women)
    incident = bank.night()
    deliver(bank, incident)
    before = bank.streams()
    said = {c.name: len(c.messages) for c in bank.notifier.channels.values()}
    for _ in range(3):
        bank.night()
        deliver(bank, incident)
    after = bank.streams()
    assert {k: v for k, v in after.items() if k != "system"} == {k: v for k, v in before.items() if k != "system"}
    assert {c.name: len(c.messages) for c in bank.notifier.channels.values()} == said
    assert len(bank.ports.results.versions_of_truth(MODEL, "staging", TONIGHT)) == 1


def test_each_step_of_a_bad_night_run_three_times_leaves_what_one_run_leaves(bank, undisturbed):
    bank.serve(TONIGHT, poorer_women)
    ports, progress = bank.ports, None
    for stage in Stage:
        for _ in range(0 if stage is Stage.REPORT else 3):
            progress = run_night(ports, bank.monitor, TONIGHT, stages=(stage,), progress=progress)
    assert bank.streams() == undisturbed.streams()
    assert len(ports.results.versions_of_truth(MODEL, "staging", TONIGHT)) == 1


WRITES = {"ledger": ("append", "checkpoint"), "results": ("append",), "profiles": ("put_night",)}


@pytest.mark.parametrize("at", range(1, 8))
def test_a_night_that_is_killed_after_any_write_and_run_again_ends_like_one_that_was_not(bank, undisturbed, at):
    bank.serve(TONIGHT, poorer_women)
    whole, left = bank.ports, [at]
    bank.ports = replace(whole, **{n: Mortal(getattr(whole, n), w, left) for n, w in WRITES.items()})
    with pytest.raises(Killed):
        bank.night()
    bank.ports = whole
    bank.night()
    assert bank.streams() == undisturbed.streams()
    assert bank.ports.ledger.verify() == ()


def test_a_bad_night_has_as_many_writes_as_it_is_killed_at(bank):
    bank.serve(TONIGHT, poorer_women)
    whole, left = bank.ports, [8]
    bank.ports = replace(whole, **{n: Mortal(getattr(whole, n), w, left) for n, w in WRITES.items()})
    bank.night()
    assert left == [1]


def test_the_second_bad_night_joins_and_good_nights_of_the_champion_close_it(bank):
    bank.serve(TONIGHT, poorer_women)
    first = bank.night()
    bank.serve(TONIGHT + timedelta(days=1), poorer_women)
    assert bank.night(TONIGHT + timedelta(days=1)) == first
    assert one(bank).last_bad_night == TONIGHT + timedelta(days=1)
    bank.serve(TONIGHT + timedelta(days=2))
    bank.night(TONIGHT + timedelta(days=2))
    closed = one(bank)
    assert closed.status is Status.RESOLVED
    assert closed.good_nights == (TONIGHT + timedelta(days=2),)


def test_nights_of_the_rules_do_not_close_an_incident(bank):
    bank.serve(TONIGHT, poorer_women)
    bank.night()
    later = TONIGHT + timedelta(days=1)
    bank.serve(later, answered=lambda rows: rows.assign(role="fallback", prediction="approve"))
    bank.night(later)
    assert one(bank).is_open


def test_a_few_rows_of_the_champion_are_judged_beside_its_own_nights_and_not_those_of_the_rules(bank, monkeypatch):
    asked = []
    monkeypatch.setattr("vigil.usecases.incidents.judge", lambda *given: asked.append(given[3]) or judge(*given))
    bank.serve(TONIGHT, poorer_women)
    bank.night()
    later = TONIGHT + timedelta(days=1)
    served_by_rules(bank, later)
    bank.serve(later, rows=120, answered=lambda rows: rows.assign(prediction_id="c" + rows.prediction_id))
    bank.night(later)
    assert [facts.version for facts in asked] == ["2"]


def served_by_rules(bank: Bank, night) -> None:
    rows = scored(people(night)).drop(columns=["truth"]).assign(role="fallback", prediction="approve")
    log_predictions(MODEL, rows, environment="staging", model_version="3", root=bank.log)


def test_an_incident_that_comes_back_within_three_nights_is_the_same_one(bank):
    bank.serve(TONIGHT, poorer_women)
    first = bank.night()
    bank.serve(TONIGHT + timedelta(days=1))
    bank.night(TONIGHT + timedelta(days=1))
    bank.serve(TONIGHT + timedelta(days=3), poorer_women)
    assert bank.night(TONIGHT + timedelta(days=3)) == first
    assert one(bank).reopened == 1


def test_rows_that_come_late_are_judged_with_their_night_and_what_was_known_stays(bank):
    half = lambda rows: rows.iloc[: len(rows) // 2]  # noqa: E731 - one expression
    bank.serve(TONIGHT, answered=half)
    bank.night()
    known = bank.clock.now()
    bank.clock.advance(timedelta(days=1))
    bank.serve(TONIGHT, answered=lambda rows: rows.iloc[len(rows) // 2 :])
    bank.serve(TONIGHT + timedelta(days=1))
    bank.night(TONIGHT + timedelta(days=1))
    now = bank.ports.results.latest(MODEL, "staging", TONIGHT)
    then = bank.ports.results.latest(MODEL, "staging", TONIGHT, known_at=known)
    assert (then.rows, now.rows) == (400, 800)
    restated = [e for e in bank.ports.ledger.read(f"model/{MODEL}") if e.type == "restated"]
    assert [e.payload["night"] for e in restated] == [TONIGHT.isoformat()]


def test_a_restatement_is_not_lost_when_the_worker_dies_right_after_it_was_stored(bank):
    bank.serve(TONIGHT, answered=lambda rows: rows.iloc[:400])
    bank.night()
    later = TONIGHT + timedelta(days=1)
    bank.serve(TONIGHT, answered=lambda rows: rows.iloc[400:])
    bank.serve(later)
    whole = bank.ports
    bank.ports = replace(whole, results=Mortal(whole.results, ("append",), [1]))
    with pytest.raises(Killed):
        bank.judged(later)
    bank.ports = whole
    assert bank.judged(later) == [TONIGHT]
    assert bank.types(f"model/{MODEL}").count("restated") == 1


def test_labels_that_come_late_move_the_figures_of_their_cohort_and_what_was_known_stays(bank):
    made = bank.serve(TONIGHT)
    bank.night()
    known = bank.clock.now()
    bank.clock.advance(timedelta(days=2))
    bank.tell_truth(made)
    later = TONIGHT + timedelta(days=2)
    bank.serve(later)
    bank.night(later)
    results = bank.ports.results
    now, then = (results.latest(MODEL, "staging", TONIGHT, known_at=at) for at in (None, known))
    assert (states(then, "auc"), states(now, "auc")) == ({"all": State.UNKNOWN}, {"all": State.OK})
    assert len(results.versions_of_truth(MODEL, "staging", TONIGHT)) == 2
    (told,) = (e.payload for e in bank.ports.ledger.read(f"model/{MODEL}") if e.type == "restated")
    assert (told["night"], told["as_of"]) == (TONIGHT.isoformat(), later.isoformat())
    assert {"from": "unknown", "to": "ok"}.items() <= next(m for m in told["moved"] if m["id"] == "auc/all").items()


def test_a_late_label_can_make_a_past_night_bad_and_open_its_incident(bank):
    made = bank.serve(TONIGHT)
    bank.night()
    wrong = made.assign(truth=np.where(made["score"] > 0.5, 1.0, 0.0))  # the likely defaults all paid
    bank.clock.advance(timedelta(days=1))
    bank.tell_truth(wrong)
    later = TONIGHT + timedelta(days=1)
    bank.serve(later)
    bank.night(later)
    assert states(bank.ports.results.latest(MODEL, "staging", TONIGHT), "auc") == {"all": State.BREACH}
    assert [f.family.value for f in one(bank).findings] == ["performance"]


def test_a_night_without_rows_is_unknown_and_on_the_second_night_an_incident(bank):
    first = bank.judge(TONIGHT)
    assert states(first, "rows") == {"all": State.UNKNOWN}
    assert nightly.correlate(bank.ports, bank.monitor, TONIGHT) is None
    later = TONIGHT + timedelta(days=1)
    assert bank.night(later) is not None
    assert (
        "no predictions for 2026-09-21 (staging): no file for the night"
        in one(bank).findings[0].signals[0].verdict.reason
    )


def test_the_replay_is_made_once_for_a_night(bank):
    bank.serve(TONIGHT, poorer_women)
    incident = bank.night()
    again = replay(bank.ports, bank.monitor, TONIGHT, incident)
    assert again == one(bank).replay
    assert bank.types(f"incident/{incident}").count("replayed") == 1
