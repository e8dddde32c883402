"""Single metrics at their corners."""

import numpy as np
import pytest

from tests.unit.metrics import made_profiles as made
from vigil.core.errors import MismatchedEdges
from vigil.metrics.drift.group_share_shift import group_share_shift
from vigil.metrics.drift.mean_shift import moments, shift
from vigil.metrics.drift.psi import psi_reading
from vigil.metrics.drift.share_shift import largest_move
from vigil.metrics.example import SEX, confused, feature, profile, served, told, view
from vigil.metrics.given import Given
from vigil.metrics.performance.f1 import f1
from vigil.metrics.performance.precision import precision
from vigil.metrics.quality.out_of_range import count_outside, out_of_range
from vigil.metrics.service.latency_percentile import latency_p50, latency_p99
from vigil.metrics.service.latency_within import count_within, latency_within
from vigil.profiles.edges import LATENCY_EDGES_MS, fit
from vigil.profiles.types import Cell, NumericColumn, Outcome


def one(readings):
    (reading,) = readings
    return reading


def groups(attribute="sex", **counts):
    return {attribute: {name: Cell(n=n) for name, n in counts.items()}}


def test_a_group_that_is_gone_or_new_has_a_share_and_a_night_without_groups_has_none():
    def shares(now, was):
        given = Given(profile(groups=now), profile(groups=was), view(protected=(SEX,)))
        return {r.subject: (r.value, r.parts, r.why_not) for r in group_share_shift(given)}

    found = shares(groups(male=80, diverse=20), groups(male=60, female=40))
    assert found["sex=female"][1] == (0, 100, 40, 100)
    assert found["sex=female"][0] == pytest.approx(-2 * np.arcsin(np.sqrt(0.4)))
    assert found["sex=diverse"][0] == pytest.approx(2 * np.arcsin(np.sqrt(0.2)))
    assert shares({}, groups(male=60)) == {"sex": (None, (), "no rows")}
    assert shares(groups(male=60), {}) == {"sex": (None, (), "no baseline")}


def latency(values, **more):
    return served(requests=len(values), latency_bins=made.bins(np.asarray(values, float), LATENCY_EDGES_MS), **more)


def test_a_latency_percentile_is_never_too_low_and_at_most_a_tenth_too_high():
    values = np.random.default_rng(0).lognormal(5, 0.8, 999)
    for q, metric in ((50, latency_p50), (99, latency_p99)):
        raw = np.percentile(values, q, method="inverted_cdf")
        assert raw <= one(metric(latency(values))).value <= raw * 1.1 + 1e-9


def test_a_latency_beyond_the_last_edge_is_said_to_be_more():
    reading = one(latency_p50(latency([1e6] * 5)))
    assert reading.value == LATENCY_EDGES_MS[-1]
    assert reading.detail.startswith("more than ")


def test_latency_within_is_exact_at_an_edge_and_close_between_edges():
    values = np.random.default_rng(0).lognormal(5, 0.8, 5000)
    bins = made.bins(values, LATENCY_EDGES_MS)
    for limit in (LATENCY_EDGES_MS[52], 150.0, 300.0):
        raw = (values <= limit).sum()
        assert count_within(bins, limit, LATENCY_EDGES_MS) == pytest.approx(raw, abs=40)
    assert count_within(bins, LATENCY_EDGES_MS[52], LATENCY_EDGES_MS) == (values <= LATENCY_EDGES_MS[52]).sum()


def test_latency_that_was_not_logged_is_not_fast():
    reading = one(latency_within(served(requests=10, latency_ms=(300.0,))))
    assert (reading.subject, reading.value) == ("<=300 ms", None)
    assert reading.why_not.startswith("not logged")


def test_out_of_range_is_exact_for_the_reference_that_the_edges_were_fitted_to():
    rng = np.random.default_rng(0)
    before, now = rng.normal(size=500), rng.normal(0.5, 1.6, 400)
    edges = fit(before, 20)
    reading = one(out_of_range(feature(made.numeric(now, edges), made.numeric(before, edges))))
    assert reading.parts == (((now < before.min()) | (now > before.max())).sum(), 400)
    assert reading.value > 0


def test_out_of_range_never_counts_a_value_of_the_baseline_itself():
    column = made.numeric(np.random.default_rng(0).normal(size=200), made.EDGES)
    assert count_outside(column, column) == 0


def test_bins_of_different_numbers_are_refused():
    with pytest.raises(MismatchedEdges, match="3 bins tonight, 2 on the baseline"):
        count_outside(NumericColumn(bins=(1, 2, 3)), NumericColumn(bins=(1, 2)))


def test_a_constant_that_stays_is_no_shift_and_one_that_moves_has_no_unit():
    five, six = (made.numeric(np.full(100, v), (0.0, 10.0)) for v in (5.1, 6.1))
    assert shift("x", five, five).value == 0.0
    moved = shift("x", six, five)
    assert moved.value is None
    assert moved.why_not == "no spread on the baseline: mean 5.1 -> 6.1"


def test_rounding_in_the_sums_is_not_taken_for_spread():
    assert moments(made.numeric(np.full(1000, 1e8 + 0.1), (0.0, 1e9)))[1] == 0.0


def test_the_sign_of_a_mean_shift_is_its_direction():
    high, low = (made.numeric(np.random.default_rng(0).normal(m, 1, 100), (0.0,)) for m in (2, -2))
    assert shift("x", low, high).value < 0 < shift("x", high, low).value


def test_one_row_far_away_does_not_make_a_certain_mean():
    # the first hour of a night that ended there: midnight, where the mean of a day is half past eleven
    day = NumericColumn(rows=2400, bins=(2400,), total=27_600.0, total_sq=432_400.0)
    found = shift("hour", NumericColumn(rows=1, bins=(1,), total=0.0, total_sq=0.0), day)
    assert found.value == pytest.approx(-1.66, abs=0.01)
    assert found.low < -3 and found.high > 0  # noqa: PT018 - an interval
    many = shift("hour", NumericColumn(rows=30, bins=(30,), total=0.0, total_sq=0.0), day)
    assert many.high < -1.3


def test_psi_of_noise_alone_has_a_lower_limit_of_zero():
    rng = np.random.default_rng(4)
    p = [1 / 30] * 30
    lows = [psi_reading("x", rng.multinomial(300, p), rng.multinomial(3000, p)).low for _ in range(300)]
    assert sum(low > 0 for low in lows) <= 12  # 2.5 % expected; twelve would be 4 %


def test_the_limits_of_psi_hold_the_true_value():
    rng = np.random.default_rng(5)
    p, q = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.25, 0.25, 0.25, 0.25])
    true = float(((p - q) * np.log(p / q)).sum())
    hits = 0
    for _ in range(400):
        reading = psi_reading("x", rng.multinomial(800, p), rng.multinomial(2000, q))
        hits += reading.low <= true <= reading.high
    assert hits >= 370  # 380 expected


def test_the_largest_of_many_moves_reaches_down_to_zero_when_it_is_noise():
    rng = np.random.default_rng(6)
    levels = [f"l{i}" for i in range(12)]
    lows = []
    for _ in range(300):
        now, was = (dict(zip(levels, rng.multinomial(n, [1 / 12] * 12).tolist(), strict=True)) for n in (400, 400))
        lows.append(largest_move("c", now, was).low)
    assert sum(low > 0 for low in lows) <= 24  # 5 % is 15


def test_precision_is_unknown_when_nothing_is_predicted_positive_and_not_zero():
    reading = one(precision(confused(fn=4, tn=96)))
    assert reading.value is None
    assert reading.why_not == "no rows: nothing was predicted positive"


def test_labelled_rows_without_a_prediction_are_not_called_pending():
    assert one(precision(told(Outcome(labelled=10)))).why_not.startswith("not logged")


def test_f1_keeps_its_limits_in_the_unit_interval():
    reading = one(f1(confused(tp=3)))
    assert (reading.value, reading.high) == (1.0, 1.0)
    assert 0 < reading.low < 1
