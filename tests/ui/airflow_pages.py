"""A real Airflow api-server with Vigil's pages on 127.0.0.1, on a database of its own, and people who log in."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

CHECKOUT = Path(__file__).resolve().parents[2]
USERS = {"admin": "admin:risk", "viewer": "viewer:risk", "iris_only": "viewer:risk", "outsider": "viewer:marketing"}
TEAMS = ("risk", "marketing")  # the DAGs are of the first
BUNDLE = {"name": "dags-folder", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {}}
PREPARE = """
import sys
from airflow.cli.cli_parser import get_parser

for line in sys.argv[1:]:
    asked = get_parser().parse_args(line.split())
    asked.func(asked)
"""
AUTH_MANAGER = "tests.ui.per_model_auth.PerModelAuth"
SECONDS = 120


@dataclass(frozen=True)
class Airflow:
    """One running api-server."""

    url: str
    passwords: Mapping[str, str]

    def token(self, user: str) -> str:
        """What a login gives, as it is kept in the cookie `_token`."""
        body = {"username": user, "password": self.passwords[user]}
        answer = httpx.post(f"{self.url}/auth/token", json=body, trust_env=False, timeout=30).raise_for_status()
        return str(answer.json()["access_token"])

    def get(self, path: str, user: str | None = None, *, follow: bool = True) -> httpx.Response:
        """A page as a browser of this user gets it; without a user, as anybody on the network."""
        return self.get_with(path, token=self.token(user) if user else None, follow=follow)

    def get_with(self, path: str, *, token: str | None, follow: bool = True) -> httpx.Response:
        """The same with any text as the login."""
        cookies = {"_token": token} if token else {}
        with httpx.Client(cookies=cookies, trust_env=False, timeout=30, follow_redirects=follow) as browser:
            return browser.get(f"{self.url}{path}")


def environment(folder: Path, *, home: Path, state: Path, port: int) -> dict[str, str]:
    """What Airflow's processes see: nothing of the caller's Airflow or Vigil."""
    airflow = folder / "airflow"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "VIGIL", "MLFLOW", "SLACK"))}
    kept = {k: v for k, v in kept.items() if not k.lower().endswith("_proxy")}
    return kept | {
        "AIRFLOW_HOME": str(airflow),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{airflow / 'airflow.db'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(CHECKOUT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(CHECKOUT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGER,
        "AIRFLOW__CORE__MULTI_TEAM": "True",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([{**BUNDLE, "team_name": TEAMS[0]}]),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{u}:{role}" for u, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(airflow / "passwords.json"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(airflow / "logs"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "VIGIL_HOME": str(home),
        "VIGIL_STATE": str(state),
        "PYTHONPATH": os.pathsep.join([str(CHECKOUT / "include"), str(CHECKOUT)]),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "OMP_NUM_THREADS": "1",
        "DO_NOT_TRACK": "true",
    }


@contextmanager
def running(folder: Path, *, home: Path, state: Path) -> Iterator[Airflow]:
    """Makes the database, stores the DAGs of `home`, serves, and ends what it started."""
    port = free_port()
    env = environment(folder, home=home, state=state, port=port)
    (folder / "airflow").mkdir(parents=True)
    passwords = {user: secrets.token_urlsafe(12) for user in USERS}
    (folder / "airflow" / "passwords.json").write_text(json.dumps(passwords))
    with (folder / "airflow.log").open("ab") as log:
        lines = ("db migrate", *(f"teams create {team}" for team in TEAMS), "dags reserialize")
        subprocess.run([sys.executable, "-c", PREPARE, *lines], env=env, cwd=folder, stdout=log, stderr=log, check=True)
        server = subprocess.Popen(
            ["airflow", "api-server"], env=env, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    airflow = Airflow(f"http://127.0.0.1:{port}", passwords)
    try:
        wait(airflow, server, folder / "airflow.log")
        yield airflow
    finally:
        end(server)


def end(server: subprocess.Popen[bytes]) -> None:
    """Asks the server's group to stop, and kills what does not."""
    for sign, seconds in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(server.pid, sign)
            server.wait(timeout=seconds)


def wait(airflow: Airflow, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers. Raises AssertionError with the end of its log."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"{airflow.url}/api/v2/version", trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"the api-server did not answer; the end of its log:\n{log.read_text()[-3000:]}")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
