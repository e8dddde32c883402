"""A stranger's log, from `vigil init` to the bad night that is named: through the real command line, in processes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
FIRST = pd.Timestamp("2026-10-01")
NIGHTS = 20
OWNER = ("--owner", "ada@example.com")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def vigil(home: Path, *words: object, code: int = 0, **env: str) -> str:
    """Runs one command; what it printed. Fails where the exit code is another, or where a traceback is shown."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    clean |= {"VIGIL_HOME": str(home), "PYTHONPATH": f"{ROOT / 'include'}:{ROOT}", "COLUMNS": "200", **env}
    command = [sys.executable, "-m", "vigil.cli", *map(str, words)]
    done = subprocess.run(command, cwd=home, env=clean, capture_output=True, text=True, check=False, timeout=280,
                          stdin=subprocess.DEVNULL)  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == code, told
    assert "Traceback" not in told
    return told


def patients(night: int, *, metres: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A night of a classifier of biopsies, as JSON lines with seconds since 1970, and its outcomes, two days later."""
    data = load_breast_cancer(as_frame=True).frame
    used = ["mean radius", "mean texture", "mean smoothness", "mean concavity"]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data[used][::2], data["target"][::2])
    rng = np.random.default_rng([1, night])
    drawn = data[1::2].iloc[rng.integers(0, 284, 120)].reset_index(drop=True)
    seen = drawn[used] / (1000 if metres else 1)
    at = int((FIRST + pd.Timedelta(days=night, hours=8)).timestamp()) + np.sort(rng.integers(0, 36_000, 120))
    ids = [f"{night:02d}{n:06x}" for n in range(120)]
    log = seen.assign(request_id=ids, ts=at, p_benign=model.predict_proba(seen)[:, 1], ms=rng.gamma(2, 8, 120).round(1))
    confirmed = pd.to_datetime(at + 2 * 86_400, unit="s").strftime("%Y-%m-%dT%H:%M:%SZ")
    words = drawn["target"].map({1: "benign", 0: "malignant"})
    return log, pd.DataFrame({"request_id": ids, "pathology": words, "confirmed": confirmed})


def test_scores_as_json_lines_with_outcomes_in_a_csv_of_their_own(home, tmp_path):
    logs = tmp_path / "logs of a clinic"
    logs.mkdir()
    truth = []
    for night in range(NIGHTS):
        rows, outcomes = patients(night)
        rows.to_json(logs / f"{night:02d}.jsonl", orient="records", lines=True)
        truth.append(outcomes)
    pd.concat(truth[: NIGHTS - 2]).to_csv(tmp_path / "pathology.csv", index=False)

    told = vigil(home, "init", "biopsies", "--log", logs / "*.jsonl", "--outcomes", tmp_path / "pathology.csv",
                 *OWNER, "--favourable", "benign")  # fmt: skip
    assert "20 files, 2,400 rows looked at, 20 nights, about 120 rows a night" in told
    assert "took       2,400 new of 2,400 rows, 2,160 labels" in told
    assert "0 nights would have opened or joined an incident" in told
    assert "1 monitors are valid" in vigil(home, "lint")
    assert "took       0 new of 0 rows, 0 labels" in vigil(home, "ingest", "biopsies")

    patients(NIGHTS)[0].to_json(logs / "20.jsonl", orient="records", lines=True)
    pd.concat(truth).to_csv(tmp_path / "pathology.csv", index=False)
    assert "took       120 new of 120 rows, 240 labels" in vigil(home, "ingest", "biopsies")
    assert "120 rows" in vigil(home, "night", "biopsies", "2026-10-21")

    patients(NIGHTS + 1, metres=True)[0].to_json(logs / "21.jsonl", orient="records", lines=True)
    vigil(home, "ingest", "biopsies")
    told = vigil(home, "night", "biopsies", "2026-10-22", code=2)
    assert "BREACH   position_shift(mean radius)" in told
    assert "BREACH   position_shift(mean texture)" in told


def forecasts(night: int, *, fault: bool = False) -> pd.DataFrame:
    """A night of a regression, one row each 15 minutes of local time, its label beside it after a day."""
    data = load_diabetes(as_frame=True, scaled=False).frame
    used = ["age", "bmi", "bp", "s5"]
    model = LinearRegression().fit(data[used][::2], data["target"][::2])
    rng = np.random.default_rng([2, night])
    drawn = data[1::2].iloc[rng.integers(0, 221, 96)].reset_index(drop=True)
    seen = drawn[used].assign(bp=drawn["bp"] * (0.133322 if fault else 1))  # kPa instead of mmHg
    start = FIRST + pd.Timedelta(days=night)
    local = [start + pd.Timedelta(minutes=15 * n) for n in range(96)]
    return seen.assign(
        when=[f"{t:%d.%m.%Y %H:%M}" for t in local], forecast=model.predict(seen).round(1), progression=drawn["target"]
    )


def test_a_regression_in_a_growing_csv_with_local_times_and_over_the_change_of_clocks(home, tmp_path):
    log = tmp_path / "Verlauf (größer).csv"
    start = 24 - NIGHTS  # the newest night, 25 October, has 25 hours
    pd.concat([forecasts(n) for n in range(start, 25)]).to_csv(log, index=False, sep=";")
    told = vigil(
        home, "init", "progression", "--log", log, *OWNER, "--timezone", "Europe/Berlin", "--label", "progression"
    )
    assert "task       regression; 4 features (4 numeric)" in told
    assert "took       2,016 new of 2,016 rows" in told
    assert "0 nights would have opened or joined an incident" in told
    assert "1 monitors are valid" in vigil(home, "lint")
    assert "took       0 new of 0 rows" in vigil(home, "ingest", "progression")

    forecasts(25).to_csv(log, mode="a", header=False, index=False, sep=";")
    assert "took       96 new of 2,112 rows" in vigil(home, "ingest", "progression")
    told = vigil(home, "night", "progression", "2026-10-26")
    assert "progression 2026-10-26 (production)  96 rows" in told
    assert "0 breach" in told

    forecasts(26, fault=True).to_csv(log, mode="a", header=False, index=False, sep=";")
    vigil(home, "ingest", "progression")
    assert "BREACH   position_shift(bp)" in vigil(home, "night", "progression", "2026-10-27", code=2)


# what goes wrong is a sentence that says what to do, and exit code 1


def test_nobody_at_the_prompt_is_told_all_flags_at_once_and_nothing_counts_as_taken(home, tmp_path):
    patients(0)[0].assign(sex=["f", "m"] * 60).to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    told = vigil(home, "init", "biopsies", "--log", tmp_path / "log.jsonl", code=1)
    assert "not a terminal: pass these options (or --no-protected) instead of answering questions:" in told
    assert all(flag in told for flag in ("--owner", "--favourable", "--protected sex="))
    assert not (home / "monitors").exists()
    assert not list(home.rglob("intake/**/*.json"))


def test_a_log_with_one_row_a_log_of_two_models_and_a_log_without_times_say_what_to_do(home, tmp_path):
    rows = patients(0)[0]
    for name, frame in {
        "one": rows.head(1), "two": rows.assign(model=["a", "b"] * 60), "timeless": rows.drop(columns="ts"),
    }.items():  # fmt: skip
        frame.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    init = ("init", "biopsies", *OWNER, "--favourable", "1", "--log")
    few = vigil(home, *init, tmp_path / "one.jsonl", code=1)
    assert "has 1 row: too few to draft a monitor; at least 30 are required" in few
    assert "choose one with --only model=" in vigil(home, *init, tmp_path / "two.jsonl", code=1)
    assert "rows cannot be assigned to nights; name it with --served-at" in vigil(
        home, *init, tmp_path / "timeless.jsonl", code=1
    )


def test_a_yaml_of_a_newer_vigil_asks_for_the_upgrade(home):
    (home / "monitors").mkdir()
    (home / "monitors/new.yaml").write_text("version: vigil/v2\nmodel: new\n")
    told = vigil(home, "lint", code=1)
    assert "monitors/new.yaml:1: version: 'vigil/v2' is of another Vigil, this one reads vigil/v1; upgrade it" in told


def test_a_wrong_address_of_the_database_is_said_without_its_password(home):
    told = vigil(home, "incidents", "list", code=1, VIGIL_DATABASE_URL="postgres://ada:secret@127.0.0.1:1/vigil")
    assert "postgresql://ada:***@127.0.0.1:1/vigil cannot be used" in told
    assert "Correct VIGIL_DATABASE_URL, or start the server" in told
    assert "secret" not in told


@pytest.mark.skipif(not Path("/sys/kernel").exists(), reason="needs a folder that not even root can write to")
def test_a_read_only_folder_is_named_with_the_two_variables_that_move_it(home):
    told = vigil(home, "incidents", "list", code=1, VIGIL_STATE="/sys/vigil")
    assert "cannot write /sys/vigil: " in told
    assert "(VIGIL_STATE)" in told
    assert "make room there, or let this user write" in told
