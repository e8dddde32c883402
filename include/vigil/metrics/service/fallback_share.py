"""Share of requests that the rules answered instead of the champion."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def fallback_share(given: Given) -> Iterator[Reading]:
    """Requests answered by the fallback / requests, in [0, 1]; 0 is usual.

    >>> from vigil.metrics.example import served
    >>> next(fallback_share(served(requests=1000, fallback=20))).value
    0.02
    """
    service = given.tonight.service
    yield share("all", service.fallback, service.requests)
