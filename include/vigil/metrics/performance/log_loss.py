"""Mean log loss of the score."""

from collections.abc import Iterator
from math import log

from vigil.metrics.given import Given
from vigil.metrics.performance.scored import mean_loss
from vigil.metrics.types import Reading


def _loss(score: float, label: int) -> float:
    return -log(score if label else 1 - score)


def log_loss(given: Given) -> Iterator[Reading]:
    """Mean of -ln(probability given to what happened), in nats, 0 or more; lower is better. n: labelled rows scored.

    The value is exact (a sum kept in the profile, scores clipped at 1e-15); the interval takes each row's spread from
    the score bins. With sampling weights, of weighted rows. Source: Good (1952).

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> next(log_loss(told(Outcome(labelled=4, scores={"1": (1, 1), "0": (2, 0)}, log_loss=2.0)))).value
    0.5
    """
    yield from mean_loss(given, "log_loss", _loss)
