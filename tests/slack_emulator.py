"""The real emulator process, for tests that need one."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PEOPLE = [
    {"email": "ana.silva@bank.example", "name": "Ana Silva", "role": "Model owner"},
    {"email": "ben.okafor@bank.example", "name": "Ben Okafor", "role": "On-call engineer"},
    {"email": "dora.weiss@bank.example", "name": "Dora Weiss", "role": "Data owner"},
    {"email": "gil.tanaka@bank.example", "name": "Gil Tanaka", "role": "AI governance"},
]


@dataclass
class Emulator:
    """Its address, and what tests ask of it beside Slack's own methods."""

    url: str

    @property
    def api(self) -> str:
        return f"{self.url}/api/"

    def _http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def state(self) -> dict[str, Any]:
        with self._http() as http:
            return http.get("/_emulator/state").json()

    def channels(self) -> dict[str, Any]:
        return {c["name"]: c for c in self.state()["channels"]}

    def fault(self, method: str, kind: str, **more: Any) -> None:
        with self._http() as http:
            http.post("/_emulator/faults", json={"method": method, "kind": kind, **more}).raise_for_status()

    def foreign(self, name: str, **more: Any) -> str:
        with self._http() as http:
            return http.post("/_emulator/channels", json={"name": name, **more}).raise_for_status().json()["id"]

    def reset(self) -> None:
        with self._http() as http:
            http.delete("/_emulator/state").raise_for_status()


@contextmanager
def emulator(folder: Path, *options: str) -> Iterator[Emulator]:
    """Runs until the block ends. The same folder keeps the same workspace."""
    users = folder / "users.json"
    users.write_text(json.dumps(PEOPLE))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "vigil.emulators.slack", "--port", str(port), "--users", str(users)]
    process = subprocess.Popen([*command, "--state", str(folder / "slack.json"), *options])
    running = Emulator(f"http://127.0.0.1:{port}")
    try:
        _await(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(20)


def _await(running: Emulator, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the emulator ended with {process.returncode}")
        try:
            running.state()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the emulator did not come up within a minute")
