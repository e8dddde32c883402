"""The settings that judged a model are kept, so that a YAML that breaks does not lose the model's people."""

import pytest

from tests.unit.usecases.memory_stage import MODEL, NOW, MemoryStage, monitor
from vigil.incidents.events import SettingsRecorded
from vigil.usecases.last_known import last_known, record, with_last_known
from vigil.usecases.model_stream import stream

RECORDED = SettingsRecorded.ledger_type()


@pytest.fixture
def stage(tmp_path):
    return MemoryStage(tmp_path)


def owned_by(owner, **parts):
    return monitor(people={"owner": owner}, **parts)


def recorded(stage, model=MODEL):
    return [e for e in stage.ledger.read(stream(model)) if e.type == RECORDED]


def add(stage, type, payload, model=MODEL):
    at = len(stage.ledger.read(stream(model)))
    stage.ledger.append(stream(model), expected=at, key=f"{type}/{at}", type=type, at=NOW, payload=payload)


def test_what_is_recorded_comes_back_as_it_was(stage):
    whole = owned_by("a@bank.example", description="cards", protected=[{"attribute": "sex", "reference": "m"}])
    record(stage.ports(), whole)
    assert last_known(stage.ports(), MODEL) == whole


def test_the_same_settings_are_kept_once(stage):
    for _ in range(3):
        record(stage.ports(), monitor())
    assert len(recorded(stage)) == 1


def test_changed_settings_are_kept_and_the_newest_count(stage):
    for owner in ("a@bank.example", "b@bank.example"):
        record(stage.ports(), owned_by(owner))
    assert len(recorded(stage)) == 2
    assert last_known(stage.ports(), MODEL).people.owner == "b@bank.example"


def test_settings_that_are_changed_back_are_the_newest_again(stage):
    for owner in ("a@bank.example", "b@bank.example", "a@bank.example"):
        record(stage.ports(), owned_by(owner))
    assert last_known(stage.ports(), MODEL).people.owner == "a@bank.example"


def test_settings_that_this_release_cannot_read_are_passed_over(stage):
    record(stage.ports(), owned_by("a@bank.example"))
    later = {**owned_by("b@bank.example").model_dump(mode="json"), "a_key_of_another_release": 1}
    add(stage, RECORDED, {"digest": "d", "monitor": later})
    assert last_known(stage.ports(), MODEL).people.owner == "a@bank.example"


def test_nothing_readable_is_nothing_known(stage):
    add(stage, RECORDED, {"digest": "d", "monitor": {"version": "vigil/v0"}})
    assert last_known(stage.ports(), MODEL) is None
    assert last_known(stage.ports(), "never_seen") is None


def test_other_events_of_the_model_are_no_settings(stage):
    record(stage.ports(), monitor())
    add(stage, "night_judged", {"night": "2026-11-20"})
    assert last_known(stage.ports(), MODEL) == monitor()


def test_monitors_that_load_win_and_lost_ones_are_added(stage):
    record(stage.ports(), owned_by("old@bank.example"))
    record(stage.ports(), owned_by("iris@bank.example", model="iris"))
    now = owned_by("new@bank.example")
    known = with_last_known(stage.ports(), {MODEL: now})
    assert {name: m.people.owner for name, m in known.items()} == {
        MODEL: "new@bank.example",
        "iris": "iris@bank.example",
    }


def test_a_model_whose_settings_were_never_kept_is_not_invented(stage):
    add(stage, "alias_moved", {"alias": "champion"}, model="iris")
    assert with_last_known(stage.ports(), {}) == {}
