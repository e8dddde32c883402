"""Mitigate what is broken: a rollback only if evidence says that it helps."""

from datetime import date

import pytest

from vigil.core.words import Family, Mitigation
from vigil.diagnosis.counterfactual import answer, conclude, could_not
from vigil.metrics.catalog import CATALOG, Scope
from vigil.verdicts.types import Cause, State, Verdict

NIGHT = date(2026, 11, 20)
AIR = "selection_rate_ratio/sex=female"


def a_verdict(state, metric="selection_rate_ratio", subject="sex=female"):
    cause = Cause.NO_DATA if state is State.UNKNOWN else None
    return Verdict(
        metric=metric, subject=subject, family=Family.FAIRNESS, state=state, cause=cause, reason=f"{metric} …"
    )


def replayed(role, state, *more):
    return answer(role, "1", 1000, [AIR], [a_verdict(state), *more])


def test_when_the_previous_version_is_fine_the_new_one_is_rolled_back():
    found = conclude(NIGHT, [replayed("previous", State.OK), replayed("fallback", State.OK)])
    assert (found.mitigation, found.target_version) == (Mitigation.ROLLBACK, "1")


def test_when_the_breach_stays_a_rollback_would_not_help_and_the_rules_stand_in():
    found = conclude(NIGHT, [replayed("previous", State.BREACH), replayed("fallback", State.OK)])
    assert found.mitigation is Mitigation.FALLBACK
    assert "would not help" in found.why


def test_when_the_fallback_breaches_too_people_decide():
    found = conclude(NIGHT, [replayed("previous", State.BREACH), replayed("fallback", State.BREACH)])
    assert found.mitigation is Mitigation.FREEZE


def test_a_version_that_breaches_elsewhere_is_no_help():
    other = a_verdict(State.BREACH, subject="age_band=under_25")
    assert replayed("previous", State.OK, other).helps is False


def test_a_version_that_cannot_be_judged_is_unknown_and_never_chosen():
    found = conclude(NIGHT, [replayed("previous", State.UNKNOWN), could_not("fallback", "9", "out of memory")])
    assert [v.helps for v in found.versions] == [None, None]
    assert found.mitigation is Mitigation.FREEZE


def test_a_question_that_the_replay_did_not_answer_is_unknown():
    assert answer("previous", "1", 10, [AIR], []).helps is None


def test_without_a_previous_version_the_fallback_is_taken_and_the_reason_says_so():
    found = conclude(NIGHT, [replayed("fallback", State.OK)])
    assert found.mitigation is Mitigation.FALLBACK
    assert "no previous version" in found.why


@pytest.mark.parametrize(("metric", "helps"), [("distinct_values", True), ("missing", True), ("out_of_range", True),
                                               ("missing_prediction", False), ("missing_score", False)])  # fmt: skip
def test_what_is_wrong_with_the_inputs_is_no_fault_of_a_version_and_a_lost_answer_is(metric, helps):
    subject = "amount" if CATALOG[metric].scope is Scope.FEATURE else "all"
    other = a_verdict(State.BREACH, metric, subject).model_copy(update={"family": Family.QUALITY})
    assert replayed("fallback", State.OK, other).helps is helps
