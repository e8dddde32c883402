"""The mean of a loss of the score: exact from its sum, with an interval from the score histogram."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import unknown
from vigil.metrics.types import Reading
from vigil.profiles.edges import SCORE_EDGES

Loss = Callable[[float, int], float]  # (score, label) -> loss
CENTRES = tuple((low + high) / 2 for low, high in pairwise((0.0, *SCORE_EDGES, 1.0)))


def spread(scores: Mapping[str, Sequence[int]], loss: Loss) -> float:
    """sd of a labelled row's loss, each score taken as its bin's centre; 0 without rows.

    >>> bins = [0] * len(CENTRES)
    >>> bins[50] = 10
    >>> round(spread({"1": tuple(bins)}, lambda score, label: abs(score - label)), 9)
    0.0
    """
    seen = [(n, loss(p, y)) for y in (0, 1) for n, p in zip(scores.get(str(y), ()), CENTRES, strict=False) if n]
    total = sum(n for n, _ in seen)
    if not total:
        return 0.0
    mean = sum(n * x for n, x in seen) / total
    return sqrt(sum(n * (x - mean) ** 2 for n, x in seen) / total)


def mean_loss(given: Given, total: float, loss: Loss) -> Iterator[Reading]:
    """One reading "all": total / labelled rows with a score, and its normal interval; losses are never below 0."""
    scores = given.tonight.outcome.scores
    n = sum(scores.get("1", ())) + sum(scores.get("0", ()))
    if not n:
        yield unknown("all", absent(given))
        return
    value, half = total / n, z_of() * spread(scores, loss) / sqrt(n)
    yield Reading(subject="all", value=value, low=max(0.0, value - half), high=value + half, n=n)
