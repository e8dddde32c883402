"""Airflow connections -> Vigil's ports. Heavy libraries are imported here, inside tasks, never at parse time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.ports import Ports

SLACK = "slack_api_default"


def open_ports() -> Ports:
    """All ports, with Slack from the connection `slack_api_default`.

    A missing connection does not stop judging; the first delivery then fails loudly and says what to add.
    """
    from vigil.wiring import SlackAccess, open_ports

    found = _slack()
    return open_ports(slack=SlackAccess(**found) if found else None)


def known_monitors(ports: Ports) -> dict[str, Monitor]:
    """Every monitor that loads, and the last known settings of those that do not: an incident keeps its people."""
    from vigil.usecases.last_known import with_last_known
    from vigil.wiring import monitors

    return with_last_known(ports, monitors()[0])


def monitor(name: str) -> Monitor:
    """The monitor of a model."""
    from vigil.wiring import monitor

    return monitor(name)


def _slack() -> dict[str, str] | None:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found: Any = Connection.get(SLACK)
    except AirflowNotFoundException:
        return None
    access = {"token": found.password or ""}
    base_url = (found.extra_dejson or {}).get("base_url")
    return {**access, "base_url": base_url} if base_url else access
