"""The plan: everything once, in order, within the policy."""

from datetime import UTC, date, datetime

from vigil.core.words import Family, Mitigation
from vigil.incidents.types import Event, Finding, Incident, Replay, Severity, Signal, Status
from vigil.responses.plan import plan, plan_digest
from vigil.responses.types import ActionKind, Autonomy, Receipt, Response
from vigil.verdicts.types import State, Verdict

AT = datetime(2026, 11, 21, 2, tzinfo=UTC)
NIGHT = date(2026, 11, 20)


LEAST = {  # what an event of the type cannot be without
    "opened": {"monitor": "credit", "environment": "staging", "night": "2026-11-20",
               "assessment": {"severity": 2, "impact": 2, "urgency": 2, "tier": 1, "reasons": []}},
    "replayed": {"replay": {"night": "2026-11-20", "versions": [], "mitigation": "none", "why": "no version helps"}},
    "receipt": {"action": "post-1", "kind": "post", "at": AT.isoformat()},
}  # fmt: skip


def an_event(sequence, type, **payload):
    payload = {**LEAST.get(type, {}), **payload}
    return Event(stream="incident/x", sequence=sequence, key=f"{type}/{sequence}", type=type, at=AT, payload=payload,
                 previous="", hash="")  # fmt: skip


def an_incident(**changes):
    verdict = Verdict(
        metric="auc", subject="all", family=Family.PERFORMANCE, state=State.BREACH, reason="auc 0.5 < 0.7"
    )
    signal = Signal(fingerprint="f", night=NIGHT, verdict=verdict)
    finding = Finding(family=Family.PERFORMANCE, first_night=NIGHT, last_night=NIGHT, signals=(signal,))
    base = Incident(id="x", monitor="credit", environment="staging", status=Status.OPEN, severity=Severity.SEV2,
                    opened_at=AT, opened_night=NIGHT, last_bad_night=NIGHT, findings=(finding,), events=1)  # fmt: skip
    return base.model_copy(update=changes)


POLICY = Response(rollback=Autonomy.AUTO, room={"staging": "SEV2"})
OPENED = an_event(1, "opened")


def a_replay(mitigation=Mitigation.ROLLBACK):
    return Replay(night=NIGHT, versions=(), mitigation=mitigation, target_version="1", why="version 1 is fine")


def a_receipt(action, kind, as_of=0):
    return Receipt(action=action, kind=kind, at=AT, as_of=as_of)


def kinds(actions):
    return [a.kind for a in actions]


def test_a_severe_incident_gets_a_room():
    assert kinds(plan(an_incident(), [OPENED], POLICY)) == [ActionKind.OPEN_ROOM]


def test_a_milder_incident_is_told_in_the_digest_channel():
    assert kinds(plan(an_incident(severity=Severity.SEV4), [OPENED], POLICY)) == [ActionKind.POST]


def test_an_environment_without_a_declared_severity_has_no_room():
    assert kinds(plan(an_incident(environment="dev"), [OPENED], POLICY)) == [ActionKind.POST]


def test_once_every_receipt_is_there_nothing_is_left():
    incident = an_incident()
    done = {a.id: a_receipt(a.id, a.kind, 1) for a in plan(incident, [OPENED], POLICY)}
    assert plan(incident.model_copy(update={"receipts": done}), [OPENED], POLICY) == ()


def test_a_replay_is_told_and_its_mitigation_triggered():
    events = [OPENED, an_event(2, "replayed")]
    actions = plan(an_incident(replay=a_replay()), events, POLICY)
    assert kinds(actions) == [ActionKind.OPEN_ROOM, ActionKind.POST, ActionKind.MITIGATE]
    assert actions[-1].payload.to_version == "1"


def test_a_held_incident_changes_nothing_by_itself():
    actions = plan(an_incident(replay=a_replay(), held=True), [OPENED], POLICY)
    assert ActionKind.MITIGATE not in kinds(actions)


def test_a_mitigation_that_was_done_is_not_planned_again():
    actions = plan(an_incident(replay=a_replay(), mitigation=Mitigation.ROLLBACK), [OPENED], POLICY)
    assert ActionKind.MITIGATE not in kinds(actions)


def test_a_policy_of_never_only_proposes():
    policy = POLICY.model_copy(update={"rollback": Autonomy.NEVER})
    assert ActionKind.PROPOSE in kinds(plan(an_incident(replay=a_replay()), [OPENED], policy))


def test_a_freeze_is_always_a_question_for_people():
    actions = plan(an_incident(replay=a_replay(Mitigation.FREEZE)), [OPENED], POLICY)
    assert kinds(actions)[-1] is ActionKind.PROPOSE


def test_news_after_the_room_was_opened_refreshes_the_pinned_summary_once():
    room = {"open_room-1": a_receipt("open_room-1", ActionKind.OPEN_ROOM, 1)}
    events = [OPENED, an_event(2, "receipt"), an_event(3, "mitigation_done")]
    first = [a for a in plan(an_incident(receipts=room), events, POLICY) if a.kind is ActionKind.UPDATE_ROOM]
    assert len(first) == 1
    shown = {**room, first[0].id: a_receipt(first[0].id, ActionKind.UPDATE_ROOM, 3)}
    again = [a for a in plan(an_incident(receipts=shown), events, POLICY) if a.kind is ActionKind.UPDATE_ROOM]
    assert again == []


def test_recovery_and_resolution_in_one_breath_are_one_message():
    events = [OPENED, an_event(2, "recovered"), an_event(3, "resolved")]
    posts = [a for a in plan(an_incident(), events, POLICY) if a.kind is ActionKind.POST]
    assert [p.payload.what for p in posts] == ["resolved"]


def test_the_plan_digest_changes_with_what_is_left_to_do():
    one = plan(an_incident(), [OPENED], POLICY)
    two = plan(an_incident(replay=a_replay()), [OPENED], POLICY)
    assert plan_digest(one) != plan_digest(two)
    assert plan_digest(one) == plan_digest(plan(an_incident(), [OPENED], POLICY))


def test_what_was_declined_during_a_hold_is_offered_again_after_its_release():
    incident = an_incident(replay=a_replay(), receipts={})
    first = [a for a in plan(incident, [OPENED], POLICY) if a.kind is ActionKind.MITIGATE]
    history = [OPENED, an_event(2, "held"), an_event(3, "mitigation_declined"), an_event(4, "released")]
    again = [a for a in plan(incident, history, POLICY) if a.kind is ActionKind.MITIGATE]
    assert len(first) == len(again) == 1
    assert first[0].id != again[0].id
    unasked = [OPENED, an_event(2, "held"), an_event(3, "released")]
    assert first == [a for a in plan(incident, unasked, POLICY) if a.kind is ActionKind.MITIGATE]


def test_after_the_champion_was_restored_another_bad_night_is_mitigated_anew():
    mitigated = an_incident(replay=a_replay(Mitigation.FALLBACK), mitigation=Mitigation.FALLBACK)
    assert ActionKind.MITIGATE not in kinds(plan(mitigated, [OPENED], POLICY))
    restored = mitigated.model_copy(update={"mitigation_over": True})
    done = {a.id: a_receipt(a.id, a.kind) for a in plan(restored, [OPENED], POLICY)}
    assert ActionKind.MITIGATE not in kinds(plan(restored.model_copy(update={"receipts": done}), [OPENED], POLICY))
    later = a_replay(Mitigation.FALLBACK).model_copy(update={"night": date(2026, 11, 22)})
    again = restored.model_copy(update={"receipts": done, "replay": later})
    assert ActionKind.MITIGATE in kinds(plan(again, [OPENED], POLICY))
