"""Incidents end: question by question, by standing, or because nothing can answer. What stands is not silence."""

from datetime import timedelta
from pathlib import Path

import pytest
from judged import KNOWN, NEW, Watched, a_verdict, after, fine, ratio, recall, shift, unknown

from vigil.core.errors import DataError, LedgerError
from vigil.core.words import Family
from vigil.incidents.standing import standing_findings
from vigil.incidents.types import Basis, Status
from vigil.usecases.standing import accept
from vigil.verdicts.types import Cause, Onset, State

RATIO = "selection_rate_ratio/sex=female"
SHIFT = "mean_shift/income"


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def stands(watched, days):
    return standing_findings(watched.incidents, after(days))


def resolution(watched, incident=None):
    incident = incident or watched.only
    return next(e.payload for e in reversed(watched.events(incident)) if e.type == "resolved")


def null_share(value=0.2, **more):
    return a_verdict("missing", "income", Family.QUALITY, value, State.BREACH, onset=Onset.NEW, **more)


# What is known.


def test_a_disparity_known_since_the_reference_is_told_once_and_then_stands(watched):
    watched.nights(range(3), ratio(onset=KNOWN))
    assert watched.only.status is Status.RESOLVED
    assert watched.only.last_bad_night == after(0)
    entry = stands(watched, 3)[RATIO]
    assert (entry.basis, entry.review) == (Basis.KNOWN, after(2 + 90))
    assert entry.verdict.measurement.value == 0.7


def test_what_stands_is_silent_until_its_review_and_then_opens_another_incident(tmp_path):
    watched = Watched(tmp_path, review_days=5)
    watched.nights(range(7), ratio(onset=KNOWN))
    assert len(watched.incidents) == 1
    watched.night(7, ratio(onset=KNOWN))
    first, second = watched.incidents
    assert (first.status, second.status) == (Status.RESOLVED, Status.OPEN)
    assert second.findings[0].signals[0].review == after(7)
    watched.respond()
    assert any("Review due" in m.text for c in watched.stage.notifier.channels.values() for m in c.messages)
    watched.nights(range(8, 10), ratio(onset=KNOWN))
    assert [i.status for i in watched.incidents] == [Status.RESOLVED] * 2
    assert stands(watched, 10)[RATIO].review == after(9 + 5)


def test_a_review_that_is_due_on_the_next_night_reopens_nothing(tmp_path):
    watched = Watched(tmp_path, review_days=1)
    watched.nights(range(4), ratio(onset=KNOWN))
    assert [i.reopened for i in watched.incidents] == [0, 0]


def test_what_stands_is_a_signal_at_once_when_it_is_worse(watched):
    watched.nights(range(8), ratio(onset=KNOWN))
    assert len(watched.incidents) == 1
    watched.night(8, ratio(0.4, onset=NEW))
    assert watched.incidents[-1].is_open
    assert stands(watched, 8) == {}


def test_what_was_worse_and_is_as_always_again_stands_again(watched):
    watched.nights(range(8), ratio(onset=KNOWN))
    watched.night(8, ratio(0.4, onset=NEW))
    watched.nights(range(9, 11), ratio(onset=KNOWN))
    assert [i.status for i in watched.incidents] == [Status.RESOLVED] * 2
    assert stands(watched, 11)[RATIO].night == after(10)


def test_a_known_breach_that_comes_and_goes_stands_too(watched):
    watched.night(0, ratio(onset=KNOWN))
    watched.night(1, fine(ratio()))
    watched.night(2, ratio(onset=KNOWN))
    assert RATIO in stands(watched, 3)


def test_a_known_breach_does_not_hold_another_question_open_nor_is_held_by_it(watched):
    watched.night(0, ratio(onset=KNOWN), shift())
    watched.night(1, ratio(onset=KNOWN), shift())
    watched.nights(range(2, 4), ratio(onset=KNOWN), fine(shift()))
    assert watched.only.status is Status.RESOLVED
    assert set(stands(watched, 4)) == {RATIO}


# What lasts.


def test_drift_that_stays_for_ten_nights_stands_and_a_rebaselining_is_proposed(watched):
    watched.nights(range(10), shift())
    assert watched.only.is_open
    watched.night(10, shift())
    assert watched.only.status is Status.RESOLVED
    entry = stands(watched, 11)[SHIFT]
    assert (entry.basis, entry.first_night) == (Basis.LASTING, after(0))
    watched.respond()
    texts = [m.text for c in watched.stage.notifier.channels.values() for m in c.messages]
    assert any(f"vigil rebaseline credit --since {after(0)}" in text for text in texts)
    watched.nights(range(11, 20), shift())
    assert len(watched.incidents) == 1


def test_a_new_finding_makes_lasting_drift_count_anew(watched):
    watched.nights(range(8), shift())
    watched.nights(range(8, 18), shift(), shift("age"))
    assert watched.only.is_open
    watched.night(18, shift(), shift("age"))
    assert watched.only.status is Status.RESOLVED
    assert set(stands(watched, 19)) == {SHIFT, "mean_shift/age"}


def test_drift_that_lasts_signals_when_it_has_moved_on_by_half(watched):
    watched.nights(range(12), shift(value=0.6))
    watched.night(12, shift(value=0.8))
    assert len(watched.incidents) == 1
    watched.night(13, shift(value=1.0))
    assert watched.incidents[-1].is_open


def test_drift_that_was_usual_again_signals_when_it_comes_back(watched):
    watched.nights(range(11), shift())
    watched.nights(range(11, 20), fine(shift(value=0.0)))
    watched.night(20, shift())
    assert len(watched.incidents) == 2


@pytest.mark.parametrize("harm", [recall(), ratio(onset=NEW)])
def test_harm_that_is_new_never_stands_by_itself_however_long_it_lasts(watched, harm):
    watched.nights(range(30), harm, shift())
    assert watched.only.is_open
    assert stands(watched, 30) == {}


def test_lasting_bad_quality_stands_and_a_column_that_is_gone_does_not(tmp_path):
    soft, gone = Watched(tmp_path / "soft"), Watched(tmp_path / "gone")
    soft.nights(range(11), null_share())
    gone.nights(range(30), null_share(1.0, hard=True))
    assert (soft.only.status, gone.only.status) == (Status.RESOLVED, Status.OPEN)


def test_nights_of_the_fallback_make_nothing_stand(watched):
    watched.nights(range(20), shift(), champion=False)
    assert watched.only.is_open


# What a person accepts.


def accepted(watched, **more):
    facts = {"review": after(60), "by": "ana", "reason": "the law allows it", **more}
    return accept(watched.stage.ports(), watched.only.id, RATIO, **facts)


def test_harm_that_a_person_accepts_ends_its_incident_and_signals_only_when_it_is_worse(watched):
    watched.nights(range(5), ratio(onset=NEW))
    accepted(watched)
    watched.night(5, ratio(onset=NEW))
    assert watched.only.status is Status.RESOLVED
    assert (stands(watched, 6)[RATIO].basis, stands(watched, 6)[RATIO].by) == (Basis.ACCEPTED, "ana")
    watched.nights(range(6, 9), ratio(0.69, onset=NEW))
    assert len(watched.incidents) == 1
    watched.night(9, ratio(0.3, onset=NEW))
    assert watched.incidents[-1].is_open


def test_what_is_accepted_is_told_with_who_and_why(watched):
    watched.nights(range(2), ratio(onset=NEW))
    accepted(watched)
    watched.respond()
    texts = [m.text for c in watched.stage.notifier.channels.values() for m in c.messages]
    assert any("Accepted by ana:* the law allows it" in text for text in texts)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"by": " "}, "who accepts it"),
        ({"reason": ""}, "why"),
        ({"review": after(1)}, "a day after today"),
        ({"review": after(500)}, "400 days ahead at most"),
    ],
)
def test_accepting_needs_a_person_a_reason_and_a_review_within_a_year_or_so(watched, more, says):
    watched.nights(range(3), ratio(onset=NEW))
    with pytest.raises(DataError, match=says):
        accepted(watched, **more)


def test_only_questions_of_an_open_incident_are_accepted(watched):
    watched.night(0, ratio(onset=NEW))
    with pytest.raises(DataError, match=f"its questions: {RATIO}"):
        accept(watched.stage.ports(), watched.only.id, "auc/all", review=after(60), by="ana", reason="x")
    with pytest.raises(LedgerError, match="there is no incident 'x'"):
        accept(watched.stage.ports(), "x", RATIO, review=after(60), by="ana", reason="x")
    watched.nights(range(1, 3), fine(ratio()))
    with pytest.raises(DataError, match="is over"):
        accepted(watched)


def test_what_nobody_knows_cannot_be_accepted(watched):
    blind = unknown(ratio(), Cause.CHECK_FAILED).model_copy(update={"overdue": True})
    watched.nights(range(2), blind)
    with pytest.raises(DataError, match="unknown, not bad"):
        accepted(watched)


# What ends by good nights, for a model of any size.


@pytest.mark.parametrize("rows", [8, 30, 100, 5000])
def test_an_incident_of_a_model_of_any_size_ends_with_good_nights(watched, rows):
    watched.nights(range(5), fine(shift()), rows=rows)
    watched.night(5, shift(), rows=rows)
    watched.nights(range(6, 8), fine(shift()), rows=rows)
    assert watched.only.status is Status.RESOLVED


def test_a_night_of_far_fewer_rows_than_usual_closes_nothing(watched):
    watched.nights(range(5), fine(shift()), rows=400)
    watched.night(5, shift(), rows=400)
    watched.nights(range(6, 12), fine(shift()), rows=50)
    assert watched.only.is_open


def test_a_declared_number_of_rows_is_what_a_night_needs(tmp_path):
    watched = Watched(tmp_path, recovery_rows=50)
    watched.night(0, shift(), rows=400)
    watched.nights(range(1, 6), fine(shift()), rows=49)
    assert watched.only.is_open
    watched.nights(range(6, 8), fine(shift()), rows=50)
    assert watched.only.status is Status.RESOLVED


def test_each_question_has_its_own_good_nights(watched):
    watched.night(0, shift(), recall())
    watched.nights(range(1, 3), shift(), fine(recall()))
    watched.nights(range(3, 5), fine(shift()), unknown(recall(), Cause.LABELS_PENDING))
    assert watched.only.status is Status.RESOLVED


def test_an_unknown_neither_counts_nor_resets(watched):
    watched.night(0, ratio(onset=NEW))
    watched.night(1, fine(ratio()))
    watched.nights(range(2, 5), unknown(ratio()))
    assert watched.only.is_open
    watched.night(5, fine(ratio()))
    assert watched.only.status is Status.RESOLVED


def test_a_small_group_that_nobody_can_answer_for_any_more_is_given_up_and_named(watched):
    young = ratio(onset=NEW, group="age=young")
    watched.night(0, young, shift())
    watched.nights(range(1, 10), unknown(young), fine(shift()))
    assert watched.only.is_open
    watched.night(10, unknown(young), fine(shift()))
    assert watched.only.status is Status.RESOLVED
    assert resolution(watched)["unanswered"] == [young.id]
    assert f"not answered since: {young.id} since {after(1)}" in resolution(watched)["why"]


@pytest.mark.parametrize("cause", [Cause.LABELS_PENDING, Cause.CHECK_FAILED, Cause.GATE_FAILED])
def test_a_question_that_a_failure_or_a_label_keeps_unanswered_is_never_given_up(watched, cause):
    watched.night(0, recall())
    watched.nights(range(1, 25), unknown(recall(), cause))
    assert watched.only.is_open


def test_an_overdue_unknown_is_never_given_up(watched):
    watched.night(0, recall())
    late = unknown(recall()).model_copy(update={"overdue": True})
    watched.nights(range(1, 25), late)
    assert watched.only.is_open


def test_recovered_is_said_when_every_question_has_a_good_answer(watched):
    watched.night(0, shift(), recall())
    watched.night(1, fine(shift()), unknown(recall(), Cause.LABELS_PENDING))
    assert watched.only.status is Status.OPEN
    watched.night(2, unknown(shift()), fine(recall()))
    assert watched.only.status is Status.RECOVERED


def test_weekends_without_rows_change_nothing(watched):
    watched.night(0, shift())
    for days in range(1, 14):
        if after(days).weekday() < 5:
            watched.night(days, shift())
        else:
            watched.night(days, rows=0)
    assert watched.only.is_open, "nine judged nights since"
    watched.night(14, shift())
    assert watched.only.status is Status.RESOLVED


def test_a_resolved_incident_that_another_question_reopens_keeps_what_stands(watched):
    watched.nights(range(3), ratio(onset=KNOWN))
    watched.night(3, ratio(onset=KNOWN), shift())
    assert (watched.only.status, watched.only.reopened) == (Status.OPEN, 1)
    watched.nights(range(4, 6), ratio(onset=KNOWN), fine(shift()))
    assert watched.only.status is Status.RESOLVED
    assert RATIO in stands(watched, 6)


def test_every_night_twice_adds_nothing(watched):
    for days in range(16):
        verdicts = (ratio(onset=KNOWN), shift() if days < 13 else fine(shift()))
        watched.night(days, *verdicts)
        before = watched.stage.events()
        watched.night(days, *verdicts)
        assert watched.stage.events() == before


def test_the_register_is_read_as_of_a_night(watched):
    watched.nights(range(3), ratio(onset=KNOWN))
    review = stands(watched, 3)[RATIO].review
    assert RATIO in standing_findings(watched.incidents, review - timedelta(days=1))
    assert standing_findings(watched.incidents, review) == {}
