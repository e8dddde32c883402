"""The dead man's switch says which component, which model, and says it once an hour."""

from datetime import timedelta

import httpx
import pytest

from tests.unit.usecases.memory_stage import MODEL, NIGHT, NOW, MemoryStage, monitor
from vigil.usecases.heartbeat import COMPONENTS, Problem, airflow_problems, check, tell

BEAT = "2026-11-21T08:59:58Z"


def body(**changed):
    healthy = {c: {"status": "healthy", f"latest_{c}_heartbeat": BEAT} for c in COMPONENTS}
    return {**healthy, "triggerer": {"status": None}, **changed}


@pytest.fixture
def stage(tmp_path):
    return MemoryStage(tmp_path)


def problems(stage, *, health=body, broken=()):
    found = check(stage.ports(), stage.monitors, dict(broken), health=health, now=stage.clock.now())
    return [str(problem) for problem in found]


def posts(stage, channel="ml-incidents"):
    return [m.text for c in stage.notifier.channels.values() if c.name == channel for m in c.messages]


def test_nothing_is_said_while_airflow_is_healthy_and_every_night_is_judged(stage):
    stage.judged(NIGHT)
    assert problems(stage) == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_that_is_not_healthy_is_named_with_its_last_heartbeat(component):
    told = {"status": "unhealthy", f"latest_{component}_heartbeat": BEAT}
    assert list(map(str, airflow_problems(lambda: body(**{component: told})))) == [
        f"Airflow's {component} is unhealthy (last heartbeat {BEAT})"
    ]


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("told", [None, {}, {"status": None}, "healthy"])
def test_a_component_that_says_nothing_of_itself_is_not_healthy(component, told):
    assert list(map(str, airflow_problems(lambda: body(**{component: told})))) == [
        f"Airflow's {component} is unknown (last heartbeat never)"
    ]


def test_a_triggerer_that_nobody_started_is_no_trouble():
    assert airflow_problems(lambda: body(triggerer={"status": None})) == []


def test_an_answer_without_any_component_names_all_of_them():
    assert len(airflow_problems(dict)) == len(COMPONENTS)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError("timed out"), "timed out"),
        (ValueError("Expecting value: line 1 column 1 (char 0)"), "Expecting value"),
        (httpx.ConnectError("no route to host"), "ConnectError: no route to host"),
        (httpx.HTTPStatusError("503", request=None, response=None), "HTTPStatusError: 503"),
    ],
)
def test_an_api_that_does_not_answer_is_a_problem_not_a_traceback(error, said):
    def health():
        raise error

    (found,) = map(str, airflow_problems(health))
    assert found.startswith("Airflow's API does not answer: ")
    assert said in found


def test_a_dead_api_does_not_hide_that_a_night_is_missing(stage):
    def health():
        raise OSError("refused")

    stage.judged(NIGHT - timedelta(days=1))
    assert problems(stage, health=health) == [
        "Airflow's API does not answer: refused",
        "credit: the newest judged night is 2026-11-19; 2026-11-20 is due",
    ]


def test_a_model_without_any_judged_night_is_named(stage):
    assert problems(stage) == ["credit: no night was ever judged"]


def test_a_monitor_that_does_not_load_is_named_with_its_error(stage):
    stage.judged(NIGHT)
    assert problems(stage, broken={"x.yaml": "x.yaml:3: unknown key"}) == ["monitor broken: x.yaml:3: unknown key"]


def test_trouble_is_told_in_the_digest_channel_with_every_problem_and_the_next_step(stage):
    receipt = tell(
        stage.ports(),
        stage.monitors,
        [Problem(what="the scheduler is dead"), Problem(what="credit: a < b & c")],
        now=NOW,
    )
    (text,) = posts(stage)
    assert "*Vigil cannot see.*" in text
    assert "• the scheduler is dead\n• credit: a &lt; b &amp; c\n" in text
    assert "Next: look at the scheduler's log" in text
    assert receipt.reference["channel"] in stage.notifier.channels


def test_the_channel_is_the_one_that_the_monitors_name(tmp_path):
    stage = MemoryStage(tmp_path, monitor(response={"digest_channel": "risk-watch"}))
    tell(stage.ports(), stage.monitors, [Problem(what="dead")], now=NOW)
    assert len(posts(stage, "risk-watch")) == 1


def test_where_no_monitor_loads_trouble_is_told_all_the_same(stage):
    tell(stage.ports(), {}, [Problem(what="monitor broken: credit.yaml")], now=NOW)
    assert len(posts(stage)) == 1


def test_the_same_trouble_is_told_once_an_hour(stage):
    never = Problem(what=f"{MODEL}: no night was ever judged")
    dead = [Problem(what="Airflow's scheduler is unhealthy", since="08:59:58"), never]
    later = [Problem(what="Airflow's scheduler is unhealthy", since="09:10:00"), never]
    first = tell(stage.ports(), stage.monitors, dead, now=NOW)
    again = tell(stage.ports(), stage.monitors, list(reversed(later)), now=NOW + timedelta(minutes=59))
    assert again == first
    assert len(posts(stage)) == 1
    tell(stage.ports(), stage.monitors, dead, now=NOW + timedelta(hours=1))
    assert len(posts(stage)) == 2


def test_other_trouble_in_the_same_hour_is_told_too(stage):
    two = [Problem(what="the scheduler is dead"), Problem(what="the database is dead")]
    tell(stage.ports(), stage.monitors, [Problem(what="the scheduler is dead")], now=NOW)
    tell(stage.ports(), stage.monitors, two, now=NOW)
    assert len(posts(stage)) == 2
