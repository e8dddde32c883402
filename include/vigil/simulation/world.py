"""One model's world: who asks, how nights differ, what comes true, what the model says. Everything from one seed.

Each stream of random numbers has its own place below the seed (`SeedSequence` spawn keys), so that a night can be drawn
without those before it, and a fault changes nothing but what it is about.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property

import numpy as np

from vigil.simulation.marginals import Array, Made, cuts, normal_score
from vigil.simulation.regimes import Regime, Regimes

WORLD, NIGHT, ROWS, FAULT, FACTOR, REFERENCE, SAMPLE = range(7)
CALIBRATION = 8192  # rows that weights are scaled on
SATURDAY = 5


def stream(seed: int, *place: int) -> np.random.Generator:
    """Random numbers of one place below a seed: the same wherever and whenever they are drawn."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))


class World:
    """What is the same on every night. In another regime the same seed has the same people and the same model."""

    def __init__(self, spec: Regimes, regime: Regime, seed: int) -> None:
        self.spec, self.regime, self.seed = spec, regime, seed
        self.names = list(spec.features)
        self.numeric = {name: Made(about) for name, about in spec.numeric.items()}
        self.shares = np.array(list(spec.population.groups.values()))
        self.shares = self.shares / self.shares.sum()
        self.cuts = {name: cuts(tuple(levels.values())) for name, levels in spec.category.items()}
        rng, wide = stream(seed, WORLD), len(self.names)
        self._correlations(rng, wide)
        self._weights(rng, wide)
        self._calendar(rng, wide + 2)  # features, log-odds of the outcome, log latency

    def _correlations(self, rng: np.random.Generator, wide: int) -> None:
        people = self.spec.population
        loadings = rng.normal(0.0, 1.0, (people.factors, wide))
        self._loadings = loadings * np.sqrt(people.common_share / people.factors)
        common = (self._loadings**2).sum(axis=0)
        self._loadings /= np.sqrt(np.maximum(common / 0.8, 1.0))  # a feature keeps a fifth of its own
        offsets = rng.normal(0.0, people.group_spread, (len(self.shares), wide))
        self._offsets = offsets - self.shares @ offsets
        between = self.shares @ self._offsets**2
        self._own = np.sqrt(1.0 - (self._loadings**2).sum(axis=0) - np.minimum(between, 0.19))

    def _weights(self, rng: np.random.Generator, wide: int) -> None:
        """What is true, what the model weighs, what a worse one would, what may come true instead.

        None of them knows the groups' offsets, so that groups are at the same risk and get the same answers.
        """
        unfair = np.linalg.qr(self._offsets.T)[0][:, : len(self.shares) - 1]
        drawn = rng.normal(0.0, 1.0, (4, wide))
        drawn = drawn - drawn @ unfair @ unfair.T
        _, z = self.people(stream(self.seed, SAMPLE), CALIBRATION)
        x = self._felt(z)
        like = self.spec.model.likeness
        true, other, noise, changed = (w / (x @ w).std() for w in drawn)
        other = _without(other, true, x)
        self._true, self._changed = true, _without(changed, true, x)
        self._weighs = _turned(true, other, 1 - like)
        self._noise = _without(noise, self._weighs, x)
        self._centre = x.mean(axis=0)
        self._sample = x - self._centre

    def _felt(self, z: Array) -> Array:
        """Scores as models meet them: a category has one for each level."""
        return np.column_stack([*z[:, : len(self.numeric)].T, *(
            self.middles(name)[np.searchsorted(self.cuts[name], z[:, len(self.numeric) + n])]
            for n, name in enumerate(self.cuts)
        )])  # fmt: skip

    def _calendar(self, rng: np.random.Generator, wide: int) -> None:
        self._weekend = rng.normal(0.0, self.regime.weekend_sd, wide) if self.regime.weekend_sd else np.zeros(wide)
        more = stream(self.seed, WORLD, 1)
        self._pay = more.normal(0.0, 1.0, wide) * self.regime.pay_sd
        self._trend = more.choice([-1.0, 1.0], wide) * self.regime.trend_per_night
        self._shock = more.uniform(0.5, 1.3, wide) * more.choice([-1.0, 1.0], wide)
        self._path: list[float] = []

    def middles(self, name: str) -> Array:
        """The score of each level of a category: that of its median member. One more for a level never seen."""
        levels = np.array(list(self.spec.category[name].values()))
        shares = levels / levels.sum()
        return np.append(normal_score(np.cumsum(shares) - shares / 2), 0.0)

    def people(self, rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
        """(group of each row, scores of its features). Each score is standard normal; they are correlated."""
        groups = np.searchsorted(np.cumsum(self.shares)[:-1], rng.random(rows), side="right")
        z = rng.standard_normal((rows, len(self.names)))
        z *= self._own
        z += rng.standard_normal((rows, len(self._loadings))) @ self._loadings
        z += self._offsets[groups]
        return groups, z

    def effects(self, index: int, day: date) -> Array:
        """By how much the night moves each feature, the log-odds of the outcome, and log latency."""
        regime, rng = self.regime, stream(self.seed, NIGHT, index)
        wide = len(self.names) + 2
        moves = np.zeros(wide)
        if regime.night_sd:
            own = rng.standard_t(regime.tails, wide) if regime.tails else rng.standard_normal(wide)
            if regime.tails:
                own /= np.sqrt(regime.tails / (regime.tails - 2))
            if regime.shared:
                shock = self._factor(index) * self._shock
                own = np.sqrt(regime.shared) * shock + np.sqrt(1 - regime.shared) * own
            moves += regime.night_sd * own
        if day.weekday() >= SATURDAY:
            moves += self._weekend
        if regime.pay_day is not None and 0 <= day.day - regime.pay_day < regime.pay_nights:
            moves += self._pay
        return moves + self._trend * index

    def _factor(self, index: int) -> float:
        """The shared shock of a night: AR(1) over the nights from the first, with variance 1."""
        if index >= len(self._path):
            fresh, keep = stream(self.seed, FACTOR).standard_normal(2 * index + 64), self.regime.persistence
            path = [float(fresh[0])]
            for new in fresh[1:]:
                path.append(keep * path[-1] + float(np.sqrt(1 - keep**2) * new))
            self._path = path
        return self._path[index]

    def volume(self, index: int, rows: int) -> int:
        """The rows of a night, where usually there are so many."""
        if not self.regime.volume:
            return rows
        return max(1, round(rows * (1 + self.regime.volume * stream(self.seed, NIGHT, index, 1).uniform(-1, 1))))

    @cached_property
    def _level(self) -> float:
        return self._intercept(self._true, self.spec.outcome.signal, self.spec.outcome.base_rate)

    def true_odds(self, felt: Array, *, concept: float = 0.0, more: float = 0.0) -> Array:
        """Log-odds of label 1. concept: they correlate so much less with the usual ones; more: more labels are 1."""
        weights = _turned(self._true, self._changed, concept)
        outcome = self.spec.outcome
        level = self._level
        if concept or more:
            level = self._intercept(weights, outcome.signal, outcome.base_rate + more)
        odds: Array = level + outcome.signal * ((felt - self._centre) @ weights)
        return odds

    def model_odds(self, felt: Array, *, noise: float = 0.0) -> Array:
        """The model's log-odds. noise: they correlate so much less with the usual ones; it is as sure as before."""
        weights = _turned(self._weighs, self._noise, noise)
        slope, level = self._calibrated
        odds: Array = level + slope * ((felt - self._centre) @ weights)
        return odds

    @cached_property
    def _calibrated(self) -> tuple[float, float]:
        slope = self.spec.outcome.signal * self.spec.model.likeness
        return slope, self._intercept(self._weighs, slope, self.spec.outcome.base_rate)

    def _intercept(self, weights: Array, slope: float, rate: float) -> float:
        """The level at which the mean probability is `rate`."""
        odds, low, high = slope * (self._sample @ weights), -12.0, 12.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if logistic(odds + middle).mean() < rate else (low, middle)
        return (low + high) / 2


def logistic(odds: Array) -> Array:
    """Log-odds as probabilities."""
    return 1.0 / (1.0 + np.exp(-odds))


def _turned(weights: Array, other: Array, share: float) -> Array:
    """Weights whose sum has a correlation of 1 - share with the old one; `other` does not correlate with that."""
    turned: Array = (1 - share) * weights + np.sqrt(1 - (1 - share) ** 2) * other
    return turned


def _without(weights: Array, other: Array, x: Array) -> Array:
    """Weights whose sum does not correlate with another's, scaled to sd 1."""
    a, b = x @ weights, x @ other
    left = weights - other * (np.cov(a, b)[0, 1] / b.var(ddof=1))
    scaled: Array = left / (x @ left).std()
    return scaled
