"""Each kind of threshold, alone and together: what one cannot tell, another may answer; nobody's silence is ok."""

import pytest

from tests.unit.verdicts.made_measurements import judged, missing, night, nights, number, ratio, share, volume
from vigil.metrics.types import Worse
from vigil.verdicts.kinds.kind import Tonight
from vigil.verdicts.kinds.registry import KINDS
from vigil.verdicts.seasons import Alike
from vigil.verdicts.types import Cause, Rule, State

CALM = [number(0.0 + 0.01 * (i % 3), half=0.02) for i in range(14)]


def answers(rule, known, kinds, **more):
    asked = [KINDS[kind] for kind in kinds if KINDS[kind].asks(rule)]
    return [answer for kind in asked for answer in kind.answer(rule, Tonight(known, **more))]


def outcomes(rule, m, past=()):
    return [one for _, one in answers(rule, [m], ("bound", "holdout"), pooled={m.id: list(past)})]


def sigma(m, *, past=CALM, history=None, **more):
    rule = Rule(**{"metric": m.metric, "sigma": 5, **more})
    history = nights(past) if history is None else history
    ((_, found),) = answers(rule, [m], ["sigma"], alike={m.id: Alike(past, "nights")}, history=history)
    return found


def test_a_rule_with_a_warn_and_a_breach_bound_passes_from_ok_over_warn_to_breach():
    rule = Rule(metric="accuracy", warn="< 0.85", breach="< 0.8")
    assert [o.state for o in outcomes(rule, share(1850, 2000))] == [State.OK, State.OK]
    assert [o.state for o in outcomes(rule, share(1640, 2000))] == [State.OK, State.WARN]
    assert [o.state for o in outcomes(rule, share(1500, 2000))] == [State.BREACH, State.WARN]


@pytest.mark.parametrize("threshold", ["warn", "hard", "breach"])
def test_three_rows_are_unknown_whatever_kind_of_bound_a_rule_has(threshold):
    rule = Rule(metric="selection_rate_ratio", **{threshold: "< 0.8"})
    (found,) = outcomes(rule, ratio(2, 3, 50, 100))
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_ROWS)
    assert "3 rows" in found.why


@pytest.mark.parametrize("threshold", ["warn", "hard", "breach"])
def test_an_ok_of_any_kind_of_bound_says_what_it_would_have_seen(threshold):
    (found,) = outcomes(Rule(metric="accuracy", **{threshold: "< 0.8"}), share(1900, 2000))
    assert found.state is State.OK
    assert "would have been found" in found.would_see


def test_a_warn_bound_that_cannot_be_told_does_not_take_away_what_the_breach_bound_excludes():
    rule = Rule(metric="accuracy", warn="< 0.85", breach="< 0.7")
    assert [o.state for o in outcomes(rule, share(127, 150))] == [State.OK, State.OK]


def test_beyond_the_hard_bound_is_a_breach_of_one_night_that_says_so():
    rule = Rule(metric="mean_shift", hard="> 1", sigma=5)
    (found,) = outcomes(rule, number(1.5, half=0.1))
    assert (found.state, found.hard, str(found.limit)) == (State.BREACH, True, "hard > 1")


def test_a_hard_bound_that_holds_says_nothing_beside_another_threshold():
    assert outcomes(Rule(metric="mean_shift", hard="> 1", sigma=5), number(0.1, half=0.1)) == []
    assert len(outcomes(Rule(metric="accuracy", hard="< 0.5", breach="< 0.8"), share(90, 100))) == 1


def test_a_hard_bound_alone_looks_at_tonight_only():
    rule = Rule(metric="missing", hard="> 0.2")
    (found,) = outcomes(rule, missing(0, 500), [missing(500, 500)] * 6)
    assert found.state is State.OK


def test_a_hard_bound_alone_that_was_probably_passed_warns():
    (found,) = outcomes(Rule(metric="mean_shift", hard="> 1"), number(1.2, half=0.22))
    assert (found.state, found.hard) == (State.WARN, False)
    assert found.why.startswith("probably beyond")


@pytest.mark.parametrize(("allowed", "limit"), [(-0.05, "< 0.85"), (0.05, "> 0.95")])
def test_a_holdout_rule_is_bad_on_the_side_of_its_sign_and_names_the_recorded_value(allowed, limit):
    m = share(900, 1000, baseline=0.9, worse=Worse.LOWER)
    (found,) = outcomes(Rule(metric="accuracy", holdout=allowed), m)
    assert found.state is State.OK
    assert str(found.limit) == f"{limit} (holdout 0.9 {allowed:+g})"


def test_a_fall_from_the_holdout_is_tested_with_the_night_s_own_uncertainty():
    rule = Rule(metric="accuracy", holdout=-0.05)
    assert outcomes(rule, share(750, 1000, baseline=0.9))[0].state is State.BREACH
    assert outcomes(rule, share(33, 40, baseline=0.9))[0].state is State.UNKNOWN


def test_a_holdout_rule_asks_more_of_each_group_the_more_groups_it_has():
    rule = Rule(metric="accuracy", holdout=-0.05)
    low = share(812, 1000, baseline=0.9, subject="g0")
    crowd = [low, *(share(900, 1000, baseline=0.9, subject=f"g{i}") for i in range(1, 20))]
    assert dict(answers(rule, [low], ["holdout"]))["g0"].state is State.BREACH
    assert dict(answers(rule, crowd, ["holdout"]))["g0"].state is State.WARN


def test_without_a_recorded_holdout_the_rule_is_unknown_not_ok():
    (found,) = outcomes(Rule(metric="accuracy", holdout=-0.05), share(999, 1000))
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.NO_DATA)
    assert found.why == "no value was recorded with this version's holdout"


def test_subjects_are_told_apart():
    rule = Rule(metric="missing", breach="> 0.05")
    found = answers(rule, [missing(0, 1000), missing(900, 1000, subject="age")], ["bound"])
    assert {s: o.state for s, o in found} == {"income": State.OK, "age": State.BREACH}


def test_a_rule_without_sigma_asks_no_past_nights():
    rule = Rule(metric="mean_shift", hard="> 1")
    assert [name for name, kind in KINDS.items() if kind.asks(rule)] == ["bound"]
    assert not KINDS["bound"].looks_back(rule)


def test_an_unusual_night_is_a_warn_that_says_how_unusual():
    found = sigma(number(0.5, half=0.02))
    assert found.state is State.WARN
    assert found.why.endswith("robust sd from the median 0.01 of 14 nights")
    assert str(found.limit) == "5 sigma of 28 nights"


def test_nights_that_were_all_alike_have_no_spread_to_count_a_distance_in():
    found = sigma(volume(430), past=[volume(800)] * 10, history=(), sigma=6)
    assert found.state is State.WARN
    assert found.why == "370 away from the median 800 of 10 nights, which were all alike"


def test_the_same_question_on_two_of_three_nights_is_a_breach():
    odd = number(0.5, half=0.02)
    warned = judged(odd, State.WARN, limit="5 sigma of 28 nights")
    for last in ([night(1, warned)], [night(2, warned), night(1, judged(CALM[0]))]):
        found = sigma(odd, history=last)
        assert found.state is State.BREACH
        assert found.why.endswith(", 2 of 3 nights")


def test_an_unusual_night_three_nights_ago_or_of_another_feature_does_not_confirm():
    odd = number(0.5, half=0.02)
    old = judged(odd, State.WARN, limit="5 sigma of 28 nights")
    other = judged(number(0.5, subject="age"), State.WARN, limit="5 sigma of 28 nights")
    assert sigma(odd, history=[night(3, old), night(2), night(1)]).state is State.WARN
    assert sigma(odd, history=[night(1, other)]).state is State.WARN


def test_the_night_after_a_hard_breach_is_not_milder_while_the_drift_goes_on():
    yesterday = judged(number(1.2, half=0.02), State.BREACH, hard=True, limit="hard > 1")
    assert sigma(number(0.9, half=0.02), history=[night(1, yesterday)]).state is State.BREACH


def test_a_past_that_is_too_short_is_unknown_and_says_how_much_is_needed():
    found = sigma(number(0.0), past=CALM[:6])
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_NIGHTS)
    assert found.why == "6 past nights; 7 are needed to know what is usual"


def test_a_night_as_usual_says_which_move_it_would_have_seen():
    found = sigma(number(0.01, half=0.02), floor=0.2)
    assert found.state is State.OK
    assert found.would_see == "a move of 0.2 sd from 0.01 sd would have been seen"


def test_a_past_that_moves_more_than_a_share_can_promises_nothing():
    wild = [missing(k, 10) for k in (0, 9, 1, 8, 0, 9, 1, 8)]
    found = sigma(missing(5, 100), past=wild)
    assert (found.state, found.would_see) == (State.OK, "")


def test_three_rows_that_look_usual_are_unknown_not_ok():
    found = sigma(number(0.0, half=2.0, n=3))
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_ROWS)
    assert found.why.startswith("3 rows show no move that can happen")


def test_few_rows_that_show_a_move_are_judged_and_a_rule_may_ask_for_more():
    assert sigma(number(0.0, half=0.4, n=12)).state is State.OK
    assert sigma(number(3.0, half=0.4, n=12)).state is State.WARN
    asking = sigma(number(0.0, half=0.4, n=12), min_rows=30)
    assert (asking.cause, asking.why) == (Cause.TOO_FEW_ROWS, "12 rows are fewer than the 30 that the rule asks for")


def test_a_night_of_three_rows_where_there_were_thousands_is_unusual_not_unknown():
    found = sigma(volume(3), past=[volume(5000 + 10 * i) for i in range(14)], floor=100)
    assert found.state is State.WARN
