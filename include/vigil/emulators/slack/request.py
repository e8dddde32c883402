"""One request to a method: its arguments, and what of the workspace the bot may see and write."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from vigil.emulators.slack.rules import SlackError
from vigil.emulators.slack.state import BOT_USER, Channel, Workspace

Args = Mapping[str, Any]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Call:
    """One request: the workspace, its arguments, the time (Unix seconds) and the server's own address."""

    workspace: Workspace
    args: Args
    now: float
    url: str
    page_cap: int

    def text(self, name: str) -> str:
        """An argument as text; missing ones are empty."""
        value = self.args.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Booleans arrive as 1/0 in forms, as true/false in JSON."""
        return str(self.args.get(name, "")).lower() in ("1", "true")

    def channel(self, name: str = "channel") -> Channel:
        """The channel named by an argument, as far as the bot may see it."""
        found = self.workspace.channels.get(self.text(name))
        if found is None or (found.is_private and BOT_USER not in found.members):
            raise SlackError("channel_not_found")
        return found

    def own_channel(self, name: str = "channel") -> Channel:
        """A channel that the bot is a member of and that is not archived."""
        channel = self.channel(name)
        if channel.is_archived:
            raise SlackError("is_archived")
        if BOT_USER not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def page(self, items: Sequence[Item]) -> tuple[Sequence[Item], str]:
        """One page and the cursor of the next. A page may be shorter than `limit`, as Slack's may."""
        try:
            limit = int(self.text("limit") or 100)
            start = int(base64.b64decode(self.text("cursor") or "MA==", validate=True))
        except (binascii.Error, UnicodeDecodeError):
            raise SlackError("invalid_cursor") from None
        except ValueError:
            raise SlackError("invalid_cursor" if self.text("cursor") else "invalid_limit") from None
        if not 1 <= limit < 1000:
            raise SlackError("invalid_limit")
        end = start + min(limit, self.page_cap)
        cursor = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
        return items[start:end], cursor


def seen(channel: Channel) -> dict[str, Any]:
    """A channel object as Slack answers it."""

    def note(value: str) -> dict[str, Any]:
        return {"value": value, "creator": channel.creator if value else "", "last_set": channel.created}

    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": BOT_USER in channel.members,
        "created": channel.created,
        "creator": channel.creator,
        "topic": note(channel.topic),
        "purpose": note(channel.purpose),
        "num_members": len(channel.members),
    }


def append(call: Call, channel: Channel, message: Mapping[str, Any]) -> str:
    """Adds a message under a `ts` that is unique in its channel and sorts."""
    last = float(channel.messages[-1]["ts"]) if channel.messages else 0.0
    ts = f"{max(call.now, last + 0.000_01):.6f}"
    channel.messages.append({"type": "message", "ts": ts, **message})
    return ts


def notice(call: Call, channel: Channel, subtype: str, user: str, text: str) -> None:
    """A line of the channel's own history."""
    append(call, channel, {"subtype": subtype, "user": user, "text": text})
