"""Simulated nights look as their regime says, and each fault does what it says and nothing else."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from vigil.core.errors import DataError
from vigil.simulation.nights import Simulation
from vigil.simulation.regimes import load
from vigil.simulation.world import World

SPEC = load()
ROWS = 6000


def night(*faults: str, regime: str = "iid", seed: int = 7, number: int = 1, rows: int = ROWS) -> pd.DataFrame:
    """Night 1 of a run with these faults, with labels as numbers (NaN: not known)."""
    made = Simulation(regime, seed, rows=rows, nights=number + 1, faults=faults).night(number)
    rows_, told = made.predictions.to_pandas(), made.outcomes.to_pandas()
    both = rows_.merge(told, on="prediction_id", how="left", validate="1:1")
    return both.assign(label=both["label"].astype(float))


@pytest.fixture(scope="module")
def quiet() -> pd.DataFrame:
    return night()


def auc(rows: pd.DataFrame) -> float:
    known = rows.dropna(subset=["label"])
    return float(roc_auc_score(known["label"], known["score"]))


def test_groups_and_levels_have_the_shares_that_the_file_says(quiet):
    for name, shares in {"residence": SPEC.population.groups, **SPEC.category}.items():
        found = quiet[name].value_counts(normalize=True)
        assert set(found.index) == set(shares)
        for level, share in shares.items():
            assert found[level] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / ROWS) + 0.005), (
                name,
                level,
            )


def test_features_have_the_shape_that_the_file_says(quiet):
    assert (quiet["savings"] == 0).mean() == pytest.approx(0.4, abs=0.04)
    assert set(quiet["rating"].unique()) == {1, 2, 3, 4, 5}
    assert (quiet["calls"] % 1 == 0).all()
    assert quiet["calls"].min() >= 0
    assert quiet["bureau_score"].dropna().between(0, 1).all()
    assert quiet["bureau_score"].isna().mean() == pytest.approx(0.05, abs=0.015)
    assert quiet["price_move"].kurt() > 3
    assert quiet["amount"].skew() > 1.5
    lows, middle = quiet["hour_of_use"].between(8, 12).sum(), quiet["hour_of_use"].between(13, 15).sum()
    assert lows > 2 * middle


def test_features_are_correlated_and_the_same_seed_is_the_same_model_in_every_regime(quiet):
    numbers = quiet[["age", "utilisation", "bureau_score", "hour_of_use", "rating"]].corr("spearman").to_numpy()
    assert np.abs(numbers[np.triu_indices(5, 1)]).max() > 0.15
    kept = [World(SPEC, SPEC.regimes[name], 7)._loadings for name in SPEC.regimes]
    assert all(np.array_equal(kept[0], other) for other in kept)


def test_the_model_is_useful_calibrated_and_fair(quiet):
    assert 0.74 < auc(quiet) < 0.86
    assert quiet["label"].mean() == pytest.approx(0.2, abs=0.025)
    assert quiet["score"].mean() == pytest.approx(0.2, abs=0.02)
    tenth = pd.qcut(quiet["score"], 5)
    both = quiet.groupby(tenth, observed=True)[["score", "label"]].mean()
    assert (both["score"] - both["label"]).abs().max() < 0.06
    approved = (quiet["prediction"] == "approve").groupby(quiet["residence"]).mean()
    assert approved.min() / approved.max() > 0.9
    assert ((quiet["score"] >= 0.3) == (quiet["prediction"] == "deny")).all()


def effects(regime: str, nights: int = 400, seed: int = 3) -> np.ndarray:
    """night x feature: by how much each night moves each feature."""
    run = Simulation(regime, seed, rows=10, nights=nights)
    days = [run.start + pd.Timedelta(days=n) for n in range(nights)]
    return np.array([run.world.effects(n, day)[:20] for n, day in enumerate(days)])


def test_nights_of_iid_differ_by_chance_alone():
    assert not effects("iid", 20).any()
    sizes = {n.predictions.num_rows for n in Simulation("iid", 1, rows=50, nights=10)}
    assert sizes == {50}


def test_nights_of_real_have_effects_weekends_and_a_volume_that_varies():
    moves = effects("real")
    weekday = np.arange(400) % 7 < 5
    assert moves[weekday].std(axis=0).mean() == pytest.approx(0.03, rel=0.1)
    weekend = moves[~weekday].mean(axis=0) - moves[weekday].mean(axis=0)
    assert 0.04 < weekend.std() < 0.2
    assert np.abs(np.corrcoef(moves[weekday].T)[np.triu_indices(20, 1)]).mean() < 0.1
    sizes = [n.predictions.num_rows for n in Simulation("real", 1, rows=100, nights=60)]
    assert 80 <= min(sizes) < 88
    assert 112 < max(sizes) <= 120


def test_shocks_of_common_are_shared_by_features_and_last_from_night_to_night():
    moves = effects("common")[np.arange(400) % 7 < 5]
    assert np.abs(np.corrcoef(moves.T)[np.triu_indices(20, 1)]).mean() > 0.4
    run = Simulation("common", 3, rows=10, nights=2000)
    path = np.array([run.world._factor(n) for n in range(2000)])
    assert np.corrcoef(path[1:], path[:-1])[0, 1] == pytest.approx(0.6, abs=0.08)
    assert path.std() == pytest.approx(1, abs=0.15)


def test_hard_has_heavy_tails_pay_days_and_a_trend():
    run = Simulation("hard", 3, rows=10, nights=400)
    moves = effects("hard")
    days = [run.start + pd.Timedelta(days=n) for n in range(400)]
    ordinary = np.array([d.weekday() < 5 and d.day not in (25, 26) for d in days])
    night, trend = np.arange(400)[:, None], run.world._trend[:20]
    rest = (moves - night * trend)[ordinary]
    assert pd.Series((rest / rest.std(axis=0)).ravel()).kurt() > 2
    assert np.abs(222 * trend) == pytest.approx(0.0888)
    paid = np.array([d.weekday() < 5 and d.day == 25 for d in days])
    assert np.abs((moves - night * trend)[paid].mean(axis=0)).mean() > 0.04


@pytest.mark.parametrize("name", ["age", "amount", "cash_flow", "savings", "calls", "term", "rating", "bureau_score"])
def test_a_mean_moves_by_as_many_sd_as_it_says_and_keeps_the_feature_s_values(name, quiet):
    moved = night(f"mean:{name}:0.5@0")
    gained = moved[name].mean() - quiet[name].mean()
    assert gained / quiet[name].std() == pytest.approx(0.5, abs=0.06)
    if name in ("calls", "rating"):
        assert (moved[name] % 1 == 0).all()
    if name == "rating":
        assert set(moved[name].unique()) <= {1, 2, 3, 4, 5}
    if name == "savings":
        assert (moved[name] == 0).mean() > 0.15


@pytest.mark.parametrize("name", ["age", "amount", "savings", "rating"])
def test_a_scale_is_multiplied_while_the_mean_stays(name, quiet):
    wider = night(f"scale:{name}:1.5@0")
    assert wider[name].std() / quiet[name].std() == pytest.approx(1.5, rel=0.1)
    assert abs(wider[name].mean() - quiet[name].mean()) / quiet[name].std() < 0.08


def test_a_unit_changes_what_is_logged_and_not_what_is_true(quiet):
    cents = night("unit_change:amount:100@0")
    assert np.allclose(cents["amount"], 100 * quiet["amount"])
    assert cents["label"].equals(quiet["label"])
    assert not cents["score"].equals(quiet["score"])
    assert set(cents["pipeline_version"]) == {"features-2"}


def test_a_mix_moves_points_from_the_commonest_level_to_the_second(quiet):
    mixed = night("mix:region:0.05@0")
    gained = mixed["region"].value_counts(normalize=True) - quiet["region"].value_counts(normalize=True)
    assert gained["west"] == pytest.approx(-0.05, abs=0.012)
    assert gained["north"] == pytest.approx(0.05, abs=0.012)
    assert gained.drop(["west", "north"]).abs().max() == 0


def test_a_new_category_and_nulls_take_as_many_rows_as_they_say(quiet):
    assert (night("new_category:device:0.03@0")["device"] == "unseen").mean() == pytest.approx(0.03, abs=0.008)
    assert night("nulls:channel:0.03@0")["channel"].isna().mean() == pytest.approx(0.03, abs=0.008)
    more = night("nulls:bureau_score:0.03@0")["bureau_score"].isna().mean() - quiet["bureau_score"].isna().mean()
    assert more == pytest.approx(0.03, abs=0.008)


def test_a_subgroup_moves_alone(quiet):
    moved = night("subgroup:age:abroad:0.5@0", rows=20_000)
    calm = night(rows=20_000)
    by = moved.groupby("residence")["age"].mean() - calm.groupby("residence")["age"].mean()
    assert by["abroad"] / calm["age"].std() == pytest.approx(0.5, abs=0.06)
    assert by[["urban", "rural"]].abs().max() == 0


def test_a_gradual_fault_grows_night_by_night():
    for number, total in ((1, 0.2), (3, 0.4)):
        moved, calm = night("gradual:age:0.1@0", number=number), night(number=number)
        assert (moved["age"].mean() - calm["age"].mean()) / calm["age"].std() == pytest.approx(total, abs=0.05)


def test_labels_shift_while_inputs_and_answers_stay(quiet):
    shifted = night("label_shift:0.1@0")
    assert shifted["label"].mean() - quiet["label"].mean() == pytest.approx(0.1, abs=0.02)
    assert shifted.drop(columns="label").equals(quiet.drop(columns="label"))


def test_another_concept_costs_skill_while_inputs_answers_and_the_base_rate_stay(quiet):
    drifted = night("concept:0.5@0")
    assert drifted.drop(columns="label").equals(quiet.drop(columns="label"))
    assert drifted["label"].mean() == pytest.approx(quiet["label"].mean(), abs=0.03)
    assert auc(quiet) - auc(drifted) > 0.05


def test_a_bad_version_answers_under_its_own_number_and_is_worse(quiet):
    bad = night("bad_version:0.5@0")
    assert set(bad["model_version"]) == {"2"}
    assert auc(quiet) - auc(bad) > 0.05
    assert bad["label"].equals(quiet["label"])
    changed = {c for c in quiet if not bad[c].equals(quiet[c])}
    assert changed == {"model_version", "score", "prediction"}


def test_an_outage_takes_one_piece_of_the_day_and_latency_takes_longer(quiet):
    short = night("outage:0.4@0")
    assert len(short) == round(0.6 * ROWS)
    order = quiet["prediction_id"].isin(short["prediction_id"]).astype(int).diff().abs().sum()
    assert order <= 2, "the missing rows are not in one piece"
    assert night("outage:1@0").empty
    slow = night("latency:10@0")
    assert np.allclose(slow["latency_ms"], 10 * quiet["latency_ms"])


def test_a_run_that_cannot_be_is_refused_with_what_was_probably_meant():
    with pytest.raises(DataError, match="unknown regime 'rael'; did you mean 'real'"):
        Simulation("rael", 1, rows=10, nights=1)
    with pytest.raises(DataError, match="rows 0"):
        Simulation("real", 1, rows=0, nights=1)
    with pytest.raises(DataError, match=r"commonest level has a share of 0\.18"):
        Simulation("real", 1, rows=10, nights=1, faults=["mix:occupation:0.3@0"]).night(0)
