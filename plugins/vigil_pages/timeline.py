"""An incident's events in words, for its page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from vigil.incidents.events import (
    ActionDone,
    EventBody,
    FalseAlarm,
    FindingAccepted,
    GoodNight,
    IncidentAcknowledged,
    IncidentEvent,
    IncidentHeld,
    IncidentMerged,
    IncidentOpened,
    IncidentRecovered,
    IncidentReleased,
    IncidentReopened,
    IncidentResolved,
    IncidentRestated,
    MitigationDeclined,
    MitigationDone,
    MitigationEnded,
    MitigationFailed,
    NightReplayed,
    QuietNight,
    SeverityOverridden,
    SignalsAdded,
    UnknownEvent,
    incident_event,
)

if TYPE_CHECKING:
    from vigil.incidents.types import Event

EVENTS: dict[type[EventBody], str] = {
    IncidentOpened: "Incident opened",
    SignalsAdded: "More was found",
    IncidentReopened: "It came back: reopened",
    IncidentRestated: "Late labels told more about its night",
    NightReplayed: "The night was replayed with other versions",
    MitigationDone: "Mitigated",
    MitigationFailed: "The mitigation failed",
    MitigationDeclined: "The mitigation was not done",
    GoodNight: "A good night",
    QuietNight: "A night with nothing new",
    FindingAccepted: "Accepted by a person",
    IncidentRecovered: "Recovered",
    IncidentResolved: "Resolved",
    IncidentAcknowledged: "Taken by a person",
    IncidentHeld: "Held: nothing changes automatically",
    IncidentReleased: "The hold ended",
    FalseAlarm: "It never was: restated by late labels",
}
RECEIPTS = {
    "open_room": "war room opened",
    "update_room": "summary in the room updated",
    "post": "message sent",
    "propose": "people asked to decide",
    "mitigate": "handed to the rollback DAG",
}


def timeline(events: Sequence[Event]) -> list[dict[str, str]]:
    """The ledger's events in words, oldest first; receipts of the same minute are told together."""
    told: list[dict[str, str]] = []
    last = ""  # the minute of the receipts that are being told
    for event in events:
        body = incident_event(event)
        minute = f"{event.at:%Y-%m-%d %H:%M}" if isinstance(body, ActionDone) else ""
        if minute and minute == last:
            told[-1]["more"] += f", {_more(body)}"
            continue
        what = "" if minute else EVENTS.get(type(body), event.type.replace("_", " ").capitalize())
        told.append({"at": f"{event.at:%Y-%m-%d %H:%M:%S} UTC", "what": what, "more": _more(body)})
        last = minute
    return told


def _more(body: IncidentEvent) -> str:  # noqa: PLR0911 - one case for each kind of event
    match body:
        case IncidentOpened() | SignalsAdded() | IncidentReopened() | IncidentRestated():
            count = len(body.signals)
            return f"night of {body.night}: {count} {'signal' if count == 1 else 'signals'}"
        case NightReplayed():
            return body.replay.why
        case MitigationDone():
            moved = f"{body.mitigation.value} from version {body.from_version} to {body.to_version} by {body.by}"
            return f"{moved}; {body.how}" if body.how else moved
        case MitigationFailed() | MitigationDeclined() | IncidentHeld() | IncidentReleased() | FindingAccepted():
            return body.why + (f" ({body.by})" if body.by else "")
        case FalseAlarm() | IncidentResolved():
            return body.why
        case GoodNight() | QuietNight() | IncidentRecovered():
            return f"night of {body.night}, version {body.version}, {body.rows or 0:,} rows"
        case IncidentAcknowledged():
            return body.by
        case ActionDone():
            return RECEIPTS.get(body.kind, str(body.kind).replace("_", " "))
        case IncidentMerged() | MitigationEnded() | SeverityOverridden() | UnknownEvent():
            return ""
        case _:
            assert_never(body)
