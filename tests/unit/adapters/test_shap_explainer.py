"""A process beside the gateway explains a sample of what it logs; whatever happens to it, every row is logged."""

import os
import time
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.adapters import mlflow_stage
from tests.unit.serving.serving_stage import KeptLog, credit
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.shap_explainer import ShapExplainer
from vigil.config.schema import Monitor
from vigil.core.sample import in_sample
from vigil.core.words import Role
from vigil.metrics.evaluate import evaluate
from vigil.serving.compaction import Compactor
from vigil.serving.segments import encode
from vigil.usecases.nights import view
from vigil.usecases.promote import as_logged

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")]  # imports shap


def monitor() -> Monitor:
    return credit(features={"age": "numeric", "income": "numeric"}, data={"score": "score"})


def served(n: int, version: str = "1") -> pa.Table:
    frame = mlflow_stage.rows(n)
    return pa.table({
        "prediction_id": [f"p{i}" for i in range(n)], "served_at": [datetime(2026, 9, 1, tzinfo=UTC)] * n,
        "environment": ["staging"] * n, "model_version": [version] * n, "role": ["champion"] * n,
        "status": ["ok"] * (n - 1) + ["error"], "latency_ms": [3.0] * n, "age": frame["age"].to_numpy(),
        "income": frame["income"].to_numpy(), "prediction": ["1"] * n, "score": [0.5] * n, "sex": ["m"] * n,
    })  # fmt: skip


class Reference:
    def __init__(self, rows: pa.Table | None) -> None:
        self.rows = rows

    def reference(self, model: str) -> pa.Table | None:
        return self.rows


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = mlflow_stage.open_registry(tmp_path_factory.mktemp("registry"))
    mlflow_stage.register(made, "credit", mlflow_stage.logistic())
    return made


def explainer(registry: Any, **more: Any) -> ShapExplainer:
    return ShapExplainer(registry, Reference(None), **{"share": 0.3, **more})


def test_the_sample_that_the_ids_choose_gets_contributions_on_its_way_to_the_log(registry, tmp_path):
    log, explain, now = KeptLog(), explainer(registry), monitor()
    made = Compactor(tmp_path / "spool", log, new_name=lambda: f"{time.time_ns()}", seconds=10**6, rows=10**9,
                     explain=lambda name, rows: explain(now, rows))  # fmt: skip
    rows = served(60)
    made.spool.append(encode("credit", rows), rows=60).result()
    made.flush()
    found = log.rows()
    explained = {r["prediction_id"] for r in found if r["contrib__age"] is not None}
    assert explained == {f"p{i}" for i in range(59) if in_sample(f"p{i}", 0.3)}  # the last one had no answer
    assert len(found) == 60
    assert all(abs(r["contrib__age"]) > 0.01 for r in found if r["prediction_id"] in explained)
    made.close()
    explain.close()


def test_a_night_and_its_baseline_that_were_explained_are_compared(registry):
    explain, now, info = explainer(registry), monitor(), registry.version("credit", "1")
    base = explain(now, as_logged(now, registry.holdout("credit", "1"), info, Role.CHAMPION), share=1.0)
    tonight = explain(now, served(60), share=1.0)
    scanner = DuckDBScanner()
    edges = scanner.fit_edges(now, base)
    was, seen = (scanner.scan_table(now, rows, edges, night=datetime(2026, 9, 1, tzinfo=UTC).date(), version="1",
                                    role=Role.CHAMPION) for rows in (base, tonight))  # fmt: skip
    (drift,) = evaluate(seen, was, view(now), yardstick="holdout", only=["attribution_drift"])
    assert drift.value is not None
    assert drift.value < 0.2
    assert seen.contributions["age"].n == 59
    explain.close()


def crash(line: Any) -> None:
    line.recv()
    os._exit(7)


def hang(line: Any) -> None:
    line.recv()
    time.sleep(60)


@pytest.mark.parametrize(("worker", "seconds", "why"), [(crash, 60, "the process that explains it ended"),
                                                        (hang, 3, "more than 3 s")])  # fmt: skip
def test_a_model_that_breaks_its_explanation_says_so_once_and_every_row_is_logged(
    registry, caplog, worker, seconds, why
):
    explain = explainer(registry, seconds=seconds, worker=worker)
    for _ in range(3):
        assert explain(monitor(), served(60)).num_rows == 60
    assert [why in r.message for r in caplog.records if "no contributions" in r.message] == [True]
    explain.close()


def test_a_version_nobody_knows_is_named_once_and_the_others_are_explained(registry, caplog):
    explain = explainer(registry, share=1.0)
    found = explain(monitor(), pa.concat_tables([served(4, "1"), served(4, "99")]))
    known = [v is not None for v in found["contrib__income"].to_pylist()]
    assert known == [True, True, True, False] + [False] * 4
    explain(monitor(), served(4, "99"))
    assert sum("version 99" in r.message for r in caplog.records) == 1
    explain.close()
