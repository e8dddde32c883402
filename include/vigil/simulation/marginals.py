"""The values of a feature as a monotone function of a normal score, and how a fault moves that score.

A fault works on the score, so that whatever moves stays what it is: counts stay counts, grades stay grades, zeros stay
zeros. How far the score must move so that the mean moves by so many sd is solved on a grid of the distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vigil.core.errors import DataError
from vigil.simulation.regimes import Numeric, Shape

Array = NDArray[Any]
POINTS = 4000  # of the grid
FARTHEST = 6.0  # a normal score beyond this is none


class Marginal(Protocol):
    """A distribution: normal scores -> values, never falling."""

    def values(self, z: Array) -> Array:
        """The values at these scores."""
        ...


@cache
def grid() -> tuple[Array, Array]:
    """(probabilities, normal scores) of equally likely points, with far tails at both ends."""
    tails = 10.0 ** -np.arange(9, 4, -1)
    p = np.concatenate([tails, (np.arange(POINTS) + 0.5) / POINTS, (1 - tails)[::-1]])
    return p, np.array([NormalDist().inv_cdf(float(each)) for each in p])


@cache
def _likely() -> Array:
    """The equally likely scores alone: means over them are means of the distribution."""
    return grid()[1][5:-5]


def probability(z: Array) -> Array:
    """The normal distribution function."""
    p, score = grid()
    return np.interp(z, score, p)


def normal_score(p: Array) -> Array:
    """Its inverse."""
    known, score = grid()
    return np.interp(p, known, score)


def cuts(shares: tuple[float, ...]) -> Array:
    """Scores between ordered levels that have these shares."""
    return normal_score(np.cumsum(shares)[:-1] / np.sum(shares))


class Made:
    """A feature of regimes.yaml."""

    def __init__(self, about: Numeric) -> None:
        self._about = about
        self._cuts = cuts(about.shares) if about.shares else np.array([])
        self._zero = float(normal_score(np.array(about.zeros))) if about.zeros else 0.0

    def values(self, z: Array) -> Array:
        """As the shape says."""
        return SHAPES[self._about.kind](self, z)

    def _normal(self, z: Array) -> Array:
        return self._about.centre + self._about.spread * z

    def _lognormal(self, z: Array) -> Array:
        return self._about.centre * np.exp(self._about.spread * z)

    def _heavy_tailed(self, z: Array) -> Array:
        return self._about.centre + self._about.spread * np.sinh(self._about.tail * z) / self._about.tail

    def _zero_inflated(self, z: Array) -> Array:
        return self._about.centre * np.expm1(self._about.spread * np.maximum(z - self._zero, 0.0))

    def _integer(self, z: Array) -> Array:
        return np.floor(self._lognormal(z))

    def _bimodal(self, z: Array) -> Array:
        return self._about.centre + self._about.spread * (0.4 * z + 1.2 * np.tanh(3.0 * z))

    def _ordinal(self, z: Array) -> Array:
        return 1.0 + np.searchsorted(self._cuts, z)

    def _score(self, z: Array) -> Array:
        return 1.0 / (1.0 + np.exp(-self._normal(z)))


SHAPES: dict[Shape, Callable[[Made, Array], Array]] = {
    Shape.NORMAL: Made._normal,
    Shape.LOGNORMAL: Made._lognormal,
    Shape.HEAVY_TAILED: Made._heavy_tailed,
    Shape.ZERO_INFLATED: Made._zero_inflated,
    Shape.INTEGER: Made._integer,
    Shape.BIMODAL: Made._bimodal,
    Shape.ORDINAL: Made._ordinal,
    Shape.SCORE: Made._score,
}


class Seen:
    """The distribution of values that somebody's log has; nothing beyond them is ever drawn."""

    def __init__(self, values: Array) -> None:
        self._sorted = np.sort(values[np.isfinite(values)].astype(float))

    def values(self, z: Array) -> Array:
        """The value at each score."""
        n = len(self._sorted)
        found: Array = self._sorted[np.clip((probability(z) * n).astype(int), 0, n - 1)]
        return found

    def scores(self, x: Array, rng: np.random.Generator) -> Array:
        """The score of each value; equal values share the room between their neighbours."""
        low, high = np.searchsorted(self._sorted, x, "left"), np.searchsorted(self._sorted, x, "right")
        within = 0.01 + 0.98 * rng.random(len(x))
        return normal_score((low + within * np.maximum(high - low, 0)) / len(self._sorted))


def scores_of(marginal: Marginal, x: Array) -> Array:
    """About the score that these values would have: what a model makes of a value in the wrong unit."""
    z = grid()[1]
    return np.interp(x, marginal.values(z), z)


def moments(marginal: Marginal, shift: float = 0.0, stretch: float = 1.0) -> tuple[float, float]:
    """(mean, sd) of the values when scores are stretched and shifted."""
    x = marginal.values(_likely() * stretch + shift)
    return float(x.mean()), float(x.std())


def shift_for(marginal: Marginal, sds: float, name: str) -> float:
    """By how much scores move so that the mean moves by `sds` sd. Raises DataError where values cannot move so far."""
    mean, sd = moments(marginal)
    found = _solved(lambda d: moments(marginal, d)[0], mean + sds * sd)
    reached = (moments(marginal, found)[0] - mean) / sd if sd else 0.0
    if abs(reached - sds) > 0.1 * abs(sds):
        raise DataError(f"{name} cannot move by {sds:g} sd and keep values that it has; {reached:.2g} sd is possible")
    return found


def stretch_for(marginal: Marginal, times: float, name: str) -> tuple[float, float]:
    """(stretch, shift) of scores so that the sd is multiplied and the mean stays. Raises DataError where it cannot."""
    mean, sd = moments(marginal)
    if sd == 0:
        raise DataError(f"{name} is constant: it has no spread to multiply")

    def kept(stretch: float) -> float:
        return _solved(lambda d: moments(marginal, d, stretch)[0], mean, steps=24)

    stretch = _solved(lambda f: moments(marginal, kept(f), f)[1], times * sd, low=0.0, high=8.0, steps=24)
    reached = moments(marginal, kept(stretch), stretch)[1] / sd
    if abs(reached - times) > 0.1 * abs(times - 1):
        raise DataError(
            f"{name} cannot spread {times:g} times as wide with values that it has; {reached:.2g} is possible"
        )
    return stretch, kept(stretch)


def _solved(
    value: Callable[[float], float], target: float, *, low: float = -FARTHEST, high: float = FARTHEST, steps: int = 40
) -> float:
    """Where a function that does not fall reaches a value; the nearest end where it does not."""
    for _ in range(steps):
        middle = (low + high) / 2
        if value(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2
