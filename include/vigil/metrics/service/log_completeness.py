"""How much of the traffic reached the prediction log."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share, unknown
from vigil.metrics.reasons import NOT_LOGGED, because
from vigil.metrics.types import Reading


def log_completeness(given: Given) -> Iterator[Reading]:
    """Logged rows / requests that somebody else counted (the monitor's `traffic:`), in [0, 1]; 1 is good.

    The only metric that sees a log that loses rows, or a gateway that is dead. Unknown without such a source. More rows
    than requests count as 1, and the detail says so: one of the two counts is wrong.

    >>> from dataclasses import replace
    >>> from vigil.metrics.example import profile, view
    >>> next(log_completeness(Given(profile(rows=990), None, view(requests=1000)))).value
    0.99
    """
    rows, requests = given.tonight.rows, given.view.requests
    if requests is None:
        why = given.view.no_requests or "the monitor names no `traffic:`"
        yield unknown("all", because(NOT_LOGGED, why), n=rows)
        return
    over = f"{rows:,} rows for {requests:,} requests: more than were counted" if rows > requests else ""
    yield share("all", min(rows, requests), requests, detail=over or f"{rows:,} of {requests:,} requests")
