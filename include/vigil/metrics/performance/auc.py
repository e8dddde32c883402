"""Area under the ROC curve from the fine score histogram."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.intervals import auc_interval
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import TOO_FEW, because
from vigil.metrics.types import Reading

MIN_CLASS = 50  # labelled rows of each class below which the interval does not hold its level


def auc(given: Given) -> Iterator[Reading]:
    """P(a positive's score > a negative's), ties half, in [0, 1]; 0.5 is chance, higher is better. n: labelled rows.

    From 100 logit-spaced bins: off by at most half the share of pairs that fall into one bin. Unknown while either
    class has fewer than 50 labelled rows. Source: DeLong, DeLong and Clarke-Pearson (1988), see `auc_interval`.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> scores = {"1": (10, 30, 60), "0": (60, 30, 10)}
    >>> round(next(auc(told(Outcome(labelled=200, scores=scores)))).value, 3)
    0.825
    """
    scores = given.tonight.outcome.scores
    positives, negatives = scores.get("1", ()), scores.get("0", ())
    m, n = sum(positives), sum(negatives)
    if not m and not n:
        yield unknown("all", absent(given))
    elif min(m, n) < MIN_CLASS:
        words = f"{m} positive and {n} negative labels, {MIN_CLASS} of each are needed"
        yield unknown("all", because(TOO_FEW, words), n=m + n)
    else:
        value, low, high = auc_interval(positives, negatives)
        yield Reading(subject="all", value=value, low=low, high=high, n=m + n)
