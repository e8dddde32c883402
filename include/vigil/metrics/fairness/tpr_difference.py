"""Difference of true positive rates."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import labelled_contrast, pairs
from vigil.metrics.given import Given
from vigil.metrics.types import Reading


def tpr_difference(given: Given) -> Iterator[Reading]:
    """TP / (TP + FN) of the group - the same of the reference group (recall), in [-1, 1]; 0 is equal.

    In the model's own classes, where `equal_opportunity` is in favourable decisions and those who deserve them: for a
    model whose positive class is the favourable one they are the same number. Over labelled rows.
    parts: (k1, n1, k0, n0); interval Newcombe. Source: Hardt, Price and Srebro (2016).

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> women = Cell(n=100, labelled=100, fp=20, tn=60, tp=10, fn=10)
    >>> men = Cell(n=100, labelled=100, fp=10, tn=70, tp=15, fn=5)
    >>> next(tpr_difference(grouped(female=women, male=men))).value
    -0.25
    """
    for pair in pairs(given):
        yield labelled_contrast(pair, lambda cell: (cell.tp, cell.tp + cell.fn), counts="labelled positives")
