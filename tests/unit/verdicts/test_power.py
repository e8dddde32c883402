"""What an ok says would have been found is found in four nights of five, at just that size.

Statistics: docs/statistics.md#what-an-ok-could-have-seen.
"""

import numpy as np
import pytest

from tests.unit.verdicts.made_measurements import bound, counted, number, ratio
from vigil.core.words import Family
from vigil.metrics.types import Kind, Worse
from vigil.verdicts.bounds import BREACH_LEVEL, judge_bound, pools
from vigil.verdicts.power import least_found
from vigil.verdicts.types import Cause, State

CASES = [
    (Kind.PROPORTION, "< 0.80", (180, 200)),
    (Kind.PROPORTION, "> 0.05", (4, 200)),
    (Kind.RATIO, "< 0.80", (295, 300, 2900, 3000)),
    (Kind.RATIO, "< 0.80", (190, 500, 2000, 5000)),
    (Kind.DIFFERENCE, "< -0.15", (140, 200, 1450, 2000)),
    (Kind.DIFFERENCE, "> 0.10", (140, 200, 1450, 2000)),
]


def said_of(m, text, past=(), *, min_difference=None, company=()):
    made = [pools(m, past), *(pools(c, []) for c in company)]
    return judge_bound(made, bound(text), min_difference=min_difference, min_rows=30)[0]


@pytest.mark.parametrize("company", [1, 8])
@pytest.mark.parametrize(("kind", "text", "parts"), CASES)
def test_a_harm_of_the_stated_size_is_a_breach_in_four_nights_of_five(kind, text, parts, company):
    rng, runs = np.random.default_rng(5), 600
    stated = least_found(kind, parts, bound(text), level=BREACH_LEVEL / company)
    n1 = parts[1]
    others = [counted(kind, *parts, subject=f"g{i}") for i in range(company - 1)]
    found = 0
    for _ in range(runs):
        if kind is Kind.PROPORTION:
            drawn = (rng.binomial(n1, stated), n1)
        else:
            p0 = parts[2] / parts[3]
            rate = stated * p0 if kind is Kind.RATIO else stated + p0
            drawn = (rng.binomial(n1, rate), n1, rng.binomial(parts[3], p0), parts[3])
        found += said_of(counted(kind, *drawn), text, company=others).state is State.BREACH
    assert 0.75 <= found / runs <= 0.85


def test_more_subjects_in_a_rule_see_only_larger_harm():
    seen = [least_found(Kind.RATIO, (480, 1000, 5000, 10_000), bound("< 0.8"), level=0.005 / n) for n in (1, 4, 16)]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 3


def test_where_nothing_that_can_happen_would_be_found_nothing_is_claimed():
    assert least_found(Kind.PROPORTION, (3, 3), bound("< 0.5"), level=0.005) is None
    assert least_found(Kind.RATIO, (4, 5, 50, 100), bound("< 0.5"), level=0.0001) is None
    assert least_found(Kind.RATIO, (4, 5, 0, 100), bound("< 0.5"), level=0.005) is None


def test_a_number_that_is_not_counted_has_no_such_size():
    with pytest.raises(ValueError, match="no counts to turn its test round"):
        least_found(Kind.NUMBER, (), bound("< 0.5"), level=0.005)


def gap(*parts):
    named = {"metric": "tpr_difference", "family": Family.FAIRNESS, "worse": Worse.AWAY}
    return counted(Kind.DIFFERENCE, *parts, **named)


def test_a_difference_that_is_bad_either_way_is_tested_on_both_sides():
    lower, higher = gap(300, 1000, 700, 1000), gap(700, 1000, 300, 1000)
    for m in (lower, higher):
        assert said_of(m, "> 0.10").state is State.BREACH
    assert said_of(gap(480, 1000, 500, 1000), "> 0.10").state is State.OK
    assert said_of(gap(8, 20, 14, 20), "> 0.10").state is State.UNKNOWN


def test_a_small_group_that_is_always_treated_worse_is_found_on_28_nights_together():
    night = ratio(2, 8, 40, 80)
    assert said_of(night, "< 0.8", [night] * 6).state is State.WARN
    found = said_of(night, "< 0.8", [night] * 27)
    assert found.state is State.BREACH
    assert "on 28 nights together" in found.why


def test_a_group_that_is_fine_now_is_not_held_to_what_it_was_weeks_ago():
    once, now = ratio(200, 1000, 500, 1000), ratio(490, 1000, 500, 1000)
    assert said_of(now, "< 0.8", [once] * 20 + [now] * 6).state is State.OK


def test_a_fairness_number_whose_interval_holds_harm_is_unknown_with_the_rows_needed():
    named = {"metric": "equalised_odds", "family": Family.FAIRNESS, "worse": Worse.HIGHER}
    wide = said_of(number(0.05, half=0.25, n=60, **named), "> 0.10")
    assert (wide.state, wide.cause) == (State.UNKNOWN, Cause.TOO_FEW_ROWS)
    assert "60 rows cannot exclude a value 0.1 beyond > 0.1; about 118 are needed" in wide.why
    assert said_of(number(0.05, half=0.05, n=900, **named), "> 0.10").state is State.OK
    assert said_of(number(0.05, half=0.25, n=60), "> 0.10").state is State.OK, "other families keep their own"
