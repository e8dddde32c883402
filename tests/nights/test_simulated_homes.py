"""A simulated home is an ordinary home: it is linted, judged, and what went wrong in it is found."""

import json
import os
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from examples import fraud
from examples.nights import before
from examples.portfolio.play import Cast, Night, serve
from vigil import wiring
from vigil.cli import app
from vigil.config.load import load_monitor
from vigil.settings import Settings
from vigil.verdicts.types import NightResult, State

pytestmark = pytest.mark.slow  # real stores, many nights
ROOT = Path(__file__).resolve().parents[2]
ALARM = (State.WARN, State.BREACH)
FIRST = date(2026, 1, 5)


@pytest.fixture(autouse=True)
def _no_other_home(monkeypatch):
    for name in [n for n in os.environ if n.startswith("VIGIL_")]:
        monkeypatch.delenv(name)


def vigil(*words: object, home: Path | None = None) -> str:
    env = {"COLUMNS": "200", **({"VIGIL_HOME": str(home)} if home else {})}
    told = CliRunner().invoke(app, [str(w) for w in words], env=env)
    assert told.exit_code == 0, (told.output, told.exception)
    return told.output


def judged(home: Path, model: str, nights: int) -> list[NightResult]:
    """The home's nights, after a backfill by the command line."""
    last = FIRST + timedelta(days=nights - 1)
    vigil("backfill", model, "--from", FIRST, "--to", last, home=home)
    settings = wiring.own_settings(home)
    ports, monitor = wiring.open_ports(settings), wiring.monitor(model, settings)
    return [ports.results.latest(model, monitor.environment, FIRST + timedelta(days=n)) for n in range(nights)]


def alarms(result: NightResult) -> dict[str, State]:
    return {v.id: v.state for v in result.verdicts if v.state in ALARM}


def test_a_unit_change_in_a_simulated_home_is_found_and_the_quiet_nights_before_it_are_ok(tmp_path):
    home = tmp_path / "home"
    told = vigil("simulate", "--regime", "iid", "--seed", 7, "--rows", 1000, "--nights", 12,
                 "--fault", "unit_change:amount:100@10", "--out", home)  # fmt: skip
    assert "unit_change amount by 100 times from 2026-01-15" in told
    assert "1 monitors are valid" in vigil("lint", home=home)
    nights = judged(home, "simulated", 12)
    for quiet in nights[:10]:
        assert alarms(quiet) == {}
        assert quiet.rows == 1000
        assert len([v for v in quiet.verdicts if v.state is State.OK]) > 40
    (truth,) = json.loads((home / "truth.json").read_text())
    assert truth["expected_incident"]
    for bad in (r for r in nights if r.night.isoformat() >= truth["onset"]):
        (shift,) = [v for v in bad.verdicts if v.id == f"position_shift/{truth['feature']}"]
        assert (shift.state, shift.hard) == (State.BREACH, True)
        assert not any(name.startswith("missing") for name in alarms(bad))
    assert "the monitor agrees with its rows, reference and suite" in vigil("lint", "--data", home=home)


def test_a_bad_version_is_found_by_its_performance_and_a_home_is_written_twice_the_same(tmp_path):
    for name in ("one", "two"):
        vigil("simulate", "--regime", "common", "--seed", 3, "--rows", 1500, "--nights", 4,
              "--fault", "bad_version@3", "--out", tmp_path / name)  # fmt: skip
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.parquet"))
    assert len(files) == 9, "four nights of rows, four of outcomes, a reference"
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    nights = judged(tmp_path / "one", "simulated", 4)
    assert alarms(nights[3])["auc/all"] is State.BREACH
    assert nights[3].versions == {"2": nights[3].rows}
    assert all("auc/all" not in alarms(r) for r in nights[:3])


def test_nothing_outside_the_folder_is_written_whatever_the_environment_names(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    for name in ("STATE", "PREDICTIONS"):
        monkeypatch.setenv(f"VIGIL_{name}", str(elsewhere))
    monkeypatch.setenv("VIGIL_DATABASE_URL", f"sqlite:///{elsewhere / 'vigil.db'}")
    vigil("simulate", "--rows", 50, "--nights", 2, "--out", tmp_path / "home")
    assert not elsewhere.exists()
    assert (tmp_path / "home" / ".vigil" / "vigil.db").exists()


@pytest.fixture(scope="module")
def card_log(tmp_path_factory) -> Path:
    """A home's prediction log of eight nights of real card transactions; on the last one amounts came in cents."""
    home = tmp_path_factory.mktemp("bank")
    monitor = load_monitor(ROOT / "examples" / "portfolio" / "monitors" / "fraud_detection.yaml")
    cast = Cast(fraud, monitor, fraud.train()[0], "1", Settings(home=home, state=None).predictions_dir)
    days = before(date(2026, 6, 14), 8)
    for day in days:
        serve(cast, Night(day, day, fraud.Fault.CENTS if day == days[-1] else None))
    return home


def test_nights_of_a_real_log_are_resampled_and_a_fault_in_them_is_found(card_log, tmp_path):
    home, source = tmp_path / "home", card_log / "fraud_detection"
    seen = {p: p.stat().st_mtime_ns for p in card_log.rglob("*")}
    yaml = ROOT / "examples" / "portfolio" / "monitors" / "fraud_detection.yaml"
    said = ["simulate", "--from-log", source, "--monitor", yaml, "--to", "2026-06-13", "--nights", 5,
            "--fault", "unit_change:v14:100@4", "--out", home]  # fmt: skip
    told = vigil(*said)
    assert "drawn from 7 nights" in told
    assert "7 of them count as quiet because nobody judged them" in told
    assert {p: p.stat().st_mtime_ns for p in card_log.rglob("*")} == seen, "the log that was read changed"
    assert "1 monitors are valid" in vigil("lint", home=home)

    log = home / ".vigil" / "predictions" / "predictions"
    logged = [pq.read_table(p) for p in sorted(log.rglob("*.parquet"))]
    assert sum(table.num_rows for table in logged) == 5 * fraud.ROWS
    real = pq.read_table(card_log / ".vigil" / "predictions" / "predictions" / "model=fraud_detection")
    amounts = {round(a, 6) for table in logged for a in table["amount_eur"].to_pylist()}
    assert amounts <= {round(a, 6) for a in real["amount_eur"].to_pylist()}

    nights = judged(home, "fraud_detection", 5)
    for quiet in nights[:4]:
        assert not any(s is State.BREACH for s in alarms(quiet).values()), alarms(quiet)
    assert alarms(nights[4])["mean_shift/v14"] is State.BREACH


def test_nights_on_which_something_was_found_are_not_drawn_from(tmp_path):
    vigil("simulate", "--regime", "iid", "--rows", 400, "--nights", 8, "--fault", "unit_change:age:100@6-6",
          "--out", tmp_path / "first")  # fmt: skip
    judged(tmp_path / "first", "simulated", 8)
    told = vigil(
        "simulate", "--from-log", tmp_path / "first" / "simulated", "--nights", 6, "--out", tmp_path / "second"
    )
    assert "drawn from 7 nights" in told
    assert "left out   2026-01-11" in told
    for path in (tmp_path / "second" / ".vigil" / "predictions" / "predictions").rglob("*.parquet"):
        assert max(pq.read_table(path)["age"].to_pylist()) < 150
