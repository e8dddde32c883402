"""How many of the truly positive were found."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.rates import rate
from vigil.metrics.types import Reading


def recall(given: Given) -> Iterator[Reading]:
    """tp / (tp + fn), the sensitivity or true-positive rate, in [0, 1]; higher is better.

    Over labelled rows, with the monitor's positive class. Unknown while no labelled row is positive.
    Source: van Rijsbergen (1979), chapter 7.

    >>> from vigil.metrics.example import confused
    >>> next(recall(confused(tp=8, fp=2, fn=4, tn=86))).parts
    (8.0, 12.0)
    """
    yield from rate(given, lambda c: (c.tp, c.tp + c.fn), "no labelled row is positive")
