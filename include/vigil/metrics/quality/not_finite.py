"""Share of NaN and infinities of each numeric feature."""

from collections.abc import Iterator

from vigil.metrics.readings import share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def not_finite(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """(NaN + inf) / rows per numeric feature, in [0, 1]."""
    del view
    for name, column in night.columns.numeric.items():
        before = baseline.columns.numeric.get(name) if baseline else None
        was = (before.nans + before.infs, before.rows) if before else None
        yield share(name, column.nans + column.infs, column.rows, was=was)
