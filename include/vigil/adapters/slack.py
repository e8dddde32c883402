"""The Notifier over Slack's Web API. Any method may be repeated after any crash: it finds what it did."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from vigil.adapters import slack_text
from vigil.adapters.slack_channels import Channels
from vigil.adapters.slack_client import Said, SlackApi, connect
from vigil.adapters.slack_effects import Effects, Reference
from vigil.core.errors import Refused
from vigil.ports import Clock, Outbox
from vigil.responses.types import ActionKind, Message, Receipt, Room

CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


class SlackNotifier:
    """War rooms and posts.

    Every effect of an action has an outbox entry `<action>/<effect>`; messages carry that key in their metadata,
    so that a lost answer is cleared up by reading the channel. Raises Refused (Slack said no: its word and the
    next step) or Ambiguous (no answer, no connection, or rate limited for too long: run again).
    """

    def __init__(
        self,
        *,
        token: str,
        base_url: str,
        outbox: Outbox,
        clock: Clock,
        timeout: int = 15,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """token: a bot token. base_url: Slack's, or an emulator's `…/api/`. timeout: seconds for one request."""
        self._api = SlackApi(connect(token, base_url, timeout=timeout), sleep=sleep)
        self._channels = Channels(self._api)
        self._effects = Effects(outbox, clock, sleep=sleep)
        self._clock = clock

    def open_room(self, action: str, room: Room) -> Receipt:
        """Channel, purpose (the marker first: it makes a crash recoverable), topic, people, summary, pin, bookmarks.

        reference: channel, name, url, summary_ts, not_found (addresses nobody here has), not_invited, skipped.
        """

        def work() -> Reference:
            made = self._create(action, room)
            channel = made["channel"]
            purpose = slack_text.purpose(room.purpose)
            self._write(f"{action}/purpose", "conversations_setPurpose", channel=channel, purpose=purpose)
            topic = slack_text.cut(room.topic, slack_text.SHORT)
            self._write(f"{action}/topic", "conversations_setTopic", channel=channel, topic=topic)
            people = self._effects.once(f"{action}/invite", lambda _: self._invite(channel, room))
            said = self._say(f"{action}/summary", channel, room.summary)
            self._effects.once(f"{action}/pin", lambda _: self._pin(channel, said["ts"]))
            marks = self._effects.once(f"{action}/bookmarks", lambda _: self._bookmark(channel, room))
            return {**made, "url": self._channels.url(channel), "summary_ts": said["ts"], **people, **marks}

        return self._receipt(action, ActionKind.OPEN_ROOM, work)

    def update_room(self, action: str, reference: Mapping[str, str], room: Room) -> Receipt:
        """Edits the pinned summary, and the topic where it changed. reference: what open_room returned."""
        missing = [k for k in ("channel", "summary_ts") if not reference.get(k)]
        if missing:
            raise Refused(f"slack: update_room needs {' and '.join(missing)} of the room; open the room first")
        channel, ts = reference["channel"], reference["summary_ts"]

        def work() -> Reference:
            text = slack_text.cut(room.summary.text, slack_text.UPDATE_TEXT)
            blocks = slack_text.blocks(room.summary.blocks)
            self._write(f"{action}/summary", "chat_update", channel=channel, ts=ts, text=text, blocks=blocks)
            self._effects.once(f"{action}/topic", lambda _: self._retopic(channel, room.topic))
            return {k: reference[k] for k in ("channel", "name", "url", "summary_ts") if k in reference}

        return self._receipt(action, ActionKind.UPDATE_ROOM, work)

    def post(self, action: str, channel: str, message: Message, *, thread: str = "") -> Receipt:
        """One message. `channel`: an id, or `#name` of a public channel, which is created where it is missing.

        thread: `ts` of the message that it replies to. Whom it mentions is looked up by address.
        reference: channel, ts, url, not_found (addresses nobody here has).
        """

        def work() -> Reference:
            key = f"{action}/post"
            called, lost = self._mentioning(f"{action}/mention", message)
            if CHANNEL_ID.fullmatch(channel):
                said = self._say(key, channel, called, thread=thread)
            else:
                said = self._say_named(key, slack_text.channel_name(channel), called)
            url = self._channels.url(said["channel"], said["ts"])
            return {"channel": said["channel"], "ts": said["ts"], "url": url, **lost}

        return self._receipt(action, ActionKind.POST, work)

    def _receipt(self, action: str, kind: ActionKind, work: Callable[[], Reference]) -> Receipt:
        """The receipt of a finished action is kept: a repeated call answers without asking Slack."""
        key = f"{action}/receipt"
        kept = self._effects.done(key)
        if kept is None:
            kept = {**work(), "at": self._clock.now().isoformat()}
            self._effects.finish(key, kept)
        at = datetime.fromisoformat(kept.pop("at"))
        return Receipt(action=action, kind=kind, at=at, reference=kept)

    def _create(self, action: str, room: Room) -> Reference:
        mark = slack_text.marker(room.purpose)

        def send(intent: Mapping[str, str]) -> Reference:
            made = self._channels.make_room(intent["wanted"], mark, private=room.private)
            return {"channel": made["id"], "name": made["name"]}

        def find(intent: Mapping[str, str]) -> Reference | None:
            found = self._channels.find_room(intent["wanted"], mark, private=room.private)
            return None if found is None else {"channel": found["id"], "name": found["name"]}

        wanted = slack_text.channel_name(room.name)
        return self._effects.once(f"{action}/create", send, find=find, intent={"wanted": wanted})

    def _write(self, key: str, method: str, **arguments: object) -> None:
        """A request that may be repeated without harm."""

        def send(_: Mapping[str, str]) -> Reference:
            self._api.write(method, **arguments)
            return {}

        self._effects.once(key, send)

    def _mentioning(self, key: str, message: Message) -> tuple[Message, Reference]:
        """The message with its mentions in front, and the addresses that nobody here has."""
        if not message.mention:
            return message, {}

        def look_up(_: Mapping[str, str]) -> Reference:
            known, unknown = self._channels.users(message.mention)
            return {"users": " ".join(f"<@{user}>" for user in known.values()), "not_found": ", ".join(unknown)}

        people = self._effects.once(key, look_up)
        text = f"{people['users']} {message.text}" if people["users"] else message.text
        lost = {"not_found": people["not_found"]} if people["not_found"] else {}
        return message.model_copy(update={"text": text}), lost

    def _say(self, key: str, channel: str, message: Message, *, thread: str = "") -> Reference:
        """A retry looks, and speaks, where the first attempt meant to: in the same thread."""

        def send(intent: Mapping[str, str]) -> Reference:
            to = intent.get("thread", "")
            ts = self._channels.say(channel, key, text=message.text, blocks=message.blocks, thread=to)
            return {"channel": channel, "ts": ts}

        def find(intent: Mapping[str, str]) -> Reference | None:
            ts = self._channels.said(channel, key, thread=intent.get("thread", ""))
            return None if ts is None else {"channel": channel, "ts": ts}

        return self._effects.once(key, send, find=find, intent={"thread": thread} if thread else None)

    def _say_named(self, key: str, name: str, message: Message) -> Reference:
        try:
            return self._say(key, self._named(name), message)
        except Said as no:
            if no.error != "channel_not_found":
                raise
        self._effects.forget(f"channel/{name}")  # the kept id belonged to a channel that was deleted
        return self._say(key, self._named(name), message)

    def _named(self, name: str) -> str:
        """The id of a channel; looked up (or made) once, then kept."""

        def send(_: Mapping[str, str]) -> Reference:
            return {"channel": self._channels.named(name)["id"]}

        def find(_: Mapping[str, str]) -> Reference | None:
            found = self._channels.find_named(name)
            return None if found is None else {"channel": found["id"]}

        return self._effects.once(f"channel/{name}", send, find=find)["channel"]

    def _invite(self, channel: str, room: Room) -> Reference:
        known, unknown = self._channels.users(room.invite)
        left_out = set(self._channels.invite(channel, list(known.values())))
        refused = [email for email, user in known.items() if user in left_out]
        result = {"not_found": ", ".join(unknown), "not_invited": ", ".join(refused)}
        return {k: v for k, v in result.items() if v}

    def _pin(self, channel: str, ts: str) -> Reference:
        try:
            self._api.write("pins_add", channel=channel, timestamp=ts)
        except Said as no:
            if no.error != "already_pinned":
                raise
        return {}

    def _bookmark(self, channel: str, room: Room) -> Reference:
        """Links are a comfort: one that Slack refuses is named in the receipt, and the room stands."""
        if not room.bookmarks:
            return {}
        have = {(b["title"], b["link"]) for b in self._api.read("bookmarks_list", channel_id=channel)["bookmarks"]}
        skipped = []
        for title, link in room.bookmarks:
            if (title, link) in have:
                continue
            try:
                self._api.write("bookmarks_add", channel_id=channel, title=title, type="link", link=link)
            except Said as no:
                skipped.append(f"bookmark {title} ({no.error})")
        return {"skipped": ", ".join(skipped)} if skipped else {}

    def _retopic(self, channel: str, topic: str) -> Reference:
        wanted = slack_text.cut(topic, slack_text.SHORT)
        have = self._api.read("conversations_info", channel=channel)["channel"]["topic"]["value"]
        if have != wanted:
            self._api.write("conversations_setTopic", channel=channel, topic=wanted)
        return {}
