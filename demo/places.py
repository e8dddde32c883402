"""Where the demo keeps things, which ports it takes, and the environment of its processes."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
SERVERS = ("airflow", "mlflow", "gateway", "slack")


@dataclass(frozen=True)
class Places:
    """One demo: its folder, its ports, its secrets."""

    folder: Path
    ports: dict[str, int]
    secrets: dict[str, str]

    def url(self, server: str) -> str:
        """Where a server answers."""
        return f"http://127.0.0.1:{self.ports[server]}"

    @property
    def airflow_home(self) -> Path:
        """Airflow's own folder."""
        return self.folder / "airflow"

    @property
    def home(self) -> Path:
        """Where monitors/ and expectations/ are: the checkout, or the demo's own copy for a larger cast."""
        own = self.folder / "home"
        return own if own.is_dir() else HOME

    @property
    def state(self) -> Path:
        """Vigil's state."""
        return self.folder / "vigil"


def settle(folder: Path) -> Places:
    """Chooses free ports (or those of VIGIL_PORT_<SERVER>) and makes secrets; both are kept in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = {name: int(os.environ.get(f"VIGIL_PORT_{name.upper()}") or _free()) for name in SERVERS}
    made = {name: secrets.token_urlsafe(48) for name in ("jwt", "api", "admin", "viewer")}
    made |= {
        "admin": secrets.token_urlsafe(9),
        "viewer": secrets.token_urlsafe(9),
        "slack": "xoxb-demo-" + secrets.token_hex(8),
    }
    kept = folder / "places.json"
    kept.touch(mode=0o600)
    kept.write_text(json.dumps({"ports": ports, "secrets": made}))
    return Places(folder, ports, made)


def remembered(folder: Path) -> Places | None:
    """The places of a demo that was started before."""
    kept = folder / "places.json"
    if not kept.exists():
        return None
    told = json.loads(kept.read_text())
    return Places(folder, told["ports"], told["secrets"])


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(places: Places) -> dict[str, str]:
    """What every process of the demo sees. Nothing of the caller's Airflow or Vigil leaks in."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "VIGIL", "MLFLOW", "SLACK"))}
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        kept.pop(name, None)
    return {**kept, **_quiet(), **_vigil(places), **_airflow(places)}


def _quiet() -> dict[str, str]:
    return {
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GX_ANALYTICS_ENABLED": "false",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "OMP_NUM_THREADS": "1",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join([str(HOME / "include"), str(HOME)]),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }


def _vigil(places: Places) -> dict[str, str]:
    return {
        "VIGIL_HOME": str(places.home),
        "VIGIL_STATE": str(places.state),
        "VIGIL_MLFLOW_TRACKING_URI": places.url("mlflow"),
        "VIGIL_GATEWAY_URL": places.url("gateway"),
        "VIGIL_AIRFLOW_URL": places.url("airflow"),
        "VIGIL_PUBLIC_URL": places.url("airflow"),
        "VIGIL_SLACK_TOKEN": places.secrets["slack"],
        "VIGIL_SLACK_BASE_URL": f"{places.url('slack')}/api/",
        "VIGIL_SCHEDULE_FROM": (date.today() + timedelta(days=1)).isoformat(),  # noqa: DTZ011 - the demo plays by hand
        "VIGIL_GATEWAY_TRUST_CLOCK": "true",
        "VIGIL_AIRFLOW_USER": "admin",
        "VIGIL_AIRFLOW_PASSWORD": places.secrets["admin"],
    }


def _airflow(places: Places) -> dict[str, str]:
    """Airflow settings of the demo: loopback only, no examples, no five-second stalls."""
    home, url = places.airflow_home, places.url("airflow")
    slack = {"conn_type": "slack", "password": places.secrets["slack"],
             "extra": {"base_url": f"{places.url('slack')}/api/", "timeout": 15}}  # fmt: skip
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(HOME / "plugins"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(places.ports["airflow"]),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": places.secrets["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": places.secrets["jwt"],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW_CONN_SLACK_API_DEFAULT": json.dumps(slack),
        "VIGIL_PRELOAD": "1",
    }
