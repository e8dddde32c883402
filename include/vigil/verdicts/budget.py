"""Error budgets for a nightly world (judgement §7)."""

from collections.abc import Sequence
from datetime import date

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.metrics.intervals import wilson
from vigil.verdicts.types import Budget, BurnLevel, Cause, NightResult, Slo, State, Verdict

# (level, nights of the long window, factor): the latest night must burn above the same factor too.
# Source: the multi-window rules of Google's SRE workbook, chapter 5, scaled to nights.
BURN_RULES = (
    (BurnLevel.CRITICAL, 1, 14.0),
    (BurnLevel.FAST, 1, 7.0),
    (BurnLevel.MEDIUM, 3, 3.0),
    (BurnLevel.SLOW, 7, 1.5),
    (BurnLevel.CREEP, 14, 1.0),
)
STATE_OF = {BurnLevel.CRITICAL: State.BREACH, BurnLevel.FAST: State.BREACH, BurnLevel.MEDIUM: State.BREACH,
         BurnLevel.SLOW: State.WARN, BurnLevel.CREEP: State.WARN, BurnLevel.NONE: State.OK}  # fmt: skip


class Spent(Spec):
    """Good and total of one night; total 0 means that the night could not be judged."""

    night: date
    good: float
    total: float


def spent(slo: Slo, night: NightResult) -> Spent:
    """What one judged night adds to an SLO."""
    if slo.sli == "good_nights":
        return _good_night(slo.family, night)
    metric, subject = (
        ("success_rate", "all") if slo.sli == "availability" else ("latency_within", f"<={slo.threshold_ms:g} ms")
    )
    everything = [v.measurement for v in night.verdicts if v.measurement] + list(night.measurements)
    for m in everything:
        if m.metric == metric and m.subject == subject and m.parts:
            return Spent(night=night.night, good=m.parts[0], total=m.parts[1])
    return Spent(night=night.night, good=0, total=0)


def _good_night(family: Family | None, night: NightResult) -> Spent:
    states = [v.state for v in night.verdicts if v.family is family and v.metric != "burn"]
    if State.BREACH in states:
        return Spent(night=night.night, good=0, total=1)
    if State.OK in states or State.WARN in states:
        return Spent(night=night.night, good=1, total=1)
    return Spent(night=night.night, good=0, total=0)


def budget(slo: Slo, nights: Sequence[Spent]) -> Budget:
    """The budget after the last of `nights` (oldest first, tonight last).

    left = 1 - bad / (allowed bad share x total); for good nights the allowed number of bad nights is
    that of the whole window, so that a young model is not called exhausted after its first bad night.
    """
    window = list(nights)[-slo.nights :]
    judged = [n for n in window if n.total > 0]
    good, total = sum(n.good for n in judged), sum(n.total for n in judged)
    allowed = 1 - slo.target
    base = max(total, slo.nights) if slo.sli == "good_nights" else total
    return Budget(
        slo=slo.name,
        target=slo.target,
        nights=slo.nights,
        good=good,
        total=total,
        attained=good / total if total else None,
        left=1 - (total - good) / (allowed * base) if total else None,
        burn=_burn(window[-1:], allowed) if window else None,
        level=_level(window, allowed),
        judged_nights=len(judged),
        unjudged_nights=len(window) - len(judged),
        of_logged=slo.sli == "availability",
    )


def _burn(nights: Sequence[Spent], allowed: float) -> float | None:
    """Lower 95 % limit of the bad share, in multiples of the share that the target allows."""
    total = sum(n.total for n in nights)
    if total == 0:
        return None
    bad = total - sum(n.good for n in nights)
    return max(0.0, wilson(bad, total)[0]) / allowed


def _level(window: Sequence[Spent], allowed: float) -> BurnLevel:
    last = _burn(window[-1:], allowed)
    for level, nights, factor in BURN_RULES:
        long = _burn(window[-nights:], allowed)
        if len(window) >= nights and last is not None and long is not None and last >= factor and long >= factor:
            return level
    return BurnLevel.NONE


def burn_verdict(slo: Slo, b: Budget) -> Verdict:
    """The budget as a verdict: fast burns breach at once, slow ones warn."""
    family = slo.family or Family.SERVICE
    limit = f"target {slo.target:.1%} over {slo.nights} nights"
    if b.burn is None or b.attained is None or b.left is None:
        state, cause, reason = State.UNKNOWN, Cause.NO_DATA, f"SLO {slo.name}: tonight could not be counted"
    else:
        state, cause = STATE_OF[b.level], None
        reason = (
            f"SLO {slo.name}: {b.attained:.2%} good of {b.total:,.0f} over {b.judged_nights} nights, "
            f"{limit}; tonight burns at {b.burn:.1f}x, {max(b.left, 0):.0%} of the budget is left"
        )
    return Verdict(metric="burn", subject=slo.name, family=family, state=state, cause=cause, reason=reason, limit=limit)
