"""HTTP: the Web API under /api/, the switches under /_emulator/, the page at /."""

import asyncio
import json
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from vigil.emulators.slack import page
from vigil.emulators.slack.faults import Fault, FaultKind, Faults
from vigil.emulators.slack.methods import METHODS, SCOPES, run
from vigil.emulators.slack.request import Call
from vigil.emulators.slack.rules import SlackError, channel_name
from vigil.emulators.slack.state import BOT_USER, Channel, StateFile, User, Workspace, identity

Message = MutableMapping[str, Any]
DROP = "vigil.emulator.drop"


class Foreign(BaseModel):
    """A channel that somebody else made: for tests of taken names."""

    model_config = ConfigDict(extra="forbid")

    name: str
    purpose: str = ""
    is_private: bool = False
    is_archived: bool = False
    member: bool = False  # whether the bot is in it
    creator: str = "U0SOMEBODY"


@dataclass
class Server:
    """One running emulator. Everything runs on the event loop's one thread, so nothing needs a lock."""

    file: StateFile
    users: dict[str, User]
    scopes: frozenset[str] = SCOPES
    page_cap: int = 1000
    now: Callable[[], float] = time.time
    faults: Faults = field(default_factory=Faults)
    workspace: Workspace = field(init=False)

    def __post_init__(self) -> None:
        self.workspace = self.file.load(self.users)

    def reset(self) -> None:
        """An empty workspace with the same people, and no faults."""
        self.workspace = Workspace(users=self.users)
        self.faults.clear()
        self.file.save(self.workspace)

    def call(self, name: str, args: dict[str, Any], url: str) -> dict[str, Any]:
        """Runs a method, and keeps what it did before anybody hears of it."""
        answer = run(name, Call(self.workspace, args, self.now(), url, self.page_cap), self.scopes)
        self.file.save(self.workspace)
        return answer

    async def answer(self, name: str, request: Request) -> Response:
        """One request, with the fault that waits for it."""
        self.workspace.calls[name] = self.workspace.calls.get(name, 0) + 1
        fault = self.faults.take(name)
        if fault is not None and (early := _instead(fault, request)) is not None:
            return early
        denied = _denied(request)
        body = denied if denied is not None else await self._run(name, request)
        if fault is None:
            return JSONResponse(body, headers={"x-oauth-scopes": ",".join(sorted(self.scopes))})
        match fault.kind:
            case FaultKind.ACCEPT_THEN_DROP:
                return _drop(request)
            case FaultKind.FATAL_AFTER:
                return _no("fatal_error")
            case _:
                await asyncio.sleep(fault.seconds)
                return JSONResponse(body)

    async def _run(self, name: str, request: Request) -> dict[str, Any]:
        try:
            args = await _arguments(name, request)
        except SlackError as no:
            return {"ok": False, "error": no.error}
        return self.call(name, args, str(request.base_url))

    def state(self) -> dict[str, Any]:
        """The workspace for checks from outside: names instead of ids where people are meant."""
        return {
            "channels": [self._channel(c) for c in self.workspace.channels.values()],
            "calls": self.workspace.calls,
            "faults": [f.model_dump() for f in self.faults.waiting()],
        }

    def _channel(self, channel: Channel) -> dict[str, Any]:
        users = self.workspace.users
        members = [users[m].model_dump() for m in channel.members if m in users]
        pinned = [m for m in channel.messages if m["ts"] in channel.pins]
        return {**channel.model_dump(), "members": members, "pinned": pinned}


def _no(error: str, status: int = 200, **headers: str) -> JSONResponse:
    return JSONResponse({"ok": False, "error": error}, status_code=status, headers=headers)


def _drop(request: Request) -> Response:
    request.scope[DROP]()
    return Response()


def _instead(fault: Fault, request: Request) -> Response | None:
    """The answer of a fault under which nothing happens."""
    match fault.kind:
        case FaultKind.RATELIMITED:
            return _no("ratelimited", 429, **{"Retry-After": str(fault.retry_after)})
        case FaultKind.HTTP_500:
            return Response("upstream failure", status_code=500, media_type="text/plain")
        case FaultKind.ERROR:
            return _no(fault.error)
        case FaultKind.DROP:
            return _drop(request)
        case FaultKind.ACCEPT_THEN_DROP | FaultKind.FATAL_AFTER | FaultKind.SLOW:
            return None


def _denied(request: Request) -> dict[str, Any] | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return {"ok": False, "error": "not_authed"}
    if token.startswith("xoxb-revoked"):
        return {"ok": False, "error": "token_revoked"}
    return None if token.startswith("xoxb-") else {"ok": False, "error": "invalid_auth"}


async def _arguments(name: str, request: Request) -> dict[str, Any]:
    """Form or JSON; an empty JSON body is no arguments; read methods take forms only."""
    body = await request.body()
    if not request.headers.get("content-type", "").startswith("application/json"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if not body.strip():
        return {}
    try:
        args = json.loads(body)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(args, dict):
        raise SlackError("json_not_object")
    method = METHODS.get(name)
    return {} if method is not None and method.form_only else args


class Droppable:
    """The outermost layer: lets a handler kill its connection, so that clients meet a really lost answer."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        """Passes everything on until the handler asks for the drop; then nothing is sent any more."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked: list[bool] = []
        scope[DROP] = lambda: asked.append(True)

        async def sending(message: Message) -> None:
            if not asked:
                await send(message)

        await self._app(scope, receive, sending)
        if asked:
            cycle = getattr(send, "__self__", None)  # uvicorn's request cycle
            if cycle is not None:
                cycle.transport.abort()
            while (await receive())["type"] != "http.disconnect":
                pass


def create_app(server: Server) -> FastAPI:
    """The routes."""
    app = FastAPI(title="Slack emulator", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(page.router(lambda: server.workspace))

    @app.post("/api/{method}")
    async def api(method: str, request: Request) -> Response:
        return await server.answer(method, request)

    @app.get("/_emulator/state")
    async def state() -> dict[str, Any]:
        return server.state()

    @app.delete("/_emulator/state")
    async def reset() -> dict[str, bool]:
        server.reset()
        return {"ok": True}

    @app.post("/_emulator/faults")
    async def add_fault(fault: Fault) -> dict[str, bool]:
        server.faults.add(fault)
        return {"ok": True}

    @app.delete("/_emulator/faults")
    async def clear_faults() -> dict[str, bool]:
        server.faults.clear()
        return {"ok": True}

    @app.post("/_emulator/channels")
    async def foreign(wanted: Foreign) -> dict[str, str]:
        name = channel_name(wanted.name)
        fields = wanted.model_dump(exclude={"member"})
        members = [wanted.creator, *([BOT_USER] if wanted.member else [])]
        channel = Channel(
            id=identity("C", name, "foreign"), created=int(server.now()), members=members, **{**fields, "name": name}
        )
        server.workspace.channels[channel.id] = channel
        server.file.save(server.workspace)
        return {"id": channel.id}

    return app
