"""Every event of the ledger as a class: what it is called in the ledger, and what it carries.

The ledger stores an `Event`: its place in a stream, a `type` and JSON. Code works on the classes of this package:
`incident_event`, `model_event` and `system_event` read the stored form, `EventBody.payload` writes it. A type that this
release does not know (a newer release wrote it) is read as an `UnknownEvent`, never refused.

A new kind of event is a class here, and a member of the union of its stream; mypy then names each `match` that must
decide about it. Fields that older releases did not write have defaults.
"""

from functools import cache
from typing import Any, get_args

from vigil.incidents.events.body import EventBody, UnknownEvent
from vigil.incidents.events.changes import (
    AliasMoved,
    ChampionRestored,
    Change,
    MitigationChange,
    MitigationDeclined,
    MitigationDone,
    MitigationFailed,
    MitigationStarted,
    Promotion,
    PromotionFailed,
    PromotionRequested,
    RestoreFailed,
    RestoreRequested,
)
from vigil.incidents.events.incident import (
    ActionDone,
    AnsweredNight,
    BadNight,
    FalseAlarm,
    FindingAccepted,
    GoodNight,
    IncidentAcknowledged,
    IncidentHeld,
    IncidentMerged,
    IncidentOpened,
    IncidentRecovered,
    IncidentReleased,
    IncidentReopened,
    IncidentResolved,
    IncidentRestated,
    MitigationEnded,
    NightReplayed,
    QuietNight,
    SeverityOverridden,
    SignalsAdded,
)
from vigil.incidents.events.model import (
    AliasMovedOutside,
    BudgetDecided,
    BudgetPolicyChanged,
    BudgetState,
    MovedFigure,
    NightJudged,
    NightJudgedLate,
    NightRestated,
    PostMortemRequired,
    QuarantineLifted,
    Rebaselined,
    RebaselineProposed,
    ReferenceSet,
    SettingsRecorded,
)
from vigil.incidents.events.system import CheckpointTaken, MonitorBroken
from vigil.incidents.types import Event

KnownIncidentEvent = (
    IncidentOpened
    | SignalsAdded
    | IncidentReopened
    | IncidentRestated
    | GoodNight
    | QuietNight
    | IncidentRecovered
    | IncidentResolved
    | FalseAlarm
    | IncidentMerged
    | FindingAccepted
    | NightReplayed
    | IncidentAcknowledged
    | IncidentHeld
    | IncidentReleased
    | SeverityOverridden
    | ActionDone
    | MitigationDone
    | MitigationFailed
    | MitigationDeclined
    | MitigationEnded
)
KnownModelEvent = (
    PromotionRequested
    | AliasMoved
    | PromotionFailed
    | RestoreRequested
    | ChampionRestored
    | RestoreFailed
    | MitigationStarted
    | MitigationDone
    | MitigationFailed
    | MitigationDeclined
    | AliasMovedOutside
    | QuarantineLifted
    | NightJudged
    | NightRestated
    | NightJudgedLate
    | SettingsRecorded
    | ReferenceSet
    | Rebaselined
    | RebaselineProposed
    | BudgetPolicyChanged
    | PostMortemRequired
    | BudgetDecided
)
KnownSystemEvent = MonitorBroken | CheckpointTaken
IncidentEvent = KnownIncidentEvent | UnknownEvent
ModelEvent = KnownModelEvent | UnknownEvent
SystemEvent = KnownSystemEvent | UnknownEvent
AliasChange = PromotionRequested | RestoreRequested | MitigationStarted  # announced, and to be ended


def incident_event(event: Event) -> IncidentEvent:
    """What an event of a stream `incident/<id>` says."""
    body: IncidentEvent = _read(event, KnownIncidentEvent)
    return body


def model_event(event: Event) -> ModelEvent:
    """What an event of a stream `model/<name>` says."""
    body: ModelEvent = _read(event, KnownModelEvent)
    return body


def system_event(event: Event) -> SystemEvent:
    """What an event of the stream `system` says."""
    body: SystemEvent = _read(event, KnownSystemEvent)
    return body


def _read(event: Event, union: Any) -> Any:
    kind = _classes(union).get(event.type)
    return UnknownEvent(type=event.type, content=event.payload) if kind is None else kind.read(event)


@cache
def _classes(union: Any) -> dict[str, type[EventBody]]:
    """Type of event -> its class."""
    return {kind.ledger_type(): kind for kind in get_args(union)}


__all__ = [
    "ActionDone",
    "AliasChange",
    "AliasMoved",
    "AliasMovedOutside",
    "AnsweredNight",
    "BadNight",
    "BudgetDecided",
    "BudgetPolicyChanged",
    "BudgetState",
    "ChampionRestored",
    "Change",
    "CheckpointTaken",
    "EventBody",
    "FalseAlarm",
    "FindingAccepted",
    "GoodNight",
    "IncidentAcknowledged",
    "IncidentEvent",
    "IncidentHeld",
    "IncidentMerged",
    "IncidentOpened",
    "IncidentRecovered",
    "IncidentReleased",
    "IncidentReopened",
    "IncidentResolved",
    "IncidentRestated",
    "KnownIncidentEvent",
    "KnownModelEvent",
    "KnownSystemEvent",
    "MitigationChange",
    "MitigationDeclined",
    "MitigationDone",
    "MitigationEnded",
    "MitigationFailed",
    "MitigationStarted",
    "ModelEvent",
    "MonitorBroken",
    "MovedFigure",
    "NightJudged",
    "NightJudgedLate",
    "NightReplayed",
    "NightRestated",
    "PostMortemRequired",
    "Promotion",
    "PromotionFailed",
    "PromotionRequested",
    "QuarantineLifted",
    "QuietNight",
    "RebaselineProposed",
    "Rebaselined",
    "ReferenceSet",
    "RestoreFailed",
    "RestoreRequested",
    "SettingsRecorded",
    "SeverityOverridden",
    "SignalsAdded",
    "SystemEvent",
    "UnknownEvent",
    "incident_event",
    "model_event",
    "system_event",
]
