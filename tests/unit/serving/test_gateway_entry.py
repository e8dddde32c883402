"""`python -m vigil.serving` over the real adapters: MLflow's registry, the Parquet log, a monitor in YAML."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.unit.adapters import mlflow_stage
from vigil.adapters.gateway_probe import GatewayProbe
from vigil.adapters.parquet_log import ParquetLog

pytestmark = pytest.mark.slow

MONITOR = """
version: vigil/v1
model: credit
task: binary
data: {score: score}
features: {age: numeric, income: numeric}
decision: {favourable: "1", deserving: "1"}
people: {owner: ada@example.com}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until(condition: object, what: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while not condition():  # type: ignore[operator]
        assert process.poll() is None, "the gateway died"
        assert time.monotonic() < until, what
        time.sleep(0.1)


def test_the_entry_serves_the_champion_follows_the_alias_and_logs_what_a_replay_can_score(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    registry = mlflow_stage.open_registry(state)
    for _ in range(2):
        mlflow_stage.register(registry, "credit", mlflow_stage.logistic())
    registry.move_alias("credit", "champion", "1")
    (tmp_path / "monitors").mkdir()
    (tmp_path / "monitors" / "credit.yaml").write_text(MONITOR)
    port = free_port()
    environment = {**os.environ, "VIGIL_HOME": str(tmp_path), "VIGIL_STATE": str(state)}
    command = [sys.executable, "-m", "vigil.serving", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env=environment, cwd=tmp_path) as process:
        try:
            probe = GatewayProbe(url)
            wait_until(lambda: probe.answering("credit") == ("1", "champion"), "version 1 never answered", process)
            frame = mlflow_stage.rows(5)[mlflow_stage.COLUMNS]
            body = {"dataframe_split": frame.to_dict(orient="split")}
            reply = httpx.post(f"{url}/invocations", json=body, trust_env=False, timeout=30)
            assert reply.status_code == 200, reply.text
            registry.move_alias("credit", "champion", "2")
            wait_until(lambda: probe.answering("credit") == ("2", "champion"), "version 2 never answered", process)
            assert httpx.post(f"{url}/admin/flush", trust_env=False, timeout=30).json() == {"flushed": 1}
        finally:
            process.send_signal(signal.SIGTERM)
            ended = process.wait(60)
    assert ended == 0
    log = ParquetLog(state / "predictions")
    for name, prediction, score in zip(
        *(reply.json()[k] for k in ("prediction_ids", "predictions", "scores")), strict=True
    ):
        row = log.find(name, model="credit")
        assert row is not None
        assert (row["prediction"], row["score"], row["model_version"]) == (prediction, score, "1")
        assert row["served_at"].astimezone(UTC) <= datetime.now(UTC)
