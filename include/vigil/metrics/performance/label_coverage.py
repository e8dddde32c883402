"""Share of the night's rows whose label is known."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def label_coverage(given: Given) -> Iterator[Reading]:
    """Labelled rows / rows, in [0, 1]. Labels arrive late: a young cohort has few, and 0 is a value, not a gap.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> next(label_coverage(told(Outcome(labelled=30), rows=120))).value
    0.25
    """
    night = given.tonight
    yield share("all", min(night.outcome.labelled, night.rows), night.rows)
