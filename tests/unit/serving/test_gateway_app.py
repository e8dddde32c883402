"""The gateway over HTTP: what it answers, what it refuses, and what it writes to the log."""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from tests.unit.serving import serving_stage
from tests.unit.serving.serving_stage import ROW, FolderRegistry, KeptLog, app, credit, iris
from vigil.adapters.gateway_probe import GatewayProbe
from vigil.adapters.runner_child import _table
from vigil.core.errors import MonitorError
from vigil.serving.answers import read_answer

pytestmark = pytest.mark.slow

SECRET = "Jane-4711"
PERSON = {"income": 1.5, "age": 25, "branch": "north", "sex": "f"}
Start = Callable[..., TestClient]


@pytest.fixture
def log() -> KeptLog:
    return KeptLog()


@pytest.fixture
def start(registry: FolderRegistry, log: KeptLog, tmp_path: Path) -> Iterator[Start]:
    """Starts the application with the monitors given (both by default) and gives a client on this machine."""
    with ExitStack() as running:

        def starting(*monitors: Any, peer: str = "127.0.0.1", **settings: Any) -> TestClient:
            made = app(registry, log, tmp_path, list(monitors) or [iris(), credit()], **settings)
            return running.enter_context(TestClient(made, client=(peer, 5)))

        yield starting


def ask(client: TestClient, model: str, *rows: dict[str, Any], **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"/models/{model}/invocations", json={"dataframe_records": list(rows)}, headers=names)


def test_a_request_is_answered_with_predictions_ids_version_and_role(start: Start) -> None:
    reply = ask(start(), "iris", ROW, ROW)
    assert reply.status_code == 200
    assert reply.json()["predictions"] == ["setosa", "setosa"]
    assert len(set(reply.json()["prediction_ids"])) == 2
    assert (reply.headers["X-Model-Version"], reply.headers["X-Model-Role"]) == ("1", "champion")


def test_every_column_of_the_log_is_written_and_named_by_the_monitor(start: Start, log: KeptLog) -> None:
    client = start(iris(data={"served_at": "at", "prediction": "species", "pipeline_version": "etl"}), trust_clock=True)
    ask(
        client,
        "iris",
        {**ROW, "prediction_id": "p1"},
        X_Pipeline_Version="etl-7",
        X_Vigil_Served_At="2026-03-01T10:00:00+02:00",
    )
    assert client.post("/admin/flush").json() == {"flushed": 1}
    (row,) = log.rows("iris")
    assert row.pop("latency_ms") > 0
    at = datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert row == {
        "prediction_id": "p1",
        "at": at,
        "served_at": at,  # the log's own word, too
        "environment": "production",
        "model": "iris",
        "model_version": "1",
        "role": "champion",
        "status": "ok",
        "etl": "etl-7",
        **ROW,
        "species": "setosa",
    }


def test_a_binary_model_logs_its_score_the_protected_attributes_and_features_it_does_not_take(
    start: Start, log: KeptLog, saved_models: dict[str, Path]
) -> None:
    import mlflow.sklearn

    client = start()
    reply = ask(client, "credit", PERSON, {**PERSON, "income": 9, "sex": None})
    client.post("/admin/flush")
    model = mlflow.sklearn.load_model(str(saved_models["credit"]))
    frame = pd.DataFrame({"income": [1.5, 9.0], "age": [25, 25]})
    expected = model.predict_proba(frame)[:, 1].tolist()
    assert reply.json()["scores"] == pytest.approx(expected)
    assert reply.json()["predictions"] == model.predict(frame).tolist()
    rows = log.rows("credit")
    assert [row["score"] for row in rows] == pytest.approx(expected)
    assert [row["decision"] for row in rows] == [str(v) for v in model.predict(frame)]
    assert [(row["sex"], row["branch"], row["age"], row["environment"]) for row in rows] == [
        ("f", "north", 25, "staging"),
        (None, "north", 25, "staging"),
    ]


def test_what_the_monitor_names_and_a_request_lacks_is_null_with_the_type_it_always_has(
    start: Start, log: KeptLog
) -> None:
    client = start(credit(features={"income": "numeric", "age": "numeric", "branch": "category", "debt": "numeric"}))
    assert ask(client, "credit", {"income": 1.5, "age": 25}).status_code == 200
    client.post("/admin/flush")
    (table,) = (table for _, table in log.batches.values())
    assert [table.column(name).to_pylist() for name in ("sex", "branch", "debt")] == [[None]] * 3
    assert [str(table.schema.field(name).type) for name in ("sex", "branch", "debt")] == ["string", "string", "double"]


def test_a_column_that_neither_model_nor_monitor_names_is_refused_by_its_name(start: Start, log: KeptLog) -> None:
    client = start()
    reply = ask(client, "credit", {**PERSON, "hobby": SECRET, "salary": 4711})
    assert reply.status_code == 400
    assert 'unknown column(s): "hobby", "salary"' in reply.json()["error"]
    assert "4711" not in reply.text
    client.post("/admin/flush")
    assert log.rows() == []


def test_callers_need_not_know_that_a_stand_in_with_fewer_columns_answers(
    start: Start, registry: FolderRegistry, log: KeptLog
) -> None:
    registry.point("credit", "1", fallback="narrow", serve="fallback")
    client = start(credit(features={"income": "numeric"}))
    until = time.monotonic() + 60
    while (reply := ask(client, "credit", {"income": 1.5, "age": 25})).status_code == 400:
        assert time.monotonic() < until, "the champion that stands by was never loaded"
        time.sleep(0.05)
    assert (reply.status_code, reply.headers["X-Model-Version"]) == (200, "narrow")
    client.post("/admin/flush")
    assert [row["age"] for row in log.rows("credit")] == [25]


def test_a_model_that_answers_prediction_and_score_in_a_frame_is_taken_at_its_word(
    start: Start, registry: FolderRegistry, log: KeptLog
) -> None:
    registry.point("credit", "1", fallback="frame", serve="fallback")
    client = start(credit())
    reply = ask(client, "credit", PERSON, PERSON)
    client.post("/admin/flush")
    assert reply.json()["predictions"] == ["0", "1"]
    assert reply.json()["scores"] == [0.25, None]
    assert reply.headers["X-Model-Role"] == "fallback"
    first, second = log.rows("credit")
    assert (first["decision"], first["score"], first["role"]) == ("0", 0.25, "fallback")
    assert math.isnan(second["score"])


@pytest.mark.parametrize(
    "raw",
    [
        np.array([1, 0]),
        np.array([1.0, math.nan]),
        np.array([[1.5], [2.5]]),
        np.array([True, False]),
        np.array(["a", None], dtype=object),
        [1, 2],
        pd.Series(["a", "b"]),
        pd.DataFrame({"x": [1, 2]}),
        pd.DataFrame({"prediction": ["a", "b"], "score": [0.1, 0.9]}),
        pd.DataFrame({"prediction": pd.Series([1, 0], dtype="int32"), "score": [0, 1], "more": [1, 2]}),
    ],
    ids=lambda raw: type(raw).__name__,
)
def test_the_log_and_a_replay_write_the_same_answer_in_the_same_words(raw: Any) -> None:
    replayed, answer = _table(raw, 2).to_pydict(), read_answer(raw, 2)
    assert answer.texts == replayed["prediction"]
    assert answer.scores == replayed.get("score")
    json.dumps(answer.values, allow_nan=False)


@pytest.mark.parametrize(
    ("model", "status", "logged"), [("broken", 500, "error"), ("short", 500, "error"), ("sleeper", 504, "timeout")]
)
def test_a_failure_of_the_model_is_logged_and_answered_without_data(
    start: Start,
    registry: FolderRegistry,
    log: KeptLog,
    caplog: pytest.LogCaptureFixture,
    model: str,
    status: int,
    logged: str,
) -> None:
    registry.point("credit", model)
    client = start(credit(), predict_seconds=0.5 if model == "sleeper" else 30)
    people = [{**PERSON, "income": 47114711.0, "prediction_id": f"p{n}"} for n in range(2)]
    reply = ask(client, "credit", *people)
    assert reply.status_code == status
    assert reply.json()["prediction_ids"] == ["p0", "p1"]
    assert "4711" not in reply.text
    assert "4711" not in caplog.text
    client.post("/admin/flush")
    assert [(r["status"], r["decision"], r["score"], r["income"]) for r in log.rows("credit")] == [
        (logged, None, None, 47114711.0)
    ] * 2


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"petal_length": 1.4}, "missing column(s): petal_width"),
        ({**ROW, "petal_width": SECRET}, "'petal_width': needs numbers"),
        ({**ROW, "prediction_id": ""}, "'prediction_id'"),
        ({**ROW, "prediction_id": 4711}, "'prediction_id'"),
    ],
)
def test_rows_that_do_not_fit_the_signature_are_400_with_the_columns_and_without_the_data(
    start: Start, log: KeptLog, row: dict[str, Any], words: str
) -> None:
    client = start(iris())
    reply = ask(client, "iris", row)
    assert reply.status_code == 400
    assert words in reply.json()["error"]
    assert "4711" not in reply.text
    client.post("/admin/flush")
    assert log.rows() == []


@pytest.mark.parametrize("name", ["request", "prediction_id"])
def test_the_callers_own_ids_are_kept_under_the_monitors_word_or_ours(start: Start, log: KeptLog, name: str) -> None:
    client = start(iris(data={"prediction_id": "request"}))
    assert ask(client, "iris", {**ROW, name: "r1"}).json()["prediction_ids"] == ["r1"]
    client.post("/admin/flush")
    assert [(row["request"], row["prediction_id"]) for row in log.rows()] == [("r1", "r1")]


def test_a_wrong_type_in_a_column_that_only_the_monitor_names_is_400(start: Start) -> None:
    reply = ask(start(), "credit", {**PERSON, "sex": [SECRET]})
    assert (reply.status_code, "'sex'" in reply.text, SECRET in reply.text) == (400, True, False)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "text/csv"}, b"a,b\n1,2", 415),
        ({}, b'{"inputs": []}', 415),
        ({"Content-Type": "application/json"}, b" " * 2001, 413),
        ({"Content-Type": "application/json; charset=utf-8", "X-Vigil-Served-At": "2026-03-01T00:00:00Z"}, b"{}", 400),
        ({"Content-Type": "application/json", "X-Pipeline-Version": "x" * 201}, b"{}", 400),
    ],
)
def test_a_request_that_is_not_ours_is_refused(start: Start, headers: dict[str, str], body: bytes, status: int) -> None:
    reply = start(iris(), body_limit_bytes=2000).post("/invocations", content=body, headers=headers)
    assert reply.status_code == status
    assert reply.json()["error"]


def test_a_body_that_does_not_say_its_length_is_still_limited(start: Start) -> None:
    chunks = iter([b" " * 1000] * 3)
    reply = start(iris(), body_limit_bytes=2000).post(
        "/invocations", content=chunks, headers={"Content-Type": "application/json"}
    )
    assert reply.status_code == 413


@pytest.mark.parametrize("given", ["yesterday", "2026-03-01T00:00:00", "0001-01-01T00:00:00+23:59"])
def test_even_a_trusted_clock_must_say_an_instant(start: Start, given: str) -> None:
    assert ask(start(iris(), trust_clock=True), "iris", ROW, X_Vigil_Served_At=given).status_code == 400


def test_an_unknown_model_is_404_and_lists_none(start: Start) -> None:
    client = start()
    for reply in (ask(client, "payroll", ROW), client.get("/models/payroll/version")):
        assert reply.status_code == 404
        assert "iris" not in reply.text
        assert "credit" not in reply.text


def test_mlflows_own_address_answers_when_there_is_one_model_and_only_then(start: Start) -> None:
    assert start(iris()).post("/invocations", json={"inputs": [ROW]}).json()["predictions"] == ["setosa"]


def test_mlflows_own_address_is_not_there_for_two_models(start: Start) -> None:
    assert start().post("/invocations", json={"inputs": [ROW]}).status_code == 404


def test_two_models_are_served_and_logged_side_by_side(start: Start, log: KeptLog) -> None:
    client = start()
    ids = {
        model: ask(client, model, row).json()["prediction_ids"] for model, row in (("iris", ROW), ("credit", PERSON))
    }
    client.post("/admin/flush")
    for model, expected in ids.items():
        assert [row["prediction_id"] for row in log.rows(model)] == expected


def test_flushing_is_for_callers_on_this_machine(start: Start) -> None:
    assert start(peer="10.0.0.7").post("/admin/flush").status_code == 403


def test_flushing_is_not_for_whom_a_proxy_speaks(start: Start) -> None:
    assert start().post("/admin/flush", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403


def test_a_log_that_is_away_is_said_and_costs_no_answer(start: Start, log: KeptLog) -> None:
    client = start(iris())
    log.fails_before = 1
    assert ask(client, "iris", ROW).status_code == 200
    assert client.post("/admin/flush").status_code == 503
    health = client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert "the log is away" in health.json()["spool"]["problem"]
    assert client.post("/admin/flush").status_code == 200
    assert len(log.rows()) == 1
    assert client.get("/health").json()["status"] == "ok"


def test_an_answer_that_cannot_be_stored_is_not_given(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    client = start(iris())

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("vigil.serving.spool.os.fsync", full)
        reply = ask(client, "iris", ROW)
    assert reply.status_code == 503
    assert "predictions" not in reply.json()
    assert ask(client, "iris", ROW).status_code == 200


def test_metrics_count_requests_by_model_and_status_and_take_no_label_from_callers(
    start: Start, registry: FolderRegistry
) -> None:
    registry.point("credit", "broken")
    client = start()
    for model, row in (("iris", ROW), ("iris", ROW), ("iris", {}), ("credit", PERSON), (SECRET, ROW)):
        ask(client, model, row)
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    for line in (
        'vigil_gateway_requests_total{model="iris",status="200",version="1"} 2.0',
        'vigil_gateway_requests_total{model="iris",status="400",version=""} 1.0',
        'vigil_gateway_requests_total{model="credit",status="500",version="broken"} 1.0',
        'vigil_gateway_requests_total{model="(unknown)",status="404",version=""} 1.0',
        'vigil_gateway_latency_seconds_count{model="iris",version="1"} 2.0',
        'vigil_gateway_latency_seconds_count{model="credit",version="broken"} 1.0',
        "vigil_gateway_spool_segments 1.0",
        "vigil_gateway_spool_rows 3.0",
    ):
        assert line in reply.text.splitlines()
    assert SECRET not in reply.text
    client.post("/admin/flush")
    assert {"vigil_gateway_spool_bytes 0.0", "vigil_gateway_spool_rows 0.0"} <= set(
        client.get("/metrics").text.splitlines()
    )


def test_health_says_version_role_last_poll_and_what_waits(start: Start) -> None:
    client = start(iris())
    ask(client, "iris", ROW)
    reply = client.get("/health")
    said = reply.json()
    assert reply.status_code == 200
    assert said["status"] == "ok"
    model = said["models"]["iris"]
    assert (model["status"], model["version"], model["role"], model["reason"]) == ("ok", "1", "champion", None)
    assert datetime.fromisoformat(model["last_poll"]).tzinfo is not None
    assert (said["spool"]["segments"], said["spool"]["problem"]) == (1, None)
    assert said["spool"]["bytes"] > 0
    assert client.get("/ping").status_code == 200


@pytest.mark.parametrize(
    ("spoil", "short", "detail"),
    [
        ("tampered", "differs from its manifest", "was changed"),
        ("missing", "could not be loaded", "no version 9"),
        ("unsigned", "could not be loaded", "no signature"),
        ("no alias", "it has no champion", "champion"),
        ("down", "registry does not answer", "is down"),
    ],
)
def test_a_model_that_cannot_be_served_is_503_with_its_reason_and_the_others_answer(
    start: Start, registry: FolderRegistry, spoil: str, short: str, detail: str
) -> None:
    if spoil == "tampered":
        with (registry.root / "iris" / "1" / "MLmodel").open("a") as file:
            file.write("\n# changed\n")
    elif spoil == "down":
        (registry.root / "iris" / "state.json").unlink()
        short, detail = "registry does not answer", "not registered"
    else:
        registry.point("iris", {"missing": "9", "unsigned": "unsigned", "no alias": None}[spoil])
    client = start()
    reply = ask(client, "iris", ROW)
    assert reply.status_code == 503
    assert short in reply.json()["error"]
    health = client.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert detail in health.json()["models"]["iris"]["reason"]
    assert ask(client, "credit", PERSON).status_code == 200
    assert client.get("/models/iris/version").status_code == 503


def test_a_feature_with_a_name_of_the_log_is_refused_before_it_overwrites_anything(start: Start) -> None:
    client = start(iris(features={"petal_length": "numeric", "status": "category"}))
    assert "status are written by the gateway itself" in client.get("/health").json()["models"]["iris"]["reason"]


def test_a_gateway_without_models_says_what_to_do(registry: FolderRegistry, log: KeptLog, tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="vigil lint"):
        serving_stage.app(registry, log, tmp_path, [])


def test_no_page_of_the_gateway_fetches_scripts_from_the_internet(start: Start) -> None:
    client = start()
    assert [client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404] * 3


def test_the_probe_tells_which_version_answers(registry: FolderRegistry, log: KeptLog, tmp_path: Path) -> None:
    registry.point("credit", None)
    with serving_stage.served(app(registry, log, tmp_path, [iris(), credit()])) as url:
        probe = GatewayProbe(f"{url}/")
        assert probe.answering("iris") == ("1", "champion")
        assert probe.answering("credit") is None  # no champion
        assert probe.answering("no/such") is None
    assert probe.answering("iris") is None  # gone
