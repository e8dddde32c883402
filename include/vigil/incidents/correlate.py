"""Verdicts -> signals: what reaches the incident process, and what only is shown."""

from collections.abc import Collection, Sequence
from datetime import date

from vigil.core.ids import digest, slug
from vigil.incidents.types import Finding, Signal
from vigil.verdicts.types import NightResult, State, Verdict


def incident_id(monitor: str, environment: str, night: date) -> str:
    """`20261121-credit-scoring-staging`: the same episode has the same id on every retry.

    >>> incident_id("credit_scoring", "staging", date(2026, 11, 21))
    '20261121-credit-scoring-staging'
    """
    return f"{night:%Y%m%d}-{slug(monitor)}-{slug(environment)}"


def free_id(known: Collection[str], monitor: str, environment: str, night: date) -> str:
    """The id of an incident that begins with `night`; another one where an incident that never was has that one.

    >>> free_id(["20261121-shop-staging"], "shop", "staging", date(2026, 11, 21))
    '20261121-shop-staging-2'
    """
    name = incident_id(monitor, environment, night)
    names = (name, *(f"{name}-{n}" for n in range(2, len(known) + 2)))
    return next(each for each in names if each not in known)


def fingerprint(monitor: str, environment: str, verdict: Verdict) -> str:
    """Identifies the same question about the same model on every night."""
    return digest([monitor, environment, verdict.family, verdict.metric, verdict.subject], length=16)


def signals(result: NightResult, before: NightResult | None) -> tuple[Signal, ...]:
    """Breaches of the night, tickets of slow drift, and unknowns that are overdue for the second night in a row."""
    overdue_before = {v.id for v in before.verdicts if v.overdue} if before else set()
    found = [
        v
        for v in result.verdicts
        if v.state is State.BREACH or v.ticket or (v.state is State.UNKNOWN and v.overdue and v.id in overdue_before)
    ]
    return tuple(
        Signal(fingerprint=fingerprint(result.monitor, result.environment, v), night=result.night, verdict=v)
        for v in found
    )


def findings(known: Sequence[Finding], new: Sequence[Signal]) -> tuple[Finding, ...]:
    """Joins signals to the findings of an incident: one finding a family, the latest signal of each fingerprint."""
    by_family = {f.family: f for f in known}
    for signal in new:
        family = signal.verdict.family
        have = by_family.get(family)
        if have is None:
            by_family[family] = Finding(
                family=family, first_night=signal.night, last_night=signal.night, signals=(signal,)
            )
            continue
        newer = next(
            (s for s in have.signals if s.fingerprint == signal.fingerprint and s.night > signal.night), signal
        )
        others = tuple(s for s in have.signals if s.fingerprint != signal.fingerprint)
        by_family[family] = Finding(
            family=family,
            first_night=min(have.first_night, signal.night),
            last_night=max(have.last_night, signal.night),
            signals=(*others, newer),
        )
    return tuple(by_family.values())
