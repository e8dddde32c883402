"""The Slack emulator answers as Slack does: envelopes, errors, limits, state rules."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from vigil.emulators.slack import rules
from vigil.emulators.slack.methods import SCOPES
from vigil.emulators.slack.server import Server, create_app
from vigil.emulators.slack.state import BOT_USER, StateFile, people

ANA = {"email": "ana.silva@bank.example", "name": "Ana Silva", "role": "Model owner"}
BEN = {"email": "ben.okafor@bank.example", "name": "Ben Okafor", "role": "On-call engineer"}
TOKEN = {"Authorization": "Bearer xoxb-test"}

Call = Callable[..., dict[str, Any]]


def started(file: Path | None = None, **options: Any) -> TestClient:
    ticks = iter(range(1_790_000_000, 1_800_000_000))
    server = Server(StateFile(file), people([ANA, BEN]), now=lambda: float(next(ticks)), **options)
    return TestClient(create_app(server))


def calling(client: TestClient) -> Call:
    """Form bodies, as slack_sdk sends them."""

    def call(method: str, **form: Any) -> dict[str, Any]:
        answer = client.post(f"/api/{method}", data=form, headers=TOKEN)
        assert answer.status_code == 200
        return answer.json()

    return call


@pytest.fixture
def client() -> TestClient:
    return started()


@pytest.fixture
def call(client: TestClient) -> Call:
    return calling(client)


@pytest.fixture
def room(call: Call) -> str:
    return call("conversations.create", name="inc-1")["channel"]["id"]


def test_an_empty_json_body_is_no_invalid_json(client: TestClient) -> None:
    headers = {**TOKEN, "Content-Type": "application/json;charset=utf-8"}
    answer = client.post("/api/auth.test", content=b"", headers=headers)
    assert answer.json()["user_id"] == BOT_USER
    assert answer.headers["x-oauth-scopes"] == ",".join(sorted(SCOPES))


@pytest.mark.parametrize(
    ("authorization", "error"),
    [("", "not_authed"), ("Bearer nonsense", "invalid_auth"), ("Bearer xoxb-revoked-1", "token_revoked")],
)
def test_a_token_is_needed(client: TestClient, authorization: str, error: str) -> None:
    answer = client.post("/api/auth.test", headers={"Authorization": authorization})
    assert answer.json() == {"ok": False, "error": error}


def test_bodies_that_are_not_json_objects_are_named(client: TestClient) -> None:
    headers = {**TOKEN, "Content-Type": "application/json"}
    for body, error in ((b"{", "invalid_json"), (b"[1]", "json_not_object")):
        assert client.post("/api/chat.postMessage", content=body, headers=headers).json()["error"] == error


def test_read_methods_lose_the_arguments_of_a_json_body(client: TestClient) -> None:
    answer = client.post("/api/users.lookupByEmail", json={"email": ANA["email"]}, headers=TOKEN)
    assert answer.json()["error"] == "users_not_found"


def test_an_unknown_method_is_named(call: Call) -> None:
    assert call("chat.explode")["error"] == "unknown_method"


def test_a_missing_scope_says_which() -> None:
    call = calling(started(scopes=frozenset({"chat:write"})))
    answer = call("conversations.create", name="inc-1")
    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "channels:manage", "chat:write")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Inc-1", "invalid_name_specials"),
        ("inc 1", "invalid_name_specials"),
        ("inc.1", "invalid_name_specials"),
        ("-_-", "invalid_name_punctuation"),
    ],
)
def test_bad_channel_names_get_slacks_words(call: Call, name: str, error: str) -> None:
    assert call("conversations.create", name=name)["error"] == error


@given(st.text(alphabet="abcxyz019-_", min_size=1, max_size=80).filter(lambda t: any(c.isalnum() for c in t)))
def test_every_name_of_lower_case_letters_and_digits_is_taken(name: str) -> None:
    assert rules.channel_name(name) == name


def test_names_of_archived_and_invisible_channels_stay_taken(client: TestClient, call: Call, room: str) -> None:
    assert call("conversations.archive", channel=room)["ok"]
    assert call("conversations.archive", channel=room)["error"] == "already_archived"
    assert call("conversations.create", name="inc-1")["error"] == "name_taken"
    client.post("/_emulator/channels", json={"name": "secret", "is_private": True}).raise_for_status()
    assert call("conversations.create", name="secret")["error"] == "name_taken"
    listed = call("conversations.list", types="public_channel,private_channel")["channels"]
    assert [c["name"] for c in listed] == ["inc-1"]


def test_an_archived_channel_refuses_each_write_in_its_own_words(call: Call, room: str) -> None:
    ts = call("chat.postMessage", channel=room, text="one")["ts"]
    call("conversations.archive", channel=room)
    assert call("chat.postMessage", channel=room, text="two")["error"] == "is_archived"
    assert call("conversations.setTopic", channel=room, topic="t")["error"] == "is_archived"
    assert call("conversations.invite", channel=room, users="U1")["error"] == "is_archived"
    assert call("chat.update", channel=room, ts=ts, text="two")["error"] == "is_inactive"


def test_an_invitation_is_all_or_nobody_unless_forced(call: Call, room: str) -> None:
    ana = call("users.lookupByEmail", email=ANA["email"].upper())["user"]["id"]
    ben = call("users.lookupByEmail", email=BEN["email"])["user"]["id"]
    refused = call("conversations.invite", channel=room, users=f"{ana},UNOBODY")
    assert refused["error"] == "user_not_found"
    assert refused["errors"] == [{"ok": False, "error": "user_not_found", "user": "UNOBODY"}]
    assert call("conversations.info", channel=room)["channel"]["num_members"] == 1
    assert call("conversations.invite", channel=room, users=f"{ana},UNOBODY", force="1")["ok"]
    assert call("conversations.invite", channel=room, users=ana)["error"] == "already_in_channel"
    assert call("conversations.invite", channel=room, users=f"{ana},{ben}")["error"] == "already_in_channel"
    assert call("conversations.invite", channel=room, users=BOT_USER)["error"] == "cant_invite_self"
    assert call("conversations.info", channel=room)["channel"]["num_members"] == 2


def test_topic_and_purpose_take_250_characters(call: Call, room: str) -> None:
    for method, field in (("conversations.setTopic", "topic"), ("conversations.setPurpose", "purpose")):
        assert call(method, channel=room, **{field: "x" * 250})["ok"]
        assert call(method, channel=room, **{field: "x" * 251})["error"] == "too_long"
        assert call("conversations.info", channel=room)["channel"][field]["value"] == "x" * 250


def test_blocks_may_be_json_text_and_metadata_come_back_only_if_asked(call: Call, room: str) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]
    metadata = {"event_type": "vigil", "event_payload": {"key": "a1/post"}}
    sent = call("chat.postMessage", channel=room, blocks=json.dumps(blocks), metadata=json.dumps(metadata))
    assert sent["message"]["blocks"] == blocks
    plain = call("conversations.history", channel=room)["messages"][0]
    full = call("conversations.history", channel=room, include_all_metadata="1")["messages"][0]
    assert "metadata" not in plain
    assert full["metadata"] == metadata


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ("{not json", "invalid_blocks_format"),
        ({"type": "section"}, "invalid_blocks_format"),
        ([{"type": "carousel"}], "invalid_blocks"),
        ([{"type": "section"}], "invalid_blocks"),
        ([section("")], "invalid_blocks"),
        ([section("x" * 3001)], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "invalid_blocks"),
        ([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}], "invalid_blocks"),
        ([{"type": "context", "elements": []}], "invalid_blocks"),
        ([{"type": "actions", "elements": [{"type": "button"}]}], "invalid_blocks"),
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([section("x" * 3000)] * 5, "msg_blocks_too_long"),
    ],
)
def test_blocks_beyond_slacks_limits_are_refused(call: Call, room: str, blocks: Any, error: str) -> None:
    given_blocks = blocks if isinstance(blocks, str) else json.dumps(blocks)
    assert call("chat.postMessage", channel=room, text="t", blocks=given_blocks)["error"] == error


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("nonsense", "invalid_metadata_format"),
        ('{"event_type": "vigil"}', "invalid_metadata_schema"),
        (json.dumps({"event_type": "v", "event_payload": {"k": "x" * 20_000}}), "metadata_too_large"),
    ],
)
def test_bad_metadata_are_refused(call: Call, room: str, metadata: str, error: str) -> None:
    assert call("chat.postMessage", channel=room, text="t", metadata=metadata)["error"] == error


def test_posting_cuts_long_texts_and_updating_refuses_them(call: Call, room: str) -> None:
    sent = call("chat.postMessage", channel=room, text="x" * 40_001)
    assert len(sent["message"]["text"]) == 40_000
    assert call("chat.update", channel=room, ts=sent["ts"], text="x" * 4_001)["error"] == "msg_too_long"
    assert call("chat.update", channel=room, ts=sent["ts"], text="x" * 4_000)["message"]["edited"]["user"] == BOT_USER
    assert call("chat.update", channel=room, ts="1.000000", text="x")["error"] == "message_not_found"


def test_a_message_needs_words_and_a_channel_the_bot_is_in(client: TestClient, call: Call, room: str) -> None:
    assert call("chat.postMessage", channel=room)["error"] == "no_text"
    assert call("chat.postMessage", text="x")["error"] == "invalid_arguments"
    assert call("chat.postMessage", channel="C0NOWHERE", text="x")["error"] == "channel_not_found"
    foreign = client.post("/_emulator/channels", json={"name": "general"}).json()["id"]
    assert call("chat.postMessage", channel=foreign, text="x")["error"] == "not_in_channel"
    assert call("conversations.history", channel=foreign)["error"] == "not_in_channel"
    assert call("conversations.join", channel=foreign)["ok"]
    assert call("chat.postMessage", channel=foreign, text="x")["ok"]


def test_a_message_is_pinned_once(call: Call, room: str) -> None:
    ts = call("chat.postMessage", channel=room, text="x")["ts"]
    assert call("pins.add", channel=room, timestamp=ts)["ok"]
    assert call("pins.add", channel=room, timestamp=ts)["error"] == "already_pinned"
    assert call("pins.add", channel=room, timestamp="yesterday")["error"] == "bad_timestamp"
    assert call("pins.add", channel=room, timestamp="1.000000")["error"] == "message_not_found"
    assert call("pins.add", channel=room)["error"] == "no_item_specified"


def test_the_same_bookmark_may_be_added_twice(call: Call, room: str) -> None:
    mark = {"channel_id": room, "title": "Report", "type": "link", "link": "http://127.0.0.1/report"}
    assert call("bookmarks.add", **mark)["ok"]
    assert call("bookmarks.add", **mark)["ok"]
    assert len(call("bookmarks.list", channel_id=room)["bookmarks"]) == 2
    assert call("bookmarks.add", **{**mark, "link": "javascript:alert(1)"})["error"] == "invalid_link"


def test_timestamps_are_unique_and_sort_even_if_the_clock_stands_still() -> None:
    server = Server(StateFile(None), people([]), now=lambda: 1_790_000_000.0)
    call = calling(TestClient(create_app(server)))
    room = call("conversations.create", name="inc-1")["channel"]["id"]
    sent = [call("chat.postMessage", channel=room, text=str(i))["ts"] for i in range(50)]
    assert sent == sorted(set(sent))


def test_pages_end_with_an_empty_cursor_and_miss_nothing() -> None:
    call = calling(started(page_cap=2))
    made = [call("conversations.create", name=f"c-{i}")["channel"]["id"] for i in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = call("conversations.list", limit="3", cursor=cursor)
        seen += [c["id"] for c in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert seen == made
    assert call("conversations.list", cursor="%%%")["error"] == "invalid_cursor"
    assert call("conversations.list", limit="1000")["error"] == "invalid_limit"
    assert call("conversations.list", limit="many")["error"] == "invalid_limit"
    assert call("conversations.list", types="fish")["error"] == "invalid_types"


def test_history_is_newest_first_within_its_bounds(call: Call, room: str) -> None:
    sent = [call("chat.postMessage", channel=room, text=str(i))["ts"] for i in range(4)]
    between = call("conversations.history", channel=room, oldest=sent[0], latest=sent[3])
    assert [m["ts"] for m in between["messages"]] == [sent[2], sent[1]]
    assert call("conversations.history", channel=room, oldest="long ago")["error"] == "invalid_ts_oldest"


def test_the_workspace_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "slack.json"
    calling(started(file))("conversations.create", name="inc-1")
    call = calling(started(file))
    assert call("conversations.create", name="inc-1")["error"] == "name_taken"
    assert [p.name for p in file.parent.iterdir()] == ["slack.json"]


def test_faults_are_taken_once_each_and_only_by_their_method(client: TestClient, call: Call) -> None:
    for fault in (
        {"method": "auth.test", "kind": "ratelimited", "retry_after": 9},
        {"method": "auth.test", "kind": "http_500"},
        {"method": "*", "kind": "error", "error": "fatal_error"},
    ):
        client.post("/_emulator/faults", json=fault).raise_for_status()
    limited = client.post("/api/auth.test", headers=TOKEN)
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "9")
    assert limited.json() == {"ok": False, "error": "ratelimited"}
    assert client.post("/api/auth.test", headers=TOKEN).status_code == 500
    assert call("conversations.list")["error"] == "fatal_error"
    assert call("auth.test")["ok"]
    assert client.get("/_emulator/state").json()["calls"]["auth.test"] == 3


def test_a_fatal_error_may_come_after_success(client: TestClient, call: Call) -> None:
    client.post("/_emulator/faults", json={"method": "conversations.create", "kind": "fatal_after"}).raise_for_status()
    assert call("conversations.create", name="inc-1")["error"] == "fatal_error"
    assert [c["name"] for c in client.get("/_emulator/state").json()["channels"]] == ["inc-1"]


def test_an_unknown_fault_is_refused(client: TestClient) -> None:
    assert client.post("/_emulator/faults", json={"method": "auth.test", "kind": "earthquake"}).status_code == 422
