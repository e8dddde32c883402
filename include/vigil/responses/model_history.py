"""What the ledger says about one model: who was champion when, what was mitigated, what is unfinished.

MLflow keeps no history of aliases, so this fold over the stream `model/<name>` is the only one.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Mitigation, Role
from vigil.incidents.types import Event

# an announced change -> the events that end it
ENDS = {
    "promote_requested": ("alias_moved", "promote_failed"),
    "restore_requested": ("champion_restored", "restore_failed"),
    "mitigation_started": ("mitigation_done", "mitigation_failed"),
}
FINAL = tuple(end for ends in ENDS.values() for end in ends)


class Reign(Spec):
    """A version that became champion through Vigil. manifest: digest of its files at that time."""

    version: str
    since: datetime
    manifest: str
    by: str


class PastMitigation(Spec):
    """A mitigation that was done."""

    key: str
    request: str
    mitigation: Mitigation
    from_version: str
    to_version: str
    at: datetime
    by: str
    automatic: bool
    incident: str | None
    payload: dict[str, Any]


class ModelHistory(Spec):
    """The fold. aliases and serve: as last recorded; pending: a change that was announced and not ended.

    completed: changes that are recorded, those made outside Vigil included.
    """

    aliases: dict[str, str] = Field(default_factory=dict)
    serve: Role = Role.CHAMPION
    champions: tuple[Reign, ...] = ()
    mitigations: tuple[PastMitigation, ...] = ()
    pending: Event | None = None
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


def _apply(told: ModelHistory, event: Event) -> ModelHistory:
    if event.type in ENDS:
        return told.model_copy(update={"pending": event})
    if event.type in FINAL:
        told = told.model_copy(update={"pending": None, "completed": told.completed + 1})
    change = CHANGES.get(event.type)
    return change(told, event) if change else told


def _outside(told: ModelHistory, event: Event) -> ModelHistory:
    found = event.payload["found"]
    aliases = {k: v for k, v in found.items() if k != "serve" and v is not None}
    changed = {"aliases": aliases, "serve": Role(found["serve"]), "completed": told.completed + 1}
    return told.model_copy(update=changed)


def _restored(told: ModelHistory, _: Event) -> ModelHistory:
    return told.model_copy(update={"serve": Role.CHAMPION})


def _moved(told: ModelHistory, event: Event) -> ModelHistory:
    p = event.payload
    alias = p.get("alias", "champion")
    reign = Reign(version=p["to"], since=event.at, manifest=p["manifest"], by=p["by"])
    return told.model_copy(
        update={
            "aliases": {**told.aliases, alias: p["to"]},
            "champions": (*told.champions, reign) if alias == "champion" else told.champions,
        }
    )


def _mitigated(told: ModelHistory, event: Event) -> ModelHistory:
    p = event.payload
    done = PastMitigation(
        key=p["key"],
        request=p["request"],
        mitigation=Mitigation(p["mitigation"]),
        from_version=p["from"],
        to_version=p["to"],
        at=event.at,
        by=p["by"],
        automatic=p["automatic"],
        incident=p["incident"],
        payload=p,
    )
    told = told.model_copy(update={"mitigations": (*told.mitigations, done)})
    if done.mitigation is Mitigation.FALLBACK:
        return told.model_copy(update={"serve": Role.FALLBACK})
    return _moved(told, event)


CHANGES: Mapping[str, Callable[[ModelHistory, Event], ModelHistory]] = {
    "alias_moved": _moved,
    "alias_moved_outside": _outside,
    "champion_restored": _restored,
    "mitigation_done": _mitigated,
}
