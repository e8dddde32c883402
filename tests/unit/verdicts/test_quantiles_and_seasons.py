"""Thresholds learned from past nights without a shape, and past nights that are like tonight.

Statistics: docs/statistics.md#thresholds-from-past-nights.
"""

from datetime import timedelta

import numpy as np
import pytest

from tests.unit.verdicts.made_measurements import NIGHT, judged, night, nights, number, ratio, share, volume
from vigil.metrics.types import Worse
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.memory import remembered
from vigil.verdicts.quantiles import nights_needed, tail
from vigil.verdicts.seasons import alike
from vigil.verdicts.types import Cause, Rule, Rules, State

MATURE = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0)  # a Friday


def one(m, rule, history, facts=MATURE):
    (verdict,) = judge([m], Rules(drift=(rule,)), history, facts)
    return verdict


def higher(value, **more):
    return number(value, worse=Worse.HIGHER, **more)


PAST = [higher(0.01 * (i % 10)) for i in range(90)]  # 0.00 .. 0.09
UPPER = Rule(metric="mean_shift", quantile=0.99, nights=90)


def test_a_night_beyond_the_quantile_warns_and_two_of_three_are_a_breach():
    first = one(higher(0.2), UPPER, nights(PAST))
    assert first.state is State.WARN
    assert "beyond the 0.99 quantile of 90 nights (> 0.09 sd)" in first.reason
    before = [*nights(PAST)[1:-1], night(1, judged(higher(0.2), State.WARN, limit="0.99 quantile of 90 nights"))]
    again = one(higher(0.2), UPPER, before)
    assert again.state is State.BREACH
    assert "2 of 3 nights" in again.reason


def test_a_night_like_the_past_is_ok_and_says_what_would_have_been_seen():
    found = one(higher(0.09), UPPER, nights(PAST))
    assert (found.state, str(found.limit)) == (State.OK, "0.99 quantile of 90 nights")
    assert found.would_see == "any value > 0.09 sd would have been seen"


def test_what_is_bad_when_low_is_held_against_the_lower_tail():
    past = nights([share(900 + i % 10, 1000) for i in range(60)])
    rule = Rule(metric="accuracy", quantile=0.05, nights=60)
    (low,) = judge([share(700, 1000)], Rules(performance=(rule,)), past, MATURE)
    (high,) = judge([share(999, 1000)], Rules(performance=(rule,)), past, MATURE)
    assert (low.state, high.state) == (State.WARN, State.OK)


def test_what_is_bad_either_way_is_held_against_its_distance_from_the_median():
    past = nights([number(0.01 * (i % 7) - 0.03) for i in range(60)])
    rule = Rule(metric="mean_shift", quantile=0.99, nights=60)
    assert [one(number(v), rule, past).state for v in (-0.5, 0.0, 0.5)] == [State.WARN, State.OK, State.WARN]


def test_too_few_past_nights_are_unknown_with_how_many_are_needed():
    found = one(higher(5.0), UPPER, nights(PAST[:48]))
    assert (found.state, found.cause) == (State.UNKNOWN, Cause.TOO_FEW_NIGHTS)
    assert "48 past nights; 49 are needed" in found.reason
    assert one(higher(5.0), UPPER, nights(PAST[:49])).state is State.WARN


def test_a_distance_within_the_floor_does_not_matter():
    rule = UPPER.model_copy(update={"floor": 0.5})
    assert one(higher(0.4), rule, nights(PAST)).state is State.OK


def test_a_night_of_few_rows_is_not_called_unusual_for_its_noise():
    past = nights([higher(0.01 * (i % 10), half=0.02) for i in range(90)])
    assert one(higher(0.12, half=0.4), UPPER, past).state is not State.WARN
    assert one(higher(0.12, half=0.02), UPPER, past).state is State.WARN
    assert one(higher(0.05, half=4.0, n=5), UPPER, past).cause is Cause.TOO_FEW_ROWS
    asking = UPPER.model_copy(update={"min_rows": 30})
    assert one(higher(0.05, n=5), asking, past).cause is Cause.TOO_FEW_ROWS


def test_a_night_like_the_past_passes_its_quantile_no_more_often_than_it_says():
    rng, over = np.random.default_rng(2), 0
    for _ in range(2000):
        values = rng.lognormal(size=91)
        over += tail(higher(values[0]), [higher(v) for v in values[1:]], quantile=0.95, nights=90, floor=0).over
    assert over / 2000 == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(("quantile", "least"), [(0.99, 49), (0.01, 49), (0.95, 9), (0.9, 7)])
def test_a_tail_needs_nights_in_it(quantile, least):
    assert nights_needed(quantile) == least


def weekly(weeks):
    """Rows of each night: 1,000 on weekdays, 200 at weekends, and every Friday 2,000."""
    made = []
    for back in range(7 * weeks, 0, -1):
        day = (NIGHT - timedelta(days=back)).weekday()
        made.append(volume(2000 if day == 4 else 200 if day >= 5 else 1000 + back % 3))
    return nights(made)


def test_the_same_weekday_counts_once_there_are_eight_of_it():
    rule = Rule(metric="volume", sigma=4, nights=28, floor=100, season="weekday")
    (found,) = judge([volume(2000)], Rules(service=(rule,)), weekly(9), MATURE)
    assert found.state is State.OK
    assert "of 9 Fridays" in found.reason
    (young,) = judge([volume(2000)], Rules(service=(rule,)), weekly(4), MATURE)
    assert young.state is State.WARN
    assert "of 20 weekday nights" in young.reason
    (blind,) = judge([volume(2000)], Rules(service=(rule.model_copy(update={"season": None}),)), weekly(9), MATURE)
    assert blind.state is State.WARN


def test_a_weekend_is_held_against_weekends():
    saturday = MATURE.model_copy(update={"night": NIGHT + timedelta(days=1), "as_of": NIGHT + timedelta(days=1)})
    past = weekly(4)
    rule = Rule(metric="volume", sigma=4, floor=100, season="weekday")
    (found,) = judge([volume(210)], Rules(service=(rule,)), past, saturday)
    assert (found.state, "of 8 weekend nights" in found.reason) == (State.OK, True)


def seen(past):
    return remembered(past, ["volume"])["volume/all"]


def test_seasons_hold_for_quantiles_too_and_bad_nights_teach_nothing():
    past = weekly(12)
    fridays = alike(seen(past), NIGHT)
    assert (fridays.called, len(fridays.past)) == ("Fridays", 12)

    def broken(r):
        return r.model_copy(update={"verdicts": tuple(judged(v.measurement, State.BREACH) for v in r.verdicts)})

    bad = [broken(r) if r.night.weekday() == 4 else r for r in past]
    assert alike(seen(bad), NIGHT).called == "weekday nights"
    rule = Rule(metric="volume", quantile=0.9, nights=60, floor=10, season="weekday")
    (found,) = judge([volume(2000)], Rules(service=(rule,)), past, MATURE)
    assert found.state is State.OK


def test_a_warning_or_hard_bound_beside_a_quantile_leaves_what_it_cannot_tell_to_the_quantile():
    past = nights([ratio(40, 80, 400, 800) for _ in range(60)])
    rule = Rule(metric="selection_rate_ratio", warn="< 0.85", hard="< 0.3", quantile=0.05, nights=60)
    (found,) = judge([ratio(40, 80, 400, 800)], Rules(fairness=(rule,)), past, MATURE)
    assert found.state is State.OK
