"""Share of the most frequent prediction."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.intervals import wilson
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_ROWS
from vigil.metrics.types import Reading


def top_class_share(given: Given) -> Iterator[Reading]:
    """Rows of the most frequent predicted class / rows with a prediction, in (0, 1]; 1: it always says the same.

    The detail names the class. It has no parts: the most frequent class may be another one on another night, so
    nights do not add up.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> reading = next(top_class_share(told(Outcome(predictions={"1": 30, "0": 70}))))
    >>> reading.value, reading.detail
    (0.7, "'0'")
    """
    counts = given.tonight.outcome.predictions
    n = sum(counts.values())
    if not n:
        yield unknown("all", NO_ROWS)
        return
    top = max(sorted(counts), key=lambda k: counts[k])
    low, high = wilson(counts[top], n)
    yield Reading(subject="all", value=counts[top] / n, low=low, high=high, n=n, detail=repr(top[:40]))
