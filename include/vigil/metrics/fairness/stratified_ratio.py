"""The selection-rate ratio within the levels of a third column: is it the group, or whom the group consists of?"""

from collections.abc import Iterator, Mapping
from math import exp, log, sqrt

from vigil.metrics.fairness.cells import others
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_ROWS, NOT_LOGGED, because
from vigil.metrics.types import Reading

Stratum = tuple[float, float, float, float]  # favourable and all of the group, favourable and all of the reference


def mantel_haenszel(strata: list[Stratum]) -> tuple[float, float, float] | None:
    """(ratio, low, high) at 95 %, pooled over strata; None where it is not defined (nobody favoured on one side).

    Ratio: sum(k1 n0 / N) / sum(k0 n1 / N). Interval: log scale, variance of Greenland and Robins (1985).
    Source: Mantel and Haenszel (1959); Nurminen (1981).

    >>> [round(x, 3) for x in mantel_haenszel([(10, 100, 40, 200), (30, 50, 45, 60)])]
    [0.682, 0.514, 0.904]
    """
    above = below = spread = 0.0
    for k1, n1, k0, n0 in strata:
        n = n1 + n0
        if not n1 or not n0:
            continue
        above, below = above + k1 * n0 / n, below + k0 * n1 / n
        spread += (n1 * n0 * (k1 + k0) - k1 * k0 * n) / n**2
    if not above or not below:
        return None
    ratio, half = above / below, z_of() * sqrt(max(0.0, spread / (above * below)))
    return ratio, exp(log(ratio) - half), exp(log(ratio) + half)


def stratified_ratio(given: Given) -> Iterator[Reading]:
    """Mantel-Haenszel ratio of selection rates, group against reference, within the monitor's `strata`; 0 or more.

    1 is equal within the strata. The detail has the crude ratio beside it, and says so where the two are on different
    sides of 1 (Simpson's paradox): a crude gap that vanishes here is about who applies, not about how they are decided;
    one that only shows here is hidden in the crude number. See `mantel_haenszel`.

    >>> from vigil.metrics.example import SEX, profile, view
    >>> levels = {"low": {"female": (200, 44), "male": (60, 10)}, "high": {"female": (50, 45), "male": (200, 170)}}
    >>> night = profile(rows=510, strata={"sex": levels})
    >>> reading = next(stratified_ratio(Given(night, None, view(protected=(SEX,), strata="amount"))))
    >>> round(reading.value, 3), reading.detail
    (1.107, "crude 0.514; within 'amount' it turns round (Simpson's paradox)")
    """
    column = given.view.strata
    for p in given.view.protected if column else ():
        levels = given.tonight.strata.get(p.attribute, {})
        was = given.baseline.strata.get(p.attribute, {}) if given.baseline else {}
        tonight, before = ({g for groups in each.values() for g in groups} for each in (levels, was))
        for group in others(p, tonight, before):
            yield _one(f"{p.attribute}={group}", group, p.reference, levels, str(column))


def _one(
    subject: str, group: str, reference: str, levels: Mapping[str, Mapping[str, tuple[int, int]]], column: str
) -> Reading:
    if not levels:
        return unknown(subject, because(NOT_LOGGED, f"no column {column!r}"))
    pairs = [(groups.get(group, (0, 0)), groups.get(reference, (0, 0))) for groups in levels.values()]
    strata = [(float(n1), float(k1), float(n0), float(k0)) for (n1, k1), (n0, k0) in pairs]
    return _pooled(subject, [(k1, n1, k0, n0) for n1, k1, n0, k0 in strata], column)


def _pooled(subject: str, strata: list[Stratum], column: str) -> Reading:
    k1, n1, k0, n0 = (sum(part) for part in zip(*strata, strict=True))
    found = mantel_haenszel(strata)
    if found is None or not k1 or not k0:
        return unknown(subject, because(NO_ROWS, "no favourable decisions on one side, or no stratum with both groups"))
    crude = (k1 / n1) / (k0 / n0)
    turns = (crude - 1) * (found[0] - 1) < 0
    detail = f"crude {crude:.3f}" + (f"; within {column!r} it turns round (Simpson's paradox)" if turns else "")
    return Reading(subject=subject, value=found[0], low=found[1], high=found[2], n=int(n1), detail=detail)
