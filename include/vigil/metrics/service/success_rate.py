"""Share of logged requests that were answered without error or timeout."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def success_rate(given: Given) -> Iterator[Reading]:
    """ok / requests, in [0, 1]; 1 is good. Of logged requests: a dead gateway logs nothing, which `volume` sees.

    Source: Google, Site Reliability Workbook, chapter 2 (availability as an SLI).

    >>> from vigil.metrics.example import served
    >>> next(success_rate(served(requests=1000, ok=990, errors=7, timeouts=3))).value
    0.99
    """
    service = given.tonight.service
    yield share("all", service.ok, service.requests)
