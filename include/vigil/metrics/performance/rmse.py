"""Root mean squared error."""

from collections.abc import Iterator
from math import exp, sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import unknown
from vigil.metrics.types import Reading


def rmse(given: Given) -> Iterator[Reading]:
    """sqrt(mean (prediction - label)^2), in the target's unit, 0 or more; lower is better. n: labelled rows.

    Exact. The interval assumes normal errors: the sd of ln(RMSE) is then 1 / sqrt(2 n); with heavy tails it is too
    narrow, since the profile keeps no fourth moment.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> next(rmse(told(Outcome(labelled=4, errors=Errors(n=4, squared=16.0))))).value
    2.0
    """
    e = given.tonight.outcome.errors
    if not e.n:
        yield unknown("all", absent(given))
        return
    value, factor = sqrt(e.squared / e.n), exp(z_of() / sqrt(2 * e.n))
    yield Reading(subject="all", value=value, low=value / factor, high=value * factor, n=e.n)
