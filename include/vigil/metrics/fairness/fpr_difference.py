"""Difference of false positive rates."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import labelled_contrast, pairs
from vigil.metrics.given import Given
from vigil.metrics.types import Reading


def fpr_difference(given: Given) -> Iterator[Reading]:
    """FP / (FP + TN) of the group - the same of the reference group, in [-1, 1]; 0 is equal.

    "Positive" is what the model predicts (a default, a fraud), not what is good for the person: above 0, people of the
    group who did nothing are suspected more often. Over labelled rows. parts: (k1, n1, k0, n0); interval Newcombe.
    Source: Hardt, Price and Srebro (2016); Chouldechova (2017).

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> women = Cell(n=100, labelled=100, fp=20, tn=60, tp=15, fn=5)
    >>> men = Cell(n=100, labelled=100, fp=10, tn=70, tp=15, fn=5)
    >>> next(fpr_difference(grouped(female=women, male=men))).value
    0.125
    """
    for pair in pairs(given):
        yield labelled_contrast(pair, lambda cell: (cell.fp, cell.fp + cell.tn), counts="labelled negatives")
