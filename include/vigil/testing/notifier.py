"""The contract of the port Notifier."""

from collections.abc import Mapping
from typing import Any, Protocol

import pytest

from vigil.core.errors import Refused
from vigil.ports import Notifier
from vigil.responses.types import Message, Room
from vigil.testing.shape import unlike

NAME = "inc-20261121-credit-scoring-fairness"
NOBODY = "nobody@bank.example"


class NotifierWorld(Protocol):
    """Your notifier, and what it has made known: read back from the service, not from the notifier."""

    notifier: Notifier
    people: tuple[str, str]  # addresses of two people whom the service knows

    def channels(self) -> Mapping[str, Mapping[str, Any]]:
        """Channel name -> `topic`, and what else it has: `id`, `purpose`, `bookmarks`."""
        ...

    def texts(self, channel: str) -> list[str]:
        """The messages of a channel, oldest first, replies left out."""
        ...

    def pinned(self, channel: str) -> list[str]: ...
    def replies(self, channel: str, ts: str) -> list[str]:
        """The replies to a message."""
        ...

    def members(self, channel: str) -> set[str]:
        """The addresses of those who are in a channel."""
        ...

    def archive(self, channel: str) -> None: ...


def a_room(**changes: Any) -> Room:
    """The room of an incident."""
    fields: dict[str, Any] = {
        "name": NAME,
        "topic": "SEV2 · open · credit_scoring staging · fairness",
        "purpose": "Denials of one subgroup jumped. vigil:20261121-credit-scoring-staging",
        "invite": (),
        "summary": Message(text="What broke: selection rate ratio 0.61"),
        "bookmarks": (("Report", "http://127.0.0.1:8080/report"),),
    }
    return Room(**{**fields, **changes})


class NotifierContract:
    """Every notifier passes this: subclass it in a test file, with a fixture `world` that opens an empty service.

    What a service cannot do is said in the subclass: `has_people = False`, `has_threads = False`, `archives = False`.
    Those cases are skipped with that reason.
    """

    has_people = True
    has_threads = True
    archives = True

    @pytest.fixture
    def world(self) -> NotifierWorld:
        """An empty service and your notifier; override it."""
        raise NotImplementedError("give the subclass of NotifierContract a fixture `world` that opens an empty service")

    def test_it_has_every_method_of_the_port(self, world: NotifierWorld) -> None:
        assert unlike(world.notifier, Notifier) == ()

    def test_opening_a_room_gives_a_channel_with_topic_people_and_pinned_summary(self, world: NotifierWorld) -> None:
        if not self.has_people:
            pytest.skip("the service has no people")
        one, other = world.people
        room = a_room(invite=(one, other, NOBODY, one))
        receipt = world.notifier.open_room("a1", room)
        assert receipt.reference["name"] == NAME
        assert receipt.reference["not_found"] == NOBODY
        channel = world.channels()[NAME]
        assert channel["id"] == receipt.reference["channel"]
        assert channel["topic"] == room.topic
        assert channel["purpose"] == room.purpose
        assert world.members(NAME) == {one, other}
        assert world.pinned(NAME) == world.texts(NAME) == [room.summary.text]
        assert len(channel["bookmarks"]) == 1

    def test_each_method_called_twice_gives_the_same_receipt_and_does_one_thing(self, world: NotifierWorld) -> None:
        opened = [world.notifier.open_room("a1", a_room()) for _ in range(2)]
        room = a_room(summary=Message(text="now mitigated"), topic="SEV2 · mitigated")
        edited = [world.notifier.update_room("a2", opened[0].reference, room) for _ in range(2)]
        posted = [world.notifier.post("a3", opened[0].reference["channel"], Message(text="hello")) for _ in range(2)]
        digests = [world.notifier.post("a4", "#ml-incidents", Message(text="digest")) for _ in range(2)]
        for first, second in (opened, edited, posted, digests):
            assert first == second
        assert set(world.channels()) == {NAME, "ml-incidents"}
        assert world.texts(NAME) == ["now mitigated", "hello"]
        assert world.texts("ml-incidents") == ["digest"]

    def test_updating_a_room_edits_the_pinned_summary_and_the_topic(self, world: NotifierWorld) -> None:
        opened = world.notifier.open_room("a1", a_room())
        room = a_room(summary=Message(text="now mitigated"), topic="SEV2 · mitigated")
        receipt = world.notifier.update_room("a2", opened.reference, room)
        assert world.pinned(NAME) == ["now mitigated"]
        assert world.channels()[NAME]["topic"] == "SEV2 · mitigated"
        assert receipt.reference["summary_ts"] == opened.reference["summary_ts"]

    def test_two_incidents_of_the_same_wanted_name_get_two_rooms(self, world: NotifierWorld) -> None:
        first = world.notifier.open_room("a1", a_room())
        second = world.notifier.open_room("b1", a_room(purpose="Another one. vigil:20261121-other"))
        assert [r.reference["name"] for r in (first, second)] == [NAME, f"{NAME}-2"]

    def test_posts_to_a_named_channel_share_it(self, world: NotifierWorld) -> None:
        first = world.notifier.post("a1", "#ml-incidents", Message(text="one"))
        second = world.notifier.post("a2", "#ml-incidents", Message(text="two"))
        assert first.reference["channel"] == second.reference["channel"]
        assert world.texts("ml-incidents") == ["one", "two"]

    def test_a_reply_is_in_its_thread_once_and_not_in_the_channel(self, world: NotifierWorld) -> None:
        if not self.has_threads:
            pytest.skip("the service has no threads")
        first = world.notifier.post("a1", "#ml-incidents", Message(text="a new finding"))
        channel, ts = first.reference["channel"], first.reference["ts"]
        replies = [world.notifier.post("a2", channel, Message(text="more of it"), thread=ts) for _ in range(2)]
        assert replies[0] == replies[1]
        assert world.replies("ml-incidents", ts) == ["more of it"]

    @pytest.mark.parametrize("what", ["update", "post"])
    def test_an_archived_room_is_refused_in_clear_words(self, world: NotifierWorld, what: str) -> None:
        if not self.archives:
            pytest.skip("the service archives nothing")
        opened = world.notifier.open_room("a1", a_room())
        world.archive(NAME)
        late = {
            "update": lambda: world.notifier.update_room("a2", opened.reference, a_room(topic="new")),
            "post": lambda: world.notifier.post("a2", opened.reference["channel"], Message(text="new")),
        }
        with pytest.raises(Refused, match="unarchive"):
            late[what]()
