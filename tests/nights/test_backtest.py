"""What the judgement would have said, by what was known each morning, whatever the log is like; nothing is changed."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from past import FIRST, RULES, Past, at, declared, labels, night, table
from typer.testing import CliRunner

from vigil import wiring
from vigil.cli import app
from vigil.core.stages import JUDGING
from vigil.usecases.backtest import morning
from vigil.usecases.night.run import run_night

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory) -> Past:
    """A home whose twelve nights are quiet, but for the last one: incomes have moved. Nobody may change it."""
    past = Past(tmp_path_factory.mktemp("quiet") / "home").quiet(11).referenced()
    past.write(night(FIRST + timedelta(days=11), income=1.5))
    return past


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Scans are kept once for all tests of this module."""
    base = tmp_path_factory.getbasetemp() / "backtest-cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(base))
    monkeypatch.setenv("COLUMNS", "200")
    return base


def run(past: Past, *words: str, code: int = 0):
    done = CliRunner().invoke(app, ["backtest", "credit", "--home", str(past.home), *words])
    assert done.exit_code == code, f"{done.output}\n{done.exception!r}"
    return done.output


def told(past: Past, *words: str, code: int = 0) -> dict:
    to = past.home.parent / "told.json"
    run(past, "--json", str(to), *words, code=code)
    return json.loads(to.read_text())


def state_of(found: dict, day: date, metric: str, subject: str = "all") -> str:
    (one,) = [n for n in found["nights"] if n["night"] == day.isoformat()]
    return next(v["state"] for v in one["verdicts"] if (v["metric"], v["subject"]) == (metric, subject))


def content(home: Path) -> dict[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file()}


def test_the_json_has_the_shape_that_others_read(quiet):
    found = told(quiet)
    assert list(found) == ["monitor", "settings_digest", "nights", "summary"]
    assert found["monitor"] == "credit"
    assert found["settings_digest"] == quiet.monitor.digest
    assert len(found["nights"]) == 12
    for one in found["nights"]:
        assert list(one) == ["night", "rows", "verdicts", "incident"]
        for verdict in one["verdicts"]:
            assert list(verdict) == [
                "metric", "subject", "family", "state", "reason", "value", "low", "high", "n", "baseline",
            ]  # fmt: skip
    assert [n["incident"] for n in found["nights"][:-1]] == [None] * 11
    assert found["nights"][-1]["incident"] == {
        "opened": "2026-03-13",
        "severity": "SEV2",
        "findings": [{"family": "drift", "signals": ["mean_shift/income"]}],
    }
    assert found["summary"]["false_incidents"] == 1


def test_nothing_in_the_home_is_changed(quiet):
    before = content(quiet.home)
    run(quiet)
    assert content(quiet.home) == before


def test_the_nights_are_judged_as_the_nightly_run_judges_them(tmp_path):
    """Of a home whose labels are all known on the first morning, so that each night is judged once."""
    past = Past(tmp_path / "home").referenced()
    for n in range(4):
        past.write(night(FIRST + timedelta(days=n)), after=timedelta(0))
    found = told(past)
    ports, monitor = wiring.open_ports(past.settings), past.monitor
    for n, one in enumerate(found["nights"]):
        day = FIRST + timedelta(days=n)
        run_night(ports, monitor, day, stages=JUDGING)
        result = ports.results.latest("credit", "production", day)
        assert one["rows"] == result.rows
        assert [(v["metric"], v["subject"], v["state"], v["reason"]) for v in one["verdicts"]] == [
            (v.metric, v.subject, v.state.value, v.reason) for v in result.verdicts
        ]


def test_labels_that_came_later_are_not_seen_on_the_night_and_rejudge_it_when_they_come(quiet):
    early = told(quiet, "--to", "2026-03-03")
    assert state_of(early, FIRST, "recall") == "unknown"
    late = told(quiet, "--to", "2026-03-06")
    assert state_of(late, FIRST, "recall") == "ok"
    assert "2026-03-02" in late["summary"]["restated"]
    assert "2026-03-06" not in late["summary"]["restated"]


def test_a_history_with_gaps_is_judged_and_two_nights_without_rows_are_told(tmp_path):
    found = told(Past(tmp_path / "home").quiet(10, without=(3, 7, 8)).referenced())
    assert [n["rows"] > 0 for n in found["nights"]] == [n not in (3, 7, 8) for n in range(10)]
    assert state_of(found, FIRST + timedelta(days=3), "rows") == "unknown"
    assert found["nights"][3]["incident"] is None
    assert found["nights"][8]["incident"]["findings"] == [{"family": "quality", "signals": ["rows/all"]}]
    assert found["summary"]["unjudged"] == ["2026-03-05", "2026-03-09", "2026-03-10"]


def test_the_first_night_ever_is_judged_and_its_yardstick_is_named(tmp_path):
    found = told(Past(tmp_path / "home").quiet(1))
    assert found["nights"][0]["rows"] == 240
    assert state_of(found, FIRST, "mean_shift", "income") == "unknown"
    assert any("the home has no baseline: the first 1 nights" in note for note in found["summary"]["notes"])


def test_a_prediction_log_alone_makes_its_yardstick_of_its_first_nights_and_says_so(tmp_path):
    past = Past(tmp_path / "home").quiet(9)
    log = past.home.parent / "bare"
    (past.home / ".vigil" / "predictions").rename(log)
    to = tmp_path / "told.json"
    done = CliRunner().invoke(app, ["backtest", str(past.yaml), "--home", str(log), "--json", str(to)])
    assert done.exit_code == 0, done.output
    found = json.loads(to.read_text())
    assert any("the first 3 nights with rows (2026-03-02 to 2026-03-04)" in note for note in found["summary"]["notes"])
    assert found["summary"]["quiet"] == 6
    assert state_of(found, FIRST + timedelta(days=5), "missing", "income") == "ok"


def test_two_versions_in_one_night_are_judged_together_and_a_change_of_version_says_which_yardstick(tmp_path):
    past = Past(tmp_path / "home").quiet(2).referenced()
    mixed = night(FIRST + timedelta(days=2))
    mixed.loc[100:, "model_version"] = "2"
    past.write(mixed)
    past.write(night(FIRST + timedelta(days=3), model_version="2"))
    found = told(past)
    assert [n["rows"] for n in found["nights"]] == [240] * 4
    assert found["summary"]["yardsticks"] == [
        ["2026-03-02", "version 1 against the reference"],
        ["2026-03-04", "version 1, version 2 against the reference"],
        ["2026-03-05", "version 2 against the reference"],
    ]


def test_a_group_that_disappears_is_unknown_on_its_nights_alone(tmp_path):
    past = Past(tmp_path / "home").quiet(3).referenced()
    past.write(night(FIRST + timedelta(days=3), sex="m"))
    found = told(past)
    assert state_of(found, FIRST + timedelta(days=2), "selection_rate_ratio", "sex=f") == "ok"
    assert state_of(found, FIRST + timedelta(days=3), "selection_rate_ratio", "sex=f") == "unknown"
    assert state_of(found, FIRST + timedelta(days=3), "missing", "income") == "ok"


@pytest.mark.parametrize("damage", ["cut in half", "garbled inside"])
def test_a_night_whose_file_is_corrupt_is_unknown_and_the_others_are_judged(tmp_path, damage):
    past = Past(tmp_path / "home", timezone="UTC").quiet(4).referenced()  # so that a file is of one night alone
    for file in past.home.glob(".vigil/predictions/predictions/model=credit/date=*/2026-03-04*"):
        whole = file.read_bytes()
        middle = len(whole) // 2
        garbled = whole[:4] + os.urandom(middle) + whole[4 + middle :]
        file.write_bytes(whole[:middle] if damage == "cut in half" else garbled)
    found = told(past)
    states = [{v["state"] for v in one["verdicts"]} for one in found["nights"]]
    assert states[2] == {"unknown"}
    assert all("ok" in states[n] for n in (0, 1, 3))


def test_nights_of_23_and_25_hours_have_all_of_their_rows(tmp_path):
    past = Past(tmp_path / "home").referenced()
    for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)):
        past.write(night(day))
    found = told(past)
    assert [n["rows"] for n in found["nights"]] == [240] * 3
    assert (morning(past.monitor, date(2026, 3, 28)), morning(past.monitor, date(2026, 10, 24))) == (
        at(date(2026, 3, 29), 1), at(date(2026, 10, 25), 0),
    )  # fmt: skip
    autumn = Past(tmp_path / "autumn").referenced()
    autumn.write(night(date(2026, 10, 25)))
    assert [n["rows"] for n in told(autumn)["nights"]] == [240]


def test_other_settings_are_judged_beside_the_present_ones_and_fail_where_they_miss_a_recorded_incident(quiet):
    truth = quiet.home / "truth.json"
    truth.write_text(json.dumps([{"fault": "mean", "feature": "income", "group": None, "onset": "2026-03-13",
                                  "until": None, "expected_incident": True}]))  # fmt: skip
    try:
        said = run(quiet, "--set", "rules.drift.0.hard=> 3.0", "--set", "rules.drift.mean_shift.sigma=40", code=1)
        assert "it would miss mean income (2026-03-13 to 2026-03-13)" in said
        assert "gone       incidents of 2026-03-13" in said
        assert "mean_shift/income on 1 night" in said
        found = told(quiet, "--set", "rules.drift.0.hard=> 0.9")
        assert found["summary"]["difference"]["missed"] == []
        assert found["summary"]["false_incidents"] == 0
    finally:
        truth.unlink()


def test_another_yaml_is_judged_beside_it_and_its_budget_of_alarms_is_kept_or_not(quiet, tmp_path):
    other = tmp_path / "other.yaml"
    fairness = [{"metric": "selection_rate_ratio", "breach": "< 1.30"}]
    other.write_text(yaml.safe_dump(declared(rules={**RULES, "fairness": fairness}), sort_keys=False))
    found = told(quiet, "--against", str(other), "--budget", "20/year", code=1)
    assert found["settings_digest"] == found["summary"]["difference"]["changed"] != quiet.monitor.digest
    assert found["summary"]["difference"]["groups"] == ["sex=f"]
    assert "the budget is 20" in found["summary"]["failures"][0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "rules.drift.0.sigmaa=5"], "unknown key 'sigmaa' in rules.drift.0; did you mean 'sigma'?"),
        (["--set", "rules.drift.mean_shfit.sigma=5"], "did you mean 'mean_shift'?"),
        (["--set", "rules.drift.0.sigma=-1"], "must be more than 0"),
        (["--set", "rules.drift.0.hard=< 1"], "'mean_shift'"),
        (["--budget", "two a year"], "such as 2/year"),
        (["--from", "2030-01-01"], "has nights from 2026-03-02 to 2026-03-13"),
        (["--against", "nowhere.yaml"], "cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_said_with_exit_code_2(quiet, words, says):
    if "hard=<" in words[-1]:
        words = ["--set", "rules.quality.0.breach=< 0.1"]
        says = "is bad when it is higher"
    assert says in run(quiet, *words, code=2)


@pytest.mark.slow
def test_a_backtest_that_was_killed_and_is_resumed_writes_the_same_bytes(quiet, tmp_path):
    def start(cache: str, *more: str) -> subprocess.Popen:
        env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / cache), "PYTHONPATH": f"{ROOT / 'include'}:{ROOT}"}
        words = ["backtest", "credit", "--home", str(quiet.home), "--json", str(tmp_path / f"{cache}.json"), *more]
        return subprocess.Popen([sys.executable, "-m", "vigil.cli", *words], env=env, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)  # fmt: skip

    assert start("whole").wait(300) == 0
    killed = start("killed")
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "killed").rglob("*.profiles"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(60)
    assert not (tmp_path / "killed.json").exists()
    kept = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "killed").rglob("*.profiles")}
    assert start("killed").wait(300) == 0
    assert (tmp_path / "killed.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert kept.items() <= {p.name: p.stat().st_mtime_ns for p in (tmp_path / "killed").rglob("*.profiles")}.items()
    assert start("anew", "--no-resume").wait(300) == 0
    assert (tmp_path / "anew.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert not (tmp_path / "anew").exists()


def test_labels_that_are_corrected_after_the_last_night_change_nothing(tmp_path):
    past = Past(tmp_path / "home").quiet(3).referenced()
    before = told(past)
    rows = night(FIRST)
    wrong = labels(rows, after=timedelta(days=30)).assign(label="0")
    past.log.write_outcomes("credit", table(wrong), batch_id="corrected")
    assert told(past) == before
