"""A static rule tests its bound: beyond, within, or too few rows to tell; never the point alone.

Statistics: docs/statistics.md#test-of-a-bound.
"""

import re

import pytest
from pydantic import ValidationError

from tests.unit.verdicts.made_measurements import bound, counted, missing, number, ratio, share, volume
from vigil.core.words import Family
from vigil.metrics.types import Kind, Worse
from vigil.verdicts.bounds import Pools, holm, judge_bound, pools
from vigil.verdicts.types import Cause, State

FOUR_FIFTHS = bound("< 0.8")


def said_of(m, text, past=(), *, min_difference=None, min_rows=30):
    return judge_bound([pools(m, past)], bound(text), min_difference=min_difference, min_rows=min_rows)[0]


@pytest.mark.parametrize("text", ["< 0.80", "> 0.2", " <-0.15 ", "> 1e-3", "<5"])
def test_a_bound_is_written_as_its_bad_side_and_where_it_begins(text):
    assert bound(text).side == text.strip()[0]
    assert bound(str(bound(text))) == bound(text)


@pytest.mark.parametrize("text", ["0.8", "<= 0.8", "below 0.8", "< 80 %", ""])
def test_a_bound_that_cannot_be_read_says_how_one_is_written(text):
    with pytest.raises(ValidationError, match=r"a bound is written '< 0.80' or '> 0.2'"):
        bound(text)


def test_the_bound_itself_is_within():
    assert not FOUR_FIFTHS.violated(0.8)
    assert FOUR_FIFTHS.violated(0.79)
    assert not bound("> 0.2").violated(0.2)


def test_a_value_clearly_beyond_the_bound_on_many_rows_is_a_breach_with_its_p_value():
    found = said_of(ratio(300, 1000, 450, 1000), "< 0.8")
    assert found.state is State.BREACH
    assert found.why.startswith("beyond < 0.8 (p = ")
    assert found.p_breach < 0.005


def test_a_value_clearly_within_the_bound_is_ok_and_says_what_it_would_have_seen():
    found = said_of(share(970, 1000), "< 0.9")
    assert (found.state, found.cause) == (State.OK, None)
    assert found.why == "within < 0.9 tonight"
    assert "a true value below 0.8" in found.would_see
    assert "80 % power" in found.would_see


def test_the_same_point_beyond_the_bound_is_not_a_breach_on_few_rows():
    few, many = ratio(6, 20, 9, 20), ratio(600, 2000, 900, 2000)
    assert few.value == many.value < 0.8
    assert said_of(many, "< 0.8").state is State.BREACH
    assert said_of(few, "< 0.8").state is State.UNKNOWN


@pytest.mark.parametrize("group", [(3, 3, 50, 100), (0, 3, 50, 100), (2, 3, 50, 100)])
def test_a_group_of_three_rows_is_unknown_not_ok_and_says_how_many_rows_are_needed(group):
    found = said_of(ratio(*group), "< 0.8")
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_ROWS)
    said = re.fullmatch(r"3 rows cannot exclude a value 0.1 beyond < 0.8; about (\d+) are needed", found.why)
    assert said is not None
    assert int(said[1]) > 3


def test_three_rows_that_are_all_as_wished_become_ok_only_together_with_other_nights():
    three = ratio(3, 3, 50, 100)
    assert said_of(three, "< 0.8", [three] * 6).state is State.UNKNOWN
    assert said_of(three, "< 0.8", [three] * 27).state is State.OK


def test_three_rows_can_still_be_a_breach():
    assert said_of(missing(3, 3), "> 0.05").state is State.BREACH


def test_the_rows_that_are_said_to_be_needed_do_decide():
    found = said_of(share(93, 100), "< 0.93")
    assert found.state is State.UNKNOWN
    needed = int(found.why.split("about ")[1].split()[0])
    assert said_of(share(round(0.93 * needed * 1.2), round(needed * 1.2)), "< 0.93").state is State.OK


@pytest.mark.parametrize("kind", [Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE])
def test_counts_without_any_row_are_never_ok(kind):
    parts = (0, 0) if kind is Kind.PROPORTION else (0, 0, 10, 20)
    assert said_of(counted(kind, *parts), "< 0.5").state is State.UNKNOWN


def test_a_smaller_harm_that_must_be_excluded_needs_more_rows():
    measured = share(920, 1000)
    assert said_of(measured, "< 0.9").state is State.OK
    assert said_of(measured, "< 0.9", min_difference=0.001).state is State.OK
    barely = share(904, 1000)
    assert said_of(barely, "< 0.9").state is State.OK
    assert said_of(barely, "< 0.9", min_difference=0.001).state is State.UNKNOWN


def test_seven_nights_together_breach_what_no_single_night_can():
    one = ratio(19, 40, 72, 100)
    assert said_of(one, "< 0.8").state is State.UNKNOWN
    found = said_of(one, "< 0.8", [one] * 6)
    assert found.state is State.BREACH


def test_seven_nights_together_warn_before_they_breach():
    one = ratio(22, 40, 76, 100)
    found = said_of(one, "< 0.8", [one] * 6)
    assert found.state is State.WARN
    assert found.why.startswith("probably beyond < 0.8 (p = ")
    assert found.why.endswith("on 7 nights)")


def test_a_longer_pool_is_tried_before_saying_unknown():
    one = ratio(7, 12, 7, 10)
    assert said_of(one, "< 0.8").state is State.UNKNOWN
    week = said_of(one, "< 0.8", [one] * 6)
    month = said_of(one, "< 0.8", [one] * 27)
    assert (week.state, month.state) == (State.UNKNOWN, State.OK)
    assert month.why == "within < 0.8 on 28 nights"
    assert "on 28 nights would have been found" in month.would_see


def test_pools_hold_tonight_and_at_most_six_and_twenty_seven_nights_before_it():
    tonight = share(9, 10)
    made = pools(tonight, [share(0, 1000)] * 3 + [share(8, 10)] * 27)
    assert made.week.parts == (9 + 6 * 8, 70)
    assert made.month.parts == (9 + 27 * 8, 280)


def test_past_nights_that_could_not_be_measured_do_not_enter_a_pool():
    unknown = share(9, 10).model_copy(update={"value": None, "parts": ()})
    assert pools(share(9, 10), [unknown, share(8, 10)]).week.parts == (17, 20)


def test_numbers_that_do_not_add_up_are_not_pooled():
    tonight = number(0.3, half=0.1)
    assert pools(tonight, [number(5.0)] * 6) == Pools.alone(tonight)


def test_many_subjects_of_one_rule_share_its_false_alarms():
    weak, strong, calm = share(872, 1000), share(860, 1000), share(930, 1000)
    assert said_of(weak, "< 0.9").state is State.BREACH
    for found, state in ((weak, State.WARN), (strong, State.BREACH)):
        crowd = [pools(m, []) for m in (found, *[calm] * 9)]
        assert judge_bound(crowd, bound("< 0.9"), min_difference=None, min_rows=30)[0].state is state


def test_holm_never_makes_a_p_value_smaller_and_keeps_the_order():
    given = [0.04, 0.001, 0.03, 0.9]
    assert holm(given) == pytest.approx([0.09, 0.004, 0.09, 0.9])
    assert holm([]) == []


def test_a_number_is_beyond_a_bound_only_when_its_interval_is():
    assert said_of(number(1.2, half=0.1), "> 1").state is State.BREACH
    assert said_of(number(1.2, half=0.3), "> 1").state is State.UNKNOWN
    assert said_of(number(0.9, half=0.3), "> 1").state is State.OK
    assert said_of(number(1.2, half=0.22), "> 1").state is State.WARN


AUC = {"metric": "auc", "subject": "all", "family": Family.PERFORMANCE, "unit": "", "worse": Worse.LOWER}


def test_a_performance_number_is_ok_only_where_harm_beyond_its_bound_is_excluded():
    doubtful = said_of(number(0.75, half=0.10, n=120, **AUC), "< 0.80")
    assert (doubtful.state, doubtful.cause) == (State.UNKNOWN, Cause.TOO_FEW_ROWS)
    assert "120 rows cannot exclude a value 0.08 beyond < 0.8" in doubtful.why
    assert said_of(number(0.79, half=0.02, n=5000, **AUC), "< 0.80").state is State.OK
    strict = judge_bound([pools(number(0.81, half=0.04, **AUC), [])], bound("< 0.80"), min_difference=0.01, min_rows=30)
    assert strict[0].state is State.UNKNOWN


def test_harm_that_begins_is_not_thinned_to_an_ok_by_the_good_nights_before():
    good, bad = ratio(250, 500, 500, 1000), ratio(178, 500, 500, 1000)
    first = said_of(bad, "< 0.80", past=[good] * 28)
    assert first.state is not State.OK
    assert said_of(bad, "< 0.80", past=[*[good] * 20, *[bad] * 6]).state is State.BREACH
    assert said_of(good, "< 0.80", past=[*[good] * 20, *[bad] * 6]).state is State.OK


def test_a_distance_is_held_against_its_bound_on_both_sides():
    found = said_of(number(-1.3, half=0.1), "> 1")
    assert found.state is State.BREACH
    assert found.why.startswith("beyond ±1")
    assert said_of(number(-0.7, half=0.1), "> 1").state is State.OK


def test_a_number_of_fewer_rows_than_the_rule_asks_for_is_unknown():
    found = said_of(number(0.1, half=0.05, n=29), "> 1")
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_ROWS)
    assert found.why == "29 rows; at least 30 are needed"
    assert said_of(number(0.1, half=0.05, n=29), "> 1", min_rows=20).state is State.OK


def test_a_number_without_noise_is_taken_as_it_is():
    assert said_of(number(2.0), "> 1").state is State.BREACH
    assert said_of(number(0.9), "> 1").state is State.OK


def test_an_exact_count_needs_no_number_of_rows():
    assert said_of(volume(3), "< 100").state is State.BREACH
    assert said_of(volume(0), "> 5").state is State.OK


def test_a_tiny_p_value_is_not_written_as_zero():
    assert "(p < 1e-15)" in said_of(missing(5000, 5000), "> 0.05").why


def test_what_would_have_been_seen_is_never_beyond_what_can_be():
    """3.4 standard errors below the bound can be a ratio below 0: then nothing is promised."""
    wide = ratio(30, 30, 3, 30)
    found = said_of(wide, "< 0.8")
    assert found.state is State.OK
    assert found.would_see == ""


def test_no_p_value_at_all_is_claimed_for_an_unknown_value():
    nothing = number(None, why_not="no rows")
    assert judge_bound([pools(nothing, [])], bound("> 1"), min_difference=None, min_rows=1)[0].p_breach == 1.0


def test_a_rate_beyond_a_bound_at_the_edge_of_what_is_possible_is_judged():
    assert said_of(share(999, 1000), "< 1").state is State.BREACH
    assert said_of(share(1000, 1000), "< 1").state is State.OK
    assert said_of(missing(1, 100_000), "> 0").state is State.BREACH
    assert said_of(missing(0, 1000), "> 0").state is State.OK
