"""Every prediction log of the project against the public contract."""

import pytest

from vigil.testing import PredictionLogContract
from vigil.wiring import open_log


class TestParquetLog(PredictionLogContract):
    @pytest.fixture
    def log(self, tmp_path):
        return open_log(tmp_path)
