"""What people see: the workspace as a page that reads like Slack."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from vigil.emulators.slack.mrkdwn import Names, inline, plain, render
from vigil.emulators.slack.state import Channel, Workspace

ENVIRONMENT = Environment(
    loader=PackageLoader("vigil.emulators.slack"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
NOTICES = ("channel_join", "channel_topic", "channel_purpose")


def router(workspace: Callable[[], Workspace]) -> APIRouter:
    """`/` shows the newest channel, `/archives/<id>` one channel; Slack's permalinks work."""
    routes = APIRouter()

    @routes.get("/", response_class=HTMLResponse)
    async def home() -> HTMLResponse:
        channels = list(workspace().channels.values())
        newest = max(channels, key=_last_said, default=None)
        return _page(workspace(), newest)

    @routes.get("/archives/{channel}", response_class=HTMLResponse)
    @routes.get("/archives/{channel}/{_message}", response_class=HTMLResponse)
    async def archive(channel: str, _message: str = "") -> HTMLResponse:
        found = workspace().channels.get(channel)
        return _page(workspace(), found, status=200 if found else 404)

    return routes


def _last_said(channel: Channel) -> float:
    return float(channel.messages[-1]["ts"]) if channel.messages else 0.0


def _page(workspace: Workspace, channel: Channel | None, *, status: int = 200) -> HTMLResponse:
    nonce = secrets.token_urlsafe(12)
    names = Names(
        users={u.id: u.name for u in workspace.users.values()},
        channels={c.id: c.name for c in workspace.channels.values()},
    )
    html = ENVIRONMENT.get_template("channel.html").render(
        workspace=workspace,
        channel=channel,
        channels=sorted(workspace.channels.values(), key=_last_said, reverse=True),
        members=[workspace.users[m] for m in channel.members if m in workspace.users] if channel else [],
        pinned=[m for m in channel.messages if m["ts"] in channel.pins] if channel else [],
        days=_days(channel) if channel else [],
        notices=NOTICES,
        rich=lambda text: render(text, names),
        line=lambda text: inline(text, names),
        plain=plain,
        element=lambda item: _element(item, names),
        clock=_clock,
        nonce=nonce,
    )
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'"
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": policy})


def _element(item: Mapping[str, Any], names: Names) -> Markup:
    """A text object as HTML: mrkdwn is rendered, plain text is shown as it is."""
    text = str(item.get("text", ""))
    return render(text, names) if item.get("type") == "mrkdwn" else Markup("{}").format(plain(text))


def _moment(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


def _clock(ts: str) -> str:
    return f"{_moment(ts):%H:%M}"


def _days(channel: Channel) -> list[tuple[str, list[dict[str, Any]]]]:
    """Messages under their UTC day."""
    days: dict[str, list[dict[str, Any]]] = {}
    for message in channel.messages:
        days.setdefault(f"{_moment(message['ts']):%A, %-d %B %Y}", []).append(message)
    return list(days.items())
