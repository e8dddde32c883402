"""Share of answered requests within a latency target."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf, log

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.reasons import NOT_LOGGED, because
from vigil.metrics.types import Reading
from vigil.profiles.edges import LATENCY_EDGES_MS


def count_within(bins: Sequence[int], limit: float, edges: Sequence[float]) -> float:
    """About how many values are at most `limit`.

    Exact where the limit is an edge. In the bin that it cuts, values are taken as evenly spread in log(latency), so
    the error is below that bin's count; the fraction is kept, so that nights add up. Values above the last edge are
    never within.

    >>> count_within((10, 80, 10, 0), 20.0, (10.0, 20.0, 40.0))
    90.0
    >>> round(count_within((0, 0, 10, 0), 28.3, (10.0, 20.0, 40.0)), 2)
    5.01
    """
    within = 0.0
    for count, (lower, upper) in zip(bins, pairwise((0.0, *edges, inf)), strict=True):
        if upper <= limit:
            within += count
        elif 0 < lower < limit and upper < inf:
            within += count * log(limit / lower) / log(upper / lower)
    return within


def latency_within(given: Given) -> Iterator[Reading]:
    """Requests answered within each threshold that an SLO asks for / requests with a latency, in [0, 1]; 1 is good.

    Subject "<=300 ms". The threshold's place within its bin (10 % wide) is interpolated, see `count_within`.

    >>> from vigil.metrics.example import served
    >>> bins = tuple(100 if edge < 200 else 0 for edge in LATENCY_EDGES_MS) + (0,)
    >>> [(r.subject, r.value) for r in latency_within(served(requests=5600, latency_bins=bins, latency_ms=(300.0,)))]
    [('<=300 ms', 1.0)]
    """
    bins = given.tonight.service.latency_bins
    for limit in given.view.latency_ms:
        within = count_within(bins, limit, LATENCY_EDGES_MS) if bins else 0
        yield share(f"<={limit:g} ms", within, sum(bins), empty=because(NOT_LOGGED, "no request has a latency"))
