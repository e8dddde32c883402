"""How far tonight is from the model's own past nights: robust, and never more certain than the night itself."""

from datetime import date

import pytest

from tests.unit.verdicts import made_numbers
from tests.unit.verdicts.made_measurements import missing, number, share
from vigil.metrics.types import Worse
from vigil.verdicts.history import LEAST_NIGHTS, distance, in_place
from vigil.verdicts.judge import judge
from vigil.verdicts.limits import Limit
from vigil.verdicts.types import NightResult, Rule, Rules, Verdict


def past(*values, **more):
    return [number(v, **more) for v in values]


def judged(day, *, rows=9, digest="p"):
    return NightResult(monitor="credit", environment="staging", night=date(2026, 11, day), partition_digest=digest,
                       config_digest="c", edges_digest="e", rows=rows, verdicts=())  # fmt: skip


def away(tonight, nights, *, sigma=3, keep=28, floor=0.0):
    return distance(tonight, nights, sigma=sigma, nights=keep, floor=floor)


CALM = (0.9, 1.0, 1.1) * 4


def test_fewer_than_a_week_of_known_nights_tell_nothing():
    assert away(number(1.0), past(*CALM[: LEAST_NIGHTS - 1])) is None
    assert away(number(1.0), past(*CALM[: LEAST_NIGHTS - 1], None, None)) is None
    assert away(number(1.0), past(*CALM[:LEAST_NIGHTS])) is not None


def test_a_night_without_a_value_is_at_no_distance():
    assert away(number(None), past(*CALM)) is None


def test_centre_and_scale_are_the_median_and_1_48_median_deviations():
    found = away(number(1.5), past(*CALM))
    assert (found.centre, found.nights) == (pytest.approx(1.0), 12)
    assert found.scale == pytest.approx(1.4826 * 0.1)
    assert found.sigmas == pytest.approx(0.5 / 0.14826)
    assert found.over


def test_one_wild_night_in_the_past_does_not_hide_tonight():
    wild = away(number(1.5), past(*CALM, 50.0))
    assert wild.over
    assert wild.centre == pytest.approx(1.0)


def test_only_as_many_nights_as_the_rule_names_are_looked_at():
    long_ago = past(*[9.0] * 30, *CALM)
    assert away(number(9.0), long_ago, keep=12).over
    assert not away(number(9.0), long_ago, keep=400).over


def test_nights_without_a_value_do_not_use_up_the_window():
    gaps = past(*CALM, *[None] * 28)
    assert away(number(1.5), gaps, keep=12).nights == 12


@pytest.mark.parametrize(
    ("worse", "up", "down"), [(Worse.HIGHER, True, False), (Worse.LOWER, False, True), (Worse.AWAY, True, True)]
)
def test_only_a_move_to_the_bad_side_counts(worse, up, down):
    nights = past(*CALM, worse=worse)
    assert away(number(3.0, worse=worse), nights).over is up
    assert away(number(-1.0, worse=worse), nights).over is down


def test_a_small_move_does_not_matter_however_quiet_the_past_was():
    flat = past(*[1.0] * 10)
    assert away(number(1.05), flat).over
    assert not away(number(1.05), flat, floor=0.1).over
    assert away(number(1.2), flat, floor=0.1).over


def test_the_noise_of_a_small_night_is_not_taken_for_a_move():
    quiet = [missing(10, 1000)] * 10
    small, large = missing(2, 20), missing(200, 2000)
    assert small.value == large.value
    assert not away(small, quiet).over
    assert away(large, quiet).over


def test_a_night_as_usual_is_at_distance_zero():
    found = away(share(90, 100), [share(90, 100)] * 7)
    assert (found.sigmas, found.over) == (0, False)


def test_the_last_two_places_of_the_past_are_the_two_nights_before_and_nights_without_rows_teach_nothing():
    nights = [judged(1), judged(2, rows=0), judged(3), judged(5)]
    assert [(r.night.day, r.rows) for r in in_place(nights, date(2026, 11, 6))] == [(1, 9), (3, 9), (4, 0), (5, 9)]
    assert [(r.night.day, r.rows) for r in in_place((), date(2026, 11, 6))] == [(4, 0), (5, 0)]


def test_a_night_without_rows_keeps_its_place_and_what_was_said_of_it():
    nights = [judged(3), judged(5, rows=0, digest="none")]
    assert in_place(nights, date(2026, 11, 6))[-1].partition_digest == "none"


@pytest.mark.parametrize(("back", "state"), [(1, "breach"), (2, "breach"), (3, "warn"), (9, "warn")])
def test_the_judge_itself_puts_the_past_in_place_so_that_an_odd_night_before_a_gap_confirms_nothing(back, state):
    calm = [made_numbers.night(n, made_numbers.moved(0.01 * (n % 2))) for n in range(40, 10, -1)]
    limit = Limit(kind="sigma", level=5, nights=28)
    odd = Verdict(metric="mean_shift", subject="age", family="drift", state="warn", reason="", limit=limit)
    past = [*calm, made_numbers.night(back, verdicts=(odd,))]
    rules = Rules(drift=(Rule(metric="mean_shift", sigma=5),))
    (verdict,) = judge([made_numbers.moved(3.0)], rules, past, made_numbers.facts())
    assert verdict.state.value == state
