"""Drift metrics against scipy on the raw rows of the same nights."""

import numpy as np
import pytest
from scipy import stats

from tests.unit.metrics import made_profiles as made
from vigil.metrics.drift.chi_square import statistic
from vigil.metrics.drift.ks import kolmogorov_smirnov
from vigil.metrics.drift.scores import frame, mean_score, share_score
from vigil.metrics.drift.wasserstein import distance
from vigil.metrics.evaluate import evaluate
from vigil.metrics.quality.new_levels import distinct
from vigil.profiles.edges import edges_digest, fit
from vigil.profiles.types import Edges, NumericColumn

SHAPES = {
    "bell": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.lognormal(sigma=1.0, size=n),
    "heavy": lambda rng, n: rng.standard_t(3, size=n),
    "counts": lambda rng, n: rng.poisson(4.0, size=n).astype(float),
    "zeros": lambda rng, n: np.where(rng.random(n) < 0.6, 0.0, rng.gamma(2.0, size=n)),
}


def pair(shape, shift, n=20_000):
    """(tonight's rows, the baseline's rows, both as columns, edges); tonight is moved by `shift` sd."""
    rng = np.random.default_rng(7)
    was, now = (SHAPES[shape](rng, n) for _ in range(2))
    now = now + shift * was.std()
    edges = fit(was, 31)
    return now, was, made.numeric(now, edges), made.numeric(was, edges), edges


@pytest.mark.parametrize("shape", ["bell", "skewed", "heavy"])
@pytest.mark.parametrize("shift", [0.1, 0.25, 0.5, 2.0])
def test_kolmogorov_smirnov_from_bins_is_scipys_and_never_above_it(shape, shift):
    now, was, a, b, _ = pair(shape, shift)
    raw = stats.ks_2samp(now, was).statistic
    assert raw * 0.95 <= kolmogorov_smirnov(a.bins, b.bins) <= raw + 1e-12


@pytest.mark.parametrize("shape", ["bell", "skewed", "heavy"])
@pytest.mark.parametrize("shift", [0.1, 0.25, 0.5, 2.0])
def test_wasserstein_from_bins_is_scipys_on_skewed_and_heavy_rows_too(shape, shift):
    now, was, a, b, edges = pair(shape, shift)
    assert distance(a, b, edges) == pytest.approx(stats.wasserstein_distance(now, was), rel=0.03)


def test_wasserstein_without_the_sums_of_the_end_bins_would_be_wrong_on_skewed_rows():
    now, was, _, b, edges = pair("skewed", 0.25)
    raw, high = stats.wasserstein_distance(now * 3, was), made.numeric(now * 3, edges)
    assert distance(high, b, edges) == pytest.approx(raw, rel=0.03)
    inside = sum(n for n, edge in zip(high.bins[1:], edges, strict=True) if edge >= edges[-2])
    without = high.model_copy(update={"high_tail": edges[-2] * inside})
    assert distance(without, b, edges) < raw * 0.9


@pytest.mark.parametrize("shape", SHAPES)
def test_chi_square_is_scipys_of_the_same_table(shape):
    _, _, a, b, _ = pair(shape, 0.1)
    table = np.array([(x, y) for x, y in zip(a.bins, b.bins, strict=True) if x or y]).T
    found = stats.chi2_contingency(table, correction=False)
    assert statistic(a.bins, b.bins) == pytest.approx(found.statistic)


def test_chi_square_says_the_p_value_of_scipy():
    night, holdout = made.profile(made.drawn(2)), made.profile(made.drawn(1, 2000))
    found = {m.id: m for m in evaluate(night, holdout, made.VIEW, yardstick="", only=["chi_square"])}
    counts = [p.columns.category["c"].levels for p in (night, holdout)]
    table = [[side[level] for level in "abc"] for side in counts]
    told = stats.chi2_contingency(table, correction=False)
    assert f"on {told.dof} df, p = {told.pvalue:.2g}" in found["chi_square/c"].detail
    assert found["chi_square/c"].value == pytest.approx(stats.contingency.association(np.array(table)))


def test_the_position_of_a_bell_is_its_mean_and_that_of_a_heavy_tail_hardly_sees_an_outlier():
    _, was, a, b, edges = pair("bell", 0.25)
    z = frame(b).position
    moved = mean_score(a.bins, z).value - mean_score(b.bins, z).value
    assert moved == pytest.approx(0.25, abs=0.03)
    spoilt = made.numeric(np.append(was, 1e9), edges)
    assert mean_score(spoilt.bins, z).value - mean_score(b.bins, z).value == pytest.approx(0, abs=1e-3)


def test_the_width_score_sees_a_scale_and_not_a_small_shift():
    rng = np.random.default_rng(3)
    was = rng.normal(size=50_000)
    edges = fit(was, 31)
    b = made.numeric(was, edges)
    q = frame(b).width
    wide, moved = (made.numeric(x, edges) for x in (was * 1.3, was + 0.1))
    assert mean_score(wide.bins, q).value > 0.2
    assert abs(mean_score(moved.bins, q).value) < 0.03


def test_the_variance_of_a_score_is_that_of_many_nights():
    rng = np.random.default_rng(5)
    was = rng.lognormal(size=100_000)
    edges = fit(was, 31)
    z = frame(made.numeric(was, edges)).position
    nights = [mean_score(made.numeric(rng.lognormal(size=500), edges).bins, z) for _ in range(400)]
    assert np.var([n.value for n in nights]) == pytest.approx(np.mean([n.variance for n in nights]), rel=0.2)
    shares = [share_score(int(rng.binomial(500, 0.03)), 500) for _ in range(2000)]
    assert np.var([s.value for s in shares]) == pytest.approx(1 / 500, rel=0.15)


@pytest.mark.parametrize("many", [3, 31, 400, 20_000])
def test_the_number_of_new_levels_is_exact_for_few_and_within_its_interval_for_many(many):
    rng = np.random.default_rng(many)
    hashes = sorted({int(h) for h in rng.integers(0, 2**64, many, dtype=np.uint64)})[:32]
    value, low, high = distinct(hashes)
    assert low <= many <= high
    if many < 32:
        assert value == many


def test_a_constant_feature_has_a_distance_that_is_not_known():
    column = NumericColumn(rows=10, bins=(10,), tail_rows=10, total=10.0, total_sq=10.0)
    edges = Edges(numeric={"x": (0.9, 1.0)}, levels=made.FITTED.levels)
    column = column.model_copy(update={"bins": (0, 10, 0)})
    digest = edges_digest(edges)
    night = made.profile(made.drawn(2), digest=digest)
    night = night.model_copy(update={"columns": night.columns.model_copy(update={"numeric": {"x": column}})})
    asked = ["wasserstein", "mean_shift"]
    found = {m.id: m for m in evaluate(night, night, made.VIEW, yardstick="", only=asked, edges=edges)}
    assert found["wasserstein/x"].why_not == "no spread on the baseline"
    assert found["mean_shift/x"].value == 0


def test_a_distance_without_the_edges_or_the_tails_is_unknown_and_says_so():
    night = made.profile(made.drawn(2))
    (bare,) = evaluate(night, night, made.VIEW, yardstick="", only=["wasserstein"])
    assert bare.why_not.startswith("not logged: the edges")
    column = night.columns.numeric["x"].model_copy(update={"tail_rows": 0})
    old = night.model_copy(update={"columns": night.columns.model_copy(update={"numeric": {"x": column}})})
    (found,) = evaluate(night, old, made.VIEW, yardstick="", only=["wasserstein"], edges=made.FITTED)
    assert found.why_not.startswith("no baseline: a profile of an older version")
