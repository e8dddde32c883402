"""Latency percentiles and the share within a target, from a log-spaced histogram."""

from collections.abc import Callable, Iterator, Sequence

from vigil.metrics.readings import NO_ROWS, share
from vigil.metrics.types import Reading, View
from vigil.profiles.edges import LATENCY_EDGES_MS
from vigil.profiles.types import Profile


def percentile(bins: Sequence[int], q: float, edges: Sequence[float] = LATENCY_EDGES_MS) -> float | None:
    """The upper edge of the bin that holds the q-th quantile: at most 10 % too high, never too low. Milliseconds.

    None without values; above the last edge that edge is returned (a lower bound there).

    >>> percentile((1, 8, 1, 0), 0.5, (10.0, 20.0, 30.0))
    20.0
    """
    total, seen = sum(bins), 0
    if not total:
        return None
    for j, count in enumerate(bins):
        seen += count
        if seen >= q * total:
            return edges[min(j, len(edges) - 1)]
    return edges[-1]


def _at(q: float) -> Callable[[Profile, Profile | None, View], Iterator[Reading]]:
    def latency(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
        """The q-th quantile of latency in milliseconds, at most 10 % too high (the bins' width)."""
        del baseline, view
        value = percentile(night.service.latency_bins, q)
        n = sum(night.service.latency_bins)
        yield Reading(subject="all", value=value, n=n, why_not="" if value is not None else NO_ROWS)

    return latency


latency_p50, latency_p95, latency_p99 = _at(0.50), _at(0.95), _at(0.99)


def latency_within(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Share of answered requests with a latency up to each asked threshold, in [0, 1].

    A bin that the threshold cuts counts as slow, so that the share is never too good.
    """
    del baseline
    bins = night.service.latency_bins
    for limit in view.latency_ms:
        fast = sum(n for n, edge in zip(bins, LATENCY_EDGES_MS, strict=False) if edge <= limit)
        yield share(f"<={limit:g} ms", fast, sum(bins))
