"""What is read off the order of scores, highest first: both classes needed, enough of each."""

from collections.abc import Callable, Iterator

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.performance.auc import MIN_CLASS
from vigil.metrics.performance.confusion import absent
from vigil.metrics.performance.delta import around
from vigil.metrics.performance.weights import Scores, scores
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import TOO_FEW, because
from vigil.metrics.types import Reading

Number = Callable[[np.ndarray, np.ndarray], float]  # positives and negatives by bin, lowest score first


def enough(given: Given) -> Scores | Reading:
    """Tonight's labelled scores, or why they say too little."""
    now = scores(given)
    if now is None:
        return unknown("all", absent(given))
    if min(now.positives, now.negatives) < MIN_CLASS:
        words = f"{now.positives} positive and {now.negatives} negative labels, {MIN_CLASS} of each are needed"
        return unknown("all", because(TOO_FEW, words), n=now.positives + now.negatives)
    return now


def ranked(given: Given, of: Number, *, least: float, most: float) -> Iterator[Reading]:
    """One reading "all" of a number that both histograms give, with its delta-method interval."""
    now = enough(given)
    if isinstance(now, Reading):
        yield now
        return
    bins = len(now.positive)
    both = np.concatenate([now.positive, now.negative])
    noise = np.concatenate([now.positive_squares, now.negative_squares])
    n = now.positives + now.negatives
    yield from around(lambda c: of(c[:bins], c[bins:]), both, noise, n=n, least=least, most=most)
