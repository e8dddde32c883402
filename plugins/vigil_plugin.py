"""The "Model reliability" pages and the listener for runs that died. Imports almost nothing in tasks and schedulers."""

import sys
from typing import Any

from airflow.plugins_manager import AirflowPlugin

import vigil_listener


def _is_api_server() -> bool:
    """Only the api-server serves pages; every other process must not pay for FastAPI and the stores."""
    words = " ".join(sys.argv)
    return "api-server" in words or "api_server" in words or "standalone" in words


def _apps() -> list[dict[str, Any]]:
    if not _is_api_server():
        return []
    from vigil_pages.app import app

    return [{"app": app, "url_prefix": "/vigil", "name": "Model reliability"}]


class VigilPlugin(AirflowPlugin):
    """Registers the pages in Airflow's navigation, and the listener."""

    name = "vigil"
    fastapi_apps = _apps()
    listeners = [vigil_listener]  # noqa: RUF012 - Airflow reads a plain list
    external_views = [  # noqa: RUF012
        {"name": "Model reliability", "href": "/vigil/", "destination": "nav", "url_route": "model-reliability",
         "category": "browse"},
        {"name": "Reliability", "href": "/vigil/dag/{DAG_ID}", "destination": "dag", "url_route": "reliability"},
    ]  # fmt: skip
