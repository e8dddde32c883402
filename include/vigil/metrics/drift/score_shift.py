"""How far the mean score, or the mean predicted value, moved."""

from collections.abc import Iterator

from vigil.metrics.drift.mean_shift import shift
from vigil.metrics.given import Given
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NOT_LOGGED, because
from vigil.metrics.types import Reading


def score_shift(given: Given) -> Iterator[Reading]:
    """Of the score (binary) or the predicted value (regression), in sd of the baseline, signed. See `mean_shift.shift`.

    One reading, "all".

    >>> from vigil.metrics.example import profile, view
    >>> from vigil.profiles.types import Columns, NumericColumn
    >>> night = NumericColumn(rows=400, bins=(400,), total=240.0, total_sq=160.0)
    >>> holdout = NumericColumn(rows=400, bins=(400,), total=200.0, total_sq=116.0)
    >>> tonight, was = (profile(prediction=Columns(numeric={"score": c})) for c in (night, holdout))
    >>> round(next(score_shift(Given(tonight, was, view()))).value, 3)
    0.5
    """
    numeric = next(iter(given.tonight.prediction.numeric.items()), None)
    if numeric is None:
        yield unknown("all", because(NOT_LOGGED, "no score"), n=given.tonight.rows)
        return
    name, now = numeric
    yield shift("all", now, given.baseline.prediction.numeric.get(name) if given.baseline else None)
