"""Difference of precision."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import labelled_contrast, pairs
from vigil.metrics.given import Given
from vigil.metrics.types import Reading


def predictive_parity(given: Given) -> Iterator[Reading]:
    """TP / (TP + FP) of the group - the same of the reference group (precision), in [-1, 1]; 0 is equal.

    Over labelled rows that were predicted positive. Where base rates differ it cannot be equal together with both error
    rates: choose which of them is owed. parts: (k1, n1, k0, n0); interval Newcombe. Source: Chouldechova (2017).

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> women = Cell(n=100, labelled=100, fp=20, tn=60, tp=20)
    >>> men = Cell(n=100, labelled=100, fp=10, tn=60, tp=30)
    >>> next(predictive_parity(grouped(female=women, male=men))).value
    -0.25
    """
    for pair in pairs(given):
        yield labelled_contrast(pair, lambda cell: (cell.tp, cell.tp + cell.fp), counts="rows predicted positive")
