"""A bank whose first ten nights were quiet, made once and copied for each test."""

from pathlib import Path

import pytest
from stage import Bank, copied


@pytest.fixture(scope="session")
def quiet_past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    Bank(folder).promoted().teach()
    return folder


@pytest.fixture
def bank(quiet_past: Path, tmp_path: Path) -> Bank:
    """Version 2 is champion, 3 the fallback, ten nights are judged; tonight nothing was served yet."""
    return copied(quiet_past, tmp_path / "bank")
