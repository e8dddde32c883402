"""Share of values of a numeric feature that are no numbers."""

from collections.abc import Iterator

from vigil.metrics.readings import share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def wrong_type(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Values that cannot be read as a number / rows, in [0, 1]."""
    del baseline, view
    for name, column in night.columns.numeric.items():
        yield share(name, column.wrong_type, column.rows)
