"""A monitor that hardly answers is told, whatever else is calm: a log played by `vigil backtest`."""

import json
from datetime import timedelta

import pytest
from past import FIRST, RULES, Past
from typer.testing import CliRunner

from vigil.cli import app

pytestmark = pytest.mark.slow  # many nights on real stores


def test_drift_that_is_never_judged_is_a_blind_monitor_once_the_model_is_not_young_any_more(tmp_path):
    blind = {**RULES, "drift": [{"metric": "mean_shift", "sigma": 6, "min_rows": 10_000}]}
    past = Past(tmp_path / "home", rules=blind, coverage={"nights": 2}).quiet(25).referenced()
    to = tmp_path / "told.json"
    done = CliRunner().invoke(app, ["backtest", "credit", "--home", str(past.home), "--json", str(to)])
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    found = json.loads(to.read_text())
    (opened,) = found["summary"]["incidents"]
    assert opened["opened"] == (FIRST + timedelta(days=23)).isoformat(), "21 young nights, 2 blind ones, then a second"
    assert opened["findings"] == ["judged/drift"]
    coverage = {c["family"]: (c["due"], c["judged"]) for c in found["summary"]["coverage"]}
    assert coverage["drift"][0] > coverage["drift"][1] == 0
    assert coverage["quality"][0] == coverage["quality"][1] > 0
    said = next(v["reason"] for v in found["nights"][-1]["verdicts"] if v["metric"] == "judged")
    assert said.startswith("drift: 0 of 1 questions judged, too few rows (1); below 80% on 4 nights, since 2026-03-23.")
