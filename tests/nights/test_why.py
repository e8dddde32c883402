"""Why a night was judged as it was: the same judgement again from what was stored then, byte for byte, and in words."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree, rmtree

import pytest
import yaml
from past import FIRST, RULES, Past, declared, labels, night, table
from typer.testing import CliRunner

from vigil import wiring
from vigil.cli import app
from vigil.core.stages import Stage
from vigil.usecases import last_known
from vigil.usecases.night.run import run_night

LABELS = {"delay_nights": 8, "grace_nights": 2}  # so that nothing is overdue
OTHER = {"rules": {**RULES, "drift": [{"metric": "psi", "breach": "> 0.3"}]}, "labels": LABELS}
LAST = FIRST + timedelta(days=9)


def judge(past: Past, day) -> None:
    """As the nightly run does it, without telling anybody."""
    ports, monitor = wiring.open_ports(past.settings), past.monitor
    run_night(ports, monitor, day, stages=(Stage.PROFILE, Stage.JUDGE, Stage.CORRELATE))
    last_known.record(ports, monitor)


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> Path:
    """Ten nights, each judged on its own; on the last two incomes had moved. Labels came when all was judged."""
    past = Past(tmp_path_factory.mktemp("judged") / "home", labels=LABELS).referenced()
    for n in range(10):
        day = FIRST + timedelta(days=n)
        past.write(night(day, income=0.8 if n >= 8 else 0.0), labelled=False)
        judge(past, day)
    return past.home


@pytest.fixture
def past(judged, tmp_path) -> Past:
    """A copy that a test may change; what was judged names no place."""
    copytree(judged, tmp_path / "home")
    return Past.opened(tmp_path / "home")


def why(past: Past, day=LAST, *words: str, code: int = 0) -> str:
    asked = ["why", "credit", day.isoformat(), "--home", str(past.home), *words]
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, asked)
    assert done.exit_code == code, f"{done.output}\n{done.exception!r}"
    return done.output


def test_every_night_is_rebuilt_byte_for_byte(past):
    for n in range(10):
        assert "the same, byte for byte" in why(past, FIRST + timedelta(days=n))


def test_a_breach_is_told_from_its_rows_to_its_state(past):
    told = why(past)
    for words in (
        "240 rows of 2026-03-11 (version 1: 240)",
        "move of a numeric feature's mean",
        "the reference: the number is the distance from it",
        "9 nights teach",
        "sigma 6:",
        "2 of 3 nights make a breach; before: 2026-03-09 ok, 2026-03-10 warn",
        "no gate failed",
        "breach: mean_shift(income)",
    ):
        assert words in told, told


def test_an_ok_is_told_with_its_test_its_adjustment_and_what_would_have_been_seen(past):
    told = why(past, LAST, "--subject", "missing(income)")
    assert "with 3 subjects of the rule (Holm)" in told
    assert "One-sided test" in told or "one-sided: p =" in told
    assert "would have been found (80 % power)" in told


def test_nothing_in_the_home_is_changed(past):
    def content():
        return {
            str(p): p.read_bytes() for p in sorted(past.home.rglob("*")) if p.is_file() and p.suffix != ".db-shm"
        }  # locks

    before = content()
    why(past)
    assert content() == before


def test_what_was_known_when_stays_readable_after_labels_came(past):
    day = FIRST + timedelta(days=5)
    before = datetime.now(UTC)
    past.log.write_outcomes("credit", table(labels(night(day), after=timedelta(0))), batch_id="late")
    past.write(night(LAST + timedelta(days=1)), labelled=False)
    judge(past, LAST + timedelta(days=1))
    now = why(past, day, "--subject", "recall")
    assert "the same, byte for byte" in now
    assert "as of the night of 2026-03-12" in now
    assert "OK recall(all)" in now
    then = why(past, day, "--subject", "recall", "--known-at", f"{before:%Y-%m-%dT%H:%M:%S%z}")
    assert "the same, byte for byte" in then
    assert "UNKNOWN recall(all)" in then
    assert "nothing is tested" in then


def test_settings_that_changed_since_are_taken_from_the_ledger(past):
    past.yaml.write_text(yaml.safe_dump(declared(**OTHER), sort_keys=False))
    told = why(past)
    assert "from the ledger" in told
    assert "the same, byte for byte" in told
    assert "sigma 6:" in told


def test_settings_that_nobody_kept_make_it_differ_and_it_says_where(past):
    import sqlite3

    past.yaml.write_text(yaml.safe_dump(declared(**OTHER), sort_keys=False))
    with sqlite3.connect(past.home / ".vigil" / "vigil.db") as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute("DELETE FROM events WHERE type = 'settings_recorded'")
    told = why(past, LAST, "--subject", "mean_shift/income", code=1)
    assert "the ledger has no copy that can be read" in told
    assert "mean_shift/income: judged then, and not now" in told


def test_rows_that_are_gone_from_the_log_are_not_needed(past):
    rmtree(past.home / ".vigil" / "predictions")
    told = why(past)
    assert "the log has other rows or labels of the night now" in told
    assert "the same, byte for byte" in told


def test_a_question_that_nobody_asked_and_a_night_that_nobody_judged_are_said_with_exit_code_2(past):
    assert "did you mean 'mean_shift'" in why(past, LAST, "--subject", "mean_shfit", code=2)
    assert "was not judged" in why(past, LAST + timedelta(days=7), code=2)
    early = why(past, LAST, "--known-at", "2020-01-01T00:00", code=2)
    assert "the first judgement is of" in early


def test_the_steps_are_written_for_programs_too(past, tmp_path):
    to = tmp_path / "why.json"
    why(past, LAST, "--json", str(to))
    found = json.loads(to.read_text())
    assert found["identical"] is True
    assert found["stored"] == found["rebuilt"]
    assert [s["title"] for s in found["explained"][0]["steps"]] == [
        "rows", "measurement", "yardstick", "past", "test", "test", "confirmation", "gates", "verdict", "seen",
    ]  # fmt: skip
