"""The example models do what the stories need: measured on their own nights, over many of them."""

import os
import subprocess
import sys
from datetime import timedelta
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pytest
from played import FIRST
from sklearn.metrics import roc_auc_score

from examples import credit, iris
from examples.register import register_credit, register_iris
from vigil.adapters.mlflow_registry import MlflowRegistry

pytestmark = pytest.mark.slow
NIGHTS = [FIRST + timedelta(days=n) for n in range(12)]


@cache
def version(which: str) -> Any:
    made = {"first": credit.train_first, "second": credit.train_second, "bad": credit.train_bad}
    return credit.rules() if which == "rules" else made[which]()[0]


def ratios(which: str, fault: credit.Fault | None = None, seed: int = 7) -> list[float]:
    """Selection-rate ratio of women to men, night by night."""
    found = []
    for night in NIGHTS:
        rows = credit.night_rows(night, seed=seed, fault=fault)
        approved = version(which).predict(None, rows)["prediction"].reset_index(drop=True) == "approve"
        share = approved.groupby(rows["sex"]).mean()
        found.append(float(share["female"] / share["male"]))
    return found


@pytest.mark.parametrize("which", ["first", "second", "rules"])
@pytest.mark.parametrize("seed", [7, 8])
def test_the_good_versions_and_the_rules_approve_women_as_often_as_men(which: str, seed: int) -> None:
    assert min(ratios(which, seed=seed)) > 0.90
    assert median(ratios(which, seed=seed)) > 0.98


@pytest.mark.parametrize("which", ["first", "second"])
@pytest.mark.parametrize("seed", [7, 8])
def test_under_the_broken_pipeline_both_model_versions_are_unfair_so_a_rollback_would_not_help(
    which: str, seed: int
) -> None:
    assert max(ratios(which, credit.Fault.DOLLARS, seed)) < 0.72


def test_the_rules_do_not_look_at_what_the_broken_pipeline_breaks() -> None:
    assert ratios("rules", credit.Fault.DOLLARS) == ratios("rules")


@pytest.mark.parametrize("seed", [7, 8])
def test_the_bad_version_is_unfair_on_good_inputs_where_the_previous_one_is_not(seed: int) -> None:
    assert max(ratios("bad", seed=seed)) < 0.72


def test_the_bad_version_looks_healthy_on_the_figure_that_people_check_first() -> None:
    _, others = credit.clients()
    auc = {
        w: roc_auc_score(others["label"] == "1", version(w).predict(None, others)["score"]) for w in ("bad", "first")
    }
    assert auc["bad"] > 0.74
    assert auc["first"] > 0.75


@pytest.mark.parametrize("which", ["first", "second"])
def test_no_healthy_version_is_given_a_protected_attribute(which: str) -> None:
    assert set(version(which).inputs) <= set(credit.FEATURES)
    assert not {*credit.PROTECTED, "age", "education", "marital_status", "label"} & set(credit.FEATURES)


@pytest.mark.parametrize("which", ["first", "second", "bad", "rules"])
def test_a_decision_is_a_denial_exactly_where_the_score_reaches_the_threshold(which: str) -> None:
    said = version(which).predict(None, credit.night_rows(FIRST))
    assert ((said["score"] >= credit.THRESHOLD) == (said["prediction"] == "deny")).all()
    assert said["score"].between(0, 1).all()
    assert set(said["prediction"]) == {"approve", "deny"}


@pytest.mark.parametrize("made", ["model", "rules"])
def test_iris_versions_are_right_on_good_nights_and_wrong_in_inches(made: str) -> None:
    model = iris.rules() if made == "rules" else iris.train(np.random.default_rng(11), trees=30)[0]
    right = {}
    for fault in (None, iris.Fault.INCHES):
        rows = iris.night_rows(FIRST, fault=fault)
        right[fault] = (model.predict(None, rows)["prediction"].to_numpy() == rows["label"].to_numpy()).mean()
    assert right[None] > 0.9
    assert right[iris.Fault.INCHES] < 0.5


SCORE = """
import sys
import pandas as pd
from mlflow import pyfunc
pyfunc.load_model(sys.argv[1]).predict(pd.read_parquet(sys.argv[2])).to_parquet(sys.argv[3])
assert not [name for name in sys.modules if name.split('.')[0] in ('examples', 'vigil')]
"""


@pytest.mark.parametrize(
    ("register", "which", "example"),
    [
        (register_iris, "first", iris),
        (register_iris, "rules", iris),
        (register_credit, "second", credit),
        (register_credit, "bad", credit),
        (register_credit, "rules", credit),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_registered_version_answers_the_same_in_a_process_that_has_nothing_of_this_repository(
    register: Any, which: str, example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = MlflowRegistry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    info = register(registry, which)
    holdout = registry.holdout(info.model, info.version).to_pandas()
    rows = holdout.drop(columns=["prediction", "score", "label"], errors="ignore")
    rows.to_parquet(tmp_path / "rows.parquet")
    folder = registry.verify(info.model, info.version)
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCORE, str(folder), str(tmp_path / "rows.parquet"), str(tmp_path / "out.parquet")],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path), "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = pd.read_parquet(tmp_path / "out.parquet")
    assert said["prediction"].tolist() == holdout["prediction"].tolist()
    assert {"label", "prediction"} <= set(holdout.columns)
    assert len(holdout) == 3000
