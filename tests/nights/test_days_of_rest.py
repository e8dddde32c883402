"""A model that rests on some weekdays: no incident of its rest, and every one of its service.

The log is played by `vigil backtest`, whose steps are those of every night, and by the nightly steps themselves.
"""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from past import FIRST, Past, night
from typer.testing import CliRunner

from vigil import wiring
from vigil.cli import app
from vigil.core.stages import JUDGING, Stage
from vigil.usecases import nightly
from vigil.usecases.night.run import run_night
from vigil.usecases.nights import incidents

pytestmark = pytest.mark.slow  # many nights on real stores
STAGES = (*JUDGING, Stage.CORRELATE)
ANSWERS = {"name": "answers", "sli": "availability", "target": 0.9}


def day(n: int) -> date:
    return FIRST + timedelta(days=n)


def log(home: Path, days: list[int], *, moved: tuple[int, ...] = (), **parts) -> Past:
    """A home whose log has rows on these days since a Monday."""
    past = Past(home, slos=[ANSWERS], **parts)
    for n in days:
        past.write(night(day(n), income=0.8 if n in moved else 0.0))
    return past.referenced()


def told(past: Past) -> dict:
    to = past.home.parent / "told.json"
    done = CliRunner().invoke(app, ["backtest", "credit", "--home", str(past.home), "--json", str(to)])
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return json.loads(to.read_text())


def opened(found: dict) -> dict[str, list[str]]:
    return {i["opened"]: i["findings"] for i in found["summary"]["incidents"]}


def state(found: dict, n: int, metric: str, subject: str = "all") -> str:
    one = next(each for each in found["nights"] if each["night"] == day(n).isoformat())
    return next(v["state"] for v in one["verdicts"] if (v["metric"], v["subject"]) == (metric, subject))


def test_a_weekday_model_rests_on_weekends_and_a_friday_and_a_monday_without_rows_are_in_a_row(tmp_path):
    found = told(log(tmp_path / "home", [n for n in range(37) if n % 7 < 5 and n not in (32, 35)]))
    assert opened(found) == {day(35).isoformat(): ["rows/all"]}
    assert found["summary"]["rest"] == [day(n).isoformat() for n in (26, 27, 33, 34)]
    assert found["summary"]["unjudged"] == [day(n).isoformat() for n in (5, 6, 12, 13, 19, 20, 32, 35)]
    assert found["summary"]["nights"] == 33


@pytest.mark.parametrize("serves", [None, ["mon"]])
def test_a_weekly_model_has_no_incident_and_its_drift_on_two_mondays_is_a_breach(tmp_path, serves):
    days = [7 * n for n in range(11)]
    past = log(tmp_path / "home", days, moved=(63, 70), serves=serves)
    found = told(past)
    assert state(found, 63, "mean_shift", "income") == "warn"
    assert state(found, 70, "mean_shift", "income") == "breach"
    assert opened(found) == {day(70).isoformat(): ["mean_shift/income"]}


def test_a_monday_that_is_missing_is_found_and_the_second_one_opens_an_incident(tmp_path):
    found = told(log(tmp_path / "home", [7 * n for n in range(10) if n not in (5, 7, 8)]))
    assert state(found, 35, "rows") == "unknown"
    assert opened(found) == {day(56).isoformat(): ["rows/all"]}
    assert found["summary"]["incidents"][0]["last"] == day(56).isoformat()


def test_the_nightly_steps_show_a_day_of_rest_as_rest_and_its_budgets_as_they_were(tmp_path):
    past = log(tmp_path / "home", [n for n in range(7) if n < 5], serves=["mon", "tue", "wed", "thu", "fri"])
    ports, monitor = wiring.open_ports(past.settings), past.monitor
    for n in range(7):
        run_night(ports, monitor, day(n), stages=STAGES)
    friday, sunday = (ports.results.latest("credit", "production", day(n)) for n in (4, 6))
    assert (sunday.rest, sunday.verdicts) == (True, ())
    assert [str(note) for note in sunday.notes] == ["no service on Sundays: as `serves:` says"]
    assert [(b.good, b.total, b.unjudged_nights) for b in sunday.budgets] == [
        (b.good, b.total, b.unjudged_nights) for b in friday.budgets
    ]
    assert not friday.rest
    assert nightly.night_result(ports, monitor, day(6), as_of=day(6)) == sunday
    assert incidents(ports, monitor) == []


def test_rows_on_a_declared_day_of_rest_are_judged_and_told(tmp_path):
    past = log(tmp_path / "home", list(range(6)), serves=["mon", "tue", "wed", "thu", "fri"])
    found = told(past)
    assert state(found, 5, "missing", "income") == "ok"
    assert any("though `serves:` names no Saturdays" in note for note in found["summary"]["notes"])


def test_a_model_whose_schedule_is_weekly_confirms_drift_from_one_run_to_the_next(tmp_path):
    """A run on each Tuesday judges the Monday before it; nobody ever judges the other days."""
    past = log(tmp_path / "home", [7 * n for n in range(10)], moved=(56, 63), schedule="0 3 * * tue")
    ports, monitor = wiring.open_ports(past.settings), past.monitor
    for n in range(10):
        run_night(ports, monitor, day(7 * n), stages=STAGES)
    states = []
    for n in (56, 63):
        result = ports.results.latest("credit", "production", day(n))
        states += [v.state.value for v in result.verdicts if v.id == "mean_shift/income"]
    assert states == ["warn", "breach"]
    assert [i.opened_night for i in incidents(ports, monitor)] == [day(63)]
