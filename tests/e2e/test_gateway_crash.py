"""What was answered is in the log, whenever the gateway is killed."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from tests.unit.serving import serving_stage

pytestmark = pytest.mark.slow

LAUNCHER = Path(__file__).with_name("gateway_launcher.py")
CALLERS = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    registry = serving_stage.FolderRegistry(tmp_path / "registry")
    registry.add("iris", "1", serving_stage.save_models(tmp_path / "models")["setosa"])
    registry.point("iris", "1")
    return tmp_path


@contextmanager
def gateway(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen([sys.executable, str(LAUNCHER), str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        until = time.monotonic() + 120
        while True:
            try:
                if httpx.get(f"{url}/health", trust_env=False, timeout=30).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            assert process.poll() is None, "the gateway died at its start"
            assert time.monotonic() < until
            time.sleep(0.1)
        yield process, url
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Load:
    """Callers that ask without a pause, each row under its own id, until the gateway is gone."""

    def __init__(self, url: str, name: str) -> None:
        self.sent: list[str] = []
        self.answered: list[str] = []
        self.refused: list[str] = []
        self._url, self._name = url, name
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, answers: int) -> None:
        while len(self.answered) < answers:
            assert any(thread.is_alive() for thread in self._threads), "the gateway went away by itself"
            time.sleep(0.005)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _call(self, caller: int) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=30) as client:
            for number in range(10**6):
                ids = [f"{self._name}-{caller}-{number}-{row}" for row in range(1 + number % 3)]
                self.sent += ids
                try:
                    body = {"inputs": [{**serving_stage.ROW, "prediction_id": i} for i in ids]}
                    reply = client.post("/invocations", json=body)
                except httpx.HTTPError:
                    return  # not answered: nothing was promised
                if reply.status_code != 200:
                    self.refused.append(reply.text)
                    return
                assert reply.json()["prediction_ids"] == ids
                self.answered += ids


def logged(folder: Path) -> list[dict[str, object]]:
    return [row for path in (folder / "log").rglob("*.parquet") for row in pq.read_table(path).to_pylist()]


def test_a_gateway_killed_under_load_loses_nothing_it_answered_and_doubles_nothing(folder: Path) -> None:
    loads = []
    for round_, answers in enumerate((40, 150, 333)):
        with gateway(folder) as (process, url):
            load = Load(url, f"round{round_}")
            load.wait_for(answers)
            process.send_signal(signal.SIGKILL)
            load.join()
        loads.append(load)
        assert load.refused == []
    with gateway(folder) as (_, url):
        assert httpx.post(f"{url}/admin/flush", trust_env=False, timeout=60).status_code == 200
    rows = logged(folder)
    counts = Counter(row["prediction_id"] for row in rows)
    answered = {i for load in loads for i in load.answered}
    assert len(answered) >= 40 + 150 + 333
    assert answered - counts.keys() == set()
    assert [i for i, count in counts.items() if count > 1] == []
    assert counts.keys() <= {i for load in loads for i in load.sent}
    assert {(row["status"], row["prediction"], row["model_version"]) for row in rows} == {("ok", "setosa", "1")}
    assert list((folder / "spool").glob("*.spool")) == []


def test_a_gateway_that_is_asked_to_stop_finishes_its_requests_and_moves_them_to_the_log(folder: Path) -> None:
    with gateway(folder) as (process, url):
        load = Load(url, "term")
        load.wait_for(50)
        process.send_signal(signal.SIGTERM)
        load.join()
        assert process.wait(60) == 0
    assert load.refused == []
    assert set(load.answered) <= {str(row["prediction_id"]) for row in logged(folder)}
    assert list((folder / "spool").glob("*.spool")) == []


def with_credit(folder: Path, version: str) -> None:
    registry = serving_stage.FolderRegistry(folder / "registry")
    registry.add("credit", version, folder / "models" / version)
    registry.point("credit", version)


def ask_credit(url: str, into: list[httpx.Response]) -> threading.Thread:
    """A request that is inside when this returns."""
    row = {"income": 1.5, "age": 25, "prediction_id": "slow"}

    def ask() -> None:
        into.append(httpx.post(f"{url}/models/credit/invocations", json={"inputs": [row]}, trust_env=False, timeout=60))

    caller = threading.Thread(target=ask)
    caller.start()
    while "vigil_gateway_requests_inside 1.0" not in httpx.get(f"{url}/metrics", trust_env=False, timeout=30).text:
        time.sleep(0.01)
    return caller


def takes_requests(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ping", trust_env=False, timeout=30).is_success
    except httpx.HTTPError:
        return False


def test_a_slow_request_is_answered_after_sigterm_and_no_new_one_is_taken(folder: Path) -> None:
    with_credit(folder, "slow")
    replies: list[httpx.Response] = []
    with gateway(folder) as (process, url):
        caller = ask_credit(url, replies)
        process.send_signal(signal.SIGTERM)
        while takes_requests(url):
            assert replies == []
        caller.join()
        assert process.wait(60) == 0
    assert replies[0].json()["predictions"] == ["1"]
    assert [(row["prediction_id"], row["status"]) for row in logged(folder)] == [("slow", "ok")]


def test_a_model_that_never_returns_does_not_keep_the_gateway_from_ending(folder: Path) -> None:
    with_credit(folder, "hanging")
    replies: list[httpx.Response] = []
    with gateway(folder) as (process, url):
        caller = ask_credit(url, replies)
        caller.join()
        assert replies[0].status_code == 504
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert [(row["prediction_id"], row["status"]) for row in logged(folder)] == [("slow", "timeout")]
