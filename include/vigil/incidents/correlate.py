"""Verdicts -> signals: what reaches the incident process, and what only is shown."""

from collections.abc import Collection, Mapping
from datetime import date

from vigil.core.ids import digest, slug
from vigil.incidents.standing import is_bad, is_worse
from vigil.incidents.types import Signal, Standing
from vigil.verdicts.types import NightResult, Onset, State, Verdict


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


def signals(
    result: NightResult,
    before: NightResult | None,
    *,
    told: Collection[str] = (),
    standing: Mapping[str, Standing] | None = None,
) -> tuple[Signal, ...]:
    """Breaches of the night, tickets of slow drift, and unknowns that are overdue for the second night in a row.

    told: questions of the open incident. A breach of one that is known since the reference is no new signal.
    standing: question -> the bad answer that stands; it is a signal again once it is worse, or on its review date.
    """
    overdue_before = {v.id for v in before.verdicts if v.overdue} if before else set()
    found = []
    for v in result.verdicts:
        stands = (standing or {}).get(v.id) if v.state is not State.UNKNOWN else None
        if v.state is State.UNKNOWN:
            wanted = v.overdue and v.id in overdue_before
        elif stands is not None:
            wanted = is_bad(v) and (stands.review <= result.night or is_worse(stands, v))
        else:
            wanted = is_bad(v) and not (v.id in told and v.onset is Onset.KNOWN)
        if wanted:
            due = stands.review if stands and stands.review <= result.night else None
            name = fingerprint(result.monitor, result.environment, v)
            found.append(Signal(fingerprint=name, night=result.night, verdict=v, review=due))
    return tuple(found)
