"""MLflow: what registration records, what a night logs, and how failures are told."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import mlflow_stage
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.adapters import mlflow_register
from vigil.adapters.mlflow_night import metric_name
from vigil.adapters.mlflow_register import dataset_sha256
from vigil.adapters.mlflow_registry import MlflowRegistry
from vigil.adapters.model_files import keep_verified, manifest_of
from vigil.config.schema import Monitor
from vigil.core.errors import RegistryError, TamperedArtifact
from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.types import NightResult, State, Verdict

FRAMES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-5, 5)),
        st.one_of(st.floats(allow_nan=True), st.just(-0.0)),
        st.one_of(st.none(), st.text(max_size=3)),
    ),
    max_size=8,
).map(lambda rows: pd.DataFrame(rows, columns=["a", "b", "c"]))


@settings(max_examples=60, deadline=None)
@given(FRAMES, st.randoms(use_true_random=False))
def test_the_dataset_digest_does_not_depend_on_order(frame: pd.DataFrame, random: Any) -> None:
    order = random.sample(range(len(frame)), len(frame))
    assert dataset_sha256(frame) == dataset_sha256(frame.iloc[order][["c", "a", "b"]])


@pytest.mark.parametrize(
    "other",
    [
        pd.DataFrame({"x": [1.0, 2.0], "y": ["u", "w"]}),
        pd.DataFrame({"x": [1.0, 2.0, 2.0], "y": ["u", "v", "v"]}),
        pd.DataFrame({"x": [2.0, 1.0], "y": ["u", "v"]}),
        pd.DataFrame({"x": [1.0, 2.0], "z": ["u", "v"]}),
        pd.DataFrame({"x": [1.0, 2.0 + 1e-15], "y": ["u", "v"]}),
        pd.DataFrame({"x": [1.0, np.nan], "y": ["u", "v"]}),
        pd.DataFrame({"x": [1.0, 2.0], "y": ["u", "v"]}).iloc[:1],
    ],
)
def test_the_dataset_digest_changes_with_any_cell_row_or_name(other: pd.DataFrame) -> None:
    assert dataset_sha256(other) != dataset_sha256(pd.DataFrame({"x": [1.0, 2.0], "y": ["u", "v"]}))


def test_every_missing_value_is_the_same_in_the_digest() -> None:
    assert dataset_sha256(pd.DataFrame({"x": [None]}, dtype=object)) == dataset_sha256(pd.DataFrame({"x": [np.nan]}))


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(max_size=300))
def test_metric_names_are_accepted_by_mlflow(subject: str) -> None:
    from mlflow.utils.validation import _validate_metric_name

    _validate_metric_name(metric_name("psi", subject))


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_metric_names_tell_subjects_apart(one: str, other: str) -> None:
    plain = one.replace("=", ".", 1), other.replace("=", ".", 1)
    assert (metric_name("psi", one) == metric_name("psi", other)) == (plain[0] == plain[1])


def test_two_fetches_at_once_give_one_whole_folder(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "MLmodel").write_text("x")
    manifest = manifest_of(source)

    def fetch(_: int) -> Path:
        return keep_verified(
            tmp_path / "cache",
            manifest,
            what="m",
            fetch=lambda to: Path(shutil.copytree(source, to, dirs_exist_ok=True)),
        )

    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(fetch, range(32)))
    assert len(folders) == 1
    assert manifest_of(folders.pop()) == manifest
    assert [p.name for p in (tmp_path / "cache").iterdir() if p.name.startswith(".")] == []


def test_a_link_in_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").symlink_to("/etc/hostname")
    with pytest.raises(TamperedArtifact, match="MLmodel"):
        manifest_of(tmp_path)


def test_a_version_without_a_manifest_cannot_be_verified(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="no manifest"):
        keep_verified(tmp_path, {}, what="m", fetch=lambda to: to)


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(["git", "-C", folder, *who, *words], capture_output=True, text=True, check=True).stdout


def test_the_commit_and_the_dirty_flag_are_gits(tmp_path: Path) -> None:
    assert mlflow_register.git_state(tmp_path) == {}
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    head = git(tmp_path, "rev-parse", "HEAD").strip()
    assert mlflow_register.git_state(tmp_path) == {"vigil.git.commit": head, "vigil.git.dirty": "false"}
    (tmp_path / "train.py").write_text("")
    assert mlflow_register.git_state(tmp_path)["vigil.git.dirty"] == "true"


def test_without_git_a_version_is_registered_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mlflow_register.git_state(tmp_path) == {}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> MlflowRegistry:
    return mlflow_stage.open_registry(tmp_path_factory.mktemp("mlflow"))


@pytest.mark.slow
def test_registration_records_what_a_trace_needs(registry: MlflowRegistry) -> None:
    info = mlflow_stage.register(registry, "traced", mlflow_stage.logistic(), tags={"why": "test"})
    assert info.version == "1"
    assert info.aliases == ()
    assert info.dataset_sha256 == dataset_sha256(mlflow_stage.rows())
    assert info.tags["why"] == "test"
    run = registry.client.get_run(info.run_id)
    assert run.data.params == {"c": "1.0"}
    assert run.data.metrics["auc"] == 0.9
    assert run.info.status == "FINISHED"
    dataset = run.inputs.dataset_inputs[0]
    assert info.dataset_sha256 is not None
    assert info.dataset_sha256.startswith(dataset.dataset.digest)


@pytest.mark.slow
def test_a_long_manifest_is_kept_as_an_artefact_and_its_digest_is_checked(
    registry: MlflowRegistry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mlflow_register, "MANIFEST_TAG_BYTES", 10)
    info = mlflow_stage.register(registry, "big", mlflow_stage.logistic())
    assert "vigil.manifest" not in info.tags
    assert "MLmodel" in info.manifest
    assert registry.verify("big", "1").is_dir()
    fresh = MlflowRegistry(registry.tracking_uri, tmp_path)
    artefact = next(Path(registry.tracking_uri.removeprefix("sqlite:///")).parent.rglob("vigil/manifest.json"))
    artefact.write_text(json.dumps({"MLmodel": "0"}))
    with pytest.raises(TamperedArtifact, match=r"manifest\.json"):
        fresh.version("big", "1")


@pytest.mark.slow
def test_a_version_that_somebody_loaded_with_mlflow_itself_is_not_tampered_with(registry: MlflowRegistry) -> None:
    info = mlflow_stage.register(registry, "loaded", mlflow_stage.logistic())
    script = "import mlflow; mlflow.pyfunc.load_model('models:/loaded/1')"
    uris = dict.fromkeys(("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"), registry.tracking_uri)
    subprocess.run([sys.executable, "-c", script], env={**os.environ, **uris}, check=True)
    store = Path(registry.tracking_uri.removeprefix("sqlite:///")).parent
    assert list(store.rglob("registered_model_meta")) != []  # MLflow's own note, in the store itself
    assert manifest_of(registry.verify("loaded", "1")) == dict(info.manifest)


@pytest.mark.slow
def test_a_changed_holdout_is_refused(registry: MlflowRegistry) -> None:
    info = mlflow_stage.register(registry, "swapped", mlflow_stage.logistic())
    store = Path(registry.tracking_uri.removeprefix("sqlite:///")).parent
    path = next(store.rglob(f"{info.run_id}/artifacts/vigil/holdout.parquet"))
    mlflow_stage.rows(3).to_parquet(path)
    with pytest.raises(TamperedArtifact, match=r"holdout\.parquet"):
        registry.holdout("swapped", "1")


@pytest.mark.slow
def test_registration_needs_a_labelled_holdout(registry: MlflowRegistry) -> None:
    with pytest.raises(RegistryError, match="label"):
        mlflow_register.register_version(
            registry,
            model="m",
            sk_or_pyfunc=None,
            input_example=mlflow_stage.rows(2),
            holdout=pd.DataFrame({"prediction": []}),
            training_rows=mlflow_stage.rows(2),
            params={},
            metrics={},
        )


@pytest.mark.slow
def test_a_source_outside_mlflow_is_not_fetched(registry: MlflowRegistry, tmp_path: Path) -> None:
    registry.client.create_registered_model("foreign")
    registry.client.create_model_version("foreign", tmp_path.as_uri(), tags={"vigil.manifest": '{"MLmodel": "0"}'})
    with pytest.raises(RegistryError, match="not a model logged"):
        registry.verify("foreign", "1")


@pytest.mark.slow
def test_a_server_that_is_down_is_a_registry_error_with_the_address_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    down = MlflowRegistry("http://user:secret@127.0.0.1:9", tmp_path)
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:9") as told:
        down.serving("credit")
    assert "secret" not in str(told.value)


def night(**changes: Any) -> NightResult:
    def verdict(subject: str, value: float | None) -> Verdict:
        measured = Measurement(
            metric="psi",
            subject=subject,
            family=Family.DRIFT,
            kind=Kind.NUMBER,
            value=value,
            n=100,
            unit="nats",
            worse=Worse.HIGHER,
        )
        return Verdict(
            metric="psi", subject=subject, family=Family.DRIFT, state=State.OK, reason="r", measurement=measured
        )

    given_ = {
        "monitor": "traced",
        "environment": "production",
        "night": date(2026, 11, 20),
        "partition_digest": "p",
        "config_digest": "c",
        "edges_digest": "e",
        "rows": 300,
        "verdicts": (verdict("age", 0.1), verdict("../<b>", 0.2), verdict("x", None), verdict("y", float("inf"))),
    }
    return NightResult(**{**given_, **changes})


MONITOR = Monitor.model_validate(
    {
        "version": "vigil/v1",
        "model": "traced",
        "task": "multiclass",
        "features": {"age": "numeric"},
        "people": {"owner": "o@bank.example"},
    }
)


@pytest.mark.slow
def test_a_night_is_logged_once_per_judgement_with_numbers_states_and_report(
    registry: MlflowRegistry, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    report.write_text("<p>fine</p>")
    first = registry.log_night(MONITOR, night(), report=report, incident="i-1")
    assert registry.log_night(MONITOR, night(), report=report) == first
    assert registry.log_night(MONITOR, night(partition_digest="late labels"), report=None) != first
    assert first is not None
    run = registry.client.get_run(first)
    assert run.info.run_name.startswith("night-2026-11-20-")
    assert run.info.status == "FINISHED"
    assert run.data.metrics["psi/age"] == 0.1
    assert 0.2 in run.data.metrics.values()
    assert run.data.metrics["verdicts/ok"] == 4
    assert len(run.data.metrics) == 4
    assert run.data.tags["vigil.states"] == "ok=4"
    assert run.data.tags["vigil.incident"] == "i-1"
    assert [f.path for f in registry.client.list_artifacts(first)] == ["report.html"]


@pytest.mark.slow
def test_a_night_that_a_crash_left_unfinished_is_finished(registry: MlflowRegistry) -> None:
    result = night(night=date(2026, 11, 21))
    run_id = registry.log_night(MONITOR, result, report=None)
    registry.client.update_run(run_id, status="RUNNING")
    assert registry.log_night(MONITOR, result, report=None) == run_id
    assert registry.client.get_run(run_id).info.status == "FINISHED"
