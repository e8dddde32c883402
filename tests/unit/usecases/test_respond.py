"""Planned, delivered, receipted: every action once, in the right place, to the right people."""

from datetime import timedelta

import pytest

from tests.unit.usecases.memory_stage import MODEL, NIGHT, URL, MemoryStage, monitor, verdict
from vigil.core.errors import DeliveryError, LedgerError, Refused
from vigil.core.words import Family
from vigil.usecases.respond import deliver, plan, plan_digest, record_mitigation, room_facts, unanswered

NAME = "20261120-credit-production"
REPLAY = {
    "night": NIGHT.isoformat(),
    "versions": [],
    "mitigation": "rollback",
    "target_version": "1",
    "why": "version 1 would have kept the bound",
}


@pytest.fixture
def stage(tmp_path):
    return MemoryStage(tmp_path)


@pytest.fixture
def severe(stage):
    return stage.opened(NAME)


def todo(stage, incident=NAME):
    return plan(stage.ports(), stage.monitors, incident)


def send(stage, action):
    return deliver(stage.ports(), stage.monitors, action)


def answer(stage, incident=NAME):
    """All that is to do, as the respond DAG does it."""
    return [send(stage, action) for action in todo(stage, incident)]


def channels(stage):
    return {c.name: c for c in stage.notifier.channels.values()}


def receipts(stage, incident=NAME):
    return [e for e in stage.ledger.read(f"incident/{incident}") if e.type == "receipt"]


def test_a_severe_incident_gets_one_room_with_its_people_and_a_pinned_summary(stage, severe):
    assert [a["kind"] for a in todo(stage)] == ["open_room"]
    answer(stage)
    (room,) = channels(stage).values()
    assert room.invited == ["owner@bank.example", "call@bank.example"]
    assert room.pinned == 0
    assert "credit" in room.messages[0].text
    assert room.purpose.endswith(f"vigil:{NAME}")
    assert (f"{URL}/vigil/incident/{NAME}") in str(room.bookmarks)
    assert todo(stage) == []


def test_an_action_delivered_twice_is_sent_once_and_gives_the_same_receipt(stage, severe):
    (action,) = todo(stage)
    assert send(stage, action) == send(stage, action)
    assert len(channels(stage)) == 1
    assert len(receipts(stage)) == 1


def test_a_worker_that_died_between_sending_and_recording_sends_nothing_twice(stage, severe):
    (action,) = todo(stage)
    room = stage.notifier.open_room(action["id"], _any_room())
    done = send(stage, action)
    assert done["reference"]["channel"] == room.reference["channel"]
    assert len(channels(stage)) == 1
    assert todo(stage) == []


def _any_room():
    from vigil.responses.types import Message, Room

    return Room(name="inc", topic="t", purpose="p", invite=(), summary=Message(text="s"))


def test_a_message_posted_twice_is_in_the_room_once(stage, severe):
    answer(stage)
    stage.told(NAME, "held", by="ana", why="evidence first")
    post = next(a for a in todo(stage) if a["kind"] == "post")
    send(stage, post)
    send(stage, post)
    (room,) = channels(stage).values()
    assert [m.text for m in room.messages].count(room.messages[-1].text) == 1
    assert "evidence first" in room.messages[-1].text


def test_a_milder_incident_is_told_in_the_digest_channel_and_opens_no_room(tmp_path):
    policy = {"digest_channel": "ml-digest", "room": {"production": "SEV1"}}
    stage = MemoryStage(tmp_path, monitor(risk={"tier": 3}, response=policy))
    stage.opened(NAME, verdict(family=Family.DRIFT, metric="mean_shift", subject="income"))
    assert [a["kind"] for a in todo(stage)] == ["post"]
    answer(stage)
    assert list(channels(stage)) == ["ml-digest"]
    assert "Mean shift for `income`" in channels(stage)["ml-digest"].messages[0].text


def test_news_waits_for_its_room(stage, severe):
    stage.told(NAME, "held", by="ana", why="evidence first")
    post = next(a for a in todo(stage) if a["kind"] == "post")
    with pytest.raises(DeliveryError, match="the war room is not open yet; the task is tried again"):
        send(stage, post)
    assert channels(stage) == {}
    assert receipts(stage) == []


def test_after_news_the_pinned_summary_is_edited_in_place(stage, severe):
    answer(stage)
    (room,) = channels(stage).values()
    stage.told(NAME, "acknowledged", by="ana@bank.example")
    answer(stage)
    assert len(room.messages) == 1
    assert "ana@bank.example" in room.messages[0].text
    assert todo(stage) == []


def test_a_mitigation_is_handed_to_the_rollback_dag_and_never_delivered_as_a_message(stage, severe):
    answer(stage)
    stage.told(NAME, "replayed", replay=REPLAY)
    action = next(a for a in todo(stage) if a["kind"] == "mitigate")
    assert (action["payload"]["to_version"], action["payload"]["autonomy"]) == ("1", "approve")
    with pytest.raises(DeliveryError, match="carried out by the DAG vigil_rollback"):
        send(stage, action)
    for _ in range(2):
        record_mitigation(stage.ports(), action, run_id="rollback__1")
    assert [r.payload["reference"] for r in receipts(stage) if r.payload["kind"] == "mitigate"] == [
        {"run_id": "rollback__1"}
    ]
    assert "mitigate" not in [a["kind"] for a in todo(stage)]


def test_a_policy_of_never_asks_people_in_the_room(tmp_path):
    stage = MemoryStage(tmp_path, monitor(response={"rollback": "never"}))
    stage.opened(NAME)
    stage.told(NAME, "replayed", replay=REPLAY)
    kinds = [a["kind"] for a in todo(stage)]
    assert "mitigate" not in kinds
    assert kinds[-1] == "propose"
    answer(stage)
    (room,) = channels(stage).values()
    assert "version 1 would have kept the bound" in " ".join(m.text for m in room.messages)
    assert todo(stage) == []


def test_what_is_unanswered_is_found_whoever_should_have_started_it(stage, severe):
    assert unanswered(stage.ports(), stage.monitors) == [NAME]
    answer(stage)
    assert unanswered(stage.ports(), stage.monitors) == []
    stage.told(NAME, "held", by="ana", why="evidence first")
    assert unanswered(stage.ports(), stage.monitors) == [NAME]


def test_unanswered_incidents_of_models_that_nobody_loads_do_not_stop_the_others(stage, severe):
    other = monitor(model="iris")
    stage.opened("20261120-iris-production", watched=other)
    assert unanswered(stage.ports(), stage.monitors) == [NAME]
    assert unanswered(stage.ports(), {}) == []


def test_the_digest_of_what_is_to_do_names_a_run_once_until_something_is_new(stage, severe):
    first = plan_digest(stage.ports(), stage.monitors, NAME)
    assert plan_digest(stage.ports(), stage.monitors, NAME) == first
    answer(stage)
    assert plan_digest(stage.ports(), stage.monitors, NAME) != first


def test_a_refusal_leaves_no_receipt_and_the_action_stays_to_be_done(stage, severe):
    answer(stage)
    (room,) = channels(stage).values()
    room.archived = True
    stage.told(NAME, "held", by="ana", why="evidence first")
    post = next(a for a in todo(stage) if a["kind"] == "post")
    with pytest.raises(Refused, match="archived"):
        send(stage, post)
    room.archived = False
    send(stage, post)
    assert post["id"] not in [a["id"] for a in todo(stage)]


def test_an_incident_of_a_model_without_monitor_says_what_is_loaded(stage, severe):
    with pytest.raises(DeliveryError, match=r"no monitor 'credit' is loaded \(known: none\); see `vigil lint`"):
        plan(stage.ports(), {}, NAME)


def test_an_incident_that_does_not_exist_says_how_to_find_one(stage):
    with pytest.raises(LedgerError, match="there is no incident 'nope'; `vigil incidents` lists them"):
        todo(stage, "nope")


PEOPLE = {
    "owner": "owner@bank.example",
    "on_call": ["call@bank.example", "owner@bank.example"],
    "data_owner": "data@bank.example",
    "governance": "gov@bank.example",
}


@pytest.mark.parametrize(
    ("tier", "family", "more"),
    [
        (2, Family.PERFORMANCE, []),
        (2, Family.DRIFT, ["data@bank.example"]),
        (2, Family.QUALITY, ["data@bank.example"]),
        (2, Family.FAIRNESS, ["data@bank.example", "gov@bank.example"]),
        (1, Family.SERVICE, ["gov@bank.example"]),
    ],
)
def test_who_is_invited_depends_on_what_is_in_question_and_nobody_is_invited_twice(tmp_path, tier, family, more):
    watched = monitor(people=PEOPLE, risk={"tier": tier})
    stage = MemoryStage(tmp_path, watched)
    stage.opened(NAME, verdict(family=family))
    (incident,) = stage.incidents()
    facts = room_facts(stage.ports(), watched, incident)
    assert list(facts.invite) == ["owner@bank.example", "call@bank.example", *more]


def test_links_lead_to_the_incident_and_to_its_dag(stage, severe):
    facts = room_facts(stage.ports(public_url=f"{URL}/"), stage.monitors[MODEL], stage.incidents()[0])
    assert facts.incident_url == f"{URL}/vigil/incident/{NAME}"
    assert facts.dag_url == f"{URL}/dags/vigil_nightly__credit"


def test_a_second_bad_night_is_told_in_the_same_room(stage, severe):
    answer(stage)
    stage.clock.advance(timedelta(days=1))
    second = verdict(reason="auc(all) 0.55 < 0.7")
    (incident,) = stage.incidents()
    signal = incident.findings[0].signals[0].model_copy(update={"night": NIGHT + timedelta(days=1), "verdict": second})
    stage.told(
        NAME,
        "signals",
        night=f"{NIGHT + timedelta(days=1)}",
        signals=[signal.model_dump(mode="json")],
        assessment=incident.assessment.model_dump(mode="json"),
    )
    answer(stage)
    (room,) = channels(stage).values()
    assert "It happened again" in room.messages[-1].text
    assert len(room.messages) == 2
