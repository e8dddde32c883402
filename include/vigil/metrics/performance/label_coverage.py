"""Share of the cohort whose label is known."""

from collections.abc import Iterator

from vigil.metrics.readings import share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def label_coverage(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """labelled / rows, in [0, 1]. Labels arrive late: a young cohort has few."""
    del baseline, view
    yield share("all", min(night.outcome.labelled, night.rows), night.rows)
