"""Incident -> planned actions -> receipts. The decision was committed before anything is sent."""

from collections.abc import Mapping
from typing import Any

from vigil.config.schema import Monitor
from vigil.core.errors import DeliveryError
from vigil.incidents.types import Event, Incident
from vigil.ports import Ports
from vigil.responses import plan as planning
from vigil.responses.messages import RoomFacts, room_for, update_message
from vigil.responses.types import Action, ActionKind, Receipt
from vigil.usecases.incidents import all_incidents, get
from vigil.usecases.record import append


def plan(ports: Ports, monitors: Mapping[str, Monitor], incident: str) -> list[dict[str, Any]]:
    """The actions still to do, as JSON for mapped tasks."""
    found, events = get(ports, incident)
    actions = planning.plan(found, events, _monitor(monitors, found).response)
    return [a.model_dump(mode="json") for a in actions]


def plan_digest(ports: Ports, monitors: Mapping[str, Monitor], incident: str) -> str:
    """Identifies what is still to do: the respond DAG's run id is made of it."""
    found, events = get(ports, incident)
    return planning.plan_digest(planning.plan(found, events, _monitor(monitors, found).response))


def unanswered(ports: Ports, monitors: Mapping[str, Monitor]) -> list[str]:
    """Incidents with actions still to do, whoever should have started them: nothing is forgotten for good."""
    return [i.id for i in all_incidents(ports) if i.monitor in monitors and plan(ports, monitors, i.id)]


def deliver(ports: Ports, monitors: Mapping[str, Monitor], action: Mapping[str, Any]) -> dict[str, Any]:
    """Does one action once; a second call finds the receipt. Mitigations are done by the rollback DAG, not here."""
    todo = Action.model_validate(action)
    found, events = get(ports, todo.incident)
    if todo.id in found.receipts:
        return dict(found.receipts[todo.id])
    monitor = _monitor(monitors, found)
    receipt = _send(ports, monitor, todo, found, events)
    reference = {**receipt.reference, "as_of": str(found.events)}
    payload = {**receipt.model_dump(mode="json"), "reference": reference}
    append(ports, f"incident/{found.id}", key=f"receipt/{todo.id}", type="receipt", payload=payload)
    return payload


def record_mitigation(ports: Ports, action: Mapping[str, Any], *, run_id: str) -> None:
    """The receipt of a mitigation that was handed to the rollback DAG."""
    todo = Action.model_validate(action)
    receipt = Receipt(action=todo.id, kind=todo.kind, at=ports.clock.now(), reference={"run_id": run_id})
    payload = receipt.model_dump(mode="json")
    append(ports, f"incident/{todo.incident}", key=f"receipt/{todo.id}", type="receipt", payload=payload)


def _send(ports: Ports, monitor: Monitor, todo: Action, found: Incident, events: tuple[Event, ...]) -> Receipt:
    notifier = ports.notifier()
    facts = room_facts(ports, monitor, found)
    room = room_for(found, facts)
    match todo.kind:
        case ActionKind.OPEN_ROOM:
            opened: Receipt = notifier.open_room(todo.id, room)
            return opened
        case ActionKind.UPDATE_ROOM:
            updated: Receipt = notifier.update_room(todo.id, found.room, room)
            return updated
        case ActionKind.POST | ActionKind.PROPOSE:
            channel, thread = _where(monitor, found, todo)
            message = update_message(found, facts, todo.payload, events)
            if todo.payload.get("mention"):
                message = message.model_copy(update={"mention": monitor.people.on_call})
            posted: Receipt = notifier.post(todo.id, channel, message, thread=thread)
            return posted
        case ActionKind.MITIGATE:
            raise DeliveryError(f"{todo.id}: a mitigation is carried out by the DAG vigil_rollback, not delivered")


def _where(monitor: Monitor, found: Incident, todo: Action) -> tuple[str, str]:
    """The channel, and the `ts` of the message there that this one replies to; "" where it stands for itself.

    What a fault was told of before the incident had a room stays behind: its news goes to the room.
    """
    channel = _channel(monitor, found)
    first = found.receipts.get(todo.payload.get("thread", ""), {}).get("reference", {})
    if not first or (found.room and first["channel"] != channel):
        return channel, ""
    return first["channel"], first["ts"]


def _channel(monitor: Monitor, found: Incident) -> str:
    if found.room:
        return found.room["channel"]
    if planning.wants_room(found, monitor.response):
        raise DeliveryError(f"{found.id}: the war room is not open yet; the task is tried again")
    return f"#{monitor.response.digest_channel}"


def _monitor(monitors: Mapping[str, Monitor], found: Incident) -> Monitor:
    monitor = monitors.get(found.monitor)
    if monitor is None:
        known = ", ".join(sorted(monitors)) or "none"
        raise DeliveryError(f"{found.id}: no monitor {found.monitor!r} is loaded (known: {known}); see `vigil lint`")
    return monitor


def room_facts(ports: Ports, monitor: Monitor, found: Incident) -> RoomFacts:
    """What the words need to know beside the incident."""
    people = monitor.people
    invite = [people.owner, *people.on_call]
    families = {f.family.value for f in found.findings}
    if people.data_owner and families & {"drift", "quality", "fairness"}:
        invite.append(people.data_owner)
    if people.governance and (monitor.risk.tier == 1 or "fairness" in families):
        invite.append(people.governance)
    base = ports.public_url.rstrip("/")
    return RoomFacts(
        model=monitor.model,
        description=monitor.description,
        environment=monitor.environment,
        owner=people.owner,
        on_call=people.on_call,
        data_owner=people.data_owner,
        governance=people.governance,
        tier=monitor.risk.tier,
        affects_access=monitor.risk.affects_access,
        invite=tuple(dict.fromkeys(invite)),
        report_url=found.report_url,
        incident_url=f"{base}/vigil/incident/{found.id}",
        dag_url=f"{base}/dags/{monitor.dag_id}",
        smallest_group_shown=monitor.response.smallest_group_shown,
    )
