"""Actions and receipts."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from vigil.core.spec import Spec
from vigil.core.words import Mitigation
from vigil.incidents.types import ActionKind, Receipt, Severity

__all__ = [
    "Action",
    "ActionKind",
    "Announcement",
    "Autonomy",
    "Message",
    "MitigationOrder",
    "NoDetails",
    "People",
    "Receipt",
    "Response",
    "Room",
]


class Autonomy(StrEnum):
    """Who moves the alias."""

    AUTO = "auto"
    APPROVE = "approve"
    NEVER = "never"


class Announcement(Spec):
    """One event that people are told of: `what` and `sequence` are its type and number in the incident's stream.

    thread: the action whose message it replies to; "" where it stands for itself.
    mention: whether those on call are named.
    """

    what: str
    sequence: int
    thread: str = ""
    mention: bool = False


class MitigationOrder(Spec):
    """A mitigation that the replay supports: handed to the rollback DAG, or proposed to people."""

    what: Literal["propose"] = "propose"
    model: str
    environment: str
    mitigation: Mitigation
    to_version: str | None = None
    reason: str
    incident: str
    autonomy: Autonomy


class NoDetails(Spec):
    """The action's kind says it all: the war room is always made of the present state."""


class Action(Spec):
    """One thing to do, under an id that can be recomputed."""

    id: str
    kind: ActionKind
    incident: str
    payload: Announcement | MitigationOrder | NoDetails = NoDetails()


class Message(Spec):
    """Words for people: plain text, and Slack blocks that say the same. Already escaped for Slack."""

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    mention: tuple[str, ...] = ()  # e-mail addresses of the people whom it calls


class Room(Spec):
    """What a war room should be: everything the chat adapter needs, and nothing about models."""

    name: str  # wanted channel name, derived from the incident id
    topic: str  # <= 250 characters
    purpose: str  # <= 250 characters; ends with the marker "vigil:<incident id>"
    invite: tuple[str, ...]  # e-mail addresses
    summary: Message
    private: bool = False
    bookmarks: tuple[tuple[str, str], ...] = ()  # (title, http link)


class Response(Spec):
    """What Vigil may do by itself, and whom it asks.

    room: per environment, the least severity that gets a war room (`staging: SEV2`).
    recovery_nights: good nights in the champion's role, with enough rows, that settle a question of an incident; a
                     breach that is known since the reference stands after as many.
    recovery_rows: rows that make a night count; without a number a quarter of a usual night, 100 at most.
    standing_nights: judged nights after which drift that stays, with nothing new beside it, ends as a standing finding;
                     and after which a question that cannot be answered any more keeps nothing open.
    review_days: after so many days a standing finding is a signal again.
    smallest_group_shown: rows of a group below which its numbers stay out of chat (the pages have them).
    cooldown_hours: after an automatic mitigation, for so long the next one needs a person's approval.
    """

    rollback: Autonomy = Autonomy.APPROVE  # who moves the champion alias back
    fallback: Autonomy = Autonomy.AUTO  # who lets the fallback stand in
    room: dict[str, Severity] = Field(default_factory=lambda: {"production": Severity.SEV2})
    digest_channel: str = "ml-incidents"  # where incidents without a room are told
    recovery_nights: int = Field(default=2, ge=1, le=14)
    recovery_rows: int | None = Field(default=None, ge=1)  # rows that make a night count; default: for its usual size
    standing_nights: int = Field(default=10, ge=1, le=400)
    review_days: int = Field(default=90, ge=1, le=400)
    cooldown_hours: int = Field(default=24, ge=0)
    smallest_group_shown: int = Field(default=0, ge=0)  # 0 shows the numbers of every group

    @field_validator("room", mode="before")
    @classmethod
    def _severity_names(cls, value: object) -> object:
        if isinstance(value, dict):
            return {
                env: Severity[sev] if isinstance(sev, str) and sev in Severity.__members__ else sev
                for env, sev in value.items()
            }
        return value


class People(Spec):
    """Who owns the model and who is called. E-mail addresses: Slack users are looked up by them."""

    owner: str  # e-mail; invited to every room
    on_call: tuple[str, ...] = ()  # e-mails; invited to every room
    data_owner: str | None = None  # e-mail; invited where data, drift or fairness are in question
    governance: str | None = None  # e-mail; invited for tier 1 and for fairness
