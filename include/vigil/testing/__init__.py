"""For the authors of adapters: stand-ins for the ports, and the suites that every adapter of a port passes.

Needs pytest. See docs/add-a-store.md and docs/add-a-notifier.md.
"""

from vigil.testing.clocks import StoppedClock as StoppedClock
from vigil.testing.shape import methods_of as methods_of
from vigil.testing.shape import unlike as unlike
