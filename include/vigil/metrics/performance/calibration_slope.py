"""Slope of the label on the score's logit."""

from collections.abc import Iterator

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.ranking import enough
from vigil.metrics.performance.scored import CENTRES
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import CHECK_FAILED, NO_SPREAD, because
from vigil.metrics.types import Reading

ROUNDS, CLOSE = 50, 1e-9


def fitted(x: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(intercept and slope, their inverse information) of the logistic regression; None where it has no end.

    x, positive, negative: shape (bins,): the logit of each bin, and the rows of either label in it.

    >>> x = np.array([-1.0, 1.0])
    >>> at, _ = fitted(x, np.array([26.894, 73.106]), np.array([73.106, 26.894]))
    >>> [round(abs(float(v)), 3) for v in at]
    [0.0, 1.0]
    """
    design, rows = np.stack([np.ones_like(x), x]), positive + negative
    at = np.zeros(2)
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(at @ design, -35, 35)))
        information = (design * (rows * p * (1 - p))) @ design.T
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, design @ (positive - rows * p))
        at = at + step
        if np.abs(step).max() < CLOSE:
            return at, np.linalg.inv(information)
    return None


def calibration_slope(given: Given) -> Iterator[Reading]:
    """b of logit P(label = 1) = a + b logit(score): 1 is good, below 1 the scores are too extreme, above too timid.

    Fitted to the score histogram, each score at the middle of its logit-spaced bin. Unknown while either class has
    fewer than 50 labelled rows, or where all scores fall into one bin. Interval: Wald, from the information (with
    sampling weights: the sandwich). Source: Cox (1958); Van Calster et al. (2019).

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> few, many = [0] * 100, [0] * 100
    >>> few[42], few[57], many[42], many[57] = 27, 73, 73, 27
    >>> reading = next(calibration_slope(told(Outcome(labelled=200, scores={"1": tuple(few), "0": tuple(many)}))))
    >>> 0.8 < reading.value < 1.1
    True
    """
    now = enough(given)
    if isinstance(now, Reading):
        yield now
        return
    n = now.positives + now.negatives
    centres = np.asarray(CENTRES[: len(now.positive)])
    x = np.log(centres / (1 - centres))
    used = (now.positive + now.negative) > 0
    if used.sum() < 2:
        yield unknown("all", because(NO_SPREAD, "all scores fall into one bin"), n=n)
        return
    found = fitted(x[used], now.positive[used], now.negative[used])
    if found is None:
        yield unknown("all", because(CHECK_FAILED, "the classes are separated, so the slope has no end"), n=n)
        return
    at, inverse = found
    design = np.stack([np.ones(int(used.sum())), x[used]])
    p = 1 / (1 + np.exp(-(at @ design)))
    noise = now.positive_squares[used] * (1 - p) ** 2 + now.negative_squares[used] * p**2
    half = z_of() * float(np.sqrt((inverse @ ((design * noise) @ design.T) @ inverse)[1, 1]))
    slope = float(at[1])
    yield Reading(subject="all", value=slope, low=slope - half, high=slope + half, n=n, detail=f"intercept {at[0]:.3g}")
