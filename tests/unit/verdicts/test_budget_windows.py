"""Error budgets: what is left, how fast it burns, and that a night nobody could judge costs coverage, not budget."""

from datetime import timedelta

import pytest
from made_numbers import NIGHT, night, share

from vigil.core.words import Family
from vigil.metrics.types import Worse
from vigil.verdicts.budget import budget, burn_verdict
from vigil.verdicts.spent import Spent, spent
from vigil.verdicts.types import BurnLevel, Slo, State, Verdict

AVAILABLE = Slo(name="availability", sli="availability", target=0.99, nights=28)
FAIR = Slo(name="fair-nights", sli="good_nights", family=Family.FAIRNESS, target=0.75, nights=28)


def nights(*goods, total=1000):
    last = len(goods) - 1
    return [Spent(night=NIGHT - timedelta(days=last - n), good=g, total=total if g is not None else 0)
            if g is not None else Spent(night=NIGHT - timedelta(days=last - n), good=0, total=0)
            for n, g in enumerate(goods)]  # fmt: skip


def verdict(state, *, metric="selection_rate_ratio"):
    return Verdict(metric=metric, subject="sex=female", family=Family.FAIRNESS, state=state, reason="",
                   cause="no data" if state is State.UNKNOWN else None)  # fmt: skip


def test_half_of_the_allowed_failures_leave_half_of_the_budget():
    made = budget(AVAILABLE, nights(*[995] * 28))
    assert made.left == pytest.approx(0.5)
    assert made.attained == pytest.approx(0.995)
    assert (made.judged_nights, made.unjudged_nights) == (28, 0)


def test_more_failures_than_allowed_are_shown_as_overspent():
    assert budget(AVAILABLE, nights(*[980] * 28)).left == pytest.approx(-1.0)


def test_only_the_nights_of_the_window_count():
    assert budget(AVAILABLE, nights(*[0] * 5, *[1000] * 28)).left == pytest.approx(1.0)


def test_a_night_that_could_not_be_judged_costs_coverage_and_no_budget():
    made = budget(AVAILABLE, nights(1000, None, 1000))
    assert made.left == pytest.approx(1.0)
    assert (made.judged_nights, made.unjudged_nights) == (2, 1)


def test_a_window_without_any_judged_night_is_unknown_not_full():
    made = budget(AVAILABLE, nights(None, None))
    assert (made.left, made.attained) == (None, None)
    said = burn_verdict(AVAILABLE, made)
    assert said.state is State.UNKNOWN
    assert "tonight could not be counted" in said.reason


@pytest.mark.parametrize(
    ("good", "level", "state"),
    [
        pytest.param(500, BurnLevel.CRITICAL, State.BREACH, id="half of a night fails"),
        pytest.param(900, BurnLevel.FAST, State.BREACH, id="a tenth of a night fails"),
        pytest.param(999, BurnLevel.NONE, State.OK, id="one in a thousand fails"),
    ],
)
def test_how_fast_one_night_burns_decides_about_it(good, level, state):
    made = budget(AVAILABLE, nights(*[1000] * 27, good))
    assert made.level is level
    assert burn_verdict(AVAILABLE, made).state is state


def test_a_slow_burn_needs_many_nights_and_warns():
    steady = nights(*[975] * 14)
    assert budget(AVAILABLE, steady[:2]).level is BurnLevel.NONE
    made = budget(AVAILABLE, steady)
    assert burn_verdict(AVAILABLE, made).state is State.WARN


def test_a_burn_that_is_over_tonight_is_not_reported_again():
    made = budget(AVAILABLE, nights(*[1000] * 20, 500, 1000))
    assert made.level is BurnLevel.NONE


@pytest.mark.parametrize(
    ("states", "good", "total"),
    [
        ((State.OK, State.WARN), 1, 1),
        ((State.OK, State.BREACH), 0, 1),
        ((State.UNKNOWN,), 0, 0),
        ((State.UNKNOWN, State.OK), 1, 1),
        ((), 0, 0),
    ],
)
def test_a_good_night_has_no_breach_and_at_least_one_answer(states, good, total):
    found = spent(FAIR, night(0, verdicts=tuple(verdict(s) for s in states)))
    assert (found.good, found.total) == (good, total)


def test_a_young_model_is_not_exhausted_by_its_first_bad_night():
    made = budget(FAIR, nights(0, total=1))
    assert made.left == pytest.approx(1 - 1 / 7)


def test_availability_is_counted_from_the_rows_of_the_night():
    found = spent(AVAILABLE, night(0, share(990, 1000, metric="success_rate", subject="all", worse=Worse.LOWER)))
    assert (found.good, found.total) == (990, 1000)
