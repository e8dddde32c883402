"""The Web API methods that Vigil uses: arguments in, envelope out; errors are raised as SlackError."""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vigil.emulators.slack import rules
from vigil.emulators.slack.request import Call, notice, seen
from vigil.emulators.slack.rules import SlackError
from vigil.emulators.slack.state import BOT_ID, BOT_USER, TEAM, Channel, Workspace, identity
from vigil.emulators.slack.talk import chat_post_message, chat_update, conversations_history, conversations_replies


def auth_test(call: Call) -> dict[str, Any]:
    """Who is asking."""
    return {
        "url": call.url,
        "team": call.workspace.name,
        "team_id": TEAM,
        "user": "vigil",
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
    }


def conversations_create(call: Call) -> dict[str, Any]:
    """A new channel; names of archived and invisible ones stay taken."""
    name = rules.channel_name(call.text("name"))
    if call.workspace.named(name) is not None:
        raise SlackError("name_taken")
    channel = Channel(
        id=identity("C", name, len(call.workspace.channels)),
        name=name,
        creator=BOT_USER,
        created=int(call.now),
        is_private=call.flag("is_private"),
        members=[BOT_USER],
    )
    call.workspace.channels[channel.id] = channel
    notice(call, channel, "channel_join", BOT_USER, f"<@{BOT_USER}> has joined the channel")
    return {"channel": seen(channel)}


def conversations_invite(call: Call) -> dict[str, Any]:
    """All or nobody, unless `force`."""
    channel = call.own_channel()
    users = [u for u in call.text("users").split(",") if u]
    if not users:
        raise SlackError("no_user")
    if len(users) > 100:
        raise SlackError("too_many_users")
    errors = [
        {"ok": False, "error": e, "user": u} for u in users if (e := _invite_error(call.workspace, channel, u)) != ""
    ]
    if errors and not call.flag("force"):
        raise SlackError(str(errors[0]["error"]), errors=errors)
    bad = {e["user"] for e in errors}
    for user in users:
        if user not in bad:
            channel.members.append(user)
            notice(call, channel, "channel_join", user, f"<@{user}> was added by <@{BOT_USER}>")
    return {"channel": seen(channel), **({"errors": errors} if errors else {})}


def _invite_error(workspace: Workspace, channel: Channel, user: str) -> str:
    if user == BOT_USER:
        return "cant_invite_self"
    if user not in workspace.users:
        return "user_not_found"
    return "already_in_channel" if user in channel.members else ""


def conversations_set_topic(call: Call) -> dict[str, Any]:
    """At most 250 characters; a change is told in the channel."""
    channel = call.own_channel()
    topic = rules.short_text(call.text("topic"))
    if topic != channel.topic:
        channel.topic = topic
        notice(call, channel, "channel_topic", BOT_USER, f"<@{BOT_USER}> set the channel topic: {topic}")
    return {"channel": seen(channel)}


def conversations_set_purpose(call: Call) -> dict[str, Any]:
    """At most 250 characters; a change is told in the channel."""
    channel = call.own_channel()
    purpose = rules.short_text(call.text("purpose"))
    if purpose != channel.purpose:
        channel.purpose = purpose
        notice(call, channel, "channel_purpose", BOT_USER, f"<@{BOT_USER}> set the channel description: {purpose}")
    return {"channel": seen(channel)}


def conversations_list(call: Call) -> dict[str, Any]:
    """Visible channels of the wanted types, paged."""
    types = set((call.text("types") or "public_channel").replace(" ", "").split(","))
    if not types <= {"public_channel", "private_channel", "im", "mpim"}:
        raise SlackError("invalid_types")
    visible = [
        c
        for c in call.workspace.channels.values()
        if ("private_channel" if c.is_private else "public_channel") in types
        and not (c.is_private and BOT_USER not in c.members)
        and not (c.is_archived and call.flag("exclude_archived"))
    ]
    page, cursor = call.page(visible)
    return {"channels": [seen(c) for c in page], "response_metadata": {"next_cursor": cursor}}


def conversations_info(call: Call) -> dict[str, Any]:
    """One channel."""
    return {"channel": seen(call.channel())}


def conversations_join(call: Call) -> dict[str, Any]:
    """Public channels only; joining twice is fine."""
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("is_archived")
    if BOT_USER not in channel.members:
        channel.members.append(BOT_USER)
        notice(call, channel, "channel_join", BOT_USER, f"<@{BOT_USER}> has joined the channel")
    return {"channel": seen(channel)}


def conversations_archive(call: Call) -> dict[str, Any]:
    """The name stays taken."""
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("already_archived")
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    channel.is_archived = True
    return {}


def pins_add(call: Call) -> dict[str, Any]:
    """Pins a message once."""
    channel = call.own_channel()
    ts = call.text("timestamp")
    if not ts:
        raise SlackError("no_item_specified")
    if not re.fullmatch(r"\d+\.\d+", ts):
        raise SlackError("bad_timestamp")
    if channel.message(ts) is None:
        raise SlackError("message_not_found")
    if ts in channel.pins:
        raise SlackError("already_pinned")
    if len(channel.pins) >= 100:
        raise SlackError("too_many_pins")
    channel.pins.append(ts)
    return {}


def bookmarks_add(call: Call) -> dict[str, Any]:
    """A link in the channel's bar. Slack does not notice a second one with the same title."""
    channel = call.own_channel("channel_id")
    if call.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if not re.match(r"https?://", call.text("link")):
        raise SlackError("invalid_link")
    if len(channel.bookmarks) >= 100:
        raise SlackError("too_many_bookmarks")
    bookmark = {
        "id": identity("Bk", channel.id, len(channel.bookmarks)),
        "channel_id": channel.id,
        "type": "link",
        "title": call.text("title"),
        "link": call.text("link"),
    }
    channel.bookmarks.append(bookmark)
    return {"bookmark": bookmark}


def bookmarks_list(call: Call) -> dict[str, Any]:
    """The links in the channel's bar."""
    return {"bookmarks": call.channel("channel_id").bookmarks}


def users_lookup_by_email(call: Call) -> dict[str, Any]:
    """The person with that address."""
    user = call.workspace.person(call.text("email")) if call.text("email") else None
    if user is None:
        raise SlackError("users_not_found")
    profile = {"email": user.email, "real_name": user.name, "title": user.role}
    return {"user": {"id": user.id, "name": user.name, "real_name": user.name, "profile": profile}}


@dataclass(frozen=True)
class Method:
    """A method, what it must be given, which scope it needs, and whether it reads forms only."""

    run: Callable[[Call], dict[str, Any]]
    scope: str = ""
    required: tuple[str, ...] = ()
    form_only: bool = False


METHODS: Mapping[str, Method] = {
    "auth.test": Method(auth_test),
    "conversations.create": Method(conversations_create, "channels:manage"),
    "conversations.invite": Method(conversations_invite, "channels:manage", ("channel",)),
    "conversations.setTopic": Method(conversations_set_topic, "channels:manage", ("channel", "topic")),
    "conversations.setPurpose": Method(conversations_set_purpose, "channels:manage", ("channel", "purpose")),
    "conversations.list": Method(conversations_list, "channels:read", (), form_only=True),
    "conversations.history": Method(conversations_history, "channels:history", ("channel",), form_only=True),
    "conversations.replies": Method(conversations_replies, "channels:history", ("channel", "ts"), form_only=True),
    "conversations.info": Method(conversations_info, "channels:read", ("channel",), form_only=True),
    "conversations.join": Method(conversations_join, "channels:join", ("channel",)),
    "conversations.archive": Method(conversations_archive, "channels:manage", ("channel",)),
    "chat.postMessage": Method(chat_post_message, "chat:write", ("channel",)),
    "chat.update": Method(chat_update, "chat:write", ("channel", "ts")),
    "pins.add": Method(pins_add, "pins:write", ("channel",)),
    "bookmarks.add": Method(bookmarks_add, "bookmarks:write", ("channel_id", "title", "type", "link")),
    "bookmarks.list": Method(bookmarks_list, "bookmarks:read", ("channel_id",)),
    "users.lookupByEmail": Method(users_lookup_by_email, "users:read.email", (), form_only=True),
}
SCOPES = frozenset(m.scope for m in METHODS.values() if m.scope)


def run(name: str, call: Call, scopes: frozenset[str]) -> dict[str, Any]:
    """One call as Slack answers it. A refused call changes nothing."""
    method = METHODS.get(name)
    try:
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        if method.scope and method.scope not in scopes:
            raise SlackError("missing_scope", needed=method.scope, provided=",".join(sorted(scopes)))
        missing = [a for a in method.required if not call.text(a) and a not in ("topic", "purpose")]
        if missing:
            problems = [f"[ERROR] missing required field: {a}" for a in missing]
            raise SlackError("invalid_arguments", response_metadata={"messages": problems})
        return copy.deepcopy({"ok": True, **method.run(call)})
    except SlackError as no:
        return {"ok": False, "error": no.error, **no.extra}
