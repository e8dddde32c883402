"""Every Notifier: in memory, and Slack's against the real emulator process."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import RemoteDisconnected
from typing import Any

import pytest
from slack_sdk import WebClient

from tests.slack_emulator import PEOPLE, Emulator, emulator
from vigil.adapters import slack_client
from vigil.adapters.slack import SlackNotifier
from vigil.core.errors import Ambiguous, Refused
from vigil.ports import OutboxEntry
from vigil.responses.types import Message, Receipt, Room
from vigil.testing import FrozenClock, MemoryNotifier, MemoryOutbox, NotifierContract
from vigil.testing.notifier import NAME, NOBODY
from vigil.testing.notifier import a_room as bare_room

pytestmark = pytest.mark.slow
ANA, BEN = PEOPLE[0]["email"], PEOPLE[1]["email"]
TOKEN = "xoxb-test-token"
CLOCK = FrozenClock(datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC))


class MemoryWorld:
    people = (ANA, BEN)

    def __init__(self) -> None:
        self.notifier = MemoryNotifier(clock=CLOCK, known=frozenset(p["email"] for p in PEOPLE))

    def channels(self) -> dict[str, Any]:
        return {c.name: c.model_dump() for c in self.notifier.channels.values()}

    def _channel(self, name: str) -> Any:
        return next(c for c in self.notifier.channels.values() if c.name == name)

    def texts(self, channel: str) -> list[str]:
        return [m.text for m in self._channel(channel).messages]

    def replies(self, channel: str, ts: str) -> list[str]:
        found = self._channel(channel)
        return [found.messages[n].text for n, parent in found.replies.items() if parent == ts]

    def pinned(self, channel: str) -> list[str]:
        found = self._channel(channel)
        return [] if found.pinned is None else [found.messages[found.pinned].text]

    def members(self, channel: str) -> set[str]:
        return set(self._channel(channel).invited)

    def archive(self, channel: str) -> None:
        self._channel(channel).archived = True


class SlackWorld:
    people = (ANA, BEN)

    def __init__(self, running: Emulator) -> None:
        self.emulator = running
        self.outbox: MemoryOutbox = MemoryOutbox()
        self.slept: list[float] = []
        self.client = slack_client.connect(TOKEN, running.api)
        self.notifier = self.restarted()

    def restarted(self, *, timeout: int = 15) -> SlackNotifier:
        """A new process over the same outbox."""
        return self.at(self.emulator.api, timeout=timeout)

    def at(self, base_url: str, *, token: str = TOKEN, timeout: int = 15) -> SlackNotifier:
        return SlackNotifier(
            token=token,
            base_url=base_url,
            outbox=self.outbox,
            clock=CLOCK,
            timeout=timeout,
            sleep=self.slept.append,
        )

    def channels(self) -> dict[str, Any]:
        return self.emulator.channels()

    def texts(self, channel: str) -> list[str]:
        return [m["text"] for m in self.channels()[channel]["messages"] if "subtype" not in m]

    def replies(self, channel: str, ts: str) -> list[str]:
        return [m["text"] for m in self.channels()[channel]["messages"] if m.get("thread_ts") == ts]

    def pinned(self, channel: str) -> list[str]:
        return [m["text"] for m in self.channels()[channel]["pinned"]]

    def members(self, channel: str) -> set[str]:
        return {m["email"] for m in self.channels()[channel]["members"] if m["email"]}

    def archive(self, channel: str) -> None:
        self.client.conversations_archive(channel=self.channels()[channel]["id"])

    def calls(self, method: str) -> int:
        return self.emulator.state()["calls"].get(method, 0)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("slack"), "--page-cap", "3") as started:
        yield started


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def slack(running: Emulator) -> SlackWorld:
    running.reset()
    return SlackWorld(running)


class TestMemoryNotifier(NotifierContract):
    @pytest.fixture
    def world(self) -> MemoryWorld:
        return MemoryWorld()


class TestSlackNotifier(NotifierContract):
    @pytest.fixture
    def world(self, slack: SlackWorld) -> SlackWorld:
        return slack


def a_room(**changes: Any) -> Room:
    return bare_room(**{"invite": (ANA, BEN, NOBODY, ANA), **changes})


# From here on: Slack only, what a network and a crash can do.


@pytest.mark.parametrize("kind", ["accept_then_drop", "drop", "http_500", "fatal_after"])
def test_a_reply_whose_answer_was_lost_is_looked_for_in_its_thread(slack: SlackWorld, kind: str) -> None:
    first = slack.notifier.post("a1", "#ml-incidents", Message(text="a new finding")).reference
    slack.emulator.fault("chat.postMessage", kind)
    slack.notifier.post("a2", first["channel"], Message(text="more of it"), thread=first["ts"])
    assert slack.replies("ml-incidents", first["ts"]) == ["more of it"]


def test_people_are_mentioned_by_their_accounts_and_those_without_one_are_named_in_the_receipt(
    slack: SlackWorld,
) -> None:
    message = Message(text="a new finding", mention=(BEN, NOBODY))
    receipt = slack.notifier.post("a1", "#ml-incidents", message)
    assert receipt.reference["not_found"] == NOBODY
    (text,) = slack.texts("ml-incidents")
    assert re.fullmatch(r"<@U\w+> a new finding", text)


def everything(world: SlackWorld) -> list[Receipt]:
    opened = world.notifier.open_room("a1", a_room())
    edited = world.notifier.update_room("a2", opened.reference, a_room(summary=Message(text="edited"), topic="new"))
    return [opened, edited, world.notifier.post("a3", "#ml-incidents", Message(text="digest"))]


METHODS = (
    "conversations.create",
    "conversations.setPurpose",
    "conversations.setTopic",
    "users.lookupByEmail",
    "conversations.invite",
    "chat.postMessage",
    "chat.update",
    "pins.add",
    "bookmarks.list",
    "bookmarks.add",
    "conversations.list",
    "conversations.info",
    "auth.test",
)


def test_the_sdk_with_its_own_retry_would_post_twice_into_a_lost_answer(slack: SlackWorld) -> None:
    """Why we connect without it; and the proof that the emulator really drops connections."""
    room = slack.notifier.open_room("a1", a_room()).reference["channel"]
    slack.emulator.fault("chat.postMessage", "accept_then_drop")
    WebClient(token=TOKEN, base_url=slack.emulator.api).chat_postMessage(channel=room, text="twice")
    assert slack.texts(NAME)[1:] == ["twice", "twice"]
    slack.emulator.fault("chat.postMessage", "accept_then_drop")
    with pytest.raises(RemoteDisconnected):
        slack.client.chat_postMessage(channel=room, text="once")
    assert slack.texts(NAME)[3:] == ["once"]


@pytest.mark.parametrize("kind", ["accept_then_drop", "drop", "http_500", "fatal_after", "ratelimited"])
@pytest.mark.parametrize("method", METHODS)
def test_one_lost_answer_anywhere_leaves_one_of_each(slack: SlackWorld, method: str, kind: str) -> None:
    slack.emulator.fault(method, kind)
    everything(slack)
    assert slack.emulator.state()["faults"] == []
    assert set(slack.channels()) == {NAME, "ml-incidents"}
    assert slack.texts(NAME) == slack.pinned(NAME) == ["edited"]
    assert slack.texts("ml-incidents") == ["digest"]
    assert slack.members(NAME) == {ANA, BEN}
    assert len(slack.channels()[NAME]["bookmarks"]) == 1
    assert slack.channels()[NAME]["topic"] == "new"


class Killed(BaseException):
    """The process ends here."""


class DyingOutbox(MemoryOutbox):
    """Lets `steps` writes through; then the process dies, before or after the write."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def put(self, entry: OutboxEntry) -> None:
        if self.steps == 0:
            raise Killed
        self.steps -= 1
        super().put(entry)


def test_a_crash_at_any_outbox_write_and_a_retry_leave_one_of_each(slack: SlackWorld) -> None:
    finished = False
    steps = 0
    while not finished:
        slack.emulator.reset()
        slack.outbox = DyingOutbox(steps)
        slack.notifier = slack.restarted()
        try:
            everything(slack)
            finished = True
        except Killed:
            slack.outbox.steps = 10_000
            slack.notifier = slack.restarted()
            everything(slack)
        assert set(slack.channels()) == {NAME, "ml-incidents"}
        assert slack.texts(NAME) == slack.pinned(NAME) == ["edited"]
        assert slack.texts("ml-incidents") == ["digest"]
        assert len(slack.channels()[NAME]["bookmarks"]) == 1
        steps += 1
    assert steps > 20


def test_a_crash_between_create_and_purpose_is_recovered_even_if_the_wanted_name_changed(slack: SlackWorld) -> None:
    slack.outbox.put(OutboxEntry(key="a1/create", state="in_flight", attempts=1, reference={"wanted": NAME}))
    made = slack.client.conversations_create(name=NAME)["channel"]["id"]
    receipt = slack.notifier.open_room("a1", a_room(name="inc-20261121-credit-scoring-drift"))
    assert receipt.reference["channel"] == made
    assert set(slack.channels()) == {NAME}


def test_a_room_with_our_marker_is_taken_up_after_the_outbox_was_lost(slack: SlackWorld) -> None:
    first = slack.notifier.open_room("a1", a_room())
    slack.outbox = MemoryOutbox()
    again = slack.restarted().open_room("a1", a_room())
    assert again.reference["channel"] == first.reference["channel"]
    assert set(slack.channels()) == {NAME}


def test_a_private_room_is_found_again_too(slack: SlackWorld) -> None:
    slack.emulator.fault("conversations.create", "accept_then_drop")
    slack.notifier.open_room("a1", a_room(private=True))
    assert [(c["name"], c["is_private"]) for c in slack.channels().values()] == [(NAME, True)]


@pytest.mark.parametrize("taken", [{"is_archived": True}, {"is_private": True}, {"purpose": "holiday pictures"}])
def test_a_name_that_others_hold_gets_a_number(slack: SlackWorld, taken: dict[str, Any]) -> None:
    slack.emulator.foreign(NAME, **taken)
    receipt = slack.notifier.open_room("a1", a_room())
    assert receipt.reference["name"] == f"{NAME}-2"
    assert slack.channels()[NAME]["topic"] == ""


def test_a_taken_name_is_looked_for_on_every_page(slack: SlackWorld) -> None:
    for number in range(8):
        slack.emulator.foreign(f"team-{number}")
    slack.outbox.put(OutboxEntry(key="a1/create", state="in_flight", attempts=1, reference={"wanted": NAME}))
    made = slack.client.conversations_create(name=NAME)["channel"]["id"]
    assert slack.notifier.open_room("a1", a_room()).reference["channel"] == made


def test_a_storm_of_rate_limits_is_waited_out_as_asked(slack: SlackWorld) -> None:
    slack.emulator.fault("*", "ratelimited", count=3, retry_after=7)
    slack.notifier.post("a1", "#ml-incidents", Message(text="one"))
    assert slack.slept == [7.0, 7.0, 7.0]
    assert slack.texts("ml-incidents") == ["one"]


def test_a_rate_limit_longer_than_our_patience_is_left_to_the_next_run(slack: SlackWorld) -> None:
    room = slack.notifier.open_room("a1", a_room()).reference["channel"]
    slack.emulator.fault("chat.postMessage", "ratelimited", retry_after=3000)
    with pytest.raises(Ambiguous, match="3000 s; nothing was sent"):
        slack.notifier.post("a2", room, Message(text="one"))
    assert slack.slept == []
    slack.notifier.post("a2", room, Message(text="one"))
    assert slack.texts(NAME)[1:] == ["one"]


def test_an_answer_that_comes_too_late_does_not_make_a_second_message(slack: SlackWorld) -> None:
    room = slack.notifier.open_room("a1", a_room()).reference["channel"]
    slack.emulator.fault("chat.postMessage", "slow", seconds=3)
    slack.restarted(timeout=1).post("a2", room, Message(text="one"))
    assert slack.texts(NAME)[1:] == ["one"]


def test_a_message_is_found_behind_later_ones(slack: SlackWorld) -> None:
    room = slack.notifier.open_room("a1", a_room()).reference["channel"]
    slack.notifier.post("a2", room, Message(text="one"))
    for number in range(7):
        slack.client.chat_postMessage(channel=room, text=f"talk {number}")
    slack.outbox.put(OutboxEntry(key="a2/post", state="in_flight", attempts=1))
    del slack.outbox._entries["a2/receipt"]
    slack.restarted().post("a2", room, Message(text="one"))
    assert slack.texts(NAME).count("one") == 1


def test_a_dead_slack_is_ambiguous_and_leaves_the_work_to_do(slack: SlackWorld) -> None:
    dead = slack.at("http://127.0.0.1:9/api/")
    with pytest.raises(Ambiguous, match="nothing was sent"):
        dead.open_room("a1", a_room())
    assert slack.outbox.get("a1/create").state == "pending"
    slack.notifier.open_room("a1", a_room())
    assert set(slack.channels()) == {NAME}


@pytest.mark.parametrize(
    ("error", "words"), [("missing_scope", "add the scope"), ("token_revoked", "install the app again")]
)
def test_a_refusal_names_slacks_word_and_the_next_step(slack: SlackWorld, error: str, words: str) -> None:
    slack.emulator.fault("conversations.create", "error", error=error)
    with pytest.raises(Refused, match=f"{error}.*{words}"):
        slack.notifier.open_room("a1", a_room())


def test_a_bad_token_is_refused(slack: SlackWorld) -> None:
    wrong = slack.at(slack.emulator.api, token="not-a-token")
    with pytest.raises(Refused, match="invalid_auth"):
        wrong.post("a1", "#ml-incidents", Message(text="one"))


def test_a_bookmark_that_slack_refuses_does_not_cost_the_room(slack: SlackWorld) -> None:
    receipt = slack.notifier.open_room("a1", a_room(bookmarks=(("Report", "file:///etc/passwd"),)))
    assert receipt.reference["skipped"] == "bookmark Report (invalid_link)"


def test_a_digest_channel_the_app_is_not_in_is_joined(slack: SlackWorld) -> None:
    slack.emulator.foreign("ml-incidents")
    slack.notifier.post("a1", "#ml-incidents", Message(text="one"))
    assert slack.texts("ml-incidents") == ["one"]


def test_a_kept_channel_id_that_is_gone_is_looked_up_anew(slack: SlackWorld) -> None:
    slack.notifier.post("a1", "#ml-incidents", Message(text="one"))
    slack.emulator.reset()
    slack.notifier.post("a2", "#ml-incidents", Message(text="two"))
    assert slack.texts("ml-incidents") == ["two"]


def test_texts_beyond_slacks_limits_are_cut_not_refused(slack: SlackWorld) -> None:
    long = "&amp;" * 3000
    section = {"type": "section", "text": {"type": "mrkdwn", "text": long}}
    header = {"type": "header", "text": {"type": "plain_text", "text": long}}
    summary = Message(text=long, blocks=(header, *[section] * 70))
    room = a_room(topic=long, purpose=f"{long} vigil:1", summary=summary, name="x" * 200)
    opened = slack.notifier.open_room("a1", room)
    slack.notifier.update_room("a2", opened.reference, room)
    channel = slack.channels()["x" * 80]
    assert channel["purpose"].endswith(" vigil:1")
    assert len(channel["topic"]) <= 250
    assert "shortened" in str(channel["pinned"][0]["blocks"][-1])


def test_the_workspace_survives_a_restart_of_the_emulator(tmp_path: Any) -> None:
    opened: list[Receipt] = []
    outbox = MemoryOutbox()
    for _ in range(2):
        with emulator(tmp_path) as running:
            world = SlackWorld(running)
            world.outbox = outbox
            world.notifier = world.restarted()
            opened.append(world.notifier.open_room("a1", a_room()))
            assert world.pinned(NAME) == [a_room().summary.text]
            assert set(world.channels()) == {NAME}
    assert opened[0].reference["summary_ts"] == opened[1].reference["summary_ts"]
