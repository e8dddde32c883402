"""Requests that were served, and got no answer that can be used."""

from collections.abc import Iterator

from vigil.core.words import Task
from vigil.metrics.given import Given
from vigil.metrics.readings import share, unknown
from vigil.metrics.reasons import NO_ROWS, NOT_LOGGED, because
from vigil.metrics.types import Reading
from vigil.profiles.types import Profile


def served(night: Profile) -> int:
    """Rows that should have an answer: those with status ok; all of them where no status is counted."""
    return night.service.ok if night.service.requests else night.rows


def answered(night: Profile) -> int:
    """Rows with an answer: a class, or of a regression a finite value."""
    if night.task is not Task.REGRESSION:
        return sum(night.outcome.predictions.values())
    column = night.prediction.numeric.get("prediction")
    return column.finite if column else 0


def _lacking(served: int, there: int) -> Iterator[Reading]:
    empty = because(NO_ROWS, "no request was served")
    yield share("all", max(0, served - there), served, empty=empty)


def missing_prediction(given: Given) -> Iterator[Reading]:
    """(rows with status ok - rows with an answer) / rows with status ok, in [0, 1]; 0 is good.

    A request that failed has no answer, and `success_rate` counts it: it is not counted again. An answer of a
    regression is a finite number. Of all rows where the log has no status.

    >>> from vigil.metrics.example import profile, view
    >>> from vigil.profiles.types import Outcome, Service
    >>> answers = Outcome(predictions={"1": 30, "0": 50})
    >>> night = profile(rows=110, outcome=answers, service=Service(requests=110, ok=100, errors=10))
    >>> next(missing_prediction(Given(night, None, view()))).value
    0.2
    """
    yield from _lacking(served(given.tonight), answered(given.tonight))


def missing_score(given: Given) -> Iterator[Reading]:
    """(rows with status ok - rows with a finite score) / rows with status ok, in [0, 1]; 0 is good.

    A score that is null, NaN, endless or no number is none. Where it is missing, the decision says what was predicted,
    and nothing that reads scores (`auc`, `log_loss`, `score_gap`, …) is about the row. Unknown without `data.score`.

    >>> from vigil.metrics.example import profile, view
    >>> from vigil.profiles.types import Columns, NumericColumn
    >>> column = NumericColumn(rows=100, nulls=20, nans=5, bins=(75,))
    >>> night = profile(rows=100, prediction=Columns(numeric={"score": column}))
    >>> next(missing_score(Given(night, None, view()))).value
    0.25
    """
    night = given.tonight
    column = night.prediction.numeric.get("score")
    if column is None:
        yield unknown("all", because(NOT_LOGGED, "no score") if night.rows else NO_ROWS)
        return
    yield from _lacking(served(night), column.finite)
