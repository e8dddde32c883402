"""Population stability index of what the model says: its score, its value, or its classes."""

from collections.abc import Iterator

from vigil.metrics.drift.bins import grouped, same, same_levels
from vigil.metrics.drift.divergence import Counts
from vigil.metrics.drift.psi import psi_reading
from vigil.metrics.given import Given
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading
from vigil.profiles.types import NumericColumn


def prediction_psi(given: Given) -> Iterator[Reading]:
    """PSI in nats of the score (binary) or the predicted value (regression), in 20 groups of bins that are about
    equally full on the baseline; of the predicted classes where no score is logged. One reading, "all".

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> was = Outcome(predictions={"1": 4000, "0": 6000})
    >>> round(next(prediction_psi(told(Outcome(predictions={"1": 5000, "0": 5000}), was))).value, 4)
    0.0405
    """
    now, was = _counts(given)
    if not sum(was):
        yield unknown("all", NO_BASELINE, n=int(sum(now)))
    elif not sum(now):
        yield unknown("all", NO_ROWS)
    else:
        yield psi_reading("all", now, was)


def _counts(given: Given) -> tuple[Counts, Counts]:
    baseline = given.baseline
    numeric = next(iter(given.tonight.prediction.numeric.items()), None)
    if numeric is None:
        return same_levels(given.tonight.outcome.predictions, baseline.outcome.predictions if baseline else {})
    name, now = numeric
    before = baseline.prediction.numeric.get(name, NumericColumn()) if baseline else NumericColumn()
    if not now.bins or not before.bins:
        return now.bins, before.bins
    return grouped(*same(now, before))
