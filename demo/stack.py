"""Starts and stops the demo's processes, and only those: each in a process group of its own, remembered in a file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from demo.places import HOME, Places, environment

USERS = (
    ("iris.owner@example.com", "Iris Owner", "model owner"),
    ("credit.owner@example.com", "Clara Credit", "model owner"),
    ("on.call@example.com", "Omar Oncall", "on call"),
    ("second.call@example.com", "Sena Second", "on call"),
    ("sensors@example.com", "Sven Sensor", "data owner"),
    ("credit.data@example.com", "Dana Data", "data owner"),
    ("ai.governance@example.com", "Gita Governance", "AI governance"),
)
PORTFOLIO_USERS = (
    ("fraud.owner@example.com", "Farid Fraud", "model owner"),
    ("marketing.owner@example.com", "Mara Marketing", "model owner"),
    ("chat.owner@example.com", "Chen Chat", "model owner"),
    ("bikes.owner@example.com", "Bruno Bikes", "model owner"),
    ("payments.data@example.com", "Paula Payments", "data owner"),
    ("crm.data@example.com", "Carlos Customers", "data owner"),
    ("app.data@example.com", "Amira App", "data owner"),
    ("weather.data@example.com", "Wren Weather", "data owner"),
)
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer")
SECONDS_TO_STOP = 20


class StackError(Exception):
    """A process did not come up; the text has the end of its log."""


class Stack:
    """The servers of one demo."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.env = environment(places)
        self._logs = places.folder / "logs"
        self._pids = places.folder / "pids.json"

    def prepare(self) -> None:
        """Files that the servers want to find."""
        home = self.places.airflow_home
        (home / "config").mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        self.places.state.mkdir(parents=True, exist_ok=True)
        shutil.copy(HOME / "demo" / "airflow_local_settings.py", home / "config" / "airflow_local_settings.py")
        passwords = home / "passwords.json"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({u: self.places.secrets[u] for u in ("admin", "viewer")}))
        everybody = (*USERS, *PORTFOLIO_USERS) if self.places.home != HOME else USERS
        users = [{"email": email, "name": name, "role": role} for email, name, role in everybody]
        (self.places.folder / "users.json").write_text(json.dumps(users))

    def commands(self) -> Mapping[str, Sequence[str]]:
        """Name -> command line."""
        port, folder = {k: str(v) for k, v in self.places.ports.items()}, self.places.folder
        mlflow = [
            *("mlflow", "server", "--host", "127.0.0.1", "--port", port["mlflow"], "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
            *("--artifacts-destination", str(folder / "mlflow-artifacts")),
        ]
        slack = [
            *(sys.executable, "-m", "vigil.emulators.slack", "--port", port["slack"]),
            *("--state", str(folder / "slack.db"), "--users", str(folder / "users.json")),
        ]
        gateway = [sys.executable, "-m", "vigil.serving", "--host", "127.0.0.1", "--port", port["gateway"]]
        quiet = {"scheduler", "triggerer"}
        airflow = {n: ["airflow", n, *(["--skip-serve-logs"] if n in quiet else [])] for n in AIRFLOW}
        return {"mlflow": mlflow, "slack": slack, "gateway": gateway, **airflow}

    def migrate(self) -> subprocess.Popen[bytes]:
        """Begins to make Airflow's database; wait for it before starting Airflow."""
        return self._spawn("migrate", ["airflow", "db", "migrate"])

    def start(self, *names: str) -> None:
        """Starts servers without waiting for them."""
        commands = self.commands()
        for name in names:
            process = self._spawn(name, commands[name])
            self._remember(name, process.pid)

    def _spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        log = (self._logs / f"{name}.log").open("ab")
        return subprocess.Popen(
            list(command),
            cwd=HOME,
            env=self.env,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait(self, name: str, *, seconds: float = 90) -> None:
        """Until a server is healthy. Raises StackError with the end of its log."""
        ready: dict[str, Callable[[], bool]] = {
            "mlflow": lambda: _answers(f"{self.places.url('mlflow')}/health"),
            "slack": lambda: _answers(self.places.url("slack")),
            "gateway": lambda: _answers(f"{self.places.url('gateway')}/health", any_status=True),
            "airflow": self._airflow_is_healthy,
        }
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if ready[name]():
                return
            self._still_there(name)
            time.sleep(0.3)
        raise StackError(f"{name} did not answer within {seconds:g} s; the end of its log:\n{self.tail(name)}")

    def _airflow_is_healthy(self) -> bool:
        body = self.health()
        wanted = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all((body.get(c) or {}).get("status") == "healthy" for c in wanted)

    def health(self) -> dict[str, dict[str, str]]:
        """The body of Airflow's health endpoint; empty while it does not answer."""
        try:
            found = httpx.get(f"{self.places.url('airflow')}/api/v2/monitor/health", timeout=5, trust_env=False)
            body: dict[str, dict[str, str]] = found.json() if found.status_code == 200 else {}
        except (httpx.HTTPError, ValueError):
            return {}
        return body

    def _still_there(self, name: str) -> None:
        for each in AIRFLOW if name == "airflow" else (name,):
            if not self.alive(each):
                raise StackError(f"{each} ended; the end of its log:\n{self.tail(each)}")

    def tail(self, name: str, lines: int = 25) -> str:
        """The end of a log."""
        for each in AIRFLOW if name == "airflow" else (name,):
            path = self._logs / f"{each}.log"
            if path.exists() and not (name == "airflow" and self.alive(each)):
                return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
        return f"(see {self._logs.name}/)"

    def _known(self) -> dict[str, dict[str, int]]:
        return json.loads(self._pids.read_text()) if self._pids.exists() else {}

    def _remember(self, name: str, pid: int) -> None:
        known = {**self._known(), name: {"pid": pid, "born": _born(pid)}}
        self._pids.write_text(json.dumps(known))

    def alive(self, name: str) -> bool:
        """Whether the process that we started under this name still runs."""
        told = self._known().get(name)
        return bool(told) and told is not None and _born(told["pid"]) == told["born"] != 0

    def running(self) -> list[str]:
        """Names of our processes that run."""
        return [name for name in self._known() if self.alive(name)]

    def end(self, *names: str) -> None:
        """Ends servers that we started: asks their groups to stop, and kills what does not."""
        known = self._known()
        mine = {n: known[n]["pid"] for n in names if self.alive(n)}
        for pid in mine.values():
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGTERM)
        until = time.monotonic() + SECONDS_TO_STOP
        while any(_group_lives(pid) for pid in mine.values()) and time.monotonic() < until:
            _reap(mine.values())
            time.sleep(0.1)
        for pid in mine.values():
            if _group_lives(pid):
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
        _reap(mine.values())
        self._pids.write_text(json.dumps({n: v for n, v in known.items() if n not in names}))

    def stop(self) -> list[str]:
        """Ends everything that this demo started; Airflow first, so that its tasks can finish."""
        names = self.running()
        self.end(*[n for n in names if n in AIRFLOW])
        self.end(*[n for n in names if n not in AIRFLOW])
        return names


def _answers(url: str, *, any_status: bool = False) -> bool:
    try:
        status = httpx.get(url, timeout=2, trust_env=False).status_code
    except httpx.HTTPError:
        return False
    return any_status or status < 400


def _born(pid: int) -> int:
    """The kernel's start time of a process, so that a reused pid is not mistaken for ours; 0 when it is gone."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return 0
    return 0 if told[0] == "Z" else int(told[19])


def _group_lives(leader: int) -> bool:
    """Whether a process of the group still runs; one that has ended and was not collected yet does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if told[0] != "Z" and int(told[2]) == leader:
            return True
    return False


def _reap(pids: object) -> None:
    for pid in list(pids):  # type: ignore[call-overload]
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
