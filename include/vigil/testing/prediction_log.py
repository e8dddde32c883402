"""The contract of the port PredictionLog."""

import pytest

from vigil.ports import PredictionLog
from vigil.testing.log_nights import LogNights
from vigil.testing.log_reads import LogReads
from vigil.testing.log_writes import LogWrites
from vigil.testing.shape import unlike


class PredictionLogContract(LogWrites, LogNights, LogReads):
    """Every prediction log passes this: subclass it in a test file, with a fixture `log` that opens an empty one.

    >>> import pytest
    >>> class TestMyLog(PredictionLogContract):
    ...     @pytest.fixture
    ...     def log(self, tmp_path):
    ...         return MyLog(tmp_path)
    """

    @pytest.fixture
    def log(self) -> PredictionLog:
        """An empty log of your store; override it."""
        raise NotImplementedError("give the subclass of PredictionLogContract a fixture `log` that opens an empty log")

    def test_it_has_every_method_of_the_port(self, log: PredictionLog) -> None:
        assert unlike(log, PredictionLog) == ()
