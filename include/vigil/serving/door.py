"""Who may come in, and how many at once."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request

from vigil.serving.protocol import Refusal
from vigil.serving.settings import GatewaySettings


class Door:
    """The token, and the number of requests that are inside. Used by the event loop alone."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._token = settings.token.encode() if settings.token else None
        self._most = settings.requests_in_flight
        self.inside = 0

    def known(self, request: Request) -> bool:
        """True. Raises Refusal 401 for a caller without the token, after the same time however much of it was right."""
        if self._token is None:
            return True
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            why = "send the gateway's token: `Authorization: Bearer …`"
            raise Refusal(401, why, headers={"WWW-Authenticate": "Bearer"})
        return True

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Counts a request in and out. Raises Refusal 503 when the house is full: waiting would make it fuller."""
        if self.inside >= self._most:
            raise Refusal(503, f"{self._most} requests are being answered; try again", headers={"Retry-After": "1"})
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
