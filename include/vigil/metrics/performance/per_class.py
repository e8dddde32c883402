"""Precision and recall of each class of a multiclass model."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.confusion import absent, by_class, table
from vigil.metrics.readings import share, unknown
from vigil.metrics.reasons import NO_ROWS, because
from vigil.metrics.types import Reading


def class_precision(given: Given) -> Iterator[Reading]:
    """Of each class: right / predicted to be it, in [0, 1]; higher is better. Subject: the class.

    Classes that were predicted or true tonight; unknown for one that was never predicted.

    >>> from vigil.metrics.example import confused
    >>> [(r.subject, r.value) for r in class_precision(confused(tp=40, fp=10, tn=50))]
    [('0', 1.0), ('1', 0.8)]
    """
    cells = table(given.tonight)
    if not cells:
        yield unknown("all", absent(given))
    for name, one in by_class(cells).items():
        yield share(name, one.right, one.said, empty=because(NO_ROWS, "this class was never predicted"))


def class_recall(given: Given) -> Iterator[Reading]:
    """Of each class: right / truly it, in [0, 1]; higher is better. Subject: the class.

    Classes that were predicted or true tonight; unknown for one that no label names.

    >>> from vigil.metrics.example import confused
    >>> [(r.subject, r.value) for r in class_recall(confused(tp=40, fp=10, fn=10, tn=40))]
    [('0', 0.8), ('1', 0.8)]
    """
    cells = table(given.tonight)
    if not cells:
        yield unknown("all", absent(given))
    for name, one in by_class(cells).items():
        yield share(name, one.right, one.true, empty=because(NO_ROWS, "no label names this class"))
