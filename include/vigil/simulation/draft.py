"""A night while it is drawn: what the world is, what the pipeline makes of it, and what faults change in both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from vigil.simulation.faults import Fault
from vigil.simulation.inject import Solved, chosen, missing_piece, mixed, moved
from vigil.simulation.marginals import Array, scores_of
from vigil.simulation.regimes import FaultKind
from vigil.simulation.world import World, logistic

PIPELINES = ("features-1", "features-2")  # the second one has a fault
BUSIEST = (2.2, 2.0)  # requests over the day: a beta distribution


@dataclass
class Draft:
    """Rows in order of time. Faults change them in place; a row that an outage loses is only marked."""

    world: World
    groups: Array
    z: Array  # scores of the features
    codes: dict[str, Array]  # levels of the categories; one more than there are: never seen
    missing: dict[str, Array]
    chance: Array  # decides what comes true
    known: Array  # whether it becomes known
    place: Array  # in the day, 0 to 1
    latency: Array
    odds: float  # the night's effect on the outcome
    kept: Array
    factor: dict[str, float] = field(default_factory=dict)  # unit of a feature
    unseen: dict[str, Array] = field(default_factory=dict)  # rows with a level that never occurred
    concept: float = 0.0
    more: float = 0.0
    noise: float = 0.0
    pipeline: str = PIPELINES[0]

    @property
    def rows(self) -> int:
        """Before any outage."""
        return len(self.groups)

    def values(self, name: str) -> Array:
        """A numeric feature as it is logged, where it is not missing."""
        x = self.world.numeric[name].values(self.z[:, self.world.names.index(name)])
        return x * self.factor.get(name, 1.0)

    def levels(self, name: str) -> Array:
        """Level numbers of a category as they are logged."""
        codes = self.codes[name]
        return np.where(self.unseen[name], len(self.world.spec.category[name]), codes) if name in self.unseen else codes

    def label(self) -> Array:
        """0 or 1: what came true of what the world is."""
        names = self.world.numeric
        felt = np.column_stack([self.z[:, : len(names)], *(self.world.middles(n)[c] for n, c in self.codes.items())])
        odds = self.world.true_odds(felt, concept=self.concept, more=self.more) + self.odds
        return (self.chance < logistic(odds)).astype(int)

    def score(self) -> Array:
        """The model's probability, from what the pipeline gave it. What is missing counts as usual."""
        felt = np.empty((self.rows, len(self.world.names)))
        for at, name in enumerate(self.world.names):
            if name in self.world.numeric:
                seen = self.z[:, at]
                if name in self.factor:
                    seen = scores_of(self.world.numeric[name], self.values(name))
            else:
                seen = self.world.middles(name)[self.levels(name)]
            felt[:, at] = np.where(self.missing[name], 0.0, seen) if name in self.missing else seen
        return logistic(self.world.model_odds(felt, noise=self.noise))


def drawn(world: World, rng: np.random.Generator, rows: int, effects: Array) -> Draft:
    """A quiet night. effects: of the night, on each feature, the outcome and latency."""
    groups, z = world.people(rng, rows)
    z += effects[:-2]
    first, spec = len(world.numeric), world.spec
    return Draft(
        world=world,
        groups=groups,
        z=z,
        codes={n: np.searchsorted(c, z[:, first + k]) for k, (n, c) in enumerate(world.cuts.items())},
        missing={n: chosen(rows, about.nulls, rng) for n, about in spec.numeric.items() if about.nulls},
        chance=rng.random(rows),
        known=chosen(rows, spec.outcome.labelled, rng),
        place=np.sort(rng.beta(*BUSIEST, rows)),
        latency=spec.latency.median_ms * np.exp(spec.latency.spread * rng.standard_normal(rows) + effects[-1]),
        odds=float(effects[-2]),
        kept=np.ones(rows, dtype=bool),
    )


class Happens(NamedTuple):
    """A fault on a night. solved: what was found out for other nights."""

    fault: Fault
    night: int
    rng: np.random.Generator
    solved: Solved

    @property
    def feature(self) -> str:
        """The feature that it is about."""
        return str(self.fault.feature)


def inject(draft: Draft, happens: Happens) -> None:
    """Lets a fault happen to a night."""
    FAULTS[happens.fault.kind](draft, happens)


def _move(d: Draft, it: Happens) -> None:
    name = it.feature
    at, within = d.world.names.index(name), np.ones(d.rows, dtype=bool)
    if it.fault.group is not None:
        within = d.groups == list(d.world.spec.population.groups).index(it.fault.group)
    d.z[:, at] = moved(d.z[:, at], it.fault, it.night, d.world.numeric[name], within, it.solved)


def _unit_change(d: Draft, it: Happens) -> None:
    d.factor[it.feature], d.pipeline = it.fault.size, PIPELINES[1]


def _mix(d: Draft, it: Happens) -> None:
    shares = np.array(list(d.world.spec.category[it.feature].values()))
    d.codes[it.feature] = mixed(d.codes[it.feature], shares / shares.sum(), it.fault.size, it.rng)


def _new_category(d: Draft, it: Happens) -> None:
    d.unseen[it.feature], d.pipeline = chosen(d.rows, it.fault.size, it.rng), PIPELINES[1]


def _nulls(d: Draft, it: Happens) -> None:
    """On top of those that are always missing: the share grows by just so much."""
    name, d.pipeline = it.feature, PIPELINES[1]
    usual = d.world.spec.numeric[name].nulls if name in d.world.spec.numeric else 0.0
    lost = chosen(d.rows, it.fault.size / (1 - usual), it.rng)
    d.missing[name] = d.missing[name] | lost if name in d.missing else lost


def _label_shift(d: Draft, it: Happens) -> None:
    d.more = it.fault.size


def _concept(d: Draft, it: Happens) -> None:
    d.concept = it.fault.size


def _bad_version(d: Draft, it: Happens) -> None:
    d.noise = it.fault.size


def _outage(d: Draft, it: Happens) -> None:
    d.kept &= missing_piece(d.rows, it.fault.size, it.rng)


def _latency(d: Draft, it: Happens) -> None:
    d.latency = d.latency * it.fault.size


FAULTS: dict[FaultKind, Callable[[Draft, Happens], None]] = {
    FaultKind.MEAN: _move,
    FaultKind.SCALE: _move,
    FaultKind.SUBGROUP: _move,
    FaultKind.GRADUAL: _move,
    FaultKind.UNIT_CHANGE: _unit_change,
    FaultKind.MIX: _mix,
    FaultKind.NEW_CATEGORY: _new_category,
    FaultKind.NULLS: _nulls,
    FaultKind.LABEL_SHIFT: _label_shift,
    FaultKind.CONCEPT: _concept,
    FaultKind.BAD_VERSION: _bad_version,
    FaultKind.OUTAGE: _outage,
    FaultKind.LATENCY: _latency,
}
