from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.serving import serving_stage


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return serving_stage.save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def registry(saved_models: Mapping[str, Path], tmp_path: Path) -> serving_stage.FolderRegistry:
    """iris: 1 setosa, 2 virginica. credit: 1 logistic, then one version for each odd pyfunc, named like it."""
    made = serving_stage.FolderRegistry(tmp_path / "registry")
    made.add("iris", "1", saved_models["setosa"])
    made.add("iris", "2", saved_models["virginica"])
    made.add("iris", "unsigned", saved_models["unsigned"])
    made.add("credit", "1", saved_models["credit"])
    for name in serving_stage.BODIES:
        made.add("credit", name, saved_models[name])
    made.point("iris", "1")
    made.point("credit", "1")
    return made
