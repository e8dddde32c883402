"""Whole numbers that are codes, told from quantities."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.onboarding.test_draft import calls, drafted
from vigil.core.errors import DataError
from vigil.onboarding.codes import Why, codes

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("name", ["region", "branch_code", "product_id", "merchant_category", "zip", "weekday",
                                  "PLZ", "MCC", "home_state_7"])  # fmt: skip
def test_a_name_says_that_numbers_are_codes(name: str) -> None:
    assert codes(name, pd.Series(RNG.integers(1, 21, 500))) is Why.NAME


@pytest.mark.parametrize("name", ["age", "months_on_book", "amount", "n_children", "statement_days", "category_count"])
def test_numbers_with_another_name_that_rise_and_fall_are_a_quantity(name: str) -> None:
    assert codes(name, pd.Series(RNG.binomial(12, 0.4, 2000))) is None


def test_frequencies_without_order_are_those_of_codes() -> None:
    shares = [0.02, 0.2, 0.03, 0.25, 0.02, 0.18, 0.02, 0.28]
    assert codes("f7", pd.Series(RNG.choice(8, 3000, p=shares))) is Why.SHAPE


def test_two_values_are_a_category_so_that_a_third_one_is_new() -> None:
    assert codes("f8", pd.Series([0, 1, 1, 0])) is Why.TWO


def test_fractions_and_very_many_numbers_are_a_quantity_whatever_the_name() -> None:
    assert codes("region", pd.Series([1.5, 2.0])) is None
    assert codes("product_id", pd.Series(range(51))) is None


def test_codes_are_drafted_as_a_category_and_a_person_overrules_it_either_way() -> None:
    rows = calls(region=[str(n) for n in RNG.integers(1, 21, 600)], visits=[str(n) for n in RNG.poisson(2, 600)])
    assert {n: drafted(rows).features[n] for n in ("region", "visits")} == {"region": "category", "visits": "numeric"}
    overruled = drafted(rows, numeric=("region",), category=("visits",)).features
    assert {n: overruled[n] for n in ("region", "visits")} == {"region": "numeric", "visits": "category"}


def test_flags_that_name_no_column_or_one_without_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="--category"):
        drafted(calls(), category=("regoin",))
    with pytest.raises(DataError, match="not numbers"):
        drafted(calls(unit=["EUR", "USD"] * 300), numeric=("unit",))
