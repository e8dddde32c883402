"""What a fault does to the values of one night: pure functions on arrays, for drawn nights and for real ones."""

from __future__ import annotations

import numpy as np

from vigil.core.errors import DataError
from vigil.simulation.faults import Fault
from vigil.simulation.marginals import Array, Marginal, shift_for, stretch_for
from vigil.simulation.regimes import FaultKind

MOVES = frozenset({FaultKind.MEAN, FaultKind.SCALE, FaultKind.SUBGROUP, FaultKind.GRADUAL})
UNSEEN = "unseen"  # the level that never occurred before
Solved = dict[tuple[str, float, bool], tuple[float, float]]


def moved(z: Array, fault: Fault, index: int, marginal: Marginal, within: Array, solved: Solved) -> Array:
    """Scores after a fault that moves a feature. within: rows of the fault's group. solved: a cache."""
    name, scale = str(fault.feature), fault.kind is FaultKind.SCALE
    size = fault.size * (index - fault.onset + 1) if fault.kind is FaultKind.GRADUAL else fault.size
    key = (name, size, scale)
    if key not in solved:
        solved[key] = stretch_for(marginal, size, name) if scale else (1.0, shift_for(marginal, size, name))
    stretch, shift = solved[key]
    return np.where(within, z * stretch + shift, z)


def mixed(codes: Array, shares: Array, size: float, rng: np.random.Generator) -> Array:
    """Level numbers after `size` of all rows moved from the commonest level to the second. Raises DataError where
    there is nothing to move."""
    order = np.argsort(-shares, kind="stable")
    if len(order) < 2:
        raise DataError("a category with one level has no mix to change")
    most, second = int(order[0]), int(order[1])
    if size > shares[most]:
        raise DataError(f"the commonest level has a share of {shares[most]:.2f}; {size:g} cannot leave it")
    leave = (codes == most) & (rng.random(len(codes)) < size / shares[most])
    return np.where(leave, second, codes)


def chosen(rows: int, share: float, rng: np.random.Generator) -> Array:
    """A random share of the rows, as a mask."""
    return rng.random(rows) < share


def missing_piece(rows: int, share: float, rng: np.random.Generator) -> Array:
    """The rows that an outage leaves: one piece of the night, in order of time, is not there."""
    gone = round(rows * share)
    first = int(rng.integers(0, rows - gone + 1))
    kept = np.ones(rows, dtype=bool)
    kept[first : first + gone] = False
    return kept
