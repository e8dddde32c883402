"""Asks the prediction gateway which version answers now."""

from urllib.parse import quote

import httpx


class GatewayProbe:
    """ServingProbe over the gateway's `GET /models/{model}/version`.

    url: base address, `http://127.0.0.1:8900`. token: the gateway's, where it has one. seconds: how long it may take.
    """

    def __init__(self, url: str, *, token: str | None = None, seconds: float = 2.0) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._seconds = seconds

    def answering(self, model: str) -> tuple[str, str] | None:
        """(version, role), or None when the gateway is not reachable or does not serve the model."""
        address = f"{self._url}/models/{quote(model, safe='')}/version"
        try:
            reply = httpx.get(address, headers=self._headers, timeout=self._seconds, trust_env=False)
            if reply.status_code != httpx.codes.OK:
                return None
            said = reply.json()
            return str(said["version"]), str(said["role"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None
