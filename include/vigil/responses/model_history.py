"""What the ledger says about one model: who was champion when, what was mitigated, what is unfinished.

MLflow keeps no history of aliases, so this fold over the stream `model/<name>` is the only one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Mitigation, Role
from vigil.incidents.events import (
    AliasChange,
    AliasMoved,
    AliasMovedOutside,
    BudgetDecided,
    BudgetPolicyChanged,
    ChampionRestored,
    MitigationDeclined,
    MitigationDone,
    MitigationFailed,
    MitigationStarted,
    NightJudged,
    NightJudgedLate,
    NightRestated,
    PostMortemRequired,
    PromotionFailed,
    PromotionRequested,
    QuarantineLifted,
    Rebaselined,
    RebaselineProposed,
    ReferenceSet,
    RestoreFailed,
    RestoreRequested,
    SettingsRecorded,
    UnknownEvent,
    model_event,
)
from vigil.incidents.types import Event


class Reign(Spec):
    """A version that became champion through Vigil. manifest: digest of its files at that time."""

    version: str
    since: datetime
    manifest: str
    by: str


class PastMitigation(Spec):
    """A mitigation that was done."""

    at: datetime
    done: MitigationDone


class Pending(Spec):
    """A change that was announced, as event number `sequence` of the stream, and not ended."""

    sequence: int
    at: datetime
    change: AliasChange


class ModelHistory(Spec):
    """The fold. aliases and serve: as last recorded; pending: a change that was announced and not ended.

    completed: changes that are recorded, those made outside Vigil included.
    """

    aliases: dict[str, str] = Field(default_factory=dict)
    serve: Role = Role.CHAMPION
    champions: tuple[Reign, ...] = ()
    mitigations: tuple[PastMitigation, ...] = ()
    pending: Pending | None = None
    completed: int = 0
    events: int = 0

    def manifest(self, version: str) -> str | None:
        """The manifest digest recorded when `version` was last made champion."""
        return next((r.manifest for r in reversed(self.champions) if r.version == version), None)


def history(events: Sequence[Event]) -> ModelHistory:
    """Folds the events of one `model/<name>` stream. Unknown types are skipped."""
    told = ModelHistory()
    for event in events:
        told = _apply(told, event).model_copy(update={"events": event.sequence})
    return told


def _apply(told: ModelHistory, event: Event) -> ModelHistory:  # noqa: PLR0911 - one case for each kind of event
    body = model_event(event)
    match body:
        case PromotionRequested() | RestoreRequested() | MitigationStarted():
            return told.model_copy(update={"pending": Pending(sequence=event.sequence, at=event.at, change=body)})
        case AliasMoved():
            return _moved(_ended(told), event, body.alias.value, body)
        case ChampionRestored():
            return _ended(told).model_copy(update={"serve": Role.CHAMPION})
        case MitigationDone():
            return _mitigated(_ended(told), event, body)
        case PromotionFailed() | RestoreFailed() | MitigationFailed():
            return _ended(told)
        case AliasMovedOutside():
            return _outside(told, body)
        case MitigationDeclined() | QuarantineLifted() | UnknownEvent():
            return told
        case NightJudged() | NightRestated() | NightJudgedLate() | SettingsRecorded() | ReferenceSet():
            return told
        case Rebaselined() | RebaselineProposed() | BudgetPolicyChanged() | PostMortemRequired() | BudgetDecided():
            return told
        case _:
            assert_never(body)


def _ended(told: ModelHistory) -> ModelHistory:
    return told.model_copy(update={"pending": None, "completed": told.completed + 1})


def _outside(told: ModelHistory, body: AliasMovedOutside) -> ModelHistory:
    aliases = {k: v for k, v in body.aliases.items() if v is not None}
    return told.model_copy(update={"aliases": aliases, "serve": body.serve, "completed": told.completed + 1})


def _moved(told: ModelHistory, event: Event, alias: str, body: AliasMoved | MitigationDone) -> ModelHistory:
    to = body.to_version or ""
    reign = Reign(version=to, since=event.at, manifest=body.manifest, by=body.by)
    return told.model_copy(
        update={
            "aliases": {**told.aliases, alias: to},
            "champions": (*told.champions, reign) if alias == Role.CHAMPION else told.champions,
        }
    )


def _mitigated(told: ModelHistory, event: Event, body: MitigationDone) -> ModelHistory:
    past = PastMitigation(at=event.at, done=body)
    told = told.model_copy(update={"mitigations": (*told.mitigations, past)})
    if body.mitigation is Mitigation.FALLBACK:
        return told.model_copy(update={"serve": Role.FALLBACK})
    return _moved(told, event, Role.CHAMPION.value, body)
