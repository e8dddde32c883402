"""F1 over all classes taken together."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.accuracy import accuracy
from vigil.metrics.types import Reading


def micro_f1(given: Given) -> Iterator[Reading]:
    """2 sum(tp) / (2 sum(tp) + sum(fp) + sum(fn)) over the classes, in [0, 1]; higher is better.

    Where each row has one label it equals accuracy: a wrong row is one false positive and one false negative.

    >>> from vigil.metrics.example import confused
    >>> next(micro_f1(confused(tp=40, fp=10, tn=50))).value
    0.9
    """
    yield from accuracy(given)
