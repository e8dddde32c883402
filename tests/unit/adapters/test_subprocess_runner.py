"""The replay runner: right answers in order, and every way to fail told as a ReplayError."""

import os
from pathlib import Path

import mlflow_stage
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from vigil.adapters.runner_child import Unfit, _cast, _table
from vigil.adapters.subprocess_runner import SubprocessRunner, child_environment
from vigil.core.errors import ReplayError

LIMITS = {"seconds": 60, "megabytes": 2048}
FAULTS = {
    "scored": mlflow_stage.SCORED,
    "slow": "time.sleep(600)",
    "hungry": "x = bytearray(64 * 1024**3)",
    "dead": "os._exit(7)",
    "killed": "os.kill(os.getpid(), 11)",
    "raising": "raise ValueError('applicant 4711 has income 9')",
    "short": "return pd.DataFrame({'prediction': [1]})",
    "curious": "return [str(sorted(os.environ))] * len(model_input)",
}


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> SubprocessRunner:
    folder = tmp_path_factory.mktemp("runner")
    registry = mlflow_stage.open_registry(folder)
    mlflow_stage.register(registry, "sk", mlflow_stage.logistic())
    for name, body in FAULTS.items():
        mlflow_stage.register(registry, name, mlflow_stage.script(folder, name, body))
    return SubprocessRunner(registry)


def table(count: int = 30) -> pa.Table:
    """More columns than the model wants, in another order."""
    frame = mlflow_stage.rows(count)
    return pa.Table.from_pandas(frame.assign(secret="x")[["secret", "income", "label", "age"]], preserve_index=False)


@pytest.mark.slow
def test_a_scikit_learn_version_answers_as_it_does_in_this_process(runner: SubprocessRunner) -> None:
    scores = runner.score("sk", "1", table(), **LIMITS)
    frame = mlflow_stage.rows(30)[mlflow_stage.COLUMNS]
    assert scores.column("prediction").to_pylist() == mlflow_stage.logistic().predict(frame).tolist()
    assert scores.column_names == ["prediction"]


@pytest.mark.slow
def test_a_pyfunc_version_answers_prediction_and_score_in_row_order(runner: SubprocessRunner) -> None:
    rows = table()
    scores = runner.score("scored", "1", rows, **LIMITS)
    age = rows.column("age").to_numpy()
    assert scores.column("score").to_pylist() == (age / 100).tolist()
    assert scores.column("prediction").to_pylist() == ["1" if a > 45 else "0" for a in age]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "limits", "reason"),
    [
        ("slow", {"seconds": 15, "megabytes": 2048}, "within 15 s"),
        ("hungry", LIMITS, "more memory than the 2048 MB"),
        ("sk", {"seconds": 60, "megabytes": 64}, "64 MB of memory"),
        ("dead", LIMITS, "exit code 7"),
        ("killed", LIMITS, "SIGSEGV"),
        ("raising", LIMITS, "raised ValueError in"),
        ("short", LIMITS, "for 30 rows"),
    ],
)
def test_every_failure_is_a_replay_error_with_its_reason(
    runner: SubprocessRunner, model: str, limits: dict[str, int], reason: str
) -> None:
    with pytest.raises(ReplayError, match=reason):
        runner.score(model, "1", table(), **limits)


@pytest.mark.slow
def test_a_reason_never_repeats_a_value_from_the_rows(runner: SubprocessRunner) -> None:
    with pytest.raises(ReplayError) as told:
        runner.score("raising", "1", table(), **LIMITS)
    assert "4711" not in str(told.value)


@pytest.mark.slow
def test_the_child_sees_none_of_our_secrets(runner: SubprocessRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_TOKEN", "MLFLOW_TRACKING_URI", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    seen = runner.score("curious", "1", table(2).slice(0, 1), **LIMITS).column("prediction")[0].as_py()
    for name in ("SLACK_TOKEN", "MLFLOW_TRACKING_URI", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"):
        assert name not in seen
    assert "'HOME'" in seen


@pytest.mark.slow
def test_missing_columns_and_unknown_versions_are_told_before_a_process_starts(runner: SubprocessRunner) -> None:
    with pytest.raises(ReplayError, match="does not have: age"):
        runner.score("sk", "1", table().drop_columns(["age"]), **LIMITS)
    with pytest.raises(ReplayError, match="could not be replayed"):
        runner.score("sk", "9", table(), **LIMITS)


@pytest.mark.slow
def test_nothing_is_left_in_the_temporary_folder(
    runner: SubprocessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runner.score("sk", "1", table(3), **LIMITS)
    with pytest.raises(ReplayError):
        runner.score("raising", "1", table(3), **LIMITS)
    assert list(tmp_path.iterdir()) == []


def test_the_childs_environment_is_made_of_named_parts_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYTHING", "1")
    environment = child_environment(tmp_path)
    assert "ANYTHING" not in environment
    assert environment["PATH"] == os.defpath


def test_a_cast_that_would_lose_something_is_refused_by_column_and_type() -> None:
    rows = pa.table({"n": [1.5], "t": pa.array(["a"]).dictionary_encode()})
    assert _cast(rows, {"t": "string"}).column("t").type == pa.string()
    with pytest.raises(Unfit, match=r"'n' is double, which is not safely a long"):
        _cast(rows, {"n": "long"})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (np.array([1, 0]), ["1", "0"]),
        (np.array([[1], [0]]), ["1", "0"]),
        (np.array([True, False]), ["1", "0"]),
        (np.array([1.0, 0.0]), ["1", "0"]),
        (["a", None], ["a", None]),
        (pd.Series([0.5, float("nan")]), ["0.5", None]),
        (pd.DataFrame({"anything": ["x", "y"]}), ["x", "y"]),
        (pd.DataFrame({"score": [0.1, 0.2], "prediction": ["x", "y"]}), ["x", "y"]),
    ],
)
def test_answers_of_every_shape_become_text(answer: object, expected: list[str | None]) -> None:
    assert _table(answer, 2).column("prediction").to_pylist() == expected


@pytest.mark.parametrize("answer", [np.zeros((2, 3)), np.zeros(3), pd.DataFrame({"a": [1, 2], "b": [1, 2]}), 5])
def test_answers_that_do_not_fit_the_rows_are_refused(answer: object) -> None:
    with pytest.raises(Unfit):
        _table(answer, 2)
