"""Mean absolute error."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import unknown
from vigil.metrics.types import Reading


def mae(given: Given) -> Iterator[Reading]:
    """mean |prediction - label|, in the target's unit, 0 or more; lower is better. n: labelled rows.

    Exact, with the normal interval of a mean: var |e| = mean e^2 - (mean |e|)^2.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> next(mae(told(Outcome(labelled=4, errors=Errors(n=4, absolute=6.0, squared=10.0))))).value
    1.5
    """
    e = given.tonight.outcome.errors
    if not e.n:
        yield unknown("all", absent(given))
        return
    value = e.absolute / e.n
    half = z_of() * sqrt(max(e.squared / e.n - value * value, 0.0) / e.n)
    yield Reading(subject="all", value=value, low=max(0.0, value - half), high=value + half, n=e.n)
