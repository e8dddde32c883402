"""Incident + policy + receipts -> the actions still to do, in order. Every id can be recomputed."""

from collections.abc import Mapping, Sequence
from typing import Any

from vigil.core.ids import digest
from vigil.core.words import Mitigation
from vigil.incidents.findings import Telling, tellings
from vigil.incidents.types import Event, Incident, Severity
from vigil.responses.types import Action, ActionKind, Autonomy, Response

# Events that people in the room are told of, each once. A receipt is not news.
NEWS = (
    "signals",
    "reopened",
    "replayed",
    "mitigation_done",
    "mitigation_failed",
    "mitigation_declined",
    "accepted",
    "held",
    "released",
    "recovered",
    "resolved",
    "never_was",
    "severity_overridden",
)


def plan(incident: Incident, events: Sequence[Event], policy: Response) -> tuple[Action, ...]:
    """What is still to do for this incident. Empty when every receipt is there."""
    actions = [*_room(incident, policy), *_news(incident, events, policy), *_mitigation(incident, events, policy)]
    if wants_room(incident, policy):
        actions += _refresh(incident, events)
    return tuple(a for a in actions if a.id not in incident.receipts)


def plan_digest(actions: Sequence[Action]) -> str:
    """Identifies what is still to do: the run id of the respond DAG."""
    return digest([a.id for a in actions], length=12)


def wants_room(incident: Incident, policy: Response) -> bool:
    """Whether the severity is one that this environment opens a room for."""
    return _worth_a_room(incident.severity, incident, policy)


def _worth_a_room(severity: Severity, incident: Incident, policy: Response) -> bool:
    threshold = policy.room.get(incident.environment)
    return threshold is not None and severity <= threshold


def _room(incident: Incident, policy: Response) -> list[Action]:
    if wants_room(incident, policy):
        return [_action(incident, ActionKind.OPEN_ROOM, "room", {})]
    return [_action(incident, ActionKind.POST, "opened", {"what": "opened", "sequence": 1})]


def _news(incident: Incident, events: Sequence[Event], policy: Response) -> list[Action]:
    """One post an event. `recovered` that resolves in the same breath is told once, as resolved."""
    types = [e.type for e in events]
    keys = {e.sequence: e.key for e in events}
    faults = tellings(events)
    told = []
    for index, event in enumerate(events):
        if event.type not in NEWS:
            continue
        if event.type == "recovered" and "resolved" in types[index + 1 : index + 2]:
            continue
        payload = {"what": event.type, "sequence": event.sequence}
        telling = faults.get(event.sequence)
        if telling is not None:
            payload |= _where(incident, telling, keys, policy)
        told.append(_action(incident, ActionKind.POST, event.key, payload))
    return told


def _where(incident: Incident, telling: Telling, keys: Mapping[int, str], policy: Response) -> dict[str, Any]:
    """What is told of a fault after its first message is a reply to that; a new one that is grave calls people.

    thread: the action whose message it replies to. mention: whether those on call are named.
    """
    if telling.thread is not None:
        return {"thread": _id(incident, ActionKind.POST, keys[telling.thread])}
    grave = [f.assessment for f in telling.new if f.assessment]
    return {"mention": True} if any(_worth_a_room(a.severity, incident, policy) for a in grave) else {}


def _mitigation(incident: Incident, events: Sequence[Event], policy: Response) -> list[Action]:
    """A replay's advice, if it was not followed yet, nobody holds the incident, and the policy lets us.

    What was declined is offered once more after each release of a hold.
    """
    replay = incident.replay
    in_effect = incident.mitigation is not Mitigation.NONE and not incident.mitigation_over
    if replay is None or not incident.is_open or incident.held or in_effect:
        return []
    seed = f"{replay.mitigation.value}/{replay.night}/{incident.reopened}"
    again = _releases(events)
    seed += f"/{again}" if again else ""
    if replay.mitigation is Mitigation.NONE:
        return []
    autonomy = policy.rollback if replay.mitigation is Mitigation.ROLLBACK else policy.fallback
    payload = {
        "what": "propose",
        "model": incident.monitor,
        "environment": incident.environment,
        "mitigation": replay.mitigation.value,
        "to_version": replay.target_version,
        "reason": replay.why,
        "incident": incident.id,
        "autonomy": autonomy.value,
    }
    ask = replay.mitigation is Mitigation.FREEZE or autonomy is Autonomy.NEVER
    return [_action(incident, ActionKind.PROPOSE if ask else ActionKind.MITIGATE, seed, payload)]


def _releases(events: Sequence[Event]) -> int:
    """How often a hold was released after a mitigation had been declined."""
    types = [e.type for e in events]
    if "mitigation_declined" not in types:
        return 0
    return types[types.index("mitigation_declined") :].count("released")


def _refresh(incident: Incident, events: Sequence[Event]) -> list[Action]:
    """The pinned summary and the topic follow the state: one edit, whenever there is news they do not show yet."""
    shown = [
        int(r.get("reference", {}).get("as_of", 0))
        for r in incident.receipts.values()
        if r.get("kind") in (ActionKind.OPEN_ROOM, ActionKind.UPDATE_ROOM)
    ]
    news = [e for e in events if e.type in (*NEWS, "acknowledged")]
    if not shown or not news or news[-1].sequence <= max(shown):
        return []
    return [_action(incident, ActionKind.UPDATE_ROOM, news[-1].key, {})]


def _action(incident: Incident, kind: ActionKind, seed: str, payload: dict[str, Any]) -> Action:
    """An action under the id `<kind>-<16 hex digits of incident, kind and seed>`."""
    return Action(
        id=_id(incident, kind, seed),
        kind=kind,
        incident=incident.id,
        payload=payload,
    )


def _id(incident: Incident, kind: ActionKind, seed: str) -> str:
    return f"{kind.value}-{digest([incident.id, kind.value, seed], length=16)}"
