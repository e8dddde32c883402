"""What must hold of metrics whatever the night."""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.unit.metrics import made_profiles as made
from vigil.metrics.drift.divergence import jensen_shannon, psi
from vigil.metrics.drift.psi import limits
from vigil.metrics.evaluate import evaluate
from vigil.metrics.intervals import difference_p, mover_ratio, newcombe, proportion_p, ratio_p, wilson
from vigil.metrics.pool import interval, pool
from vigil.metrics.types import Kind
from vigil.profiles.merge import merge_all
from vigil.profiles.types import Profile

COUNTED = (Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE)
histograms = st.integers(2, 30).flatmap(
    lambda width: st.tuples(*[st.lists(st.integers(0, 5000), min_size=width, max_size=width)] * 2)
)
tables = st.tuples(st.integers(1, 3000), st.integers(1, 3000)).flatmap(
    lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
)


def measured(profile, baseline=None):
    return {m.id: m for m in evaluate(profile, baseline, made.VIEW, yardstick="holdout")}


@given(histograms)
def test_nothing_has_drifted_from_itself(pair):
    p, _ = pair
    assume(sum(p))
    assert psi(p, p) == 0
    assert jensen_shannon(p, p) == pytest.approx(0, abs=1e-7)
    assert limits(p, p)[0] == 0


@given(histograms)
def test_a_divergence_is_the_same_both_ways_and_never_negative(pair):
    p, q = pair
    assume(sum(p) and sum(q))
    assert psi(p, q) == pytest.approx(psi(q, p))
    assert jensen_shannon(p, q) == pytest.approx(jensen_shannon(q, p))
    assert psi(p, q) >= 0
    assert 0 <= jensen_shannon(p, q) <= 1


@given(histograms, st.randoms(use_true_random=False))
def test_the_order_of_bins_and_bins_empty_on_both_sides_do_not_matter(pair, random):
    p, q = pair
    assume(sum(p) and sum(q))
    order = list(range(len(p)))
    random.shuffle(order)
    p2, q2 = [p[i] for i in order] + [0], [q[i] for i in order] + [0]
    assert psi(p2, q2) == pytest.approx(psi(p, q))
    assert jensen_shannon(p2, q2) == pytest.approx(jensen_shannon(p, q))


@given(histograms)
def test_the_limits_of_psi_enclose_what_people_see(pair):
    p, q = pair
    assume(sum(p) and sum(q))
    low, high = limits(p, q)
    assert 0 <= low <= psi(p, q) <= high


def test_drift_grows_with_the_shift():
    nights = [made.profile(made.drawn(2, 3000, shift=s)) for s in (0.0, 0.2, 0.5, 1.0, 2.0)]
    found = [measured(n, made.profile(made.drawn(1, 2000))) for n in nights]
    for name in ("psi/x", "js/x", "mean_shift/x", "prediction_psi/all", "prediction_shift/all", "score_shift/all"):
        values = [f[name].value for f in found]
        assert values == sorted(values), name
        assert values[-1] > values[0], name


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=4), st.sampled_from([1.0, 0.5, 0.0]))
def test_measuring_merged_nights_is_pooling_their_measurements(seeds, labelled):
    nights = [made.profile(made.drawn(s, 120, labelled=labelled)) for s in seeds]
    whole, each = measured(merge_all(nights)), [measured(n) for n in nights]
    for name, m in whole.items():
        parts = [found[name] for found in each if name in found]
        if m.kind not in COUNTED or len(parts) < len(each) or any(p.value is None for p in parts):
            continue
        pooled = pool(parts)
        assert pooled.parts == pytest.approx(m.parts), name
        assert (pooled.value, pooled.low, pooled.high) == pytest.approx((m.value, m.low, m.high)), name


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_merging_nights_in_any_order_gives_the_same_numbers(seed):
    a, b, c = (made.profile(made.drawn(seed + i, 80)) for i in range(3))
    one, other = measured(merge_all([a, b, c])), measured(merge_all([c, a, b]))
    assert one.keys() == other.keys()
    for name, m in one.items():
        assert m.value == pytest.approx(other[name].value), name


def renamed(profile: Profile, names: dict[str, str]) -> Profile:
    groups = {"sex": {names[g]: cell for g, cell in profile.groups["sex"].items()}}
    columns = {f"sex={names[k.partition('=')[2]]}": c for k, c in profile.group_columns.items()}
    scores = {f"sex={names[k.partition('=')[2]]}": c for k, c in profile.group_scores.items()}
    strata = {"sex": {c: {names[g]: n for g, n in each.items()} for c, each in profile.strata["sex"].items()}}
    new = {"groups": groups, "group_columns": columns, "group_scores": scores, "strata": strata}
    return profile.model_copy(update=new)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_other_names_for_groups_rename_the_results_and_nothing_else(seed):
    night, holdout = made.profile(made.drawn(seed, 200)), made.profile(made.drawn(1, 500))
    names = {"female": "q", "male": "p"}
    view = made.VIEW.model_copy(update={"protected": (made.SEX.model_copy(update={"reference": "p"}),)})
    after = {m.id: m for m in evaluate(renamed(night, names), renamed(holdout, names), view, yardstick="")}
    before = measured(night, holdout)
    for name, m in before.items():
        new = name.replace("sex=female", "sex=q").replace("sex=male", "sex=p")
        assert (after[new].value, after[new].parts, after[new].baseline) == (m.value, m.parts, m.baseline)
    assert len(after) == len(before)


def test_swapping_group_and_reference_turns_the_ratio_over():
    night = made.profile(made.drawn(4, 500, hurt=1.0))
    view = made.VIEW.model_copy(update={"protected": (made.SEX.model_copy(update={"reference": "female"}),)})
    swapped = {m.id: m for m in evaluate(night, None, view, yardstick="")}
    found = measured(night)
    assert found["selection_rate_ratio/sex=female"].value == pytest.approx(
        1 / swapped["selection_rate_ratio/sex=male"].value
    )
    assert found["parity_difference/sex=female"].value == pytest.approx(-swapped["parity_difference/sex=male"].value)


@given(tables)
def test_an_interval_encloses_its_value_and_stays_in_range(table):
    k1, n1, k0, n0 = table
    low, high = wilson(k1, n1)
    assert 0 <= low <= k1 / n1 <= high <= 1
    low, high = newcombe(*table)
    assert -1 <= low <= k1 / n1 - k0 / n0 <= high <= 1
    value, low, high = interval(Kind.RATIO, table)
    if value is not None:
        assert 0 <= low <= value * (1 + 1e-12)
        assert high >= value * (1 - 1e-12)


@given(tables)
def test_swapping_both_sides_mirrors_the_interval(table):
    k1, n1, k0, n0 = table
    low, high = newcombe(*table)
    assert newcombe(k0, n0, k1, n1) == pytest.approx((-high, -low))
    low, high = mover_ratio(*table)
    other = mover_ratio(k0, n0, k1, n1)
    if low > 0 and np.isfinite(high) and np.isfinite(other[1]):
        assert other == pytest.approx((1 / high, 1 / low))


@example(table=(1, 1, 1, 1), bound=0.99, more=0.01)
@given(tables, st.floats(0.3, 1.2), st.floats(0.01, 0.3))
def test_a_stricter_bound_is_never_harder_to_be_beyond(table, bound, more):
    k1, n1, k0, n0 = table
    assume(k1 or k0)
    for p in (
        lambda b: proportion_p(k1, n1, bound=b, side="<"),
        lambda b: ratio_p(k1, n1, k0, n0, bound=b, side="<"),
        lambda b: difference_p(k1, n1, k0, n0, bound=b - 0.8, side="<"),
    ):
        assert p(bound + more) <= p(bound) + 1e-9
        assert 0 <= p(bound) <= 1


@given(tables, st.integers(2, 6))
def test_more_of_the_same_rows_never_widens_an_interval(table, times):
    more = tuple(x * times for x in table)
    for kind in (Kind.PROPORTION, Kind.DIFFERENCE):
        few, many = (interval(kind, t[:2] if kind is Kind.PROPORTION else t) for t in (table, more))
        assert many[2] - many[1] <= few[2] - few[1] + 1e-12


NUMERIC_DRIFT = ("ks", "wasserstein", "chi_square", "position_shift", "width_shift", "js", "psi")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_night_has_not_drifted_from_itself_by_any_measure(seed):
    night = made.profile(made.drawn(seed, 150))
    found = evaluate(night, night, made.VIEW, yardstick="", edges=made.FITTED)
    for m in found:
        if m.metric in (*NUMERIC_DRIFT, "missing_shift", "level_shift", "label_drift", "attribution_drift"):
            assert m.value == pytest.approx(0, abs=1e-7), m.id
            assert m.low <= 1e-7, m.id


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 3))
def test_distances_stay_in_their_range_and_within_their_limits(seed, shift):
    night, was = made.profile(made.drawn(seed, 200, shift=shift)), made.profile(made.drawn(1, 500))
    for m in evaluate(night, was, made.VIEW, yardstick="", edges=made.FITTED, ruled=["group_ks", "group_wasserstein"]):
        if m.metric in ("ks", "chi_square", "attribution_drift", "group_ks", "equalised_odds"):
            assert 0 <= m.low <= m.value <= m.high <= 1, m.id
        elif m.metric in ("wasserstein", "group_wasserstein"):
            assert 0 <= m.low <= m.value <= m.high, m.id


def test_every_distance_grows_with_the_shift():
    holdout = made.profile(made.drawn(1, 2000))
    nights = [made.profile(made.drawn(2, 3000, shift=s)) for s in (0.0, 0.2, 0.5, 1.0)]
    found = [{m.id: m for m in evaluate(n, holdout, made.VIEW, yardstick="", edges=made.FITTED)} for n in nights]
    for name in ("ks/x", "wasserstein/x", "chi_square/x", "position_shift/x"):
        values = [f[name].value for f in found]
        assert values == sorted(values), name
        assert values[-1] > 3 * max(values[0], 0.05), name
