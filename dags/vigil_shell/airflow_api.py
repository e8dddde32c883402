"""What only Airflow knows: which DAGs are paused, which are lost. Tasks have no database access: the API is asked."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vigil.settings import Settings

log = logging.getLogger(__name__)


def dag_states(settings: Settings, wanted: Sequence[str]) -> tuple[set[str], set[str]]:
    """(paused, missing) of the wanted DAGs. Without VIGIL_AIRFLOW_USER and _PASSWORD nothing is known, and logged."""
    user, password = os.environ.get("VIGIL_AIRFLOW_USER"), os.environ.get("VIGIL_AIRFLOW_PASSWORD")
    if not user or not password:
        log.warning("paused and missing DAGs are not looked for: set VIGIL_AIRFLOW_USER and VIGIL_AIRFLOW_PASSWORD")
        return set(), set()
    import httpx

    with httpx.Client(base_url=settings.airflow_url, timeout=10, trust_env=False) as api:
        token = api.post("/auth/token", json={"username": user, "password": password}).raise_for_status().json()
        found = api.get(
            "/api/v2/dags",
            params={"limit": 1000, "tags": ["nightly"]},
            headers={"Authorization": f"Bearer {token['access_token']}"},
        ).raise_for_status()
    known = {d["dag_id"]: bool(d["is_paused"]) for d in found.json()["dags"]}
    return {d for d in wanted if known.get(d)}, {d for d in wanted if d not in known}
