"""Jensen-Shannon distance of each feature against the baseline."""

from collections.abc import Iterator

from vigil.metrics.drift import divergence
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def js(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Distance in [0, 1] per feature, see `divergence.jensen_shannon`."""
    del view
    yield from divergence.readings(
        night.columns, baseline.columns if baseline else None, divergence.jensen_shannon, with_interval=False
    )
