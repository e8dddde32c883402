import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vigil.profiles.edges import LATENCY_EDGES_MS, SCORE_EDGES, bin_of, edges_digest, fit, single
from vigil.profiles.types import Edges


def increasing(edges) -> bool:
    return all(a < b for a, b in itertools.pairwise(edges))


def test_score_edges_make_a_hundred_bins_between_zero_and_one():
    assert len(SCORE_EDGES) + 1 == 100
    assert increasing(SCORE_EDGES)
    assert 0 < SCORE_EDGES[0] < 0.002
    assert 0.998 < SCORE_EDGES[-1] < 1


def test_score_edges_are_evenly_spaced_in_logit_and_symmetric():
    logits = [math.log(p / (1 - p)) for p in SCORE_EDGES]
    assert np.diff(logits) == pytest.approx(0.14)
    assert [1 - p for p in reversed(SCORE_EDGES)] == pytest.approx(list(SCORE_EDGES))
    assert max(np.diff(SCORE_EDGES)) <= 0.035


def test_latency_edges_span_a_millisecond_to_a_hundred_seconds_ten_per_cent_apart():
    assert LATENCY_EDGES_MS[0] == 1.0
    assert LATENCY_EDGES_MS[-2] < 100_000 <= LATENCY_EDGES_MS[-1]
    assert np.divide(LATENCY_EDGES_MS[1:], LATENCY_EDGES_MS[:-1]) == pytest.approx(1.1)


def test_a_constant_column_has_one_bin_that_holds_it_and_empty_ends():
    edges = fit(np.zeros(50), 10)
    assert len(edges) == 2
    assert bin_of(0.0, edges) == 1


def test_nothing_finite_cannot_be_fitted():
    with pytest.raises(ValueError, match="no finite value"):
        fit(np.array([np.nan, np.inf, -np.inf]), 10)


def test_a_column_needs_a_bin():
    with pytest.raises(ValueError, match="at least one bin"):
        fit(np.arange(5.0), 0)


def test_the_largest_floats_still_give_finite_edges():
    edges = fit(np.array([-1.7e308, 0.0, 1.7e308]), 5)
    assert increasing(edges)
    assert np.isfinite(edges).all()


@given(arrays(float, st.integers(1, 60)), st.integers(1, 40))
def test_fitted_edges_increase_are_finite_and_hold_the_reference_inside(values, bins):
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return
    edges = fit(values, bins)
    assert increasing(edges)
    assert np.isfinite(edges).all()
    assert len(edges) <= bins + 1
    assert edges[-1] == finite.max()
    if edges[0] < finite.min():  # there is a float below all but the very smallest one
        assert all(0 < bin_of(float(v), edges) < len(edges) for v in finite)


@given(st.floats(allow_nan=False), st.sets(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_value_lies_in_the_left_open_right_closed_bin(value, edges):
    ordered = sorted(edges)
    j = bin_of(value, ordered)
    assert j == 0 or ordered[j - 1] < value
    assert j == len(ordered) or value <= ordered[j]
    assert j == np.searchsorted(ordered, value, side="left")


def test_the_digest_tells_edges_apart_by_value_and_by_column():
    base = Edges(numeric={"a": (1.0, 2.0)}, levels={"c": ("x", "y")})
    assert edges_digest(base) == edges_digest(Edges(levels={"c": ("x", "y")}, numeric={"a": (1.0, 2.0)}))
    for other in (
        Edges(numeric={"a": (1.0, 2.0000000000000004)}, levels={"c": ("x", "y")}),
        Edges(numeric={"b": (1.0, 2.0)}, levels={"c": ("x", "y")}),
        Edges(numeric={"a": (1.0, 2.0)}, levels={"c": ("x",)}),
    ):
        assert edges_digest(base) != edges_digest(other)


@given(st.lists(st.integers(-3000, 3000), min_size=1, max_size=60), st.sampled_from([1, 10, 1000]), st.integers(1, 31))
def test_numbers_kept_in_four_bytes_fall_into_the_bins_of_the_numbers_that_they_were(whole, scale, bins):
    values = np.asarray(whole) / scale
    edges = tuple(round(e, 6) for e in fit(values, bins)[1:])
    edges = (fit(values, bins)[0], *edges)
    kept = values.astype(np.float32).astype(float)
    assert [bin_of(v, single(edges)) for v in kept] == [bin_of(v, edges) for v in values]


def test_edges_that_four_bytes_cannot_tell_apart_are_equal_and_as_many_and_none_is_infinite():
    edges = single((1.7e9, 1.7e9 + 1, 1.7e9 + 500, 1e300))
    assert edges == (1.7e9, 1.7e9, 1.7e9 + 512, float(np.finfo(np.float32).max))


def test_numbers_that_were_four_bytes_from_the_first_have_the_bins_that_they_had():
    values = np.random.default_rng(0).normal(size=500).astype(np.float32).astype(float)
    edges = fit(values, 31)
    before = np.searchsorted(edges, values, side="left")
    after = np.searchsorted(single(edges), values, side="left")
    assert (before[1:-1] == after[1:-1]).mean() > 0.99
    assert min(after) == 1
