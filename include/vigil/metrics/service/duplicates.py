"""Rows that carried an id already logged."""

from collections.abc import Iterator

from vigil.metrics.readings import share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def duplicates(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """duplicates / (rows + duplicates), in [0, 1]. They are counted once everywhere else."""
    del baseline, view
    yield share("all", night.duplicates, night.rows + night.duplicates)
