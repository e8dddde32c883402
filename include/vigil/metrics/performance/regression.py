"""RMSE, MAE and bias of a regression, exact from sums of errors."""

from collections.abc import Callable, Iterator
from math import sqrt

from vigil.core.words import Task
from vigil.metrics.readings import LABELS_PENDING
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Errors, Profile


def _of(formula: Callable[[Errors], float]) -> Callable[[Profile, Profile | None, View], Iterator[Reading]]:
    def metric(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
        """Over labelled rows, in the unit of the target."""
        if view.task is not Task.REGRESSION:
            return
        e = night.outcome.errors
        was = baseline.outcome.errors if baseline else Errors()
        base = formula(was) if was.n else None
        if not e.n:
            yield Reading(subject="all", why_not=LABELS_PENDING, baseline=base)
            return
        yield Reading(subject="all", value=formula(e), n=e.n, baseline=base)

    return metric


rmse = _of(lambda e: sqrt(e.squared / e.n))
mae = _of(lambda e: e.absolute / e.n)
bias = _of(lambda e: e.total / e.n)
