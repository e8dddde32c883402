"""Measurements and nights, made from the counts that a test is about."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from vigil.core.words import Family
from vigil.metrics.pool import interval
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.limits import Bound
from vigil.verdicts.types import NightResult, State, Verdict

NIGHT = date(2026, 11, 20)


def bound(text: str) -> Bound:
    return Bound.model_validate(text)


def counted(kind: Kind, *parts: float, **more: Any) -> Measurement:
    """A proportion (k, n), or a ratio or difference (k1, n1, k0, n0), with the interval that people see."""
    value, low, high = interval(kind, parts)
    names = {
        Kind.PROPORTION: {"metric": "accuracy", "subject": "all", "family": Family.PERFORMANCE, "unit": "share"},
        Kind.RATIO: {"metric": "selection_rate_ratio", "subject": "sex=f", "family": Family.FAIRNESS, "unit": "ratio"},
        Kind.DIFFERENCE: {"metric": "equal_opportunity", "subject": "sex=f", "family": Family.FAIRNESS, "unit": ""},
    }[kind]
    base = {"kind": kind, "value": value, "low": low, "high": high, "n": int(parts[1]), "parts": parts}
    return Measurement(**{**names, "worse": Worse.LOWER, **base, **more})


def share(k: int, n: int, **more: Any) -> Measurement:
    """k of n: the fewer, the worse."""
    return counted(Kind.PROPORTION, k, n, **more)


def missing(k: int, n: int, **more: Any) -> Measurement:
    """k nulls of n: the more, the worse."""
    named = {"metric": "missing", "subject": "income", "family": Family.QUALITY, "worse": Worse.HIGHER}
    return counted(Kind.PROPORTION, k, n, **{**named, **more})


def ratio(k1: int, n1: int, k0: int, n0: int, **more: Any) -> Measurement:
    """The selection rate of a group over that of its reference group."""
    return counted(Kind.RATIO, k1, n1, k0, n0, **more)


def number(value: float | None, *, half: float | None = None, n: int = 1000, **more: Any) -> Measurement:
    """A number with (`half`: of its 95 % interval) or without sampling noise."""
    limits = {} if half is None or value is None else {"low": value - half, "high": value + half}
    named = {"metric": "mean_shift", "subject": "income", "family": Family.DRIFT, "unit": "sd", "worse": Worse.AWAY}
    return Measurement(**{**named, "kind": Kind.NUMBER, "value": value, "n": n, **limits, **more})


def volume(rows: int) -> Measurement:
    return Measurement(metric="volume", subject="all", family=Family.SERVICE, kind=Kind.COUNT, value=rows, n=rows,
                       unit="rows", worse=Worse.AWAY)  # fmt: skip


def judged(m: Measurement, state: State = State.OK, **more: Any) -> Verdict:
    """A past verdict on a measurement."""
    fields = {"metric": m.metric, "subject": m.subject, "family": m.family, "state": state, "reason": "it was so"}
    return Verdict(**{**fields, "measurement": m, **more})


def night(back: int, *verdicts: Verdict, **more: Any) -> NightResult:
    """The result of the night `back` nights before NIGHT."""
    fields = {"monitor": "credit", "environment": "staging", "night": NIGHT - timedelta(days=back), "rows": 1000}
    digests = {"partition_digest": f"p{back}", "config_digest": "c", "edges_digest": "e"}
    return NightResult(**{**fields, **digests, "verdicts": verdicts, **more})


def nights(measurements: Sequence[Measurement]) -> list[NightResult]:
    """Judged nights up to yesterday, oldest first, one measurement each."""
    return [night(len(measurements) - i, judged(m)) for i, m in enumerate(measurements)]
