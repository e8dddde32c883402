"""How many of those predicted positive were."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.rates import rate
from vigil.metrics.types import Reading


def precision(given: Given) -> Iterator[Reading]:
    """tp / (tp + fp), in [0, 1]; higher is better.

    Over labelled rows, with the monitor's positive class. Unknown while nothing is predicted positive.
    Source: van Rijsbergen (1979), chapter 7.

    >>> from vigil.metrics.example import confused
    >>> next(precision(confused(tp=8, fp=2, fn=4, tn=86))).parts
    (8.0, 10.0)
    """
    yield from rate(given, lambda c: (c.tp, c.tp + c.fp), "nothing was predicted positive")
