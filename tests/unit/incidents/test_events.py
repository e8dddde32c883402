"""Events as classes: what is written is read again, old ledgers are read as they were, unknown types are passed by."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import LedgerError
from vigil.core.words import Mitigation, Role
from vigil.incidents import events
from vigil.incidents.chain import verify_chain
from vigil.incidents.lifecycle import fold
from vigil.incidents.types import ActionKind, Event, Status
from vigil.responses.model_history import history
from vigil.responses.plan import plan
from vigil.responses.types import Response

OLD = json.loads((Path(__file__).parent / "ledger_before_event_classes.json").read_text(encoding="utf-8"))
STORY = [Event.model_validate(row) for row in OLD["story"]]
EACH = [*STORY, *(Event.model_validate(row) for row in OLD["others"])]
UNIONS = {
    "incident": events.KnownIncidentEvent,
    "model": events.KnownModelEvent,
    "system": events.KnownSystemEvent,
}
READ = {"incident": events.incident_event, "model": events.model_event, "system": events.system_event}
NESTED = {"signals", "standing", "replay", "assessment", "assessments", "clues"}  # other tests read their old forms
NAME = "incident/20260920-shop-staging"


def kind_of_stream(event: Event) -> str:
    return event.stream.partition("/")[0]


def an_event(stream, type, sequence=1, **payload):
    return Event(stream=stream, sequence=sequence, key=f"{type}/{sequence}", type=type,
                 at=datetime(2026, 11, 22, tzinfo=UTC), payload=payload, previous="", hash="")  # fmt: skip


@pytest.mark.parametrize("event", EACH, ids=lambda e: f"{e.stream}/{e.sequence}/{e.type}")
def test_an_event_of_an_old_ledger_is_read_as_its_class_and_says_the_same(event):
    body = READ[kind_of_stream(event)](event)
    assert not isinstance(body, events.UnknownEvent)
    assert body.type == event.type
    assert body.payload.keys() == event.payload.keys()
    assert {k: v for k, v in body.payload.items() if k not in NESTED} == {
        k: v for k, v in event.payload.items() if k not in NESTED
    }


def test_the_old_ledger_has_every_type_that_there_was():
    found = {(kind_of_stream(e), e.type) for e in EACH}
    assert found >= {(stream, kind.ledger_type()) for stream, union in UNIONS.items() for kind in get_args(union)}


def test_an_old_story_folds_to_the_incident_that_it_was():
    mine = [e for e in STORY if e.stream == NAME]
    incident = fold(mine)
    assert (incident.status, incident.mitigation) == (Status.RESOLVED, Mitigation.FALLBACK)
    assert (incident.opened_night, incident.good_nights) == (date(2026, 9, 20), (date(2026, 9, 22),))
    assert {r.kind for r in incident.receipts.values()} == {
        ActionKind.OPEN_ROOM, ActionKind.UPDATE_ROOM, ActionKind.POST, ActionKind.MITIGATE
    }  # fmt: skip
    assert max(r.as_of for r in incident.receipts.values()) == 12
    assert plan(incident, mine, Response(room={"staging": "SEV4"})) == ()


def test_an_old_story_of_a_model_has_its_champions_and_its_mitigation():
    told = history([e for e in STORY if e.stream == "model/shop"])
    assert [r.version for r in told.champions] == ["1", "2"]
    assert [m.done.mitigation for m in told.mitigations] == [Mitigation.FALLBACK]
    assert (told.serve, told.pending) == (Role.CHAMPION, None)


def test_the_chain_of_an_old_ledger_holds():
    for stream in {e.stream for e in STORY}:
        assert verify_chain(stream, [e for e in STORY if e.stream == stream]) == ()


def test_a_clue_of_an_old_ledger_knows_the_group_that_it_has_numbers_of():
    clues = [
        c for e in EACH for c in getattr(READ[kind_of_stream(e)](e), "clues", ()) if c.group or "pipeline" in c.text
    ]
    assert {c.group for c in clues} == {"sex=female", ""}


TEXT = st.text(max_size=20)
NIGHTS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@given(st.builds(events.IncidentHeld, by=TEXT, why=TEXT)
       | st.builds(events.QuietNight, night=NIGHTS, rows=st.integers(0, 10**9), known=st.tuples(TEXT))
       | st.builds(events.MitigationDeclined, mitigation=st.sampled_from(Mitigation), to_version=st.none() | TEXT)
       | st.builds(events.FalseAlarm, night=NIGHTS, nights=st.lists(NIGHTS, max_size=3).map(tuple)))  # fmt: skip
def test_what_is_written_is_read_again(body):
    stored = an_event("incident/x", body.type, **json.loads(json.dumps(body.payload)))
    assert events.incident_event(stored) == body
    assert "type" not in body.payload


def test_what_was_not_given_is_not_written():
    assert events.MitigationFailed(mitigation=Mitigation.ROLLBACK, why="x").payload == {
        "mitigation": "rollback",
        "why": "x",
    }


@given(st.dictionaries(TEXT, TEXT | st.integers() | st.none(), max_size=3))
def test_an_event_of_a_newer_release_is_kept_as_it_is_and_changes_nothing(payload):
    mine = [e for e in STORY if e.stream == NAME]
    newer = an_event(NAME, "evidence_exported", len(mine) + 1, **{f"k{k}": v for k, v in payload.items()})
    body = events.incident_event(newer)
    assert isinstance(body, events.UnknownEvent)
    assert (body.type, body.payload) == (newer.type, newer.payload)
    assert fold([*mine, newer]) == fold(mine).model_copy(update={"events": len(mine) + 1})
    models = [e for e in STORY if e.stream == "model/shop"]
    told = history([*models, newer.model_copy(update={"sequence": 99})])
    assert told == history(models).model_copy(update={"events": 99})


def test_a_receipt_of_an_action_of_a_newer_release_is_passed_over():
    mine = [e for e in STORY if e.stream == NAME]
    newer = an_event(NAME, "receipt", len(mine) + 1, action="page-1", kind="page_somebody", at="2026-11-22T00:00:00Z")
    assert fold([*mine, newer]).receipts == fold(mine).receipts


def test_a_known_type_with_another_content_is_an_error_that_says_where():
    with pytest.raises(LedgerError, match=r"incident/x event 3 \(opened\).*night: Field required.*vigil ledger verify"):
        events.incident_event(an_event("incident/x", "opened", 3, monitor="m", environment="e"))


def test_the_same_word_is_another_event_in_another_kind_of_stream():
    night = {"night": "2026-11-20"}
    assert isinstance(events.incident_event(an_event("incident/x", "restated", **night)), events.IncidentRestated)
    assert isinstance(events.model_event(an_event("model/m", "restated", **night)), events.NightRestated)
