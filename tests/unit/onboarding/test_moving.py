"""Which features the default drift rules leave out, because every night moves them and nothing else."""

import pandas as pd
import pytest

from vigil.onboarding.moving import GROWING, NIGHTLY, moving
from vigil.profiles.layout import FeatureType

NIGHTS = 40


def found(kind, values, nights=NIGHTS, rows=24):
    days = pd.Series([pd.Timestamp("2026-09-01").date() + pd.Timedelta(days=n // rows) for n in range(nights * rows)])
    return moving(pd.DataFrame({"x": values}), days, {"x": kind}).get("x")


@pytest.mark.parametrize("of_night", [lambda n: n == 20, lambda n: "autumn" if n > 21 else "summer", lambda n: n % 7])
def test_what_has_one_value_a_night_is_left_out_as_a_holiday_a_season_a_weekday(of_night):
    values = [str(of_night(n // 24)) for n in range(NIGHTS * 24)]
    assert found(FeatureType.CATEGORY, values) == NIGHTLY


def test_a_rate_of_the_night_is_known_after_five_nights():
    values = [[4.0, 3.9, 4.2, 4.1, 3.7][n // 24] for n in range(5 * 24)]
    assert found(FeatureType.NUMERIC, values, nights=5) == NIGHTLY


@pytest.mark.parametrize("values", [
    [str(n % 24) for n in range(NIGHTS * 24)],  # each night has all of them
    ["same"] * NIGHTS * 24,  # what never changed: one change is news
    ["b" if n == 500 else "a" for n in range(NIGHTS * 24)],  # rare, and its night has both
    [None if n % 24 else "a" for n in range(NIGHTS * 24)],  # one value a night, and nothing to compare it with
])  # fmt: skip
def test_what_varies_within_a_night_or_never_is_asked(values):
    assert found(FeatureType.CATEGORY, values) is None


def test_a_counter_and_a_clock_are_left_out_and_a_season_is_not():
    assert found(FeatureType.NUMERIC, list(range(NIGHTS * 24))) == GROWING
    assert found(FeatureType.NUMERIC, [5000 - 3 * (n // 24) + n % 2 for n in range(NIGHTS * 24)]) == GROWING
    warm = [20 - 0.1 * (n // 24) + 8 * ((n % 24) / 12 - 1) for n in range(NIGHTS * 24)]  # within a day it varies more
    assert found(FeatureType.NUMERIC, warm) is None
