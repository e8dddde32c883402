"""Who may come in, how many at once, and a challenger that is asked without anybody noticing."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.unit.serving.serving_stage import ROW, FolderRegistry, KeptLog, app, credit, iris, served
from vigil.serving.door import Door
from vigil.serving.protocol import Refusal
from vigil.serving.settings import GatewaySettings
from vigil.serving.shadow import Asked, Shadow

pytestmark = pytest.mark.slow

TOKEN = "a-token-of-enough-length"
PERSON = {"income": 1.5, "age": 25, "branch": "north", "sex": "f"}
Start = Callable[..., TestClient]


@pytest.fixture
def log() -> KeptLog:
    return KeptLog()


@pytest.fixture
def start(registry: FolderRegistry, log: KeptLog, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def starting(*monitors: Any, **settings: Any) -> TestClient:
            made = app(registry, log, tmp_path, list(monitors) or [iris(), credit()], **settings)
            return running.enter_context(TestClient(made, client=("127.0.0.1", 5)))

        yield starting


def ask(client: httpx.Client, model: str, row: dict[str, Any], **headers: str) -> Any:
    return client.post(f"/models/{model}/invocations", json={"dataframe_records": [row]}, headers=headers)


def until(true: Callable[[], bool]) -> None:
    for _ in range(400):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within twenty seconds")


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_without_the_token_nothing_is_answered_but_the_probes(
    start: Start, log: KeptLog, header: dict[str, str]
) -> None:
    client = start(token=TOKEN)
    closed = [client.get(path, headers=header) for path in ("/metrics", "/models/iris/version")]
    for reply in (ask(client, "iris", ROW, **header), client.post("/admin/flush", headers=header), *closed):
        assert reply.status_code == 401
        assert reply.headers["WWW-Authenticate"] == "Bearer"
        assert "Authorization: Bearer" in reply.json()["error"]
    assert client.get("/ping").status_code == 200
    assert client.get("/health").status_code == 200
    client.post("/admin/flush", headers={"Authorization": f"Bearer {TOKEN}"})
    assert log.rows() == []


def test_health_tells_strangers_what_is_wrong_and_those_with_the_token_why(
    start: Start, registry: FolderRegistry
) -> None:
    registry.point("iris", None)
    client = start(iris(), token=TOKEN)
    reasons = [
        client.get("/health", headers=headers).json()["models"]["iris"]["reason"]
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}"})
    ]
    assert reasons == ["it has no champion", "it has no champion: alias 'champion' is not set"]


def test_strangers_are_counted(start: Start) -> None:
    client = start(token=TOKEN)
    ask(client, "iris", ROW)
    told = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert 'vigil_gateway_requests_total{model="iris",status="401",version=""} 1.0' in told


def test_with_the_token_everything_is_answered(start: Start) -> None:
    client, right = start(token=TOKEN), {"Authorization": f"bearer {TOKEN}"}
    assert ask(client, "iris", ROW, **right).status_code == 200
    assert client.get("/metrics", headers=right).status_code == 200


def test_a_short_token_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="at least 16 characters"):
        GatewaySettings(token="short")


def test_a_token_is_not_told_by_the_settings() -> None:
    assert TOKEN not in repr(GatewaySettings(token=TOKEN))
    with pytest.raises(ValueError, match="at least 16") as told:
        GatewaySettings(token="hunter2")
    assert "hunter2" not in str(told.value)


def test_one_request_too_many_is_answered_503_at_once_and_the_next_one_when_there_is_room() -> None:
    door = Door(GatewaySettings(requests_in_flight=2))
    with door.passing(), door.passing():
        with pytest.raises(Refusal, match="2 requests are being answered; try again") as told, door.passing():
            pass
        assert (told.value.status, told.value.headers) == (503, {"Retry-After": "1"})
    with door.passing():
        assert door.inside == 1
    assert door.inside == 0


def test_a_full_gateway_refuses_with_a_time_to_come_back(
    registry: FolderRegistry, log: KeptLog, tmp_path: Path
) -> None:
    registry.point("credit", "sleeper")
    made = app(registry, log, tmp_path, [iris(), credit()], requests_in_flight=1, predict_seconds=2)
    with served(made) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        slow: list[Any] = []
        caller = threading.Thread(target=lambda: slow.append(ask(client, "credit", PERSON)))
        caller.start()
        time.sleep(0.5)  # it is inside now, and stays there for two seconds
        until(lambda: ask(client, "iris", ROW).status_code == 503)
        refused = ask(client, "iris", ROW)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        caller.join()
        assert slow[0].status_code == 504
        assert ask(client, "iris", ROW).status_code == 200


def test_a_body_that_does_not_come_in_time_gives_its_place_back(
    registry: FolderRegistry, log: KeptLog, tmp_path: Path
) -> None:
    made = app(registry, log, tmp_path, [iris()], requests_in_flight=1, body_seconds=0.3)
    with served(made) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as slow:
            slow.sendall(
                b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b'Content-Length: 50\r\n\r\n{"inputs"'
            )
            assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert ask(client, "iris", ROW).status_code == 200


def test_a_model_that_hangs_is_refused_at_once_and_the_others_and_the_next_version_answer(
    registry: FolderRegistry, log: KeptLog, tmp_path: Path
) -> None:
    registry.point("credit", "sleeper")
    made = app(registry, log, tmp_path, [iris(), credit()], predict_threads=1, predict_seconds=0.5)
    with served(made) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        assert ask(client, "credit", PERSON).status_code == 504
        refused = ask(client, "credit", PERSON)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert "stuck" in refused.json()["error"]
        assert ask(client, "iris", ROW).status_code == 200
        registry.point("credit", "1")
        until(lambda: ask(client, "credit", PERSON).status_code == 200)


def test_a_model_that_ends_its_process_fails_like_any_other(start: Start, registry: FolderRegistry) -> None:
    registry.point("credit", "quitter")
    client = start()
    assert ask(client, "credit", PERSON).status_code == 500
    assert ask(client, "iris", ROW).status_code == 200


def test_the_challenger_is_asked_the_same_and_logged_beside_the_champion(
    start: Start, registry: FolderRegistry, log: KeptLog
) -> None:
    registry.point("iris", "1", challenger="2")
    client = start(iris())

    def shadowed() -> bool:
        ask(client, "iris", {**ROW, "prediction_id": f"p{time.time_ns()}"})
        client.post("/admin/flush")
        return any(row["role"] == "challenger" for row in log.rows())

    until(shadowed)
    reply = ask(client, "iris", {**ROW, "prediction_id": "last"})
    assert (reply.json()["predictions"], reply.headers["X-Model-Version"]) == (["setosa"], "1")
    until(lambda: client.post("/admin/flush") and sum(row["prediction_id"] == "last" for row in log.rows()) == 2)
    rows = {row["role"]: row for row in log.rows() if row["prediction_id"] == "last"}
    assert (rows["champion"]["prediction"], rows["champion"]["model_version"]) == ("setosa", "1")
    assert (rows["challenger"]["prediction"], rows["challenger"]["model_version"]) == ("virginica", "2")
    assert rows["champion"]["served_at"] == rows["challenger"]["served_at"]
    assert 'vigil_gateway_shadow_total{model="iris",status="ok",version="2"}' in client.get("/metrics").text


@pytest.mark.parametrize("challenger", ["broken", "quitter"])
def test_a_challenger_that_crashes_is_recorded_as_such_and_harms_nobody(
    start: Start, registry: FolderRegistry, log: KeptLog, challenger: str
) -> None:
    registry.point("credit", "1", challenger=challenger)
    client = start(credit())

    def seen() -> bool:
        assert ask(client, "credit", PERSON).status_code == 200
        client.post("/admin/flush")
        return any(row["role"] == "challenger" for row in log.rows())

    until(seen)
    (failed, *_) = (row for row in log.rows() if row["role"] == "challenger")
    assert (failed["status"], failed["decision"]) == ("error", None)


def test_nobody_waits_for_a_challenger_that_hangs(start: Start, registry: FolderRegistry, log: KeptLog) -> None:
    registry.point("credit", "1", challenger="sleeper")
    registry.point("iris", "1", challenger="2")
    client = start(predict_seconds=0.5, shadow_queue=2)

    def dropped() -> bool:
        assert ask(client, "credit", PERSON).status_code == 200
        return 'vigil_gateway_shadow_total{model="credit",status="dropped",version=""}' in client.get("/metrics").text

    def seen() -> bool:
        assert ask(client, "iris", ROW).status_code == 200  # and its own challenger is not held up by the other
        client.post("/admin/flush")
        roles = {(row.get("status"), row["role"], row["model"]) for row in log.rows()}
        return {("timeout", "challenger", "credit"), ("ok", "challenger", "iris")} <= roles

    until(dropped)
    until(seen)


def test_a_challenger_can_be_left_out(start: Start, registry: FolderRegistry, log: KeptLog) -> None:
    registry.point("iris", "1", challenger="2")
    client = start(iris(), shadow=False)
    time.sleep(1)
    for _ in range(5):
        assert ask(client, "iris", ROW).status_code == 200
    client.post("/admin/flush")
    assert {row["role"] for row in log.rows()} == {"champion"}


def test_what_a_slow_challenger_cannot_take_is_dropped_and_counted() -> None:
    async def story() -> tuple[list[str], list[str]]:
        done: list[str] = []
        dropped: list[str] = []
        gate = asyncio.Event()

        async def work(asked: Asked, _started: float) -> None:
            await gate.wait()
            done.append(asked.ids[0])

        shadow = Shadow(work, most=2, dropped=dropped.append)
        running = asyncio.create_task(shadow.run())
        for n in range(5):
            shadow.ask(Asked("iris", None, [f"p{n}"], None, None, ""))  # type: ignore[arg-type]
        gate.set()
        await shadow.drain(5)
        running.cancel()
        return done, dropped

    done, dropped = asyncio.run(story())
    assert done == ["p0", "p1"]
    assert dropped == ["iris"] * 3


def test_metrics_tell_how_old_the_registry_s_word_is(start: Start) -> None:
    client = start(iris())
    lines = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
    assert 0 <= float(lines['vigil_gateway_alias_age_seconds{model="iris"}']) < 60
    assert 0 <= float(lines['vigil_gateway_version_age_seconds{model="iris"}']) < 60
