"""A Notifier without a network: for tests and rehearsals. It keeps the same promises as the Slack one."""

from collections.abc import Mapping

from pydantic import BaseModel, Field

from vigil.core.errors import Refused
from vigil.ports import Clock
from vigil.responses.types import ActionKind, Message, Receipt, Room


class MemoryChannel(BaseModel):
    """What a channel holds."""

    id: str
    name: str
    topic: str = ""
    purpose: str = ""
    invited: list[str] = Field(default_factory=list)
    messages: list[Message] = Field(default_factory=list)
    replies: dict[int, str] = Field(default_factory=dict)  # index into messages -> ts of what it replies to
    pinned: int | None = None  # index into messages
    bookmarks: list[tuple[str, str]] = Field(default_factory=list)
    archived: bool = False


class MemoryNotifier:
    """Keeps channels in `channels` (by id) and receipts by action."""

    def __init__(self, *, clock: Clock, known: frozenset[str] | None = None) -> None:
        self.channels: dict[str, MemoryChannel] = {}
        self._receipts: dict[str, Receipt] = {}
        self._clock = clock
        self._known = known  # addresses that have an account; None: all

    def open_room(self, action: str, room: Room) -> Receipt:
        """As the port says."""
        if action in self._receipts:
            return self._receipts[action]
        channel = self._make(self._free(room.name))
        channel.topic, channel.purpose = room.topic, room.purpose
        found = [e for e in dict.fromkeys(room.invite) if self._known is None or e in self._known]
        channel.invited = found
        channel.messages.append(room.summary)
        channel.pinned = 0
        channel.bookmarks = list(room.bookmarks)
        reference = {**self._reference(channel), "summary_ts": "0"}
        lost = ", ".join(e for e in dict.fromkeys(room.invite) if e not in found)
        return self._keep(action, ActionKind.OPEN_ROOM, {**reference, **({"not_found": lost} if lost else {})})

    def update_room(self, action: str, reference: Mapping[str, str], room: Room) -> Receipt:
        """As the port says."""
        if action in self._receipts:
            return self._receipts[action]
        channel = self._writable(reference.get("channel", ""))
        channel.messages[int(reference["summary_ts"])] = room.summary
        channel.topic = room.topic
        kept = {k: reference[k] for k in ("channel", "name", "url", "summary_ts") if k in reference}
        return self._keep(action, ActionKind.UPDATE_ROOM, kept)

    def post(self, action: str, channel: str, message: Message, *, thread: str = "") -> Receipt:
        """As the port says."""
        if action in self._receipts:
            return self._receipts[action]
        if channel.startswith("#"):
            name = channel.removeprefix("#")
            target = next((c for c in self.channels.values() if c.name == name), None) or self._make(name)
            channel = target.id
        to = self._writable(channel)
        to.messages.append(message)
        ts = str(len(to.messages) - 1)
        if thread:
            to.replies[int(ts)] = thread
        return self._keep(
            action, ActionKind.POST, {"channel": to.id, "ts": ts, "url": f"{self._reference(to)['url']}/{ts}"}
        )

    def _keep(self, action: str, kind: ActionKind, reference: dict[str, str]) -> Receipt:
        receipt = Receipt(action=action, kind=kind, at=self._clock.now(), reference=reference)
        self._receipts[action] = receipt
        return receipt

    def _free(self, name: str) -> str:
        taken = {c.name for c in self.channels.values()}
        count, wanted = 1, name
        while wanted in taken:
            count += 1
            wanted = f"{name}-{count}"
        return wanted

    def _make(self, name: str) -> MemoryChannel:
        channel = MemoryChannel(id=f"C{len(self.channels) + 1:08d}", name=name)
        self.channels[channel.id] = channel
        return channel

    def _writable(self, channel: str) -> MemoryChannel:
        found = self.channels.get(channel)
        if found is None:
            raise Refused(f"memory: no channel {channel!r}; open the room first")
        if found.archived:
            raise Refused(f"memory: #{found.name} is archived; unarchive it, or name another channel")
        return found

    @staticmethod
    def _reference(channel: MemoryChannel) -> dict[str, str]:
        return {"channel": channel.id, "name": channel.name, "url": f"memory://{channel.name}"}
