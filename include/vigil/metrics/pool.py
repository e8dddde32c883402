"""Pooling nights is adding counts; values are never averaged."""

from collections.abc import Sequence

from vigil.metrics.intervals import mover_ratio, newcombe, wilson
from vigil.metrics.reasons import NO_ROWS
from vigil.metrics.types import Kind, Measurement

COUNTED = (Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE)


def interval(kind: Kind, parts: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """(value, low, high) at 95 % of counted parts; all None where a denominator is zero.

    parts: (k, n) of a proportion (Wilson), (k1, n1, k0, n0) of a difference (Newcombe) or a ratio (MOVER-R).
    Raises ValueError for other kinds, or another number of parts.

    >>> [round(x, 3) for x in interval(Kind.PROPORTION, (8, 10))]
    [0.8, 0.49, 0.943]
    """
    if kind is Kind.PROPORTION:
        k, n = parts
        return (k / n, *wilson(k, n)) if n else (None, None, None)
    if kind not in COUNTED:
        raise ValueError(f"a {kind.value} has no counted parts")
    k1, n1, k0, n0 = parts
    if not n1 or not n0 or (kind is Kind.RATIO and not k0):
        return None, None, None
    if kind is Kind.DIFFERENCE:
        return k1 / n1 - k0 / n0, *newcombe(k1, n1, k0, n0)
    return (k1 / n1) / (k0 / n0), *mover_ratio(k1, n1, k0, n0)


def pool(measurements: Sequence[Measurement]) -> Measurement:
    """The same question over all the nights given: parts add up, value and interval are made anew.

    The last measurement's yardstick and direction are kept; its detail, which is about one night, is not.
    Raises ValueError for none, for different questions, and for kinds or measurements without parts.
    """
    if not measurements:
        raise ValueError("there is no measurement to pool")
    last = measurements[-1]
    for m in measurements:
        if m.id != last.id or m.kind is not last.kind:
            raise ValueError(f"{m.id} ({m.kind.value}) and {last.id} ({last.kind.value}) are different questions")
        if m.kind not in COUNTED or not m.parts:
            raise ValueError(f"{m.id} does not add up over nights: it is a {m.kind.value} with parts {m.parts}")
    parts = tuple(sum(column) for column in zip(*(m.parts for m in measurements), strict=True))
    value, low, high = interval(last.kind, parts)
    new = {
        "parts": parts,
        "value": value,
        "low": low,
        "high": high,
        "n": sum(m.n for m in measurements),
        "absence": None if value is not None else NO_ROWS.absence,
        "why_not": "" if value is not None else NO_ROWS.words,
        "detail": "",
    }
    return last.model_copy(update=new)
