"""Latency percentiles from a log-spaced histogram."""

from collections.abc import Iterator, Sequence
from math import ceil, floor, sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NOT_LOGGED, because
from vigil.metrics.types import Reading
from vigil.profiles.edges import LATENCY_EDGES_MS


def ranked(bins: Sequence[int], rank: int, edges: Sequence[float]) -> float:
    """The upper edge of the bin that holds the value of this rank (1 is the smallest): never too low.

    Above the last edge that edge is returned, a lower bound there.

    >>> ranked((1, 8, 1, 0), 5, (10.0, 20.0, 30.0))
    20.0
    """
    seen = 0
    for j, count in enumerate(bins):
        seen += count
        if seen >= rank:
            return edges[min(j, len(edges) - 1)]
    return edges[-1]


def percentile(given: Given, q: float) -> Reading:
    """The q-th quantile of latency in ms, at most 10 % too high (the bins' width), with its order-statistic interval.

    The limits are the values of ranks n q -+ 1.96 sqrt(n q (1 - q)). Source: Hahn and Meeker (1991), section 5.2.

    >>> from vigil.metrics.example import served
    >>> bins = tuple(100 if 90 < edge < 110 else 0 for edge in LATENCY_EDGES_MS) + (0,)
    >>> reading = percentile(served(requests=200, latency_bins=bins), 0.5)
    >>> round(reading.value), round(reading.low), round(reading.high)
    (97, 97, 107)
    """
    bins = given.tonight.service.latency_bins
    n = sum(bins)
    if not n:
        return unknown("all", because(NOT_LOGGED, "no request has a latency"))
    half = z_of() * sqrt(n * q * (1 - q))
    ranks = (max(1, ceil(n * q)), max(1, floor(n * q - half)), min(n, ceil(n * q + half)))
    value, low, high = (ranked(bins, rank, LATENCY_EDGES_MS) for rank in ranks)
    over = f"more than {value:,.0f} ms" if n - bins[-1] < ranks[0] else ""
    return Reading(subject="all", value=value, low=low, high=high, n=n, detail=over)


def latency_p50(given: Given) -> Iterator[Reading]:
    """Median latency in ms, see `percentile`."""
    yield percentile(given, 0.50)


def latency_p95(given: Given) -> Iterator[Reading]:
    """95th percentile of latency in ms, see `percentile`."""
    yield percentile(given, 0.95)


def latency_p99(given: Given) -> Iterator[Reading]:
    """99th percentile of latency in ms, see `percentile`."""
    yield percentile(given, 0.99)
