"""Channels, people and messages: what is there, and what of it is ours."""

from collections.abc import Mapping, Sequence
from typing import Any

from vigil.adapters import slack_text
from vigil.adapters.slack_client import Said, SlackApi
from vigil.core.errors import Refused

MOST_PAGES = 100  # of 200 channels
HISTORY_PAGES = 10  # of 200 messages: what is looked for was said moments ago
MOST_NAMES = 9
INVITE_BATCH = 100
EVENT_TYPE = "vigil"
INVITED = {"already_in_channel", "cant_invite_self"}
NOT_INVITED = {"user_not_found", "no_user", "cant_invite", "user_is_restricted", "ura_max_channels"}
NOT_INVITED |= {"org_user_not_in_team"}

Found = dict[str, Any]


class Channels:
    """Finds before it makes; lists only when a name is taken or an answer was lost."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._me: Found | None = None

    def me(self) -> Found:
        """Who we are: `url`, `user_id`."""
        if self._me is None:
            self._me = self._api.read("auth_test")
        return self._me

    def url(self, channel: str, ts: str = "") -> str:
        """The address of a channel, or of a message in it."""
        message = f"/p{ts.replace('.', '')}" if ts else ""
        return f"{self.me()['url']}archives/{channel}{message}"

    def listed(self, *, private: bool = False) -> Mapping[str, Found]:
        """All visible channels by name, archived ones too."""
        types = "public_channel,private_channel" if private else "public_channel"
        pages = self._api.pages("conversations_list", "channels", most=MOST_PAGES, types=types, exclude_archived=False)
        return {channel["name"]: channel for channel in pages}

    def find_room(self, name: str, mark: str, *, private: bool) -> Found | None:
        """The room of an earlier attempt: by its marker, or unmarked yet but made by us under this name."""
        listed = self.listed(private=private)
        variants = [slack_text.numbered(name, count) for count in range(1, MOST_NAMES + 1)]
        present = [listed[v] for v in variants if v in listed and not listed[v]["is_archived"]]
        marked = [c for c in present if _marked(c, mark)]
        bare = [c for c in present if not c["purpose"]["value"] and c["creator"] == self.me()["user_id"]]
        return next(iter([*marked, *bare]), None)

    def make_room(self, name: str, mark: str, *, private: bool) -> Found:
        """Creates the channel; where the name is somebody else's, `-2`, `-3` … is appended."""
        listed: Mapping[str, Found] | None = None
        for count in range(1, MOST_NAMES + 1):
            wanted = slack_text.numbered(name, count)
            try:
                return dict(self._api.write("conversations_create", name=wanted, is_private=private)["channel"])
            except Said as no:
                if no.error != "name_taken":
                    raise
            listed = self.listed(private=private) if listed is None else listed
            taken = listed.get(wanted)
            if taken is not None and _marked(taken, mark) and not taken["is_archived"]:
                return taken
        raise Refused(f"slack: #{name} and its variants up to -{MOST_NAMES} are taken; archive or rename old channels")

    def find_named(self, name: str) -> Found | None:
        """A public channel by its exact name. Raises Refused where it is archived."""
        found = self.listed().get(name)
        if found is not None and found["is_archived"]:
            raise Refused(f"slack: #{name} is archived; unarchive it, or name another digest channel")
        return found

    def named(self, name: str) -> Found:
        """A public channel by its exact name, created where there is none."""
        found = self.find_named(name)
        return found if found is not None else self._api.write("conversations_create", name=name)["channel"]

    def users(self, emails: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """E-mail addresses -> user ids, and the addresses that nobody here has."""
        known: dict[str, str] = {}
        unknown: list[str] = []
        for email in dict.fromkeys(emails):
            try:
                known[email] = self._api.read("users_lookupByEmail", email=email)["user"]["id"]
            except Said as no:
                if no.error != "users_not_found":
                    raise
                unknown.append(email)
        return known, unknown

    def invite(self, channel: str, users: Sequence[str]) -> list[str]:
        """Invites in batches; where a batch is refused, one by one. Returns the ids that could not be invited."""
        left_out: list[str] = []
        for start in range(0, len(users), INVITE_BATCH):
            batch = users[start : start + INVITE_BATCH]
            if self._invited(channel, batch) != "":
                left_out += [u for u in batch if self._invited(channel, [u]) in NOT_INVITED]
        return left_out

    def _invited(self, channel: str, users: Sequence[str]) -> str:
        """An empty text, or the reason why not (one that a person's account explains)."""
        try:
            self._api.write("conversations_invite", channel=channel, users=",".join(users))
        except Said as no:
            if no.error not in INVITED | NOT_INVITED:
                raise
            return no.error
        return ""

    def said(self, channel: str, key: str, *, thread: str = "") -> str | None:
        """The ts of the message that carries our key, looked for from the newest back, or in a thread."""
        method, where = ("conversations_replies", {"ts": thread}) if thread else ("conversations_history", {})
        try:
            for message in self._api.pages(
                method, "messages", most=HISTORY_PAGES, channel=channel, include_all_metadata=True, **where
            ):
                metadata = message.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == key:
                    return str(message["ts"])
        except Said as no:
            if no.error not in ("not_in_channel", "thread_not_found"):  # who is not in it has said nothing there
                raise
        return None

    def say(self, channel: str, key: str, *, text: str, blocks: Sequence[Mapping[str, Any]], thread: str = "") -> str:
        """Posts with our key in the metadata; joins a public channel first where needed. Returns the ts."""
        message = {
            "channel": channel,
            "text": text,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
            "unfurl_links": False,
            **({"blocks": slack_text.blocks(blocks)} if blocks else {}),
            **({"thread_ts": thread} if thread else {}),
        }
        try:
            return str(self._api.write("chat_postMessage", **message)["ts"])
        except Said as no:
            if no.error != "not_in_channel":
                raise
        self._api.write("conversations_join", channel=channel)
        return str(self._api.write("chat_postMessage", **message)["ts"])


def _marked(channel: Mapping[str, Any], mark: str) -> bool:
    return str(channel["purpose"]["value"]).split()[-1:] == [mark]
