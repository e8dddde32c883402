"""Pooling nights is adding counts; values are never averaged."""

from collections.abc import Sequence

from vigil.metrics.intervals import mover_ratio, newcombe, wilson
from vigil.metrics.types import Kind, Measurement


def interval(kind: Kind, parts: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """(value, low, high) of counted parts; all None where a denominator is zero.

    >>> [round(x, 3) for x in interval(Kind.PROPORTION, (8, 10))]
    [0.8, 0.49, 0.943]
    """
    if kind is Kind.PROPORTION:
        k, n = parts
        return (k / n, *wilson(k, n)) if n else (None, None, None)
    k1, n1, k0, n0 = parts
    if not n1 or not n0:
        return None, None, None
    if kind is Kind.DIFFERENCE:
        return k1 / n1 - k0 / n0, *newcombe(k1, n1, k0, n0)
    if not k0:
        return None, None, None
    return (k1 / n1) / (k0 / n0), *mover_ratio(k1, n1, k0, n0)


def pool(measurements: Sequence[Measurement]) -> Measurement:
    """The same measurement over all the nights given, the last one's words kept. Raises ValueError for other kinds."""
    last = measurements[-1]
    if any(m.kind is not last.kind or len(m.parts) != len(last.parts) for m in measurements) or not last.parts:
        raise ValueError(f"{last.id} does not add up over nights: it is a {last.kind.value}")
    parts = tuple(sum(column) for column in zip(*(m.parts for m in measurements), strict=True))
    value, low, high = interval(last.kind, parts)
    update = {"parts": parts, "value": value, "low": low, "high": high, "n": sum(m.n for m in measurements)}
    return last.model_copy(update=update)
