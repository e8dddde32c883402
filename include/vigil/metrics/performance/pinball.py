"""Quantile loss of a prediction: what saying too much and too little costs, when one is worse."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import unknown
from vigil.metrics.types import Reading


def _loss(given: Given, tau: float) -> Iterator[Reading]:
    e = given.tonight.outcome.errors
    if not e.n:
        yield unknown("all", absent(given))
        return
    over, under = (e.absolute + e.total) / 2, (e.absolute - e.total) / 2
    value = (tau * under + (1 - tau) * over) / e.n
    half = z_of() * sqrt(max(max(tau, 1 - tau) ** 2 * e.squared / e.n - value * value, 0.0) / e.n)
    yield Reading(subject="all", value=value, low=max(0.0, value - half), high=value + half, n=e.n)


def pinball_loss_10(given: Given) -> Iterator[Reading]:
    """mean of 0.1 x (label - prediction) where too little was said, 0.9 x where too much; lower is better.

    The loss of a 10 % quantile, in the target's unit. The value is exact; the interval is on the wide side, since the
    profile keeps the squared errors of both sides together. Source: Koenker and Bassett (1978).

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> errors = Errors(n=2, total=1.0, absolute=3.0, squared=5.0)
    >>> round(next(pinball_loss_10(told(Outcome(labelled=2, errors=errors)))).value, 3)
    0.95
    """
    yield from _loss(given, 0.1)


def pinball_loss_90(given: Given) -> Iterator[Reading]:
    """mean of 0.9 x (label - prediction) where too little was said, 0.1 x where too much; lower is better.

    As `pinball_loss_10`, of a 90 % quantile. The 50 % quantile's loss is half the MAE.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors, Outcome
    >>> errors = Errors(n=2, total=1.0, absolute=3.0, squared=5.0)
    >>> round(next(pinball_loss_90(told(Outcome(labelled=2, errors=errors)))).value, 3)
    0.55
    """
    yield from _loss(given, 0.9)
