"""The larger of the two differences of error rates."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import Pair, pairs, pending
from vigil.metrics.given import Given
from vigil.metrics.intervals import LEVEL, newcombe
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_ROWS, because
from vigil.metrics.types import Reading


def equalised_odds(given: Given) -> Iterator[Reading]:
    """max(|difference of true positive rates|, |difference of false positive rates|), in [0, 1]; 0 is equal.

    Over labelled rows. The interval is of the larger one at 1 - 0.05 / 2, since the larger of two was picked; it
    reaches down to 0 where noise alone explains both. The detail has both differences.
    Source: Hardt, Price and Srebro (2016).

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> women = Cell(n=100, labelled=100, fp=20, tn=60, tp=10, fn=10)
    >>> men = Cell(n=100, labelled=100, fp=10, tn=70, tp=15, fn=5)
    >>> reading = next(equalised_odds(grouped(female=women, male=men)))
    >>> reading.value, reading.detail
    (0.25, 'true positives -25.0 points, false positives +12.5 points against male')
    """
    for pair in pairs(given):
        yield pending(pair) or _larger(pair)


def _larger(pair: Pair) -> Reading:
    mine, other = pair.cell, pair.against
    sides = (
        (mine.tp, mine.tp + mine.fn, other.tp, other.tp + other.fn),
        (mine.fp, mine.fp + mine.tn, other.fp, other.fp + other.tn),
    )
    if not all(n1 and n0 for _, n1, _, n0 in sides):
        return unknown(
            pair.subject, because(NO_ROWS, "one of the groups has labels of one class only"), n=mine.labelled
        )
    gaps = [k1 / n1 - k0 / n0 for k1, n1, k0, n0 in sides]
    top = max((0, 1), key=lambda i: abs(gaps[i]))
    low, high = newcombe(*sides[top], 1 - (1 - LEVEL) / 2)
    near = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    detail = (
        f"true positives {100 * gaps[0]:+.1f} points, false positives {100 * gaps[1]:+.1f} points "
        f"against {pair.reference}"
    )
    far = max(abs(low), abs(high))
    n = sides[top][1]
    return Reading(subject=pair.subject, value=abs(gaps[top]), low=near, high=far, n=n, detail=detail)
