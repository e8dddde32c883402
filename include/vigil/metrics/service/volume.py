"""Rows of the night."""

from collections.abc import Iterator

from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def volume(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Distinct prediction ids, rows >= 0. Judge it against the model's own nights, not the holdout."""
    del baseline, view
    yield Reading(subject="all", value=float(night.rows), n=night.rows)
