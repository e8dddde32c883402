"""What every Registry does, in memory and on MLflow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from tests.unit.adapters import mlflow_stage
from vigil.core.errors import RegistryError, TamperedArtifact
from vigil.core.words import Role
from vigil.ports import Registry


class Made(NamedTuple):
    """A registry with one model of two versions, and the folder of a version's files in its store."""

    registry: Registry
    model: str
    store: Callable[[str], Path]


def memory(folder: Path) -> Made:
    from vigil.adapters.memory_registry import MemoryRegistry

    registry = MemoryRegistry(folder)
    for _ in range(2):
        registry.add(
            "credit",
            files={"MLmodel": b"flavors: {}", "data/model.bin": b"1"},
            inputs={"age": "double", "income": "double"},
            holdout=pa.Table.from_pandas(mlflow_stage.holdout()),
        )
    return Made(registry, "credit", lambda version: registry.store("credit", version))


def mlflow(folder: Path) -> Made:
    registry = mlflow_stage.open_registry(folder)
    for _ in range(2):
        mlflow_stage.register(registry, "credit", mlflow_stage.logistic())

    def store(version: str) -> Path:
        source = registry.client.get_model_version("credit", version).source
        return next(folder.rglob(f"{source.removeprefix('models:/')}/artifacts"))

    return Made(registry, "credit", store)


@pytest.fixture(scope="module", params=[memory, pytest.param(mlflow, marks=pytest.mark.slow)])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    made: Made = request.param(tmp_path_factory.mktemp("registry"))
    return made


def test_versions_are_text_numbers_oldest_first_with_manifest_and_inputs(made: Made) -> None:
    versions = made.registry.versions(made.model)
    assert [v.version for v in versions] == ["1", "2"]
    for v in versions:
        assert v.status == "READY"
        assert v.manifest["MLmodel"]
        assert v.inputs == {"age": "double", "income": "double"}
        assert v.created_at.utcoffset() is not None


def test_an_alias_points_at_the_version_written_last(made: Made) -> None:
    for version in ("1", "2", "1"):
        made.registry.move_alias(made.model, "champion", version)
        assert made.registry.serving(made.model).champion == version
    made.registry.move_alias(made.model, "fallback", "2")
    state = made.registry.serving(made.model)
    assert (state.champion, state.fallback, state.challenger) == ("1", "2", None)
    assert made.registry.version(made.model, "1").aliases == ("champion",)
    assert [v.aliases for v in made.registry.versions(made.model)] == [("champion",), ("fallback",)]


def test_the_fallback_stands_in_until_the_champion_serves_again(made: Made) -> None:
    made.registry.move_alias(made.model, "champion", "1")
    made.registry.move_alias(made.model, "fallback", "2")
    made.registry.serve(made.model, Role.FALLBACK)
    assert made.registry.serving(made.model).serving == "2"
    made.registry.serve(made.model, Role.CHAMPION)
    assert made.registry.serving(made.model).serving == "1"


def test_a_challenger_cannot_serve(made: Made) -> None:
    with pytest.raises(RegistryError, match="challenger"):
        made.registry.serve(made.model, Role.CHALLENGER)


def test_a_tag_is_read_back_and_overwritten(made: Made) -> None:
    for value in ("20261120-credit", ""):
        made.registry.tag(made.model, "2", "vigil.quarantined", value)
        assert made.registry.version(made.model, "2").tags["vigil.quarantined"] == value


@pytest.mark.parametrize(
    "ask",
    [
        lambda r, m: r.version(m, "99"),
        lambda r, m: r.move_alias(m, "champion", "99"),
        lambda r, m: r.tag(m, "99", "k", "v"),
        lambda r, m: r.verify(m, "99"),
        lambda r, m: r.holdout(m, "99"),
        lambda r, m: r.serving("nobody"),
        lambda r, m: r.versions("nobody"),
    ],
)
def test_what_is_not_there_is_a_registry_error(made: Made, ask: Callable[[Registry, str], Any]) -> None:
    with pytest.raises(RegistryError):
        ask(made.registry, made.model)


def test_the_holdout_comes_back_as_it_was_given(made: Made) -> None:
    table = made.registry.holdout(made.model, "1")
    assert table.to_pandas().equals(mlflow_stage.holdout())


def test_a_verified_folder_holds_exactly_the_manifest(made: Made) -> None:
    folder = made.registry.verify(made.model, "1")
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert files == set(made.registry.version(made.model, "1").manifest)
    assert made.registry.verify(made.model, "1") == folder


@pytest.mark.parametrize("fault", ["changed", "missing", "added"])
def test_tampering_names_the_file_even_after_a_good_copy_was_cached(made: Made, fault: str) -> None:
    made.registry.verify(made.model, "2")
    path = made.store("2") / ("more.py" if fault == "added" else "MLmodel")
    before = path.read_bytes() if path.exists() else None
    if fault == "missing":
        path.unlink()
    else:
        path.write_bytes(b"artifact_path: elsewhere")
    try:
        with pytest.raises(TamperedArtifact, match=f"{path.name} (is|was) {fault}"):
            made.registry.verify(made.model, "2")
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
    assert made.registry.verify(made.model, "2").is_dir()


def test_a_cached_copy_that_was_changed_on_disk_is_replaced(made: Made) -> None:
    folder = made.registry.verify(made.model, "1")
    (folder / "MLmodel").write_bytes(b"flavors: {evil: {}}")
    (folder / "added.py").write_text("import os")
    again = made.registry.verify(made.model, "1")
    assert again == folder
    assert not (again / "added.py").exists()
    assert (again / "MLmodel").read_bytes() != b"flavors: {evil: {}}"
