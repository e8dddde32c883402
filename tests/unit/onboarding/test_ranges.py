"""Which values are impossible: no heavy tail gets there in a year, and a value in another unit does."""

import numpy as np
import pandas as pd
import pytest

from vigil.onboarding.ranges import possible

A_NIGHT, REFERENCE, YEAR = 200, 14, 365
SHAPES = {
    "normal": lambda rng, n: rng.normal(50, 10, n),
    "uniform": lambda rng, n: rng.uniform(0, 60, n),
    "exponential": lambda rng, n: rng.exponential(20, n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "lognormal": lambda rng, n: rng.lognormal(0, 1.5, n),
    "pareto": lambda rng, n: 1 + rng.pareto(2, n),
    "counts": lambda rng, n: rng.poisson(2, n).astype(float),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_year_of_the_same_column_hardly_ever_leaves_what_is_possible(shape):
    left = 0
    for seed in range(30):
        rng = np.random.default_rng([seed, len(shape)])
        low, high = possible(pd.Series(SHAPES[shape](rng, A_NIGHT * REFERENCE)), rows_a_night=A_NIGHT)
        year = SHAPES[shape](rng, A_NIGHT * YEAR)
        left += bool((year < low).any() or (year > high).any())
    assert left <= 1  # of 30 columns in a year


def test_another_unit_or_a_missing_comma_is_impossible():
    rng = np.random.default_rng(1)
    low, high = possible(pd.Series(rng.normal(1000, 12, 2800).round(1)), rows_a_night=200)
    assert high < 5503
    assert low > 0
    temperature = pd.Series(rng.normal(12, 6, 2800))
    assert possible(temperature, rows_a_night=200)[1] < 9999


def test_shares_percentages_and_what_was_never_negative_end_where_the_data_show_it():
    rng = np.random.default_rng(1)
    share = pd.Series(np.clip(rng.normal(0.5, 0.5, 2800), 0, 1))
    assert possible(share, rows_a_night=200) == (0.0, 1.0)
    assert possible(share * 100, rows_a_night=200) == (0.0, 100.0)
    assert possible(pd.Series(rng.poisson(1, 2800)), rows_a_night=200)[0] == 0.0
    low, high = possible(pd.Series(rng.uniform(0.2, 0.8, 2800)), rows_a_night=200)
    assert low < 0  # nothing shows an end
    assert high > 1


def test_codes_have_no_last_one_and_a_constant_says_nothing():
    flags = pd.Series([0.0, 1.0] * 500)
    assert possible(flags, rows_a_night=100)[1] > 2
    assert possible(pd.Series([5.0] * 100), rows_a_night=100) is None
    assert possible(pd.Series([1.0, 2.0]), rows_a_night=100) is None
