"""What only Airflow knows, asked over its REST API: whether it lives, and which DAGs are paused or lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from vigil.core.spec import Spec

if TYPE_CHECKING:
    import httpx


class Paused(Spec):
    """Of the DAGs that were asked for: those that are paused, and those that Airflow does not know."""

    paused: frozenset[str]
    missing: frozenset[str]


class AirflowApi:
    """Airflow's API. Without a user, only its health is known. Raises httpx.HTTPError where it does not answer."""

    def __init__(self, url: str, user: str | None = None, password: str | None = None) -> None:
        self._url, self._user, self._password = url.rstrip("/"), user, password

    def health(self) -> dict[str, Any]:
        """The body of the health endpoint. Its HTTP status is 200 even when the scheduler is dead."""
        with self._client() as api:
            body: dict[str, Any] = api.get("/api/v2/monitor/health").raise_for_status().json()
        return body

    def clock(self) -> float:
        """Seconds that the server's clock is ahead of ours."""
        with self._client() as api:
            answer = api.get("/api/v2/monitor/health")
        return (parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)).total_seconds()

    def dags(self, wanted: Sequence[str]) -> Paused | None:
        """Which of the wanted DAGs are paused or missing; None where nobody may ask (no user and password)."""
        if not self._user or not self._password:
            return None
        with self._client() as api:
            login = {"username": self._user, "password": self._password}
            token = api.post("/auth/token", json=login).raise_for_status().json()["access_token"]
            found = api.get(
                "/api/v2/dags",
                params={"limit": 1000, "tags": ["nightly"]},
                headers={"Authorization": f"Bearer {token}"},
            ).raise_for_status()
        known: Mapping[str, bool] = {d["dag_id"]: bool(d["is_paused"]) for d in found.json()["dags"]}
        return Paused(
            paused=frozenset(d for d in wanted if known.get(d)), missing=frozenset(d for d in wanted if d not in known)
        )

    def _client(self) -> httpx.Client:
        import httpx

        return httpx.Client(base_url=self._url, timeout=10, trust_env=False)
