"""What must hold of surprise whatever the nights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, norm, t

from vigil.verdicts.slow_drift import detector, lasting, limit
from vigil.verdicts.usual import MOST_FREEDOM, Scores, normal, usual

law = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def scores(values, *, noise=1e-4, taught=42, design=None, kinds=None):
    s, n = values.shape
    return Scores(values, np.full((s, n), noise), np.arange(n) < taught,
                  np.ones((n, 1)) if design is None else design, kinds or ("x",) * s, np.full(s, True))  # fmt: skip


def nights(rng, s=60, n=60, spread=0.03, noise=0.01):
    return rng.normal(0.0, np.hypot(spread, noise), (s, n))


@law
@given(seeds, st.floats(-0.5, 0.5))
def test_where_the_holdout_was_does_not_matter_once_nights_have_taught(seed, away):
    values = nights(np.random.default_rng(seed))
    one, two = usual(scores(values)), usual(scores(values + away))
    a, b = one.surprise(values), two.surprise(values + away)
    assert np.allclose(a, b, atol=0.05)


@law
@given(seeds)
def test_the_order_of_scores_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    values, order = nights(rng), rng.permutation(60)
    assert np.allclose(usual(scores(values)).spread[order], usual(scores(values[order])).spread)


@law
@given(seeds, st.floats(0.01, 100))
def test_the_unit_of_a_score_does_not_matter(seed, unit):
    """Up to the prior, which has a unit, and counts for little after 42 nights."""
    values = nights(np.random.default_rng(seed))
    one = usual(scores(values)).surprise(values)
    two = usual(scores(values * unit, noise=1e-4 * unit**2)).surprise(values * unit)
    assert np.median(np.abs(one - two)) < 0.15


@law
@given(seeds)
def test_the_spread_is_never_below_sampling(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, rng.uniform(0, 0.05), (20, 50))
    assert (usual(scores(values, noise=4e-4)).spread >= 0.02 - 1e-9).all()


@law
@given(seeds, st.floats(0.0, 1.0), st.floats(0.01, 1.0))
def test_further_away_is_never_less_surprising(seed, near, more):
    values = nights(np.random.default_rng(seed))
    found = usual(scores(values))
    last = values.copy()
    last[:, -1] = found.centre[:, -1] + near
    further = last.copy()
    further[:, -1] += more
    assert (found.surprise(further)[:, -1] >= found.surprise(last)[:, -1]).all()


@pytest.mark.parametrize("spread", [0.0, 0.03, 0.2])
def test_quiet_nights_are_standard_normal(spread):
    """The predictive t is calibrated: 400 models, each judged on one night that it has not learnt from."""
    rng = np.random.default_rng(20261127)
    z = []
    for _ in range(40):
        values = rng.normal(0.1, np.hypot(spread, 0.01), (10, 43))
        z.append(usual(scores(values)).surprise(values)[:, -1])
    assert kstest(np.concatenate(z), norm.cdf).pvalue > 0.01


def test_nights_with_wild_tails_are_known_by_them_and_others_are_not():
    rng = np.random.default_rng(5)
    wild = 0.03 * rng.standard_t(3, (60, 60)) / np.sqrt(3)
    calm = rng.normal(0, 0.03, (60, 60))
    assert usual(scores(wild, taught=56)).freedom.max() <= 6
    assert usual(scores(calm, taught=56)).freedom.min() >= 30


def test_persistence_of_nights_is_found_and_not_imagined():
    rng = np.random.default_rng(6)
    shocks = rng.normal(0, 0.03, (40, 60))
    lasting_ = shocks.copy()
    for n in range(1, 60):
        lasting_[:, n] = 0.6 * lasting_[:, n - 1] + 0.8 * shocks[:, n]
    assert usual(scores(lasting_, taught=56)).persistence == pytest.approx(0.6, abs=0.1)
    assert usual(scores(shocks, taught=56)).persistence < 0.1


@law
@given(st.floats(0, 8), st.floats(3, 1000))
def test_the_normal_value_of_a_t_is_as_rare(away, freedom):
    assert norm.sf(float(normal(np.array(away), np.array(freedom)))) == pytest.approx(t.sf(away, freedom), rel=1e-6)


@law
@given(seeds)
def test_the_detector_seldom_reaches_its_limit_on_quiet_nights(seed):
    """Its sums have mean N after N nights: to reach A has a chance below N / A (Ville)."""
    z = np.random.default_rng(seed).normal(size=(200, 120))
    assert not lasting(detector(z), limit(200)).any()


@law
@given(seeds, st.sampled_from([-1.0, 1.0]), st.floats(1.5, 3.0))
def test_the_detector_finds_what_lasts_and_tells_the_side(seed, sign, size):
    z = np.random.default_rng(seed).normal(size=(1, 60))
    z[0, 30:] += sign * size
    up, down = lasting(detector(z), limit(300))
    assert (bool(up[0]), bool(down[0])) == (sign > 0, sign < 0)


@pytest.mark.parametrize(("moved", "nights"), [(2.5, 10), (3.0, 6), (4.0, 3)])
def test_a_move_that_lasts_is_a_ticket_after_nights_and_never_after_one(moved, nights):
    z = np.concatenate([np.zeros((1, 40)), np.full((1, 40), moved)], axis=1)
    sums = detector(z, tolerated=np.array([0.75]), most=limit(300))[0, 0, 40:]
    assert int(np.argmax(sums >= limit(300))) + 1 == nights


@law
@given(st.floats(2.5, 40.0))
def test_a_ticket_is_over_within_eleven_usual_nights_however_large_its_drift_was(moved):
    z = np.concatenate([np.full((1, 30), moved), np.zeros((1, 11))], axis=1)
    path = detector(z, tolerated=np.array([0.75]), most=limit(300))
    assert lasting(path[..., :30], limit(300))[0, 0]
    assert not lasting(path, limit(300)).any()


@law
@given(seeds)
def test_nights_that_tell_nothing_leave_the_sums_as_they_were(seed):
    z = np.random.default_rng(seed).normal(1, 1, size=(3, 20))
    gap = np.concatenate([z, np.full((3, 5), np.nan)], axis=1)
    assert np.array_equal(detector(z)[..., -1], detector(gap)[..., -1])


def test_tails_are_normal_where_there_are_too_few_nights_to_see_them():
    values = np.random.default_rng(1).standard_t(3, (1, 10)) * 0.03
    assert usual(scores(values, taught=9)).freedom[0] <= MOST_FREEDOM
