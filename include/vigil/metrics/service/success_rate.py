"""Share of logged requests that were answered without error or timeout."""

from collections.abc import Iterator

from vigil.metrics.readings import share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def success_rate(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """ok / requests, in [0, 1]; of logged requests: a dead gateway logs nothing, which `volume` sees.

    Source: Google SRE workbook, ch. 2 (availability SLI).
    """
    del baseline, view
    yield share("all", night.service.ok, night.service.requests)
