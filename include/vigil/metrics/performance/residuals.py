"""Whether the errors of a regression moved, or spread."""

from collections.abc import Iterator
from math import exp, log, sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import plain, unknown
from vigil.metrics.reasons import NO_BASELINE, NO_SPREAD, TOO_FEW, because
from vigil.metrics.types import Reading
from vigil.profiles.types import Errors


def _moments(e: Errors) -> tuple[float, float]:
    mean = e.total / e.n
    return mean, sqrt(max(e.squared / e.n - mean * mean, 0.0))


def _both(given: Given) -> tuple[Errors, Errors] | Reading:
    now, was = given.tonight.outcome.errors, given.baseline.outcome.errors if given.baseline else Errors()
    if not now.n:
        return unknown("all", absent(given))
    if was.n < 2:
        return unknown("all", because(NO_BASELINE, "no labelled rows in it"), n=now.n)
    if now.n < 2:
        return unknown("all", because(TOO_FEW, "one labelled row has no spread"), n=now.n)
    if not _moments(was)[1] or not _moments(now)[1]:
        return unknown("all", because(NO_SPREAD, "the errors are all the same"), n=now.n)
    return now, was


def residual_shift(given: Given) -> Iterator[Reading]:
    """(mean error tonight - on the baseline) / sd of the baseline's errors; 0 is no shift. n: labelled rows.

    error = prediction - label, so above 0 the model says more than it used to. Interval: normal.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> now, was = Errors(n=100, total=50.0, squared=125.0), Errors(n=100, total=0.0, squared=100.0)
    >>> next(residual_shift(told(Outcome(errors=now, labelled=100), Outcome(errors=was)))).value
    0.5
    """
    both = _both(given)
    if isinstance(both, Reading):
        yield both
        return
    now, was = both
    (mean1, sd1), (mean0, sd0) = _moments(now), _moments(was)
    value = (mean1 - mean0) / sd0
    half = z_of() * sqrt((sd1 / sd0) ** 2 / now.n + 1 / was.n)
    words = f"mean error {plain(mean0)} -> {plain(mean1)}"
    yield Reading(subject="all", value=value, low=value - half, high=value + half, n=now.n, detail=words)


def residual_spread(given: Given) -> Iterator[Reading]:
    """sd of tonight's errors / sd of the baseline's; 1 is no change, above 1 the model is less sure. n: labelled rows.

    Interval: of the log ratio, for normal errors; too narrow with heavy tails.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> now, was = Errors(n=100, squared=400.0), Errors(n=100, squared=100.0)
    >>> next(residual_spread(told(Outcome(errors=now, labelled=100), Outcome(errors=was)))).value
    2.0
    """
    both = _both(given)
    if isinstance(both, Reading):
        yield both
        return
    now, was = both
    value = _moments(now)[1] / _moments(was)[1]
    half = z_of() * sqrt(1 / (2 * (now.n - 1)) + 1 / (2 * (was.n - 1)))
    yield Reading(subject="all", value=value, low=exp(log(value) - half), high=exp(log(value) + half), n=now.n)
