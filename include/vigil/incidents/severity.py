"""How bad: impact x urgency, raised for tier 1. The inputs are stored with the answer."""

from collections.abc import Callable, Sequence

from vigil.core.words import Family
from vigil.incidents.findings import about
from vigil.incidents.types import Risk, Severity, SeverityAssessment, Signal
from vigil.verdicts.types import Cause, State

MATRIX = {  # impact -> urgency 1..4 -> severity
    1: (1, 1, 2, 2),
    2: (1, 2, 2, 3),
    3: (2, 3, 3, 4),
    4: (3, 4, 4, 4),
}
CUSTOMER_FACING = "production"


def assess(
    signals: Sequence[Signal], risk: Risk, *, environment: str, has_fallback: bool, mitigated: bool
) -> SeverityAssessment:
    """The severity of these signals together: the worst impact, at one urgency.

    urgency: 1 harm goes on and nothing can stand in; 2 a fallback exists; 3 mitigated.
    Outside production no customer decision is made: impact counts one line less, and tier 1 does not raise.
    """
    if signals and all(s.verdict.ticket for s in signals):
        slow = "I4: slow drift is to be looked at within days"
        return SeverityAssessment(severity=Severity.SEV4, impact=4, urgency=3, tier=risk.tier, reasons=(slow,))
    production = environment == CUSTOMER_FACING
    impact, reasons = 4, ["no finding has an impact of its own"]
    for signal in signals:
        if signal.verdict.ticket:
            continue
        line, why = _impact(signal, risk)
        if line < impact:
            impact, reasons = line, [why]
        elif line == impact and why not in reasons:
            reasons.append(why)
    if not production and impact < 4:
        impact += 1
        reasons.append(f"{environment}: no customer decision is made here, one line less")
    urgency, why = _urgency(has_fallback=has_fallback, mitigated=mitigated)
    reasons.append(why)
    level = MATRIX[impact][urgency - 1]
    if risk.tier == 1 and production and level > 1:
        level -= 1
        reasons.append("tier 1 raises by one")
    return SeverityAssessment(
        severity=Severity(level), impact=impact, urgency=urgency, tier=risk.tier, reasons=tuple(reasons)
    )


def each(
    signals: Sequence[Signal], how_bad: Callable[[Sequence[Signal]], SeverityAssessment]
) -> dict[str, SeverityAssessment]:
    """`family/subject key` -> how bad its signals are by themselves."""
    parts: dict[str, list[Signal]] = {}
    for signal in signals:
        family, subject = about(signal)
        parts.setdefault(f"{family.value}/{subject}", []).append(signal)
    return {name: how_bad(mine) for name, mine in parts.items()}


def _impact(signal: Signal, risk: Risk) -> tuple[int, str]:
    verdict = signal.verdict
    if verdict.cause is Cause.BLIND:
        return 4, f"I4: the monitor hardly judges {verdict.subject}; it is to be looked at within days"
    if verdict.state is State.UNKNOWN:
        return min(risk.tier, 3), f"I{min(risk.tier, 3)}: the monitor of a tier-{risk.tier} model is blind"
    match verdict.family:
        case Family.FAIRNESS:
            if risk.tier == 1 and risk.affects_access:
                return 1, "I1: unfair decisions on access (credit, job, benefit) by a tier-1 model"
            return 2, f"I2: fairness breach of a tier-{risk.tier} model"
        case Family.PERFORMANCE | Family.SERVICE:
            line = 2 if risk.tier <= 2 else 3
            return line, f"I{line}: {verdict.family.value} breach of a tier-{risk.tier} model"
        case Family.DRIFT | Family.QUALITY:
            return 3, f"I3: {verdict.family.value} is a cause, not yet harm"


def _urgency(*, has_fallback: bool, mitigated: bool) -> tuple[int, str]:
    if mitigated:
        return 3, "U3: contained by the mitigation"
    if has_fallback:
        return 2, "U2: it goes on, a fallback exists"
    return 1, "U1: it goes on, and nothing can stand in"
