"""Immature cohorts say nothing, provisional ones may warn beside cohorts of their age, mature ones may breach."""

from datetime import timedelta

import pytest

from tests.unit.verdicts.made_measurements import NIGHT, counted, judged, night, number, share
from vigil.core.words import Family
from vigil.metrics.types import Kind, Worse
from vigil.verdicts.cohorts import Maturity, maturity
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.memory import remembered
from vigil.verdicts.spent import spent
from vigil.verdicts.types import Cause, Labels, Rule, Rules, Slo, State

LABELS = Labels(delay_nights=7, grace_nights=2, mature_share=0.8, provisional_share=0.3)
RULES = Rules(performance=(Rule(metric="accuracy", breach="< 0.7"),))
EARLY = tuple(share(600 + i % 5, 1000) for i in range(10))  # early labels are the bad ones: 60 %


def said(m, labelled, *, past=EARLY, age=3, rules=RULES):
    facts = Facts(night=NIGHT, as_of=NIGHT + timedelta(days=age), labels=LABELS, labelled_share=labelled,
                  same_age={m.id: past})  # fmt: skip
    (verdict,) = judge([m], rules, [], facts)
    return verdict


@pytest.mark.parametrize(("labelled", "stage"), [(0.0, "immature"), (0.3, "provisional"), (0.8, "mature")])
def test_the_share_of_labels_makes_a_cohort_what_it_is(labelled, stage):
    assert maturity(LABELS, labelled) is Maturity(stage)


def test_an_immature_cohort_is_unknown_whatever_it_shows():
    found = said(share(10, 100), 0.1)
    assert (found.state, found.cause, found.cohort) == (State.UNKNOWN, Cause.LABELS_PENDING, "")


def test_a_provisional_cohort_like_those_of_its_age_is_not_judged_by_the_bound_of_mature_ones():
    found = said(share(600, 1000), 0.5)  # below 0.7, as every cohort is at this age
    assert (found.state, found.cause, found.cohort) == (State.UNKNOWN, Cause.LABELS_PENDING, "provisional")
    assert "like 10 past cohorts at the same age (p = 0.45)" in found.reason
    assert "at the age of 3 nights" in found.reason


def test_a_provisional_cohort_that_is_worse_than_those_of_its_age_warns_and_no_more():
    found = said(share(300, 1000), 0.5)
    assert (found.state, found.cohort) == (State.WARN, "provisional")
    assert "worse than 10 past cohorts at the same age (p = " in found.reason
    assert said(share(300, 1000), 0.9).state is State.BREACH
    assert said(share(900, 1000), 0.5).state is State.UNKNOWN, "better is no warning, and not yet ok"


def test_too_few_cohorts_of_that_age_say_so():
    found = said(share(300, 1000), 0.5, past=EARLY[:6])
    assert found.state is State.UNKNOWN
    assert "6 past cohorts are known at this age, 7 are needed to compare" in found.reason


def test_labels_that_are_overdue_are_a_failure_and_no_provisional_figure():
    found = said(share(300, 1000), 0.5, age=10)
    assert (found.state, found.overdue, found.cohort) == (State.UNKNOWN, True, "")


def test_a_fairness_gap_that_is_bad_either_way_is_compared_on_both_sides():
    rules = Rules(fairness=(Rule(metric="tpr_difference", breach="> 0.3"),))

    def gap(k1):
        return counted(Kind.DIFFERENCE, k1, 1000, 500, 1000, metric="tpr_difference", worse=Worse.AWAY)

    past = tuple(gap(500 + i % 3) for i in range(10))
    assert [said(gap(k), 0.5, past=past, rules=rules).state for k in (300, 500, 700)] == [
        State.WARN, State.UNKNOWN, State.WARN]  # fmt: skip


def test_what_is_provisional_teaches_nothing_and_costs_no_budget():
    warned = judged(share(300, 1000), State.WARN, cohort="provisional")
    result = night(1, warned)
    assert remembered([result], ["accuracy"]) == {}
    counted_night = spent(Slo(name="right", sli="good_nights", family=Family.PERFORMANCE, target=0.9), result)
    assert counted_night.total == 0
    rules = Rules(performance=(Rule(metric="accuracy", sigma=4),))
    facts = Facts(night=NIGHT, as_of=NIGHT, labels=LABELS, labelled_share=1.0)
    history = [night(n, warned) for n in range(20, 0, -1)]
    (found,) = judge([share(300, 1000)], rules, history, facts)
    assert "0 past nights" in found.reason


def test_an_estimate_warns_at_most_and_says_that_it_is_one():
    detail = "estimated from scores; blind to concept drift"
    for subject in ("all", "sex=female"):
        m = number(0.3, half=0.02, metric="estimated_recall", subject=subject, family=Family.PERFORMANCE, unit="share",
                   worse=Worse.LOWER, detail=detail)  # fmt: skip
        rules = Rules(performance=(Rule(metric="estimated_recall", breach="< 0.6", hard="< 0.5"),))
        (found,) = judge([m], rules, [], Facts(night=NIGHT, as_of=NIGHT))
        assert (found.state, found.hard) == (State.WARN, False)
        assert "an estimate warns at most" in found.reason
        assert detail in found.reason
