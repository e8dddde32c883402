"""The mean of a loss of the score: exact from its sum, with an interval from the score histogram."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import absent
from vigil.metrics.performance.weights import Scores, scores
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NOT_LOGGED, because
from vigil.metrics.types import Reading
from vigil.profiles.edges import SCORE_EDGES

Loss = Callable[[float, int], float]  # (score, label) -> loss
CENTRES = tuple((low + high) / 2 for low, high in pairwise((0.0, *SCORE_EDGES, 1.0)))


def spread(now: Scores, loss: Loss) -> float:
    """Standard error of the mean loss, each score taken as its bin's centre; 0 without rows.

    With sampling weights w: sqrt(sum of w^2 (loss - mean)^2) / sum of w; without, each w is 1.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> bins = tuple(10 if i == 50 else 0 for i in range(100))
    >>> now = scores(told(Outcome(labelled=10, scores={"1": bins})))
    >>> round(spread(now, lambda score, label: abs(score - label)), 9)
    0.0
    """
    sides = ((1, now.positive, now.positive_squares), (0, now.negative, now.negative_squares))
    seen = [(n, noise, loss(p, y)) for y, rows, squares in sides
            for n, noise, p in zip(rows, squares, CENTRES, strict=False) if n]  # fmt: skip
    total = sum(n for n, _, _ in seen)
    if not total:
        return 0.0
    mean = sum(n * x for n, _, x in seen) / total
    return sqrt(sum(noise * (x - mean) ** 2 for _, noise, x in seen)) / float(total)


def mean_loss(given: Given, name: str, loss: Loss) -> Iterator[Reading]:
    """One reading "all": mean loss of labelled rows with a score, and its normal interval; losses are never below 0.

    name: of the sum in the profile's outcome.
    """
    now, outcome = scores(given), given.tonight.outcome
    if now is None:
        yield unknown("all", absent(given))
        return
    n = now.positives + now.negatives
    total, rows = getattr(outcome, name), float(n)
    if given.view.weighted and outcome.weighted:
        total, rows = outcome.weighted_losses.get(name, (0.0, 0.0))
        if not rows:
            yield unknown("all", because(NOT_LOGGED, "the weighted loss was not counted: profile the night again"), n=n)
            return
    value, half = total / rows, z_of() * spread(now, loss)
    yield Reading(subject="all", value=value, low=max(0.0, value - half), high=value + half, n=n)
