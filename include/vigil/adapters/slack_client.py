"""Slack's Web API with its refusals, silences and rate limits told apart."""

import http.client
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from vigil.core.errors import Ambiguous, DeliveryError, Refused

TRIES = 4
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is left to the next run
PAGE = 200
PERHAPS_DONE = {"fatal_error", "internal_error", "service_unavailable", "request_timeout"}
NEXT_STEP = {
    "not_authed": "give the connection a bot token (xoxb-…)",
    "invalid_auth": "check the bot token of the connection",
    "account_inactive": "the app was removed from the workspace: install it again",
    "token_revoked": "the bot token was revoked: install the app again",
    "token_expired": "the bot token has expired: install the app again",
    "missing_scope": "add the scope to the app and install it again",
    "channel_not_found": "the channel is gone or private: invite the app, or name another channel",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "the channel is archived: unarchive it, or name another",
    "is_inactive": "the channel is archived: unarchive it to keep its summary up to date",
    "name_taken": "an archived or private channel holds the name: invite the app to it, or choose another name",
    "message_not_found": "somebody deleted the summary; post it again",
    "restricted_action": "the workspace's policy forbids it: ask its administrators",
    "user_is_restricted": "the app's user is a guest: ask the workspace's administrators",
}


class RateLimited(Ambiguous):
    """429 for longer than we wait. Certainly not done; an Ambiguous, because a later retry may well succeed."""

    def __init__(self, method: str, wait: float) -> None:
        super().__init__(f"slack: {method}: rate limited, asked to wait {wait:g} s; nothing was sent")
        self.wait = wait


class NotSent(Ambiguous):
    """The request never reached Slack. Certainly not done; an Ambiguous, because a later retry may well succeed."""


class Said(Refused):
    """Slack's `ok: false`, with its error word."""

    def __init__(self, method: str, error: str, extra: str = "") -> None:
        step = NEXT_STEP.get(error, "see the method's page on docs.slack.dev for this word")
        super().__init__(f"slack: {method} was refused: {error}{extra}. Next step: {step}")
        self.error = error


def connect(token: str, base_url: str, *, timeout: int = 15) -> WebClient:
    """A client that never repeats a request by itself: its own retry of a lost answer would post twice."""
    url = base_url if base_url.endswith("/") else base_url + "/"
    return WebClient(token=token, base_url=url, timeout=timeout, retry_handlers=[])


class SlackApi:
    """Calls methods by slack_sdk's names. Rate limits are waited out, within bounds, for every method.

    write: one attempt; a lost answer is Ambiguous.  read: lost answers are asked again.
    """

    def __init__(self, client: WebClient, *, sleep: Callable[[float], None]) -> None:
        self._client = client
        self._sleep = sleep

    def write(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Changes something. Raises Said, Ambiguous, RateLimited or NotSent."""
        return self._call(method, arguments, again=(RateLimited,))

    def read(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Changes nothing, so it may be asked again."""
        return self._call(method, arguments, again=(RateLimited, NotSent, Ambiguous))

    def pages(self, method: str, key: str, *, most: int, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Items of at most `most` pages; a page may be short while more remain."""
        cursor = ""
        for _ in range(most):
            answer = self.read(method, limit=PAGE, **({"cursor": cursor} if cursor else {}), **arguments)
            yield from answer.get(key, [])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _call(
        self, method: str, arguments: dict[str, Any], *, again: tuple[type[BaseException], ...]
    ) -> dict[str, Any]:
        retrying = Retrying(
            retry=retry_if_exception_type(again),
            stop=_stop,
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._once, method, arguments)

    def _once(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = getattr(self._client, method)(**arguments)
        except SlackApiError as no:
            raise _translated(method, no) from no
        except URLError as lost:
            if isinstance(lost.reason, ConnectionRefusedError | socket.gaierror):
                raise NotSent(f"slack: {method}: no connection ({lost.reason}); nothing was sent") from lost
            raise Ambiguous(f"slack: {method}: no answer ({lost.reason}); it may have been done") from lost
        except (OSError, http.client.HTTPException) as lost:
            raise Ambiguous(f"slack: {method}: no answer ({lost!r}); it may have been done") from lost
        return dict(answer.data)


def _translated(method: str, no: SlackApiError) -> DeliveryError:
    response = no.response
    status = response.get("status", 200) if isinstance(response, dict) else response.status_code
    headers = (response.get("headers") if isinstance(response, dict) else response.headers) or {}
    data = response if isinstance(response, dict) else response.data
    error = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or error in ("ratelimited", "rate_limited"):
        return RateLimited(method, _seconds(headers))
    if status >= 500 or not error or " " in error or error in PERHAPS_DONE:
        return Ambiguous(f"slack: {method}: HTTP {status} {error}; it may have been done")
    needed = f" (needs {data['needed']})" if data.get("needed") else ""
    return Said(method, error, needed)


def _seconds(headers: Any) -> float:
    given = next((v for k, v in dict(headers).items() if k.lower() == "retry-after"), "1")
    given = given[0] if isinstance(given, list) else given
    try:
        return max(0.0, float(given))
    except ValueError:
        return 1.0


def _stop(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    too_long = isinstance(error, RateLimited) and error.wait > LONGEST_WAIT
    return too_long or stop_after_attempt(TRIES)(state)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, RateLimited):
        return error.wait
    return float(min(2 ** (state.attempt_number - 1), 8))
