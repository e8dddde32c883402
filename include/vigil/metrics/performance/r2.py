"""Share of the labels' variance that the predictions explain."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_SPREAD, because
from vigil.metrics.types import Reading


def r2(given: Given) -> Iterator[Reading]:
    """1 - sum (prediction - label)^2 / sum (label - mean label)^2, at most 1; 0 is the mean's own. n: labelled rows.

    Exact. No interval: the profile keeps no fourth moments. It falls when the labels of a night vary less, though no
    error grew: read it beside RMSE. Source: Wright (1921).

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> errors = Errors(n=4, squared=2.0, label_total=10.0, label_squared=30.0)
    >>> next(r2(told(Outcome(labelled=4, errors=errors)))).value
    0.6
    """
    e = given.tonight.outcome.errors
    if not e.n:
        yield unknown("all", absent(given))
        return
    varied = e.label_squared - e.label_total**2 / e.n
    if varied <= 1e-12 * e.label_squared:
        yield unknown("all", because(NO_SPREAD, "all labels are the same"), n=e.n)
        return
    yield Reading(subject="all", value=1 - e.squared / varied, n=e.n)
