"""Changes of a model's aliases: each is announced, then ended. A mitigation is also told in its incident."""

from typing import Any, Literal, Self

from pydantic import Field

from vigil.core.words import Mitigation, Role
from vigil.incidents.events.body import EventBody


class Change(EventBody):
    """What every change of a model's aliases says. key: of the change, from which its events have theirs.

    token: of the lease under which it was announced.
    """

    key: str = ""
    from_version: str | None = Field(default=None, alias="from")
    to_version: str | None = Field(default=None, alias="to")
    by: str = ""
    reason: str = ""
    token: int | None = None

    @classmethod
    def after(cls, announced: "Change", **more: Any) -> Self:
        """The event that ends an announced change: it says the same, and more."""
        given = {name: getattr(announced, name) for name in announced.model_fields_set - {"type"}}
        return cls(**{**given, **more})


class Promotion(Change):
    """A version gets an alias. despite: the rule that was overruled; approved_by, budget: what the policy asked for."""

    alias: Role = Role.CHAMPION
    manifest: str = ""
    evidence: dict[str, Any] = Field(default_factory=dict)
    approved_by: str | None = None
    budget: str | None = None
    despite: str | None = None


class PromotionRequested(Promotion):
    """Announced: the alias may be moved from now on."""

    type: Literal["promote_requested"] = "promote_requested"


class AliasMoved(Promotion):
    """The registry shows the promotion."""

    type: Literal["alias_moved"] = "alias_moved"


class PromotionFailed(Promotion):
    """The registry does not show what was written."""

    type: Literal["promote_failed"] = "promote_failed"
    why: str = ""


class RestoreRequested(Change):
    """Announced: the champion may be let serve again from now on."""

    type: Literal["restore_requested"] = "restore_requested"


class ChampionRestored(Change):
    """The champion serves again."""

    type: Literal["champion_restored"] = "champion_restored"


class RestoreFailed(Change):
    """The registry does not show what was written."""

    type: Literal["restore_failed"] = "restore_failed"
    why: str = ""


class MitigationChange(Change):
    """A rollback or a fallback. request: identity of the request. automatic: nobody was asked."""

    request: str = ""
    mitigation: Mitigation = Mitigation.NONE
    asked_by: str = ""
    automatic: bool = False
    incident: str | None = None
    manifest: str = ""
    evidence: dict[str, Any] = Field(default_factory=dict)


class MitigationStarted(MitigationChange):
    """Announced: it was checked and permitted, and may be done from now on."""

    type: Literal["mitigation_started"] = "mitigation_started"


class MitigationDone(MitigationChange):
    """The registry shows it. verified: the serving layer was seen to answer so; how: how that is known."""

    type: Literal["mitigation_done"] = "mitigation_done"
    verified: bool | None = None
    how: str = ""


class MitigationFailed(MitigationChange):
    """The registry does not show what was written, or somebody changed the model before."""

    type: Literal["mitigation_failed"] = "mitigation_failed"
    why: str = ""


class MitigationDeclined(EventBody):
    """Checks, or a person, said no."""

    type: Literal["mitigation_declined"] = "mitigation_declined"
    mitigation: Mitigation = Mitigation.NONE
    why: str = ""
    by: str = ""
    to_version: str | None = Field(default=None, alias="to")
