"""What is said in channels and threads: posted, edited, read."""

from collections.abc import Sequence
from typing import Any

from vigil.emulators.slack import rules
from vigil.emulators.slack.request import Call, append
from vigil.emulators.slack.rules import SlackError
from vigil.emulators.slack.state import BOT_ID, BOT_USER


def conversations_history(call: Call) -> dict[str, Any]:
    """Newest first, without the replies in threads. Metadata only where it is asked for."""
    channel = call.channel()
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    bounds = {}
    for name, default in (("oldest", 0.0), ("latest", float("inf"))):
        try:
            bounds[name] = float(call.text(name) or default)
        except ValueError:
            raise SlackError(f"invalid_ts_{name}") from None
    top = [m for m in reversed(channel.messages) if m.get("thread_ts", m["ts"]) == m["ts"]]
    wanted = [m for m in top if bounds["oldest"] < float(m["ts"]) < bounds["latest"]]
    return {**_messages(call, wanted), "pin_count": len(channel.pins)}


def conversations_replies(call: Call) -> dict[str, Any]:
    """A message and the replies in its thread, oldest first."""
    channel = call.channel()
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    ts = call.text("ts")
    if channel.message(ts) is None:
        raise SlackError("thread_not_found")
    return _messages(call, [m for m in channel.messages if ts in (m["ts"], m.get("thread_ts"))])


def _messages(call: Call, wanted: Sequence[dict[str, Any]]) -> dict[str, Any]:
    page, cursor = call.page(wanted)
    messages = [dict(m) for m in page]
    if not call.flag("include_all_metadata"):
        for message in messages:
            message.pop("metadata", None)
    return {"messages": messages, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def _content(call: Call) -> dict[str, Any]:
    blocks = rules.blocks(call.args.get("blocks"))
    text = call.text("text")
    if not text and not blocks:
        raise SlackError("no_text")
    return {"text": text, **({"blocks": blocks} if blocks else {})}


def chat_post_message(call: Call) -> dict[str, Any]:
    """A message. Texts beyond 40,000 characters are cut, not refused."""
    channel = call.own_channel()
    content = _content(call)
    content["text"] = content["text"][: rules.TEXT_TRUNCATED_AT]
    metadata = rules.metadata(call.args.get("metadata"))
    thread = call.text("thread_ts")
    if thread and channel.message(thread) is None:
        raise SlackError("thread_not_found")
    content |= {"thread_ts": thread} if thread else {}
    message = {"user": BOT_USER, "bot_id": BOT_ID, **content, **({"metadata": metadata} if metadata else {})}
    ts = append(call, channel, message)
    return {"channel": channel.id, "ts": ts, "message": channel.messages[-1]}


def chat_update(call: Call) -> dict[str, Any]:
    """Replaces text and blocks of the bot's own message; at most 4,000 characters of text."""
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("is_inactive")
    message = channel.message(call.text("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_update_message")
    if len(call.text("text")) > rules.UPDATE_TEXT_MAX:
        raise SlackError("msg_too_long")
    content = _content(call)
    metadata = rules.metadata(call.args.get("metadata"))
    if "blocks" in call.args:
        message.pop("blocks", None)
    message.update(content, edited={"user": BOT_USER, "ts": f"{call.now:.6f}"})
    if metadata:
        message["metadata"] = metadata
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}
