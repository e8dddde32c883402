"""Tests of a bound from counts, sample sizes, pooling."""

import numpy as np
import pytest

from vigil.core.words import Family
from vigil.metrics.intervals import (
    auc_interval,
    difference_p,
    mover_ratio,
    n_needed,
    newcombe,
    proportion_p,
    ratio_p,
    wilson,
)
from vigil.metrics.pool import interval, pool
from vigil.metrics.types import Kind, Measurement, Worse


def measurement(kind=Kind.PROPORTION, parts=(8.0, 10.0), **changes):
    counted = kind in (Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE)
    value = interval(kind, parts)[0] if parts and counted else 1.0
    fields = {
        "metric": "recall", "subject": "all", "family": Family.PERFORMANCE, "kind": kind, "value": value,
        "n": int(parts[1]) if parts else 1, "unit": "share", "worse": Worse.LOWER, "parts": parts,
    }  # fmt: skip
    return Measurement(**{**fields, **changes})


@pytest.mark.parametrize(
    ("n1", "p1", "n0", "p0"), [(30, 0.1, 3000, 0.1), (100, 0.3, 1000, 0.4), (500, 0.04, 1000, 0.05)]
)
def test_intervals_hold_their_level_also_for_small_groups(n1, p1, n0, p0):
    rng = np.random.default_rng(11)
    k1, k0 = rng.binomial(n1, p1, 2000), rng.binomial(n0, p0, 2000)
    held = {"wilson": 0, "newcombe": 0, "mover": 0}
    for a, b in zip(k1.tolist(), k0.tolist(), strict=True):
        for name, truth, (low, high) in (
            ("wilson", p1, wilson(a, n1)),
            ("newcombe", p1 - p0, newcombe(a, n1, b, n0)),
            ("mover", p1 / p0, mover_ratio(a, n1, b, n0)),
        ):
            held[name] += low <= truth <= high
    assert all(0.93 <= hits / 2000 <= 0.985 for hits in held.values()), held


def test_the_auc_interval_holds_its_level():
    rng = np.random.default_rng(12)
    true, hits = 0.7602, 0  # Phi(1 / sqrt(2)) of unit normals one apart
    edges = np.linspace(-3, 4, 99)
    for _ in range(300):
        pos, neg = rng.normal(1, 1, 80), rng.normal(0, 1, 300)
        counts = [np.bincount(np.searchsorted(edges, x), minlength=100).tolist() for x in (pos, neg)]
        _, low, high = auc_interval(*counts)
        hits += low <= true <= high
    assert 276 <= hits <= 297  # 285 expected


def test_perfect_separation_is_not_certainty():
    auc, low, high = auc_interval((0, 60), (60, 0))
    assert (auc, high) == (1.0, 1.0)
    assert 0.9 < low < 1


def test_auc_of_one_class_is_refused():
    with pytest.raises(ValueError, match="0 positive and 5 negative"):
        auc_interval((0, 0), (5, 0))


@pytest.mark.parametrize(
    ("test", "truth", "bound"),
    [
        (lambda a, b: proportion_p(a, 400, bound=0.3, side="<"), (0.3, 0.4), 0.3),
        (lambda a, b: ratio_p(a, 400, b, 2000, bound=0.8, side="<"), (0.32, 0.4), 0.8),
        (lambda a, b: difference_p(a, 400, b, 2000, bound=-0.1, side="<"), (0.3, 0.4), -0.1),
    ],
)
def test_a_true_value_just_at_the_bound_is_rejected_as_rarely_as_the_level_says(test, truth, bound):
    rng = np.random.default_rng(13)
    k1, k0 = rng.binomial(400, truth[0], 2000), rng.binomial(2000, truth[1], 2000)
    p = np.array([test(a, b) for a, b in zip(k1.tolist(), k0.tolist(), strict=True)])
    assert (p < 0.05).mean() <= 0.065
    assert (p < 0.005).mean() <= 0.011
    assert (p < 0.05).mean() >= 0.03


def test_the_two_sides_of_a_test_complement_each_other():
    for p in (
        lambda side: ratio_p(30, 100, 400, 1000, bound=0.8, side=side),
        lambda side: difference_p(30, 100, 400, 1000, bound=-0.1, side=side),
    ):
        assert p("<") + p(">") == pytest.approx(1.0)


def test_a_bound_that_nothing_can_be_beyond_is_never_rejected_and_its_mirror_always():
    assert proportion_p(0, 100, bound=-0.03, side=">") == 0.0
    assert proportion_p(100, 100, bound=1.03, side="<") == 0.0
    assert proportion_p(0, 100, bound=-0.03, side="<") == 1.0
    assert ratio_p(0, 100, 5, 100, bound=-0.1, side=">") == 0.0
    assert ratio_p(0, 100, 5, 100, bound=-0.1, side="<") == 1.0


def test_no_rows_and_no_events_reject_nothing():
    assert proportion_p(0, 0, bound=0.5, side="<") == 1.0
    assert ratio_p(0, 100, 0, 100, bound=0.8, side="<") == 1.0
    assert difference_p(0, 0, 5, 10, bound=0.0, side="<") == 1.0


def test_difference_test_and_interval_never_contradict_each_other():
    rng = np.random.default_rng(14)
    for _ in range(200):
        n1, n0 = rng.integers(5, 300, 2).tolist()
        k1, k0 = rng.integers(0, n1 + 1), rng.integers(0, n0 + 1)
        low, high = newcombe(k1, n1, k0, n0)
        for bound in (-0.3, -0.1, 0.0, 0.2):
            below = difference_p(k1, n1, k0, n0, bound=bound, side="<") < 0.025
            above = difference_p(k1, n1, k0, n0, bound=bound, side=">") < 0.025
            assert (below, above) == (high < bound, low > bound)


def test_an_extreme_difference_has_a_p_value_far_below_any_level():
    assert difference_p(0, 5000, 5000, 5000, bound=-0.1, side="<") < 1e-12


@pytest.mark.parametrize(
    ("kind", "parts", "bound", "margin"),
    [
        (Kind.PROPORTION, (85, 100), 0.80, 0.05),
        (Kind.RATIO, (40, 100, 420, 1000), 0.80, 0.10),
        (Kind.DIFFERENCE, (40, 100, 420, 1000), -0.10, 0.02),
    ],
)
def test_the_rows_that_are_called_needed_decide_with_the_power_that_was_promised(kind, parts, bound, margin):
    needed = n_needed(kind, parts, bound=bound, side="<", margin=margin)
    assert needed > parts[1] + 1
    rng, times = np.random.default_rng(15), 1500
    k1 = rng.binomial(needed, parts[0] / parts[1], times)
    if kind is Kind.PROPORTION:
        p = [proportion_p(k, needed, bound=bound - margin, side=">") for k in k1.tolist()]
    else:
        n0 = round(needed * parts[3] / parts[1])
        k0 = rng.binomial(n0, parts[2] / parts[3], times)
        test = ratio_p if kind is Kind.RATIO else difference_p
        p = [
            test(a, needed, b, n0, bound=bound - margin, side=">")
            for a, b in zip(k1.tolist(), k0.tolist(), strict=True)
        ]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.80, abs=0.06)


def test_more_rows_are_needed_for_a_finer_question():
    coarse, fine = (n_needed(Kind.RATIO, (30, 100, 420, 1000), bound=0.8, side="<", margin=m) for m in (0.2, 0.02))
    assert fine > coarse > 100


def test_rows_needed_is_known_before_there_are_any():
    assert n_needed(Kind.RATIO, (), bound=0.8, side="<", margin=0.1) > 100
    assert n_needed(Kind.RATIO, (1, 2, 0, 0), bound=0.8, side="<", margin=0.1) > 100


def test_a_number_without_counts_has_no_sample_size():
    with pytest.raises(ValueError, match="is not counted"):
        n_needed(Kind.NUMBER, (1, 2), bound=0.8, side="<", margin=0.1)


def test_pooling_adds_counts_and_never_averages():
    pooled = pool([measurement(parts=(1.0, 2.0)), measurement(parts=(90.0, 100.0))])
    assert pooled.parts == (91.0, 102.0)
    assert pooled.value == 91 / 102
    assert (pooled.low, pooled.high) == wilson(91, 102)
    assert pooled.n == 102


def test_a_ratio_is_pooled_over_both_groups():
    pooled = pool(
        [measurement(Kind.RATIO, (3.0, 10.0, 50.0, 100.0)), measurement(Kind.RATIO, (5.0, 10.0, 40.0, 100.0))]
    )
    assert pooled.parts == (8.0, 20.0, 90.0, 200.0)
    assert pooled.value == pytest.approx(0.4 / 0.45)


def test_a_pool_does_not_repeat_what_was_said_about_one_night():
    assert pool([measurement(detail="3 of 10"), measurement(detail="8 of 10")]).detail == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "no measurement"),
        ([measurement(Kind.NUMBER, ())], "does not add up"),
        ([measurement(Kind.COUNT, (1.0, 2.0), value=1.0)], "does not add up"),
        ([measurement(), measurement(parts=(), value=None)], "does not add up"),
        ([measurement(), measurement(subject="other")], "different questions"),
    ],
)
def test_what_does_not_add_up_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        pool(given)
