"""The nights of the examples: the same on every machine, inside their day, and wrong only where the fault says so."""

import hashlib
from datetime import date, timedelta
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played import HOME, monitor_of

from examples import credit, iris
from vigil.core.window import night_window

NIGHT = date(2026, 9, 1)
DATA = HOME / "examples" / "data"
both = pytest.mark.parametrize("example", [iris, credit], ids=["iris", "credit"])


@both
def test_a_night_is_the_same_whenever_it_is_made_and_differs_from_other_nights_and_seeds(example: ModuleType) -> None:
    once = example.night_rows(NIGHT, seed=7)
    pd.testing.assert_frame_equal(once, example.night_rows(NIGHT, seed=7))
    for other in (example.night_rows(NIGHT + timedelta(days=1), seed=7), example.night_rows(NIGHT, seed=8)):
        assert not once[example.FEATURES].head(100).equals(other[example.FEATURES].head(100))


@both
@settings(max_examples=12, deadline=None)
@given(night=st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_every_request_lies_in_its_local_day_in_order_and_has_its_own_id(example: ModuleType, night: date) -> None:
    rows = example.night_rows(night)
    window = night_window(night, example.ZONE)
    assert rows["served_at"].between(window.start, window.end, inclusive="left").all()
    assert rows["served_at"].is_monotonic_increasing
    assert rows["prediction_id"].tolist() == [f"{example.MODEL}-{night}-{i:05d}" for i in range(len(rows))]


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)], ids=["23 hours", "25 hours"])
def test_the_days_on_which_clocks_change_have_requests_only_inside_them(night: date) -> None:
    rows, window = credit.night_rows(night), night_window(night, credit.ZONE)
    assert rows["served_at"].min() >= window.start
    assert rows["served_at"].max() < window.end


@both
def test_what_an_example_sends_is_what_its_monitor_declares(example: ModuleType) -> None:
    monitor, rows = monitor_of(example), example.night_rows(NIGHT)
    declared = {*monitor.features, *(p.attribute for p in monitor.protected)}
    assert declared <= set(rows.columns)
    assert (monitor.model, monitor.environment, monitor.timezone) == (example.MODEL, example.ENVIRONMENT, example.ZONE)


def test_an_iris_night_has_at_least_300_flowers_that_lie_near_real_ones() -> None:
    rows, real = iris.night_rows(NIGHT), iris.flowers()
    assert len(rows) >= 300
    for name, flowers in rows.groupby("label"):
        known = real.loc[real["label"] == name, iris.FEATURES].to_numpy()
        away = np.abs(flowers[iris.FEATURES].to_numpy()[:, None, :] - known[None, :, :]).max(axis=2).min(axis=1)
        assert away.max() < 6 * iris.NOISE_CM


def test_the_inches_fault_changes_the_petals_and_the_pipeline_and_nothing_else() -> None:
    good, bad = iris.night_rows(NIGHT), iris.night_rows(NIGHT, fault=iris.Fault.INCHES)
    petals = ["petal_length_cm", "petal_width_cm"]
    pd.testing.assert_frame_equal(good.drop(columns=[*petals, "pipeline_version"]),
                                  bad.drop(columns=[*petals, "pipeline_version"]))  # fmt: skip
    assert np.allclose(bad[petals] * 2.54, good[petals], atol=0.013)
    assert set(bad["pipeline_version"]).isdisjoint(good["pipeline_version"])


def test_the_dollars_fault_touches_the_limits_of_women_from_the_hour_of_the_update_and_nothing_else() -> None:
    good, bad = credit.night_rows(NIGHT), credit.night_rows(NIGHT, fault=credit.Fault.DOLLARS)
    changed = good["credit_limit_ntd"] != bad["credit_limit_ntd"]
    late = good["served_at"].dt.tz_convert(credit.ZONE).dt.hour >= credit.UPDATE_HOUR
    assert (changed == (late & (good["sex"] == "female"))).all()
    assert ((bad["pipeline_version"] == "2026.11.2") == late).all()
    assert np.allclose(bad.loc[changed, "credit_limit_ntd"] * credit.NTD_PER_USD, good.loc[changed, "credit_limit_ntd"],
                       atol=credit.NTD_PER_USD)  # fmt: skip
    rest = ["credit_limit_ntd", "pipeline_version"]
    pd.testing.assert_frame_equal(good.drop(columns=rest), bad.drop(columns=rest))


def test_no_client_of_a_night_was_in_the_training_data() -> None:
    training, others = credit.clients()
    assert len(training) + len(others) == 30_000
    assert set(training.index).isdisjoint(others.index)
    night = credit.night_rows(NIGHT)
    assert not night.duplicated([*credit.FEATURES, "label"]).all()
    assert 1450 <= len(night) <= 1650


def test_the_shipped_data_is_the_one_whose_digest_and_licence_are_written_beside_it() -> None:
    digest = hashlib.sha256((DATA / "credit_default_taiwan.parquet").read_bytes()).hexdigest()
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert digest in readme
    for said in ("10.24432/C55S3H", "CC BY 4.0", "Yeh", "Changed:"):
        assert said in readme, said
    assert "CC BY 4.0" in (HOME / "NOTICE").read_text(encoding="utf-8")
