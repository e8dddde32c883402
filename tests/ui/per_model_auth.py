"""Airflow's simple auth manager with one more kind of user: `<model>_only` may read the DAG of that model alone.

The simple one knows no rights of single DAGs; the real ones (FAB, Keycloak) do. Loaded by the api-server under test.
"""

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager


class PerModelAuth(SimpleAuthManager):
    """Everything else is as in SimpleAuthManager."""

    def is_authorized_dag(self, *, method: Any, user: Any, access_entity: Any = None, details: Any = None) -> bool:
        """`iris_only` reads `vigil_nightly__iris`, and no other DAG."""
        allowed = super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)
        if not user.username.endswith("_only"):
            return allowed
        mine = f"vigil_nightly__{user.username.removesuffix('_only')}"
        return allowed and details is not None and details.id == mine
