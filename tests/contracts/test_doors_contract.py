"""The same rows, in whatever types and through whatever door they come, are one and the same night."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.unit.adapters.log_stage import LATER, NIGHT, NINE, monitor
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.memory import FrozenClock
from vigil.adapters.parquet_log import ParquetLog
from vigil.adapters.runner_child import _table as replayed
from vigil.adapters.source_reader import SourceReader
from vigil.config.schema import Monitor
from vigil.core.window import night_window
from vigil.core.words import Role
from vigil.profiles.types import Edges, Profile
from vigil.sdk import log_outcomes, log_predictions
from vigil.serving.answers import read_answer
from vigil.serving.record import Served, log_rows
from vigil.usecases.ingest import ingest

BITS = [1, 0, 0, 1, 1, 0, 1, 0, 1, 1]
EDGES = Edges(numeric={"income": (0.0, 10.0)}, levels={"city": ("0", "1")})
FORMS = {
    "text": [str(b) for b in BITS],
    "numbers": BITS,
    "booleans": [bool(b) for b in BITS],
    "floats": [float(b) for b in BITS],
    "texts of floats": [f"{b}.0" for b in BITS],
    "texts of booleans": [str(bool(b)) for b in BITS],
    "small letters": [str(bool(b)).lower() for b in BITS],
    "decimals": [Decimal(b).quantize(Decimal("0.00")) for b in BITS],
    "floats of four bytes": np.array(BITS, "float32"),
    "integers of numpy": np.array(BITS, "int8"),
    "booleans of pandas": pd.array([bool(b) for b in BITS], "boolean"),
    "numbers of pandas": pd.array(BITS, "Int64"),
    "categories": pd.Categorical([str(b) for b in BITS]),
    "categories of booleans": pd.Categorical([bool(b) for b in BITS]),
    "mixed": [True, "0", 0.0, "1.0", 1, "False", "TRUE", False, Decimal(1), " 1 "],
}
SOURCE = {
    "predictions": "log.*",
    "served_at": {"column": "served_at"},
    "outcomes": {"where": "inside", "label": "label", "after_days": 1},
}


def watched(**parts) -> Monitor:
    return monitor(data={}, protected=[{"attribute": "sex", "reference": "1.0", "groups": ["false"]}],
                   decision={"positive": "True", "favourable": "0", "deserving": "0.0"}, **parts)  # fmt: skip


def frame(values) -> pd.DataFrame:
    count = range(len(BITS))
    return pd.DataFrame({
        "prediction_id": [f"p{n}" for n in count], "served_at": [NINE + timedelta(seconds=n) for n in count],
        "status": "ok", "latency_ms": 1.0, "income": 5.0, "city": values, "sex": values, "prediction": values,
    })  # fmt: skip


def scanned(log: ParquetLog, one: Monitor) -> Profile:
    partition = log.partition(one, night_window(NIGHT, one.timezone))
    assert partition.broken == ()
    (found,) = DuckDBScanner().scan(one, partition, EDGES, NIGHT).values()
    return found.model_copy(update={"pipelines": {}, "versions": {}})


def by_sdk(root, values) -> Profile:
    given = {"environment": "staging", "model_version": "1", "root": root}
    log_predictions("credit", frame(values), **given)
    labels = pd.DataFrame({"prediction_id": [f"p{n}" for n in range(len(BITS))], "label": values})
    log_outcomes("credit", labels.assign(observed_at=LATER), root=root)
    return scanned(ParquetLog(root), watched())


def expected(tmp_path) -> Profile:
    found = by_sdk(tmp_path / "expected", FORMS["text"])
    assert found.columns.category["city"].levels == {"0": 4, "1": 6}
    assert (found.groups["sex"]["1"].tp, found.groups["sex"]["0"].favourable) == (6, 4)
    assert found.outcome.neither == 0
    return found


@pytest.mark.parametrize("form", FORMS)
def test_by_the_sdk(tmp_path, form):
    assert by_sdk(tmp_path, FORMS[form]) == expected(tmp_path)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("form", [f for f in FORMS if f != "mixed"])
def test_by_ingest(tmp_path, form, ending):
    rows = frame(FORMS[form]).assign(label=FORMS[form])
    if ending == "csv":
        rows.to_csv(tmp_path / "log.csv", index=False)
    else:
        rows.to_parquet(tmp_path / "log.parquet", index=False)
    log, one = ParquetLog(tmp_path / "log"), watched(source=SOURCE)

    class Doors:
        intake = SourceReader(tmp_path, tmp_path / "done", {})
        clock = FrozenClock(NINE + timedelta(days=1))

    Doors.log = log
    assert ingest(Doors, one, NIGHT, NIGHT).outcomes == len(BITS)
    assert scanned(log, one) == expected(tmp_path)


@pytest.mark.parametrize("form", FORMS)
def test_by_a_holdout(tmp_path, form):
    rows = frame(FORMS[form]).assign(label=FORMS[form])
    if form == "mixed":
        rows = rows.astype(dict.fromkeys(("city", "sex", "prediction", "label"), "string"))
    given = pa.Table.from_pandas(rows, preserve_index=False)
    found = DuckDBScanner().scan_table(watched(), given, EDGES, night=NIGHT, version="1", role=Role.CHAMPION)
    logged = expected(tmp_path)
    assert (found.columns, found.groups, found.outcome) == (logged.columns, logged.groups, logged.outcome)


@pytest.mark.parametrize("form", FORMS)
def test_by_the_gateway_and_a_replay(tmp_path, form):
    one, answer = watched(), read_answer(pd.Series(FORMS[form], dtype=object), len(BITS))
    served = Served(served_at=NINE, version="1", role=Role.CHAMPION, status="ok", latency_ms=1.0)
    ids = [f"p{n}" for n in range(len(BITS))]
    features = pa.table({"income": [5.0] * len(BITS), "city": FORMS["booleans"], "sex": FORMS["texts of floats"]})
    made = log_rows(one, served, ids=ids, features=features, answer=answer)
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", made, batch_id="b")
    labels = pa.table({"prediction_id": ids, "label": FORMS["booleans"], "observed_at": [LATER] * len(BITS)})
    log.write_outcomes("credit", labels, batch_id="b")
    found, logged = scanned(log, one), expected(tmp_path)
    assert (found.columns, found.groups, found.outcome) == (logged.columns, logged.groups, logged.outcome)
    assert replayed(pd.Series(FORMS[form], dtype=object), len(BITS)).column("prediction").to_pylist() == answer.texts


def test_nights_of_a_log_that_changed_its_types_are_alike(tmp_path):
    for n, form in enumerate(("booleans", "texts of booleans", "floats", "texts of floats", "numbers")):
        rows = frame(FORMS[form]).assign(prediction_id=[f"{form}{i}" for i in range(len(BITS))])
        log_predictions("credit", rows, environment="staging", model_version="1", batch_id=f"b{n}", root=tmp_path)
    found = scanned(ParquetLog(tmp_path), watched())
    assert found.columns.category["city"].levels == {"0": 20, "1": 30}
    assert found.columns.category["city"].new == 0
    assert {group: cell.n for group, cell in found.groups["sex"].items()} == {"0": 20, "1": 30}
    assert dict(found.outcome.predictions) == {"0": 20, "1": 30}


def test_composed_and_decomposed_letters_are_one_group(tmp_path):
    rows = frame(["Köln", "Ko\u0308ln"] * 5)
    log_predictions("credit", rows, environment="staging", model_version="1", root=tmp_path)
    found = scanned(ParquetLog(tmp_path), watched())
    assert {group: cell.n for group, cell in found.groups["sex"].items()} == {"Köln": 10}
    assert found.columns.category["city"].new_examples == ("Köln",)


def test_a_number_that_is_none_costs_the_others_nothing(tmp_path):
    given = {"environment": "staging", "model_version": "1", "root": tmp_path}
    for n, values in enumerate(([5, "abc", "True"], [True, False, True], [2.5, 5.0, None])):
        rows = frame(FORMS["text"]).head(3).assign(income=values, prediction_id=[f"{n}{i}" for i in range(3)])
        log_predictions("credit", rows, **given)
    found = scanned(ParquetLog(tmp_path), watched()).columns.numeric["income"]
    assert (found.wrong_type, found.nulls, found.finite, found.total) == (1, 1, 7, 15.5)
