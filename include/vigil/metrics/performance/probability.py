"""Log loss and Brier score: exact means of sums kept in the profile."""

from collections.abc import Callable, Iterator

from vigil.core.words import Task
from vigil.metrics.readings import LABELS_PENDING
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def _mean(field: str) -> Callable[[Profile, Profile | None, View], Iterator[Reading]]:
    def of(profile: Profile | None) -> tuple[float | None, int]:
        scores = profile.outcome.scores if profile else {}
        n = sum(scores.get("1", ())) + sum(scores.get("0", ()))
        return (getattr(profile.outcome, field) / n, n) if profile and n else (None, 0)

    def metric(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
        """Mean over labelled rows with a score; lower is better. Source: Brier (1950); Good (1952) for log loss."""
        if view.task is not Task.BINARY:
            return
        value, n = of(night)
        why = "" if value is not None else LABELS_PENDING
        yield Reading(subject="all", value=value, n=n, baseline=of(baseline)[0], why_not=why)

    return metric


log_loss, brier = _mean("log_loss"), _mean("brier")
