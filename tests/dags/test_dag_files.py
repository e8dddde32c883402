"""The DAG files, parsed by Airflow in a process of its own: what is there, and that no failed step looks green."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.dags.parse_dags import CHECKOUT, FORMS
from vigil.core.stages import TASKS

pytestmark = [pytest.mark.slow, pytest.mark.airflow]

HEAVY = {"duckdb", "evidently", "great_expectations", "mlflow", "numpy", "pandas", "pyarrow", "scipy", "slack_sdk"}
MODELS = ("credit_scoring", "iris")
ALWAYS = {"vigil_respond", "vigil_rollback", "vigil_watchdog"}
NIGHTLY = {f"vigil_nightly__{model}" for model in MODELS}
STEPS = ("open_night", "judge", "report", "correlate", "plan", "respond", "account")
Tasks = Mapping[str, Mapping[str, Any]]


def home(folder: Path, **files: str) -> Path:
    """A home with the two example monitors; `files` are written over or beside them."""
    monitors = folder / "monitors"
    monitors.mkdir(parents=True)
    for model in MODELS:
        shutil.copy(CHECKOUT / "monitors" / f"{model}.yaml", monitors)
    for name, text in files.items():
        (monitors / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One process parses a sound home, one with broken files, and one without any file."""
    folder = tmp_path_factory.mktemp("parse")
    typo = (CHECKOUT / "monitors" / "iris.yaml").read_text().replace("task: multiclass", "task: multiclas")
    broken = {"iris.yaml": typo, "my new (copy).yaml": "model: [", "iris.yml": "- not\n- a monitor\n"}
    homes = [home(folder / "sound"), home(folder / "broken", **broken), folder / "empty"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "VIGIL"))}
    env |= {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(CHECKOUT / "dags"),
        "PYTHONPATH": os.pathsep.join([str(CHECKOUT / "include"), str(CHECKOUT)]),
    }
    script = CHECKOUT / "tests" / "dags" / "parse_dags.py"
    command = [sys.executable, str(script), *map(str, homes)]
    ran = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    return {
        **dict(zip(("sound", "broken", "empty"), told["homes"], strict=True)),
        **{k: told[k] for k in ("requests", "silence")},
    }


def tasks(parsed: Mapping[str, Any], dag: str) -> Tasks:
    found: Tasks = parsed["sound"]["dags"][dag]["tasks"]
    return found


def test_every_monitor_has_its_dag_beside_the_three_shared_ones(parsed: dict[str, Any]) -> None:
    assert parsed["sound"]["errors"] == {}
    assert set(parsed["sound"]["dags"]) == NIGHTLY | ALWAYS


def test_a_broken_yaml_becomes_a_dag_that_says_why_and_the_others_stay(parsed: dict[str, Any]) -> None:
    broken = parsed["broken"]
    assert broken["errors"] == {}
    assert {"vigil_nightly__credit_scoring", "vigil_broken__iris"} | ALWAYS <= set(broken["dags"])
    assert "vigil_nightly__iris" not in broken["dags"]
    told = broken["dags"]["vigil_broken__iris"]
    assert "monitors/iris.yaml:" in told["doc"]
    assert "multiclas" in told["doc"]
    assert "not watched" in told["doc"]
    assert "broken" in told["tags"]


def test_a_broken_file_of_any_name_takes_no_other_monitor_down(parsed: dict[str, Any]) -> None:
    docs = [d["doc"] for name, d in parsed["broken"]["dags"].items() if name.startswith("vigil_broken__")]
    for file in ("monitors/iris.yaml:", "monitors/iris.yml:", "monitors/my new (copy).yaml:"):
        assert sum(file in doc for doc in docs) == 1, file


def test_without_monitors_the_shared_dags_still_parse(parsed: dict[str, Any]) -> None:
    assert parsed["empty"]["errors"] == {}
    assert set(parsed["empty"]["dags"]) == ALWAYS


def test_parsing_loads_no_heavy_library(parsed: dict[str, Any]) -> None:
    for which in ("sound", "broken", "empty"):
        loaded = {name.split(".")[0] for name in parsed[which]["modules"]}
        assert loaded & HEAVY == set(), which
        assert not [m for m in parsed[which]["modules"] if m.startswith(("vigil.adapters", "vigil.usecases"))]


def test_the_tasks_of_a_night_and_of_its_answers_keep_their_names(parsed: dict[str, Any]) -> None:
    for dag in NIGHTLY:
        assert set(tasks(parsed, dag)) == {*STEPS, "blind", "respond_blind", "red"}
    assert set(tasks(parsed, "vigil_respond")) == {"plan", "messages", "deliver", "mitigations", "mitigate", "settle"}
    rollback = {"preflight", "choose", "dry_run", "refuse", "approve", "execute", "news", "tell", "red"}
    assert set(tasks(parsed, "vigil_rollback")) == rollback
    assert set(tasks(parsed, "vigil_watchdog")) == {"look", "respond"}


def test_the_tasks_that_run_the_stages_of_a_night_follow_each_other_as_the_stages_do(parsed: dict[str, Any]) -> None:
    """A quiet night has no plan and is accounted for all the same: these two wait for the incident alone."""
    for dag in NIGHTLY:
        found = tasks(parsed, dag)
        assert list(TASKS) == ["judge", "report", "correlate", "plan", "account"]
        for later, earlier in (("report", "judge"), ("correlate", "report"), ("plan", "correlate"),
                               ("account", "correlate")):  # fmt: skip
            assert earlier in found[later]["upstream"], f"{later} must wait for {earlier}"


def test_a_report_that_failed_does_not_stop_the_incident(parsed: dict[str, Any]) -> None:
    for dag in NIGHTLY:
        assert tasks(parsed, dag)["correlate"]["rule"] == "all_done"
        assert ended(tasks(parsed, dag), fails="report")["correlate"] == "success"


def test_nights_of_a_model_never_overlap_and_the_past_is_not_caught_up(parsed: dict[str, Any]) -> None:
    for name in NIGHTLY:
        dag = parsed["sound"]["dags"][name]
        assert (dag["catchup"], dag["max_active_runs"]) == (False, 1)
        assert dag["timetable"] == "CronTriggerTimetable"
    assert parsed["sound"]["dags"]["vigil_nightly__credit_scoring"]["timezone"] == "Europe/Berlin"


def test_dags_that_answer_are_not_born_paused(parsed: dict[str, Any]) -> None:
    for dag in ALWAYS:
        assert parsed["sound"]["dags"][dag]["paused_at_first"] is False


def test_every_task_has_a_time_limit_so_that_a_hang_is_a_failure(parsed: dict[str, Any]) -> None:
    for dag in NIGHTLY | ALWAYS:
        assert [name for name, task in tasks(parsed, dag).items() if not task["timeout"]] == []


@pytest.mark.parametrize("fails", STEPS)
@pytest.mark.parametrize("dag", sorted(NIGHTLY))
def test_whichever_step_of_a_night_fails_the_run_is_red_and_the_blind_monitor_is_told(
    parsed: dict[str, Any], dag: str, fails: str
) -> None:
    states = ended(tasks(parsed, dag), fails=fails)
    assert "failed" in leaves(tasks(parsed, dag), states)
    assert (states["blind"], states["respond_blind"]) == ("success", "success")


@pytest.mark.parametrize("dag", sorted(NIGHTLY))
def test_a_quiet_night_and_one_with_an_incident_are_green_and_nobody_is_blind(parsed: dict[str, Any], dag: str) -> None:
    for skips in ((), ("plan",), ("respond",)):
        states = ended(tasks(parsed, dag), skips=skips)
        assert set(leaves(tasks(parsed, dag), states)) <= {"success", "skipped"}
        assert states["account"] == "success"
        assert states["blind"] == states["red"] == "skipped"


@pytest.mark.parametrize("fails", ["preflight", "refuse", "execute", "tell"])
def test_a_mitigation_that_did_not_go_through_is_red(parsed: dict[str, Any], fails: str) -> None:
    states = ended(tasks(parsed, "vigil_rollback"), fails=fails)
    assert "failed" in leaves(tasks(parsed, "vigil_rollback"), states)


def test_a_message_that_was_not_delivered_still_settles_and_mitigations_do_not_wait(parsed: dict[str, Any]) -> None:
    found = tasks(parsed, "vigil_respond")
    states = ended(found, fails="deliver")
    assert states["settle"] == states["mitigate"] == "success"
    assert found["settle"]["rule"] == "all_done"
    assert found["mitigate"]["triggers"] == "vigil_rollback"


def test_the_form_of_the_rollback_dag_takes_only_what_it_understands(parsed: dict[str, Any]) -> None:
    answers = parsed["sound"]["forms"]
    taken = [form for form, answer in zip(FORMS, answers, strict=True) if answer is None]
    assert taken == [FORMS[0], FORMS[6]]
    assert all("'nobody' is not one of" in a for f, a in zip(FORMS, answers, strict=True) if f.get("model"))


def test_a_night_is_asked_for_by_its_date(parsed: dict[str, Any]) -> None:
    assert len(parsed["sound"]["as_of"]) == len(NIGHTLY)
    assert all("not a 'date'" in answer for answer in parsed["sound"]["as_of"])


def test_a_request_carries_who_asked_and_only_vigil_asks_as_vigil(parsed: dict[str, Any]) -> None:
    asked = parsed["requests"]
    assert [asked[who]["actor"] for who in ("person", "vigil", "nobody")] == ["ada", "vigil", "a person in Airflow"]
    assert [asked[who]["asker"] for who in ("person", "vigil", "nobody")] == ["person", "vigil", "person"]
    assert asked["person"]["environment"] == "production"
    assert [asked[who]["dry_run"] for who in ("person", "nobody")] == [False, True]


def test_silence_is_final_and_an_answer_that_airflow_lost_is_asked_for_again(parsed: dict[str, Any]) -> None:
    told = parsed["silence"]
    assert told["timeout"].startswith("AirflowFailException: nobody answered within 4:00:00: nothing was changed.")
    assert told["unknown"].startswith("HITLTriggerEventError")
    assert tasks(parsed, "vigil_rollback")["approve"]["retries"] > 0


def ended(found: Tasks, *, fails: str | None = None, skips: tuple[str, ...] = ()) -> dict[str, str]:
    """Airflow's trigger rules, played: the state of every task when one of them fails and some skip themselves."""
    states: dict[str, str] = {}
    while len(states) < len(found):
        for name, task in found.items():
            if name not in states and all(up in states for up in task["upstream"]):
                states[name] = state(name, task, [states[up] for up in task["upstream"]], fails, skips)
    return states


def state(name: str, task: Mapping[str, Any], above: list[str], fails: str | None, skips: tuple[str, ...]) -> str:
    own = "failed" if name == fails else "skipped" if name in skips else "success"
    bad = [s for s in above if s in ("failed", "upstream_failed")]
    match task["rule"]:
        case "all_done":
            return own
        case "one_failed":
            return ("failed" if name == "red" else own) if bad else "skipped"
        case "none_failed":
            return "upstream_failed" if bad else own
        case "none_failed_min_one_success":
            return "upstream_failed" if bad else own if "success" in above else "skipped"
        case "all_success":
            return "upstream_failed" if bad else "skipped" if "skipped" in above else own
    raise AssertionError(f"{name}: the rule {task['rule']} is not played here")


def leaves(found: Tasks, states: Mapping[str, str]) -> list[str]:
    """The states that decide how Airflow ends the run."""
    inner = {up for task in found.values() for up in task["upstream"]}
    return [states[name] for name in found if name not in inner]
