"""A fairness verdict says whether the disparity has always been so, or got worse (docs/statistics.md#fairness)."""

import numpy as np
import pytest

from tests.unit.verdicts.made_measurements import NIGHT, counted, nights, number, ratio, share
from vigil.core.words import Family
from vigil.metrics.types import Kind, Worse
from vigil.verdicts.disparity import trend
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import Rule, Rules, State

MATURE = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0)
FOUR_FIFTHS = Rules(fairness=(Rule(metric="selection_rate_ratio", breach="< 0.8"),))
FAIR, UNFAIR = ratio(480, 1000, 500, 1000), ratio(300, 1000, 500, 1000)


def verdict(m, past):
    (found,) = judge([m], FOUR_FIFTHS, nights(past), MATURE)
    return found


def test_a_new_disparity_got_worse():
    found = verdict(UNFAIR, [FAIR] * 28)
    assert found.state is State.BREACH
    assert found.trend.startswith("was 0.96 on the last 28 nights: got worse (p ")
    assert found.trend in found.reason


def test_a_disparity_that_has_always_been_so_is_known():
    found = verdict(UNFAIR, [UNFAIR] * 28)
    assert found.state is State.BREACH
    assert found.trend.startswith("has been 0.587 to 0.613 on the last 28 nights (known), not worse tonight (p = 0.5")


def test_without_past_nights_the_holdout_tells():
    known = verdict(UNFAIR.model_copy(update={"baseline": 0.61, "yardstick": "holdout of version 2"}), [])
    assert known.trend.startswith("not worse than 0.61 on the holdout of version 2 (known since then, p = ")
    new = verdict(UNFAIR.model_copy(update={"baseline": 0.97, "yardstick": "holdout of version 2"}), [])
    assert new.trend.startswith("was 0.97 on the holdout of version 2: got worse")
    assert verdict(UNFAIR, []).trend == "no past nights tell yet whether it has always been so"


def test_a_verdict_that_is_well_or_about_no_group_says_nothing_of_it():
    assert verdict(FAIR, [FAIR] * 28).trend == ""
    assert trend(share(100, 1000), [share(900, 1000)] * 28, "<") == ""


def test_nights_that_always_wobble_do_not_make_every_bad_one_new():
    rng = np.random.default_rng(4)
    wobbly = [ratio(int(1000 * r), 2000, 1000, 2000) for r in rng.uniform(0.6, 1.0, 28)]
    tonight = ratio(620, 2000, 1000, 2000)
    assert "got worse" in trend(tonight, [ratio(800, 2000, 1000, 2000)] * 28, "<")
    assert "(known)" in trend(tonight, wobbly, "<")


def test_a_gap_that_is_bad_either_way_is_worse_when_it_is_further_off():
    def gap(*parts):
        return counted(Kind.DIFFERENCE, *parts, metric="tpr_difference", worse=Worse.AWAY)

    even = [gap(500, 1000, 500, 1000)] * 28
    assert "got worse" in trend(gap(300, 1000, 500, 1000), even, ">")
    assert "got worse" in trend(gap(700, 1000, 500, 1000), even, ">")
    assert "(known)" in trend(gap(300, 1000, 500, 1000), [gap(300, 1000, 500, 1000)] * 28, ">")


def test_a_ratio_that_is_bounded_from_above_is_worse_when_it_is_higher():
    assert "got worse" in trend(ratio(700, 1000, 500, 1000), [FAIR] * 28, ">")
    assert "(known)" in trend(UNFAIR, [FAIR] * 28, ">")


def test_numbers_without_counts_are_compared_by_their_intervals():
    named = {"metric": "equalised_odds", "family": Family.FAIRNESS, "worse": Worse.HIGHER, "unit": "difference"}
    past = [number(0.05 + 0.002 * (i % 5), half=0.02, **named) for i in range(28)]
    assert "got worse" in trend(number(0.3, half=0.02, **named), past, ">")
    assert "(known)" in trend(number(0.06, half=0.02, **named), past, ">")


def test_a_night_like_the_past_is_said_to_be_worse_no_more_often_than_once_in_a_hundred():
    rng, worse = np.random.default_rng(8), 0
    for _ in range(600):
        made = [ratio(rng.binomial(400, 0.3), 400, rng.binomial(2000, 0.5), 2000) for _ in range(29)]
        worse += "got worse" in trend(made[0], made[1:], "<")
    assert worse / 600 <= 0.02


@pytest.mark.parametrize("k", [0, 1])
def test_a_group_that_nobody_favours_is_compared_without_an_error(k):
    assert "got worse" in trend(ratio(k, 300, 500, 1000), [ratio(150, 300, 500, 1000)] * 5, "<")
