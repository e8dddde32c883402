"""Population stability index of each feature against the baseline, on the monitor's own bins."""

from collections.abc import Iterator

from vigil.metrics.drift import divergence
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def psi(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """PSI in nats per feature, see `divergence.psi`. The lower limit has the sampling noise taken out."""
    del view
    yield from divergence.readings(
        night.columns, baseline.columns if baseline else None, divergence.psi, with_interval=True
    )
