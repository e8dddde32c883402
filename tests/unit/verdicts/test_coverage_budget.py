"""Nights that could not be judged spend a budget of their own; what an incident speaks of is not said twice."""

from datetime import timedelta

import pytest

from tests.unit.verdicts.made_measurements import NIGHT
from vigil.core.words import Family
from vigil.verdicts.budget import budget, burn_verdict
from vigil.verdicts.spent import Spent
from vigil.verdicts.types import BurnLevel, Cause, Slo, State

UP = Slo(name="up", sli="availability", target=0.99)
FAIR = Slo(name="fair", sli="good_nights", family=Family.FAIRNESS, target=25 / 28)


def window(signs, *, total=100):
    """`+` good, `-` bad, `?` could not be counted, `!` the same and overdue, `w` waits for labels, `n` not asked."""
    nights = [NIGHT - timedelta(days=n) for n in range(len(signs) - 1, -1, -1)]
    return [
        Spent(night=day, good=total * (s == "+"), total=total * (s in "+-"), waiting=s == "w", overdue=s == "!",
              asked=s != "n")
        for day, s in zip(nights, signs, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("signs", "left"), [("+" * 28, 1.0), ("+" * 27 + "?", 0.5), ("+" * 26 + "??", 0.0), ("+" * 24 + "????", -1.0)]
)
def test_two_of_twenty_eight_nights_may_go_unjudged(signs, left):
    assert budget(UP, window(signs)).coverage_left == left


def test_no_night_may_go_unjudged_where_the_target_is_that_high():
    strict = UP.model_copy(update={"coverage": 0.99})
    assert budget(strict, window("++")).coverage_left == 1
    assert budget(strict, window("+?")).coverage_left < 0


def test_scattered_nights_that_nobody_judged_end_in_an_overdue_unknown():
    made = budget(UP, window("++?++?++?++"))
    found = burn_verdict(UP, made)
    assert (found.state, found.cause, found.overdue) == (State.UNKNOWN, Cause.NO_DATA, True)
    assert found.reason.endswith("; 3 of its nights could not be judged, 2 may")


def test_two_overdue_nights_in_a_row_have_an_incident_already_and_are_not_said_again():
    made = budget(UP, window("++!!!!++"))
    assert made.coverage_left < 0
    assert not made.blind
    found = burn_verdict(UP, made)
    assert (found.state, found.overdue) == (State.OK, False)
    assert "4 of its nights could not be judged, 2 may" in found.reason


def test_overdue_nights_that_stand_alone_opened_nothing_and_count():
    assert budget(UP, window("+!+!+!+")).blind


def test_a_burn_is_said_whatever_could_not_be_judged():
    found = burn_verdict(UP, budget(UP, window("+?+?+?-")))
    assert (found.state, found.overdue) == (State.BREACH, False)


def test_nights_that_wait_for_labels_cost_nothing_and_the_window_reaches_further_back():
    made = budget(FAIR, window("-" + "+" * 27 + "w" * 30, total=1))
    assert (made.judged_nights, made.unjudged_nights, made.waiting_nights) == (28, 0, 30)
    assert made.newest == NIGHT - timedelta(days=30)
    assert made.left == pytest.approx(1 - 1 / 3)
    found = burn_verdict(FAIR, made)
    assert (found.state, found.cause, found.overdue) == (State.UNKNOWN, Cause.LABELS_PENDING, False)


def test_nights_before_an_objective_was_asked_about_are_not_held_against_it():
    made = budget(UP, window("nnnn+n+"))
    assert (made.judged_nights, made.unjudged_nights) == (2, 1)


def test_a_window_that_was_never_asked_about_is_unknown_and_not_blind():
    made = budget(UP, window("nnn"))
    assert (made.left, made.unjudged_nights, made.blind) == (None, 0, False)


def test_three_bad_nights_in_a_row_are_a_burn_although_each_is_one_event():
    assert budget(FAIR, window("+" * 10 + "--", total=1)).level is BurnLevel.NONE
    assert budget(FAIR, window("+" * 10 + "---", total=1)).level is BurnLevel.MEDIUM
    assert budget(FAIR, window("+" * 10 + "---+", total=1)).level is BurnLevel.NONE


def test_a_burn_of_nights_only_warns_because_each_bad_night_was_a_breach_itself():
    found = burn_verdict(FAIR, budget(FAIR, window("+" * 10 + "---", total=1)))
    assert (found.state, found.overdue) == (State.WARN, False)
