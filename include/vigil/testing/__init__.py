"""For the authors of adapters: stand-ins for the ports, and the contracts that every adapter of a port passes.

Needs pytest. See docs/add-a-store.md and docs/add-a-notifier.md.
"""

import pytest

for _suite in ("log_writes", "log_nights", "log_reads", "prediction_log", "notifier", "results"):
    pytest.register_assert_rewrite(f"vigil.testing.{_suite}")  # a failed comparison shows both sides

from vigil.adapters.memory import FrozenClock as FrozenClock  # noqa: E402 - after the suites are registered
from vigil.adapters.memory import MemoryLease as MemoryLease  # noqa: E402
from vigil.adapters.memory import MemoryLedger as MemoryLedger  # noqa: E402
from vigil.adapters.memory import MemoryOutbox as MemoryOutbox  # noqa: E402
from vigil.adapters.memory import MemoryProfiles as MemoryProfiles  # noqa: E402
from vigil.adapters.memory import MemoryResults as MemoryResults  # noqa: E402
from vigil.adapters.memory_notifier import MemoryNotifier as MemoryNotifier  # noqa: E402
from vigil.adapters.memory_registry import MemoryRegistry as MemoryRegistry  # noqa: E402
from vigil.testing.notifier import NotifierContract as NotifierContract  # noqa: E402
from vigil.testing.notifier import NotifierWorld as NotifierWorld  # noqa: E402
from vigil.testing.prediction_log import PredictionLogContract as PredictionLogContract  # noqa: E402
from vigil.testing.results import ResultsContract as ResultsContract  # noqa: E402
from vigil.testing.shape import methods_of as methods_of  # noqa: E402
from vigil.testing.shape import unlike as unlike  # noqa: E402
