"""Incident + policy + receipts -> the actions still to do, in order. Every id can be recomputed."""

from collections.abc import Mapping, Sequence

from vigil.core.ids import digest
from vigil.core.words import Mitigation
from vigil.incidents.events import (
    FalseAlarm,
    FindingAccepted,
    IncidentAcknowledged,
    IncidentHeld,
    IncidentOpened,
    IncidentRecovered,
    IncidentReleased,
    IncidentReopened,
    IncidentResolved,
    MitigationDeclined,
    MitigationDone,
    MitigationFailed,
    NightReplayed,
    SeverityOverridden,
    SignalsAdded,
    incident_event,
)
from vigil.incidents.findings import Telling, tellings
from vigil.incidents.types import Event, Incident, Severity
from vigil.responses.types import (
    Action,
    ActionKind,
    Announcement,
    Autonomy,
    MitigationOrder,
    NoDetails,
    Response,
)

OPENED = IncidentOpened.ledger_type()  # the event, as the ledger calls it

# Events that people in the room are told of, each once. A receipt is not news.
Announced = (
    SignalsAdded
    | IncidentReopened
    | NightReplayed
    | MitigationDone
    | MitigationFailed
    | MitigationDeclined
    | FindingAccepted
    | IncidentHeld
    | IncidentReleased
    | IncidentRecovered
    | IncidentResolved
    | FalseAlarm
    | SeverityOverridden
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
        return [_action(incident, ActionKind.OPEN_ROOM, "room", NoDetails())]
    return [_action(incident, ActionKind.POST, OPENED, Announcement(what=OPENED, sequence=1))]


def _news(incident: Incident, events: Sequence[Event], policy: Response) -> list[Action]:
    """One post an event. `recovered` that resolves in the same breath is told once, as resolved."""
    bodies = [incident_event(e) for e in events]
    keys = {e.sequence: e.key for e in events}
    faults = tellings(events)
    posts = []
    for event, body, after in zip(events, bodies, [*bodies[1:], None], strict=True):
        if not isinstance(body, Announced):
            continue
        if isinstance(body, IncidentRecovered) and isinstance(after, IncidentResolved):
            continue
        post = Announcement(what=event.type, sequence=event.sequence)
        telling = faults.get(event.sequence)
        if telling is not None:
            post = _placed(post, incident, telling, keys, policy)
        posts.append(_action(incident, ActionKind.POST, event.key, post))
    return posts


def _placed(
    post: Announcement, incident: Incident, telling: Telling, keys: Mapping[int, str], policy: Response
) -> Announcement:
    """What is told of a fault after its first message is a reply to that; a new one that is grave calls people."""
    if telling.thread is not None:
        return post.model_copy(update={"thread": _id(incident, ActionKind.POST, keys[telling.thread])})
    grave = [f.assessment for f in telling.new if f.assessment]
    return post.model_copy(update={"mention": any(_worth_a_room(a.severity, incident, policy) for a in grave)})


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
    order = MitigationOrder(
        model=incident.monitor,
        environment=incident.environment,
        mitigation=replay.mitigation,
        to_version=replay.target_version,
        reason=replay.why,
        incident=incident.id,
        autonomy=autonomy,
    )
    ask = replay.mitigation is Mitigation.FREEZE or autonomy is Autonomy.NEVER
    return [_action(incident, ActionKind.PROPOSE if ask else ActionKind.MITIGATE, seed, order)]


def _releases(events: Sequence[Event]) -> int:
    """How often a hold was released after a mitigation had been declined."""
    bodies = [incident_event(e) for e in events]
    declined = next((n for n, body in enumerate(bodies) if isinstance(body, MitigationDeclined)), len(bodies))
    return sum(isinstance(body, IncidentReleased) for body in bodies[declined:])


def _refresh(incident: Incident, events: Sequence[Event]) -> list[Action]:
    """The pinned summary and the topic follow the state: one edit, whenever there is news they do not show yet."""
    rooms = (ActionKind.OPEN_ROOM, ActionKind.UPDATE_ROOM)
    shown = [r.as_of for r in incident.receipts.values() if r.kind in rooms]
    news = [e for e in events if isinstance(incident_event(e), Announced | IncidentAcknowledged)]
    if not shown or not news or news[-1].sequence <= max(shown):
        return []
    return [_action(incident, ActionKind.UPDATE_ROOM, news[-1].key, NoDetails())]


def _action(
    incident: Incident, kind: ActionKind, seed: str, payload: Announcement | MitigationOrder | NoDetails
) -> Action:
    """An action under the id `<kind>-<16 hex digits of incident, kind and seed>`."""
    return Action(
        id=_id(incident, kind, seed),
        kind=kind,
        incident=incident.id,
        payload=payload,
    )


def _id(incident: Incident, kind: ActionKind, seed: str) -> str:
    return f"{kind.value}-{digest([incident.id, kind.value, seed], length=16)}"
