"""Mean squared error of the score."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.scored import mean_loss
from vigil.metrics.types import Reading


def _loss(score: float, label: int) -> float:
    return (score - label) ** 2


def brier(given: Given) -> Iterator[Reading]:
    """Mean of (score - label)^2, in [0, 1]; lower is better. n: labelled rows with a score.

    The value is exact (a sum kept in the profile); the interval takes each row's spread from the score bins.
    With sampling weights, of weighted rows. Source: Brier (1950).

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> next(brier(told(Outcome(labelled=4, scores={"1": (1, 1), "0": (2, 0)}, brier=1.0)))).value
    0.25
    """
    yield from mean_loss(given, "brier", _loss)
