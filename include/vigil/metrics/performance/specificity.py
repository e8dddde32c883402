"""How many of the truly negative were spared."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.rates import rate
from vigil.metrics.types import Reading


def specificity(given: Given) -> Iterator[Reading]:
    """tn / (tn + fp), one minus the false-positive rate, in [0, 1]; higher is better.

    Over labelled rows, with the monitor's positive class. Unknown while no labelled row is negative.
    Source: Yerushalmy (1947).

    >>> from vigil.metrics.example import confused
    >>> next(specificity(confused(tp=8, fp=2, fn=4, tn=86))).parts
    (86.0, 88.0)
    """
    yield from rate(given, lambda c: (c.tn, c.tn + c.fp), "no labelled row is negative")
