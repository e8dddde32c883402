"""What a batch job may hand over, and what happens when it runs twice."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.unit.adapters.log_stage import monitor as watched
from vigil.core.errors import DataError
from vigil.sdk import log_outcomes, log_predictions

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
TOLD = {"environment": "staging", "model_version": "3"}
FORMS = [list, pd.DataFrame, pa.Table.from_pylist]


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


@pytest.mark.parametrize("form", FORMS, ids=["dicts", "pandas", "arrow"])
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


# rows that no night could count


def refused(rows, tmp_path, match, **told) -> None:
    with pytest.raises(DataError, match=match):
        log_predictions("credit", rows, **{**TOLD, **told}, root=tmp_path)
    assert list(tmp_path.rglob("*.parquet")) == []  # good rows of the batch too: it can be logged again, corrected


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame(scored()).assign(**columns)


@pytest.mark.parametrize(
    "form", [lambda rows: rows, pd.DataFrame, pa.Table.from_pylist], ids=["dicts", "pandas", "arrow"]
)
@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("prediction_id", "", "prediction_id is empty in 1 of 2"),
        ("prediction_id", " \t", "prediction_id is empty in 1 of 2"),
        ("model_version", " ", "model_version is empty in 2 of 2|model_version is empty in 1 of 2"),
        ("status", "success", "status is 'success'; it must be one of ok, error, timeout"),
        ("role", "leader", "role is 'leader'; it must be one of champion, challenger, fallback"),
    ],
)
def test_a_row_without_an_id_or_in_unknown_words_is_refused(tmp_path, form, name, value, match):
    rows = [{**row, "model_version": "3", "role": "champion"} for row in scored()]
    rows[1][name] = value
    refused(form(rows), tmp_path, match)


@pytest.mark.parametrize("rows", [
    pd.concat([frame(), frame()[["age"]]], axis=1),
    pa.Table.from_arrays([*pa.Table.from_pylist(scored()).columns, pa.array([1, 2])],
                         [*pa.Table.from_pylist(scored()).column_names, "age"]),
], ids=["pandas", "arrow"])  # fmt: skip
def test_two_columns_of_one_name_are_refused(tmp_path, rows):
    refused(rows, tmp_path, "two columns have the name 'age'; drop or rename one")


@pytest.mark.parametrize(
    "form", [lambda rows: rows, pd.DataFrame, pa.Table.from_pylist], ids=["dicts", "pandas", "arrow"]
)
def test_names_that_differ_in_capitals_alone_are_refused(tmp_path, form):
    refused(form([{**row, "Age": 1} for row in scored()]), tmp_path, "'age' and 'Age' are one where capitals")


@pytest.mark.parametrize(
    ("column", "match"),
    [
        ([1 + 2j, 3j], "'odd'.*complex"),
        ([[1], [2, 3]], "odd is list<.*single number, text or time"),
        ([{"a": 1}, {"a": 2}], "odd is struct<"),
        ([[1], "a"], "'odd'.*list"),
        ([b"\xff\x00", b"ok"], "odd holds bytes that are no UTF-8 text"),
        (pd.to_timedelta(["1s", "2s"]), r"odd is duration.*dt\.total_seconds"),
        (pd.period_range("2026-01", periods=2, freq="M"), "odd is extension"),
    ],
    ids=["complex", "lists", "structs", "mixed", "bytes", "durations", "periods"],
)
def test_values_that_no_night_can_count_are_refused(tmp_path, column, match):
    refused(frame(odd=column), tmp_path, match)


def test_what_arrow_has_no_type_for_is_logged_as_words(tmp_path):
    rows = [{**row, "code": code} for row, code in zip(scored(3), [2**70, True, 1.0], strict=True)]
    found = stored(log_predictions("credit", rows, **TOLD, root=tmp_path))
    assert found.column("code").to_pylist() == [str(2**70), "1", "1"]


def test_bytes_of_a_text_are_that_text(tmp_path):
    found = stored(log_predictions("credit", frame(city=[b"Bonn", None]), **TOLD, root=tmp_path))
    assert found.column("city").to_pylist() == ["Bonn", None]


@pytest.mark.parametrize("ids", [[1, 2], [1.0, 2.0], ["1", "2"], pd.array([1, 2], "Int64"), pd.Categorical(["1", "2"])])
def test_an_id_is_the_same_in_every_type(tmp_path, ids):
    found = stored(log_predictions("credit", frame(prediction_id=ids), **TOLD, root=tmp_path))
    assert found.column("prediction_id").to_pylist() == ["1", "2"]


def test_a_version_stays_as_it_is_written(tmp_path):
    found = stored(log_predictions("credit", scored(1), environment="staging", model_version="1.0", root=tmp_path))
    assert found.column("model_version").to_pylist() == ["1.0"]


def test_an_environment_that_the_monitor_does_not_watch_is_refused(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "monitors").mkdir(parents=True)
    (home / "monitors" / "credit.yaml").write_text(yaml.safe_dump(watched().model_dump(mode="json")))
    monkeypatch.setenv("VIGIL_HOME", str(home))
    refused(scored(), tmp_path / "log", "'prod', and the monitor of 'credit' watches 'staging'", environment="prod")
    refused(frame(environment=["staging", "live"]), tmp_path / "log", "environment is 'live'")
    assert log_predictions("credit", scored(), **TOLD, root=tmp_path / "log")
    assert log_predictions("other", scored(), **{**TOLD, "environment": "prod"}, root=tmp_path / "log")


def test_a_monitor_that_does_not_load_refuses_nothing(tmp_path, monkeypatch):
    (tmp_path / "monitors").mkdir()
    (tmp_path / "monitors" / "credit.yaml").write_text("model: credit\nenvironment: staging\n")
    monkeypatch.setenv("VIGIL_HOME", str(tmp_path))
    assert log_predictions("credit", scored(), **{**TOLD, "environment": "prod"}, root=tmp_path / "log")


@pytest.mark.parametrize("labels", [
    [True, False], [1, 0], [1.0, 0.0], ["1.0", "0.0"], ["True", "false"], [Decimal("1.00"), Decimal(0)],
    [b"1", b"0"], np.array([1, 0], "int8"), np.array([1, 0], "float32"), pd.array([1, 0], "Int64"),
    pd.array([True, False], "boolean"), pd.Categorical([1, 0]), [True, "0"], [" 1 ", "0\n"],
], ids=repr)  # fmt: skip
def test_a_label_has_one_word_in_every_type(tmp_path, labels):
    rows = pd.DataFrame({"prediction_id": ["a", "b"], "label": labels, "observed_at": NINE})
    assert stored(log_outcomes("credit", rows, root=tmp_path)).column("label").to_pylist() == ["1", "0"]
