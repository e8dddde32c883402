"""Thresholds for a budget of false alarms: one half of the past tunes, the other reports; a short past is refused."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from past import FIRST, RULES, Past, night
from typer.testing import CliRunner

from vigil import cli_tune
from vigil.cli import app
from vigil.core.errors import DataError
from vigil.usecases.tune import Knob, halves, moved, needed

DRIFT = [{"metric": "mean_shift", "sigma": 3}]
RESPONSE = {"recovery_rows": 50}
RESTLESS = (7, 8, 14, 15, 24, 25, 31, 32)  # two episodes in each half of 36 nights


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "tune-cache"))
    monkeypatch.setattr(cli_tune.out, "width", 200)


@pytest.fixture(scope="module")
def restless(tmp_path_factory) -> Past:
    """Quiet nights, but on some incomes are harmlessly higher, two nights at a time; the rule calls that incidents."""
    rules = {"drift": DRIFT, "fairness": RULES["fairness"]}
    past = Past(tmp_path_factory.mktemp("restless") / "home", rules=rules, response=RESPONSE).referenced()
    for n in range(36):
        past.write(night(FIRST + timedelta(days=n), income=0.4 if n in RESTLESS else 0.0), labelled=False)
    return past


def tune(past: Past, budget: str, *words: str, code: int = 0) -> str:
    asked = ["tune", "credit", "--home", str(past.home), "--budget", budget, *words]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == code, f"{done.output}\n{done.exception!r}"
    return done.output


@pytest.mark.slow
def test_thresholds_are_proposed_that_keep_the_budget_in_the_half_that_was_not_looked_at(restless):
    before = Path(restless.yaml).read_bytes()
    told = tune(restless, "22/year")
    assert "first half (tunes), 2026-03-02 to 2026-03-19, 18 quiet nights" in told
    ((now, proposed),) = re.findall(r"second half.*quiet nights +(\S+) \[.*?\] +(\S+) \[", told)
    assert float(now) > 22 > float(proposed)
    assert "propose    rules.drift.0 (mean_shift): sigma: " in told
    assert "# was 3" in told
    assert "try        vigil backtest credit --set \"rules.drift.0.sigma=" in told  # fmt: skip
    assert Path(restless.yaml).read_bytes() == before


@pytest.mark.slow
def test_alarms_of_bounds_that_people_set_are_said_and_not_tuned_away(tmp_path):
    few = [{"metric": "volume", "breach": "< 200"}]
    past = Past(tmp_path / "home", rules={"service": few, "drift": DRIFT}, response=RESPONSE).referenced()
    for n in range(24):
        past.write(night(FIRST + timedelta(days=n), rows=150 if n in (2, 9) else 240), labelled=False)
    told = tune(past, "35/year", code=1)
    assert "what still alarms is no threshold that is learnt: volume/all" in told


def test_a_history_that_is_too_short_is_refused_with_the_nights_that_are_needed(restless):
    told = tune(restless, "2/year", code=2)
    assert "a history of 36 nights is too short for 2 a year: 366 nights are needed" in told


def test_a_budget_of_nothing_cannot_be_tuned_for():
    with pytest.raises(DataError, match="a budget of no alarms"):
        halves([FIRST], 0.0)
    assert needed(12.0) == 62


@pytest.mark.parametrize(
    ("key", "now", "side", "milder", "stricter"),
    [
        ("rules.drift.0.sigma", 4.0, "", 5.0, 3.2),
        ("rules.drift.0.quantile", 0.99, "", 0.995, 0.98),
        ("rules.drift.0.quantile", 0.02, "", 0.01, 0.04),
        ("rules.drift.0.hard", 1.0, ">", 1.25, 0.8),
        ("rules.drift.0.hard", 0.8, "<", 0.64, 1.0),
        ("surprise.level", 0.005, "", 0.0025, 0.01),
    ],
)
def test_a_step_milder_is_away_from_usual_nights_and_a_step_stricter_towards_them(key, now, side, milder, stricter):
    kind = {"level": "surprise", "hard": "bound"}.get(key.rpartition(".")[2]) or key.rpartition(".")[2]
    knob = Knob(key=key, kind=kind, about="x", was=now, now=now, side=side)
    assert moved(knob, milder=True).now == pytest.approx(milder)
    assert moved(knob, milder=False).now == pytest.approx(stricter)


def test_a_quantile_stays_where_its_rule_has_too_few_nights_to_know_a_milder_one():
    knob = Knob(key="rules.drift.0.quantile", kind="quantile", about="x", was=0.99, now=0.99, nights=90)
    assert moved(knob, milder=True).now == 0.99
    assert moved(knob, milder=False).now == pytest.approx(0.98)
    assert moved(knob.model_copy(update={"nights": 99}), milder=True).now == pytest.approx(0.995)
    low = Knob(key="rules.drift.0.quantile", kind="quantile", about="x", was=0.01, now=0.01, nights=90)
    assert moved(low, milder=True).now == 0.01
