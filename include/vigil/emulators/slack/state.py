"""The workspace, and the file that keeps it over a restart."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

BOT_USER = "U0VIGILBOT"
BOT_ID = "B0VIGILBOT"
TEAM = "T0EMULATOR"


def identity(prefix: str, *parts: object) -> str:
    """An id in Slack's style, derived: the same facts give the same id.

    >>> identity("U", "ana@bank.example")
    'UCC03F2DCDE'
    """
    text = "\x1f".join(str(p) for p in parts)
    return prefix + hashlib.sha256(text.encode()).hexdigest()[:10].upper()


class User(BaseModel):
    """A person (or the bot) in the workspace."""

    id: str
    email: str
    name: str
    role: str = ""


class Channel(BaseModel):
    """A channel with everything said in it. `messages` are Slack's own message objects, oldest first."""

    id: str
    name: str
    creator: str
    created: int
    is_private: bool = False
    is_archived: bool = False
    topic: str = ""
    purpose: str = ""
    members: list[str] = Field(default_factory=list)
    pins: list[str] = Field(default_factory=list)
    bookmarks: list[dict[str, Any]] = Field(default_factory=list)
    messages: list[dict[str, Any]] = Field(default_factory=list)

    def message(self, ts: str) -> dict[str, Any] | None:
        """The message with that id."""
        return next((m for m in self.messages if m["ts"] == ts), None)


class Workspace(BaseModel):
    """All of it. `calls` counts the requests that reached each method, failed ones too."""

    name: str = "Vigil Bank"
    users: dict[str, User] = Field(default_factory=dict)
    channels: dict[str, Channel] = Field(default_factory=dict)
    calls: dict[str, int] = Field(default_factory=dict)

    def named(self, name: str) -> Channel | None:
        """The channel that holds a name, archived or not."""
        return next((c for c in self.channels.values() if c.name == name), None)

    def person(self, email: str) -> User | None:
        """The user with that address."""
        wanted = email.strip().lower()
        return next((u for u in self.users.values() if u.email.lower() == wanted), None)


def people(entries: Iterable[dict[str, str]]) -> dict[str, User]:
    """Users from `[{email, name, role}]`, and the bot that posts for Vigil."""
    users = {BOT_USER: User(id=BOT_USER, email="", name="Vigil", role="app")}
    for entry in entries:
        user = User(id=identity("U", entry["email"].lower()), **entry)
        users[user.id] = user
    return users


class StateFile:
    """The workspace as JSON; replaced atomically, so that a kill leaves the old or the new one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self, users: dict[str, User]) -> Workspace:
        """The kept workspace, with today's people; an empty one where there is no file yet."""
        if self._path is None or not self._path.exists():
            return Workspace(users=users)
        kept = Workspace.model_validate_json(self._path.read_text(encoding="utf-8"))
        kept.users = {**kept.users, **users}
        return kept

    def save(self, workspace: Workspace) -> None:
        """Writes beside, then replaces."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(f".{os.getpid()}.tmp")
        beside.write_text(json.dumps(workspace.model_dump(), ensure_ascii=False), encoding="utf-8")
        beside.replace(self._path)
