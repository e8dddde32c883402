"""What Prometheus may ask: requests, latencies and the spool. Labels are names of ours, never a caller's text."""

from collections.abc import Callable, Collection
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from vigil.serving.spool import Depth

# Seconds; from a cached linear model to the default time limit of a prediction.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SPOOL = {
    "segments": "Spool files that wait for the prediction log.",
    "bytes": "Bytes that wait for the prediction log.",
    "rows": "Rows that were answered and wait for the prediction log.",
}
UNKNOWN = "(unknown)"


class Metrics:
    """The metrics of one gateway, apart from the process-wide registry: two gateways do not mix.

    models: the names that may be labels. depth: what waits in the spool, asked at each scrape.
    """

    def __init__(self, models: Collection[str], depth: Callable[[], Depth]) -> None:
        self._models = frozenset(models)
        self._kept = CollectorRegistry()
        self._requests = Counter(
            "vigil_gateway_requests", "Requests for a prediction.", ("model", "version", "status"), registry=self._kept
        )
        self._latency = Histogram(
            "vigil_gateway_latency_seconds",
            "From the arrival of a request until its rows are stored and its answer leaves.",
            ("model", "version"),
            registry=self._kept,
            buckets=BUCKETS,
        )
        self._inside = Gauge("vigil_gateway_requests_inside", "Requests that are worked on.", registry=self._kept)
        self._shadowed = Counter(
            "vigil_gateway_shadow", "Requests for the challenger.", ("model", "version", "status"), registry=self._kept
        )
        self._age = Gauge(
            "vigil_gateway_alias_age_seconds",
            "Since the registry last said who should answer; NaN: never.",
            ("model",),
            registry=self._kept,
        )
        self._moved = Gauge(
            "vigil_gateway_version_age_seconds",
            "Since the version that answers began to; NaN: none does.",
            ("model",),
            registry=self._kept,
        )
        for part, words in SPOOL.items():
            gauge = Gauge(f"vigil_gateway_spool_{part}", words, registry=self._kept)
            gauge.set_function(partial(_part, depth, part))

    def answered(self, model: str, version: str, status: int, seconds: float) -> None:
        """A model was asked, and what came of it was stored. status: the HTTP status."""
        self._requests.labels(model, version, str(status)).inc()
        self._latency.labels(model, version).observe(seconds)

    def refused(self, model: str, status: int) -> None:
        """A request that no model answered. A model that is not served counts as one that nobody knows."""
        self._requests.labels(model if model in self._models else UNKNOWN, "", str(status)).inc()

    def shadowed(self, model: str, status: str, *, version: str = "") -> None:
        """A request was asked of the challenger (ok, error, timeout), or was not (dropped)."""
        self._shadowed.labels(model, version, status).inc()

    def door(self, inside: Callable[[], int]) -> None:
        """inside: requests that are worked on."""
        self._inside.set_function(inside)

    def follow(self, model: str, age: Callable[[], float], moved: Callable[[], float]) -> None:
        """age: seconds since the registry last answered. moved: seconds since another version began to answer."""
        self._age.labels(model).set_function(age)
        self._moved.labels(model).set_function(moved)

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._kept)


def _part(depth: Callable[[], Depth], part: str) -> float:
    return float(getattr(depth(), part))
