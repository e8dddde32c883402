"""Share of requests that the rules answered instead of the champion."""

from collections.abc import Iterator

from vigil.metrics.readings import share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def fallback_share(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """fallback / requests, in [0, 1]."""
    del baseline, view
    yield share("all", night.service.fallback, night.service.requests)
