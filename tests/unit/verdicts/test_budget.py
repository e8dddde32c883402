"""What an SLO counts, and what its verdict says in words; the windows are in test_budget_windows."""

import pytest

from tests.unit.verdicts.made_measurements import NIGHT, judged, night, number, share
from vigil.core.words import Family
from vigil.verdicts.budget import budget, burn_verdict
from vigil.verdicts.spent import Spent, spent
from vigil.verdicts.types import BurnLevel, Cause, Slo, State

AVAILABLE = Slo(name="availability", sli="availability", target=0.99)
FAST_ENOUGH = Slo(name="latency", sli="latency", threshold_ms=300, target=0.95)
FAIR = Slo(name="fair-nights", sli="good_nights", family=Family.FAIRNESS, target=0.893)


def answered(k, n):
    return share(k, n, metric="success_rate", family=Family.SERVICE)


def within(k, n, ms):
    return share(k, n, metric="latency_within", subject=f"<={ms} ms", family=Family.SERVICE)


def counted(*pairs):
    return [Spent(night=NIGHT, good=good, total=total) for good, total in pairs]


def test_a_number_that_a_rule_judged_and_one_that_no_rule_asked_about_count_alike():
    judged_one, spare = night(0, judged(answered(990, 1000))), night(0, measurements=(answered(990, 1000),))
    assert spent(AVAILABLE, judged_one) == spent(AVAILABLE, spare)
    assert (spent(AVAILABLE, spare).good, spent(AVAILABLE, spare).total) == (990, 1000)


def test_latency_is_counted_at_the_objective_s_own_threshold():
    both = night(0, measurements=(within(500, 1000, 100), within(970, 1000, 300)))
    assert spent(FAST_ENOUGH, both).good == 970


@pytest.mark.parametrize("nothing", [(), (number(None, metric="success_rate", subject="all", why_not="no rows"),)])
def test_a_night_without_the_number_spends_nothing_and_counts_nothing(nothing):
    assert spent(AVAILABLE, night(0, measurements=nothing)).total == 0


def test_a_breach_of_another_family_and_of_the_budget_itself_leave_a_night_good():
    fair = judged(share(9, 10, family=Family.FAIRNESS))
    service = judged(answered(1, 2), State.BREACH)
    burning = judged(share(1, 2, metric="burn", family=Family.FAIRNESS), State.BREACH)
    assert spent(FAIR, night(0, fair, service, burning)).good == 1


def test_the_verdict_of_a_budget_says_what_was_good_how_fast_it_burns_and_what_is_left():
    made = budget(AVAILABLE, counted(*[(1000, 1000)] * 27, (900, 1000)))
    found = burn_verdict(AVAILABLE, made)
    assert (found.state, found.id, found.family) == (State.BREACH, "burn/availability", Family.SERVICE)
    assert str(found.limit) == "target 99.0% over 28 nights"
    assert found.reason == (
        "SLO availability: 99.64% good of 28,000 over 28 nights, target 99.0% over 28 nights; "
        "tonight burns at 8.3x, 64% of the budget is left"
    )


def test_an_overspent_budget_has_nothing_left_not_less_than_nothing():
    found = burn_verdict(AVAILABLE, budget(AVAILABLE, counted((500, 1000))))
    assert "0% of the budget is left" in found.reason


def test_a_night_that_cannot_be_counted_is_unknown_whatever_the_window_holds():
    made = budget(AVAILABLE, counted(*[(1000, 1000)] * 10, (0, 0)))
    assert (made.left, made.burn, made.level) == (1.0, None, BurnLevel.NONE)
    assert (made.judged_nights, made.unjudged_nights) == (10, 1)
    found = burn_verdict(AVAILABLE, made)
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.NO_DATA)


def test_one_error_in_fifty_rows_is_no_fire():
    made = budget(AVAILABLE, counted((49, 50)))
    assert made.level is BurnLevel.NONE
    assert burn_verdict(AVAILABLE, made).state is State.OK


@pytest.mark.parametrize(
    ("target", "goods", "level", "state"),
    [
        pytest.param(0.99, [750], BurnLevel.CRITICAL, State.BREACH, id="a night at 14 times"),
        pytest.param(0.99, [900], BurnLevel.FAST, State.BREACH, id="a night at 7 times"),
        pytest.param(0.99, [950] * 3, BurnLevel.MEDIUM, State.BREACH, id="3 nights at 3 times"),
        pytest.param(0.99, [950] * 2, BurnLevel.NONE, State.OK, id="2 nights at 3 times"),
        pytest.param(0.99, [970] * 7, BurnLevel.SLOW, State.WARN, id="7 nights at 1.5 times"),
        pytest.param(0.99, [970] * 6, BurnLevel.NONE, State.OK, id="6 nights at 1.5 times"),
        pytest.param(0.95, [930] * 14, BurnLevel.CREEP, State.WARN, id="14 nights at once the allowed"),
        pytest.param(0.95, [930] * 13, BurnLevel.NONE, State.OK, id="13 nights at once the allowed"),
    ],
)
def test_a_slower_burn_needs_more_nights(target, goods, level, state):
    slo = AVAILABLE.model_copy(update={"target": target})
    made = budget(slo, counted(*[(g, 1000) for g in goods]))
    assert made.level is level
    assert burn_verdict(slo, made).state is state


def test_three_of_twenty_eight_nights_may_be_unfair_and_the_fourth_overspends():
    def left(bad):
        return budget(FAIR, counted(*[(1, 1)] * (28 - bad), *[(0, 1)] * bad)).left

    assert left(0) == 1.0
    assert left(2) > 0
    assert left(3) == pytest.approx(0, abs=0.002)
    assert left(4) < 0


def test_availability_says_that_it_is_of_logged_requests_only():
    assert budget(AVAILABLE, counted((1, 1))).of_logged
    assert not budget(FAST_ENOUGH, counted((1, 1))).of_logged
