"""Measurements and nights for the judge, made of counts."""

from datetime import date, timedelta
from typing import Any

from vigil.core.words import Family
from vigil.metrics.intervals import wilson
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.judge import Facts
from vigil.verdicts.types import Labels, NightResult, Verdict

NIGHT = date(2026, 9, 20)


def share(bad: int, n: int, *, metric: str = "missing", subject: str = "age", **more: Any) -> Measurement:
    """A proportion with its Wilson interval; more is worse."""
    low, high = wilson(bad, n) if n else (None, None)
    return Measurement(
        metric=metric, subject=subject, family=more.pop("family", Family.QUALITY), kind=Kind.PROPORTION,
        value=bad / n if n else None, low=low, high=high, n=n, parts=(bad, n) if n else (), unit="share",
        worse=more.pop("worse", Worse.HIGHER), why_not="" if n else "no rows", **more,
    )  # fmt: skip


def moved(
    value: float | None, *, metric: str = "mean_shift", subject: str = "age", n: int = 500, **more: Any
) -> Measurement:
    """A distance in sd, bad either way, with an interval of ±0.1."""
    return Measurement(
        metric=metric, subject=subject, family=Family.DRIFT, kind=Kind.NUMBER, value=value,
        low=None if value is None else value - 0.1, high=None if value is None else value + 0.1, n=n, unit="sd",
        worse=Worse.AWAY, why_not=more.pop("why_not", "" if value is not None else "no rows"), **more,
    )  # fmt: skip


def ratio(k1: int, n1: int, k0: int, n0: int, *, subject: str = "sex=female") -> Measurement:
    """A selection-rate ratio of a group to its reference group."""
    return Measurement(
        metric="selection_rate_ratio", subject=subject, family=Family.FAIRNESS, kind=Kind.RATIO,
        value=(k1 / n1) / (k0 / n0), low=0.0, high=9.0, n=n1, parts=(k1, n1, k0, n0), unit="ratio", worse=Worse.LOWER,
    )  # fmt: skip


def night(back: int, *measured: Measurement, verdicts: tuple[Verdict, ...] = (), **more: Any) -> NightResult:
    """A judged night, `back` nights before NIGHT, that kept these measurements as ok verdicts."""
    kept = tuple(
        Verdict(metric=m.metric, subject=m.subject, family=m.family, state="ok", reason="", measurement=m)
        for m in measured
    )
    return NightResult(
        monitor="shop", environment="production", night=NIGHT - timedelta(days=back), partition_digest=f"p{back}",
        config_digest="c", edges_digest="e", rows=500, verdicts=(*kept, *verdicts), **more,
    )  # fmt: skip


def facts(**more: Any) -> Facts:
    """Tonight, judged the day after, with mature labels."""
    return Facts(**{"night": NIGHT, "as_of": NIGHT, "labels": Labels(), "labelled_share": 1.0, **more})
