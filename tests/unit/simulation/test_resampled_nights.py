"""Nights resampled from a log: real rows, under other dates, with the same faults in them."""

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.simulation.monitor import document
from vigil.simulation.nights import Simulation
from vigil.simulation.resampled import Resampled

SEEN = Simulation("real", 5, rows=1500, nights=9)
MONITOR = Monitor.model_validate({**yaml.safe_load(document(SEEN)), "timezone": "Europe/Berlin"})
START = date(2026, 3, 27)  # a Friday; on Sunday the clocks change


def logged(labels: bool = True) -> dict[date, pa.Table]:
    """Days of a log as it is read: rows with their labels."""
    past = {}
    for night in SEEN:
        rows = night.predictions.to_pandas().merge(night.outcomes.to_pandas()[["prediction_id", "label"]], how="left")
        rows["calls"] = rows["calls"].astype("int64")
        rows["served_at"] = rows["served_at"] - timedelta(hours=1)  # the local day in Berlin
        past[night.day] = pa.Table.from_pandas(rows if labels else rows.assign(label=None), preserve_index=False)
    return past


PAST = logged()


def run(*faults: str, nights: int = 4, seed: int = 1, **more) -> Resampled:
    return Resampled(MONITOR, PAST, seed, nights=nights, faults=faults, start=START, **more)


def night(*faults: str, number: int = 1, **more) -> pd.DataFrame:
    made = run(*faults, **more).night(number)
    told = made.outcomes.to_pandas()[["prediction_id", "label"]]
    return made.predictions.to_pandas().merge(told, how="left")


QUIET = night()


def test_rows_are_those_of_one_quiet_day_under_ids_and_times_of_the_new_one():
    ages = set(QUIET["age"])
    assert sum(ages <= set(day["age"].to_pylist()) for day in PAST.values()) == 1
    assert QUIET["prediction_id"].is_unique
    assert set(QUIET["served_at"].dt.tz_convert("Europe/Berlin").dt.date) == {date(2026, 3, 28)}


def test_a_night_of_23_hours_holds_a_day_of_24():
    short = night(number=2)
    local = short["served_at"].dt.tz_convert("Europe/Berlin")
    assert set(local.dt.date) == {date(2026, 3, 29)}
    assert len(short) > 1000


def test_weekends_are_drawn_from_weekends():
    weekend = [d for d in PAST if d.weekday() >= 5]
    for number in (1, 2):
        ages = set(night(number=number)["age"])
        assert any(ages <= set(PAST[d]["age"].to_pylist()) for d in weekend)


def test_the_same_seed_gives_the_same_nights_and_those_before_an_onset_are_quiet():
    quiet, again, faulty = run(), run(), run("unit_change:amount:100@2", "outage@3", "bad_version@2")
    for n in (3, 0, 2, 1):
        assert quiet.night(n).predictions.equals(again.night(n).predictions)
    for n in (0, 1):
        assert faulty.night(n).predictions.equals(quiet.night(n).predictions)
        assert faulty.night(n).outcomes.equals(quiet.night(n).outcomes)
    assert not faulty.night(2).predictions.equals(quiet.night(2).predictions)
    assert not run(seed=2).night(0).predictions.equals(quiet.night(0).predictions)


def test_a_night_has_as_many_rows_as_its_day_or_as_many_as_are_asked_for():
    assert len(QUIET) in {day.num_rows for day in PAST.values()}
    assert len(night(rows=77)) == 77


@pytest.mark.parametrize("name", ["amount", "savings", "calls", "rating"])
def test_a_mean_moves_by_its_size_and_only_to_values_that_the_log_has(name):
    pool = pd.concat([day.to_pandas()[name] for day in PAST.values()])
    moved = night(f"mean:{name}:0.5@0")
    assert (moved[name].mean() - QUIET[name].mean()) / pool.std() == pytest.approx(0.5, abs=0.1)
    assert set(moved[name].dropna()) <= set(pool.dropna())
    assert moved[name].dtype == QUIET[name].dtype
    assert moved.drop(columns=name).equals(QUIET.drop(columns=name))


def test_a_subgroup_moves_alone():
    moved = night("subgroup:amount:rural:0.8@0")
    others = QUIET["residence"] != "rural"
    assert moved.loc[others, "amount"].equals(QUIET.loc[others, "amount"])
    assert moved.loc[~others, "amount"].mean() > 1.3 * QUIET.loc[~others, "amount"].mean()


def test_other_faults_of_inputs_do_what_they_say():
    assert np.allclose(night("unit_change:calls:0.1@0")["calls"], 0.1 * QUIET["calls"])
    mixed = night("mix:channel:0.1@0")["channel"].value_counts(normalize=True)
    usual = QUIET["channel"].value_counts(normalize=True)
    assert mixed["online"] - usual["online"] == pytest.approx(-0.1, abs=0.03)
    assert mixed["branch"] == usual["branch"]
    assert (night("new_category:device:0.1@0")["device"] == "unseen").mean() == pytest.approx(0.1, abs=0.03)
    more = night("nulls:income:0.1@0")["income"].isna().mean() - QUIET["income"].isna().mean()
    assert more == pytest.approx(0.1, abs=0.03)
    assert np.allclose(night("latency:10@0")["latency_ms"], 10 * QUIET["latency_ms"])
    assert len(night("outage:0.5@0")) == pytest.approx(len(QUIET) / 2, abs=1)


def test_answers_of_a_bad_version_are_those_of_other_rows():
    bad = night("bad_version:1@0")
    assert set(bad["model_version"]) == {"1-bad"}
    assert sorted(bad["score"]) == sorted(QUIET["score"])
    assert ((bad["score"] >= 0.3) == (bad["prediction"] == "deny")).all(), "score and answer no longer belong together"
    assert (bad["score"] == QUIET["score"]).mean() < 0.05


def test_outcomes_shift_and_another_concept_keeps_their_share():
    usual = (QUIET["label"] == "1").mean()
    assert (night("label_shift:0.1@0")["label"] == "1").mean() - usual == pytest.approx(0.1, abs=0.03)
    assert (night("label_shift:-0.1@0")["label"] == "1").mean() - usual == pytest.approx(-0.1, abs=0.03)
    drifted = night("concept:1@0")
    assert (drifted["label"] == "1").mean() == pytest.approx(usual)
    assert drifted.drop(columns="label").equals(QUIET.drop(columns="label"))
    deny = QUIET["prediction"] == "deny"
    gap = (QUIET["label"] == "1")[deny].mean() - usual
    assert (drifted["label"] == "1")[deny].mean() - usual < gap / 2


def test_what_the_log_does_not_have_is_refused():
    with pytest.raises(DataError, match="no quiet night to draw from"):
        Resampled(MONITOR, {}, 1, nights=3)
    unlabelled = Resampled(MONITOR, logged(labels=False), 1, nights=3, faults=["concept@1"])
    with pytest.raises(DataError, match="has no labels, so none can be changed"):
        unlabelled.night(1)
    with pytest.raises(DataError, match="did you mean 'amount'"):
        run("mean:amuont:0.5@1")
    with pytest.raises(DataError, match="there are urban, rural, abroad"):
        run("subgroup:amount@1")


@pytest.mark.slow  # two interpreters
def test_another_process_draws_the_same_nights():
    root = Path(__file__).resolve().parents[3]
    code = """
import hashlib, test_resampled_nights as t
made = [t.run('label_shift@0', 'concept@1', 'mix:channel@0').night(1), t.SEEN.night(0)]
rows = [table.to_pylist() for night in made for table in (night.predictions, night.outcomes)]
print(hashlib.sha256(repr(rows).encode()).hexdigest())
"""
    told = set()
    for seed in ("1", "2"):  # of the order in which Python keeps sets
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{root / 'include'}:{Path(__file__).parent}"}
        done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True)
        told.add(done.stdout)
    assert len(told) == 1
