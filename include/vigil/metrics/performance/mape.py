"""Mean absolute percentage error."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_ROWS, because
from vigil.metrics.types import Reading


def mape(given: Given) -> Iterator[Reading]:
    """mean |prediction - label| / |label| over rows whose label is not 0, as a share; lower is better. Exact.

    Its traps: rows whose label is 0 are left out (the detail counts them), small labels dominate, and saying too little
    is punished less than saying too much. Prefer MAE where labels come near 0. Source: Hyndman and Koehler (2006).

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> errors = Errors(n=5, relative=1.0, relative_squared=0.3, relative_n=4)
    >>> reading = next(mape(told(Outcome(labelled=5, errors=errors))))
    >>> reading.value, reading.detail
    (0.25, '1 of 5 labels is 0 and left out')
    """
    e = given.tonight.outcome.errors
    if not e.n:
        yield unknown("all", absent(given))
        return
    if not e.relative_n:
        yield unknown("all", because(NO_ROWS, "every label is 0"), n=e.n)
        return
    value, zeros = e.relative / e.relative_n, e.n - e.relative_n
    half = z_of() * sqrt(max(e.relative_squared / e.relative_n - value * value, 0.0) / e.relative_n)
    words = f"{zeros:,} of {e.n:,} labels {'is' if zeros == 1 else 'are'} 0 and left out" if zeros else ""
    low, high = max(0.0, value - half), value + half
    yield Reading(subject="all", value=value, low=low, high=high, n=e.relative_n, detail=words)
