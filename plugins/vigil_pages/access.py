"""Who may see what: Airflow's own login and permissions. The one place that touches its inner interfaces.

Airflow does not protect what a plugin serves, so every route of the app depends on something from here.
"""

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, get_user
from airflow.models.dag import DagModel
from fastapi import HTTPException

from vigil.config.schema import Monitor


def may_read(user: object, dag_id: str) -> bool:
    """Whether this user may read the DAG; in a multi-team Airflow also whether it is of the user's team."""
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return bool(get_auth_manager().is_authorized_dag(method="GET", details=details, user=user))


def readable(user: object, monitors: dict[str, Monitor]) -> dict[str, Monitor]:
    """The monitors whose DAG this user may read."""
    return {name: m for name, m in monitors.items() if may_read(user, m.dag_id)}


def require(user: object, monitors: dict[str, Monitor], model: str) -> Monitor:
    """The monitor, 404 when there is none, 403 when the user may not read its DAG."""
    monitor = monitors.get(model)
    if monitor is None:
        raise HTTPException(404, f"no monitor watches {model!r}")
    if not may_read(user, monitor.dag_id):
        raise HTTPException(403, "you may not read this model's DAG")
    return monitor


__all__ = ["GetUserDep", "get_user", "may_read", "readable", "require"]
