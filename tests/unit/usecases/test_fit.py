"""No rule that `vigil init` drafts is broken by a night of its own reference: many logs, awkward ones among them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.usecases.intake_stage import ports
from vigil.core.errors import DataError
from vigil.onboarding.document import Answers
from vigil.onboarding.request import Asked
from vigil.usecases.fit import fit
from vigil.usecases.look import look_at

pytestmark = pytest.mark.slow  # DuckDB and Great Expectations look at each
SIZES = (8, 24, 60, 250)
SEEDS = range(12)


def log(seed: int, **columns: Any) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """A log that is awkward in ways that the seed chooses, and its outcomes where they are apart."""
    rng = np.random.default_rng([20, seed])
    a_night, nights = int(rng.choice(SIZES)), int(rng.integers(15, 45))
    serves = [d for d in range(7) if d < 5 or seed % 3]
    days = [d for d in pd.date_range("2026-03-02", periods=2 * nights) if d.weekday() in serves][:nights]
    sizes = [max(2, int(rng.poisson(a_night * (0.3 if d.weekday() > 4 and seed % 2 else 1)))) for d in days]
    n = sum(sizes)
    night = np.repeat(np.arange(len(days)), sizes)
    x = rng.normal(size=n) + rng.normal(0, 0.1, len(days))[night]
    score = 1 / (1 + np.exp(-(1.5 * x + rng.normal(0, 0.5, n) - rng.choice([0, 2, 4]))))
    base = {
        "ref": [f"r{i:06d}" for i in range(n)],
        "asked_at": [f"{days[k] + pd.Timedelta(minutes=i % 900):%Y-%m-%dT%H:%M:%S}" for i, k in enumerate(night)],
        "score": score.round(4), "answer": np.where(score > 0.5, "yes", "no"), "x": x.round(3),
        "amount": rng.pareto(2, n).round(2), "price": rng.lognormal(3, 1.5, n).round(2), "zero": 0, "unit": "EUR",
        "plan": rng.choice(["a", "b", "c", "d"], n, p=[0.6, 0.3, 0.09, 0.01]),
        "optional": np.where(rng.random(n) < 0.97, np.nan, 1.5),
        "gaps": np.where(rng.random(n) < 0.3, np.nan, x.round(2)),
        "rate": rng.normal(2, 0.1, len(days)).cumsum().round(2)[night], "dow": [days[k].day_name() for k in night],
        "late": np.where(night < len(days) // 2, 0.0, rng.normal(size=n).round(2)), "counter": np.arange(n) * 7.5,
        "gender": rng.choice(["f", "m", "d"], n, p=[0.3, 0.65, 0.05]),
    }  # fmt: skip
    frame = pd.DataFrame({**base, **columns})
    if seed % 4 == 0:  # a chronic disparity
        worse = (frame["gender"] == "f") & (rng.random(n) < 0.6)
        frame.loc[worse, ["score", "answer"]] = [0.1, "no"]
    if seed % 4 == 1:
        frame["status"] = rng.choice(["ok", "error"], n, p=[0.93, 0.07])
    paid = np.where(rng.random(n) < frame["score"], "yes", "no")
    if seed % 4 == 3:  # no labels
        return frame, None
    if seed % 4 == 2:
        settled = pd.to_datetime(frame["asked_at"]) + pd.Timedelta(days=1)
        return frame, pd.DataFrame(
            {"ref": frame["ref"], "paid": paid, "settled": settled.dt.strftime("%Y-%m-%dT%H:%M:%S")}
        )
    return frame.assign(paid=paid), None


def forecasts(seed: int) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The same log of a regression, with errors of heavy tails."""
    frame, _ = log(seed)
    rng = np.random.default_rng([21, seed])
    true = rng.lognormal(2, 1.2, len(frame))
    made = frame.drop(columns=["score", "answer", "gender", "paid"], errors="ignore")
    made = made.assign(
        forecast=(true * rng.lognormal(0, 0.5, len(frame))).round(3), humidity_pct=rng.uniform(0, 100, len(frame))
    )
    settled = (pd.to_datetime(made["asked_at"]) + pd.Timedelta(days=1)).dt.strftime("%Y-%m-%dT%H:%M:%S")
    return made, pd.DataFrame({"ref": made["ref"], "actual": true.round(3), "settled": settled})


def fitted(folder: Path, frame: pd.DataFrame, truth: pd.DataFrame | None = None, **asked: Any):
    frame.to_csv(folder / "log.csv", index=False)
    if truth is not None:
        truth.to_csv(folder / "truth.csv", index=False)
    where = {"outcomes": "truth.csv"} if truth is not None else {}
    stores = ports(folder)
    looked = look_at(stores, Asked(name="made", log="log.csv", **where, **asked))
    groups = {p.attribute: "m" for p in looked.draft.protected}
    return fit(stores, looked, Answers(owner="ada@example.com", favourable="yes", groups=groups), None)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_night_of_the_reference_breaks_a_drafted_rule(tmp_path, seed):
    frame, truth = log(seed)
    found = fitted(tmp_path, frame, truth)
    assert found.rules.odd == ()
    assert not {"rate", "dow", "counter"} - found.rules.book.without.keys()
    assert not {"x", "plan", "late", "zero", "price"} & found.rules.book.without.keys()
    bounds = {
        line.rule["breach"]: line.rule for line in found.rules.book.of("quality") if line.rule["metric"] == "missing"
    }
    assert "x" not in bounds.get("> 0.99", {}).get("subjects", [])  # the emptiest column allows nothing to the others
    assert {"optional", "gaps"} <= {*bounds["> 0.01"]["without"]}
    assert ("fairness" in {line.family for line in found.rules.book.lines}) is True


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_night_of_the_reference_breaks_a_drafted_rule_of_a_regression(tmp_path, seed):
    found = fitted(tmp_path, *forecasts(seed), no_protected=True)
    assert found.rules.odd == ()
    assert "humidity_pct: numeric" in found.body
    (line,) = found.rules.book.of("performance") or [None]
    assert line is None or (line.rule["metric"] == "mae" and line.rule["holdout"] > 0.1)


def test_a_disparity_that_the_reference_has_warns_and_breaks_nothing_until_it_is_worse(tmp_path):
    found = fitted(tmp_path, *log(4))
    lines = [line for line in found.rules.book.of("fairness") if line.rule["metric"] == "selection_rate_ratio"]
    known = [line for line in lines if line.rule.get("subjects") == ["gender=f"]]
    assert [line.rule["warn"] for line in known] == ["< 0.80"]
    assert "on the reference already" in known[0].note
    assert lines[0].rule["without"] == ["gender=f"]


def test_a_feature_without_a_value_in_the_reference_is_named_and_stops_nothing(tmp_path):
    frame, truth = log(2)
    late = frame["ref"] > frame["ref"].iloc[-len(frame) // 3]
    found = fitted(tmp_path, frame.assign(new_one=np.where(late, 1.5, np.nan)), truth)
    assert "# not new_one: without a value in the reference" in found.body


def test_a_log_without_any_feature_that_has_a_value_says_which(tmp_path):
    frame, _ = log(3)
    late = frame["ref"] > frame["ref"].iloc[-len(frame) // 3]
    few = frame[["ref", "asked_at", "score", "answer"]].assign(new_one=np.where(late, 1.5, np.nan))
    with pytest.raises(DataError, match=r"no feature \(new_one\) has a value on the nights of the reference"):
        fitted(tmp_path, few, no_protected=True)


def test_weekdays_without_rows_are_no_nights_of_service(tmp_path):
    found = fitted(tmp_path, *log(3))
    assert "serves: [mon, tue, wed, thu, fri]" in found.body
