"""Mean error."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import unknown
from vigil.metrics.types import Reading


def bias(given: Given) -> Iterator[Reading]:
    """mean (prediction - label), in the target's unit; 0 is good, above 0 the model says too much. n: labelled rows.

    Exact, with the normal interval of a mean.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> next(bias(told(Outcome(labelled=4, errors=Errors(n=4, total=-2.0, absolute=6.0, squared=10.0))))).value
    -0.5
    """
    e = given.tonight.outcome.errors
    if not e.n:
        yield unknown("all", absent(given))
        return
    value = e.total / e.n
    half = z_of() * sqrt(max(e.squared / e.n - value * value, 0.0) / e.n)
    yield Reading(subject="all", value=value, low=value - half, high=value + half, n=e.n)
