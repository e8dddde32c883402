"""Incident -> planned actions -> receipts. The decision was committed before anything is sent."""

from collections.abc import Mapping
from typing import Any, assert_never

from vigil.config.schema import Monitor
from vigil.core.errors import DeliveryError
from vigil.core.words import Family
from vigil.incidents.events import ActionDone
from vigil.incidents.types import Event, Incident
from vigil.ports import Ports
from vigil.responses import plan as planning
from vigil.responses.messages import RoomFacts, room_for, update_message
from vigil.responses.types import (
    Action,
    ActionKind,
    Announcement,
    Message,
    MitigationOrder,
    NoDetails,
    Receipt,
)
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
        return found.receipts[todo.id].model_dump(mode="json")
    monitor = _monitor(monitors, found)
    receipt = _send(ports, monitor, todo, found, events)
    receipt = receipt.model_copy(update={"as_of": found.events})
    _record(ports, receipt, found.id)
    return receipt.model_dump(mode="json")


def record_mitigation(ports: Ports, action: Mapping[str, Any], *, run_id: str) -> None:
    """The receipt of a mitigation that was handed to the rollback DAG."""
    todo = Action.model_validate(action)
    receipt = Receipt(action=todo.id, kind=todo.kind, at=ports.clock.now(), reference={"run_id": run_id})
    _record(ports, receipt, todo.incident)


def _record(ports: Ports, receipt: Receipt, incident: str) -> None:
    body = ActionDone(**receipt.model_dump())
    append(ports, f"incident/{incident}", key=f"{body.type}/{receipt.action}", body=body)


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
            posted: Receipt = notifier.post(
                todo.id, channel, _message(monitor, todo, found, events, facts), thread=thread
            )
            return posted
        case ActionKind.MITIGATE:
            raise DeliveryError(f"{todo.id}: a mitigation is carried out by the DAG vigil_rollback, not delivered")


def _message(monitor: Monitor, todo: Action, found: Incident, events: tuple[Event, ...], facts: RoomFacts) -> Message:
    match todo.payload:
        case Announcement(mention=mention) as about:
            message = update_message(found, facts, about, events)
            return message.model_copy(update={"mention": monitor.people.on_call}) if mention else message
        case MitigationOrder() as order:
            return update_message(found, facts, order, events)
        case NoDetails():
            raise DeliveryError(f"{todo.id}: the action does not say what to post; plan the response again")
        case _:
            assert_never(todo.payload)


def _where(monitor: Monitor, found: Incident, todo: Action) -> tuple[str, str]:
    """The channel, and the `ts` of the message there that this one replies to; "" where it stands for itself.

    What a fault was told of before the incident had a room stays behind: its news goes to the room.
    """
    channel = _channel(monitor, found)
    thread = todo.payload.thread if isinstance(todo.payload, Announcement) else ""
    first = found.receipts.get(thread)
    if first is None or (found.room and first.reference["channel"] != channel):
        return channel, ""
    return first.reference["channel"], first.reference["ts"]


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
    families = {f.family for f in found.findings}
    if people.data_owner and families & {Family.DRIFT, Family.QUALITY, Family.FAIRNESS}:
        invite.append(people.data_owner)
    if people.governance and (monitor.risk.tier == 1 or Family.FAIRNESS in families):
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
