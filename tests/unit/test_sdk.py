"""What a batch job may hand over, and what happens when it runs twice."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vigil.core.errors import DataError
from vigil.sdk import log_outcomes, log_predictions

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
TOLD = {"environment": "staging", "model_version": "3"}


def scored(count: int = 2) -> list[dict]:
    return [
        {
            "prediction_id": f"p{n}",
            "served_at": NINE,
            "status": "ok",
            "latency_ms": 1.5,
            "age": 30 + n,
            "prediction": "0",
        }
        for n in range(count)
    ]


def stored(files) -> pa.Table:
    (name,) = files
    return pq.read_table(name, partitioning=None)


@pytest.mark.parametrize("form", [list, pd.DataFrame, pa.Table.from_pylist], ids=["dicts", "pandas", "arrow"])
def test_dicts_a_data_frame_and_an_arrow_table_are_logged_alike(tmp_path, form):
    found = stored(log_predictions("credit", form(scored()), **TOLD, root=tmp_path)).to_pylist()
    assert found == [{**r, **TOLD, "role": "champion"} for r in scored()]


def test_a_job_that_runs_twice_logs_once(tmp_path):
    first = log_predictions("credit", scored(), **TOLD, root=tmp_path)
    assert log_predictions("credit", scored(), **TOLD, root=tmp_path) == first
    assert log_predictions("credit", scored(3), **TOLD, root=tmp_path) != first
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


def test_the_same_rows_for_another_version_are_another_batch(tmp_path):
    first = log_predictions("credit", scored(), environment="staging", model_version="3", root=tmp_path)
    assert log_predictions("credit", scored(), environment="staging", model_version="4", root=tmp_path) != first


def test_a_job_may_name_its_batch(tmp_path):
    first = log_predictions("credit", scored(), **TOLD, batch_id="2026-11-20", root=tmp_path)
    assert log_predictions("credit", scored(5), **TOLD, batch_id="2026-11-20", root=tmp_path) == first
    assert stored(first).num_rows == 2


def test_what_the_rows_say_themselves_is_kept(tmp_path):
    own = [{**r, "role": "challenger", "model_version": "9"} for r in scored(1)]
    (found,) = stored(log_predictions("credit", own, **TOLD, root=tmp_path)).to_pylist()
    assert (found["role"], found["model_version"], found["environment"]) == ("challenger", "9", "staging")


def test_a_key_that_only_some_dicts_have_is_not_lost(tmp_path):
    first, second = scored()
    found = stored(log_predictions("credit", [first, {**second, "extra": 7}], **TOLD, root=tmp_path))
    assert found["extra"].to_pylist() == [None, 7]


@pytest.mark.parametrize("form", [list, pd.DataFrame], ids=["dicts", "pandas"])
def test_text_among_numbers_is_logged_as_text_for_the_night_to_count(tmp_path, form):
    first, second, third = scored(3)
    mixed = form([first, {**second, "age": "forty 🦜"}, {**third, "age": None}])
    found = stored(log_predictions("credit", mixed, **TOLD, root=tmp_path))
    assert found["age"].to_pylist() == ["30", "forty 🦜", None]


def test_times_of_pandas_with_nanoseconds_are_kept_to_the_microsecond(tmp_path):
    frame = pd.DataFrame(scored(1)).assign(served_at=pd.Timestamp("2026-11-20T09:00:00.123456789+01:00"))
    (found,) = stored(log_predictions("credit", frame, **TOLD, root=tmp_path)).to_pylist()
    assert found["served_at"] == datetime(2026, 11, 20, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("form", [list, pd.DataFrame], ids=["dicts", "pandas"])
def test_no_rows_are_no_batch(tmp_path, form):
    assert log_predictions("credit", form([]), **TOLD, root=tmp_path) == ()
    assert log_outcomes("credit", form([]), root=tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["rows.csv", 7, [1, 2], None])
def test_anything_else_is_refused_with_what_is_taken(tmp_path, given):
    with pytest.raises(DataError, match="DataFrame, a pyarrow Table or a list of dicts"):
        log_predictions("credit", given, **TOLD, root=tmp_path)


def test_labels_are_kept_as_text_and_not_a_number_is_no_label(tmp_path):
    truth = [{"prediction_id": f"p{n}", "label": v, "observed_at": NINE} for n, v in enumerate([1.0, math.nan, 0.0])]
    assert stored(log_outcomes("credit", truth, root=tmp_path))["label"].to_pylist() == ["1", None, "0"]


def test_outcomes_that_are_logged_twice_are_one_batch(tmp_path):
    truth = [{"prediction_id": "p", "label": 1, "observed_at": NINE}]
    assert log_outcomes("credit", truth, root=tmp_path) == log_outcomes("credit", truth, root=tmp_path)


def test_the_root_comes_from_the_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIL_PREDICTIONS", str(tmp_path))
    (name,) = log_predictions("credit", scored(), **TOLD)
    assert Path(name).is_relative_to(tmp_path)


def test_contributions_are_logged_for_a_sample_that_the_ids_choose(tmp_path):
    asked = []

    def explain(sample):
        asked.append(sorted(sample["prediction_id"]))
        return {"age": sample["age"] / 10}

    made = scored(500)
    for batch in ("a", "b"):
        files = log_predictions("m", made, environment="staging", model_version="1", batch_id=batch, root=tmp_path,
                                explain=explain, explain_share=0.1)  # fmt: skip
        logged = stored(files).to_pandas()
        told = logged[logged["contrib__age"].notna()]
        assert 20 < len(told) < 90
        assert (told["contrib__age"] == told["age"] / 10).all()
        assert sorted(told["prediction_id"]) == asked[-1]
    assert asked[0] == asked[1]


def test_contributions_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path):
    made = scored(50)
    with pytest.raises(DataError, match="explain gave 1 contributions of 'age' for 50 rows"):
        log_predictions("m", made, environment="staging", model_version="1", root=tmp_path,
                        explain=lambda _: {"age": [0.5]}, explain_share=1.0)  # fmt: skip
    assert not list(tmp_path.rglob("*.parquet"))
