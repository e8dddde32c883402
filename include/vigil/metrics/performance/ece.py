"""Expected calibration error."""

from collections.abc import Iterator

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.performance.ranking import ranked
from vigil.metrics.performance.scored import CENTRES
from vigil.metrics.types import Reading

GROUPS = 10


def _of(positive: np.ndarray, negative: np.ndarray) -> float:
    """Ten groups of about as many rows: a bin belongs to the group in which its middle row falls."""
    rows = positive + negative
    centres = np.asarray(CENTRES[: len(rows)])
    middle = (np.cumsum(rows) - rows / 2) / rows.sum()
    group = np.minimum((middle * GROUPS).astype(int), GROUPS - 1)
    true = np.bincount(group, weights=positive, minlength=GROUPS)
    said = np.bincount(group, weights=rows * centres, minlength=GROUPS)
    return float(np.abs(true - said).sum() / rows.sum())


def ece(given: Given) -> Iterator[Reading]:
    """Sum over ten groups of equal size by score of (rows / all) x |positive share - mean score|, in [0, 1]; 0 is good.

    Scores are taken as the middle of their logit-spaced bin (off by 0.018 at most). Never quite 0: with n rows a
    perfectly calibrated model has about sqrt(10 p (1 - p) 2 / (pi n)). Unknown while either class has fewer than 50
    labelled rows. Interval: delta method. Source: Naeini, Cooper and Hauskrecht (2015), with equal-mass groups.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> bins = [0] * 100
    >>> bins[50] = 500
    >>> half = {"1": tuple(bins), "0": tuple(bins)}
    >>> next(ece(told(Outcome(labelled=1000, scores=half)))).value < 0.02
    True
    """
    yield from ranked(given, _of, least=0.0, most=1.0)
