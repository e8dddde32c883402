"""Error budgets for a nightly world (docs/statistics.md#objectives-and-budgets)."""

from collections.abc import Sequence
from functools import partial

from vigil.core.words import Family
from vigil.metrics.intervals import wilson
from vigil.verdicts.exhaustion import exhaustion
from vigil.verdicts.limits import Limit, LimitKind
from vigil.verdicts.spent import Spent
from vigil.verdicts.types import BURN, Budget, BurnLevel, Cause, Slo, State, Verdict

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


def budget(slo: Slo, nights: Sequence[Spent]) -> Budget:
    """The budget after the last of `nights` (oldest first, tonight last).

    left = 1 - bad / (allowed bad share x total); for good nights the allowed number of bad nights is
    that of the whole window, so that a young model is not called exhausted after its first bad night.
    Nights whose labels are not due yet are as if they were not there: the window reaches further back.
    """
    known = [n for n in nights if not n.waiting]
    window = _asked(known[-slo.nights :])
    judged = [n for n in window if n.total > 0]
    good, total = sum(n.good for n in judged), sum(n.total for n in judged)
    waiting = bool(nights) and nights[-1].waiting
    unjudged = len(window) - len(judged)
    return Budget(
        slo=slo.name,
        target=slo.target,
        nights=slo.nights,
        good=good,
        total=total,
        attained=good / total if total else None,
        left=_left(slo, good, total),
        burn=None if waiting or not window else _burn(window[-1:], slo),
        level=BurnLevel.NONE if waiting else _level(window, slo),
        judged_nights=len(judged),
        unjudged_nights=unjudged,
        waiting_nights=len(nights) - len(known),
        coverage=slo.coverage,
        coverage_left=_coverage_left(slo, unjudged),
        blind=_coverage_left(slo, _untold(window)) < 0,
        newest=judged[-1].night if judged else None,
        waiting=waiting,
        exhaustion=exhaustion(window, slo.nights, partial(_left, slo)),
        of_logged=slo.sli == "availability",
    )


def _asked(window: Sequence[Spent]) -> Sequence[Spent]:
    """The window from the first night on which the objective was asked about: an objective is young too."""
    first = next((n for n, night in enumerate(window) if night.asked), len(window))
    return window[first:]


def _left(slo: Slo, good: float, total: float) -> float | None:
    if total <= 0:
        return None
    base = max(total, slo.nights) if slo.sli == "good_nights" else total
    return 1 - (total - good) / ((1 - slo.target) * base)


def may_go_unjudged(slo: Slo) -> int:
    """Nights of the whole window that may go unjudged, rounded to a whole night.

    >>> may_go_unjudged(Slo(name="up", sli="availability", target=0.99))
    2
    """
    return round((1 - slo.coverage) * slo.nights)


def _coverage_left(slo: Slo, unjudged: int) -> float:
    """1 = no night went unjudged, 0 = as many as may, below 0 = more. Where none may: 1 or below 0."""
    may = may_go_unjudged(slo)
    return 1 - unjudged / may if may else float(1 - 2 * min(unjudged, 1))


def _untold(window: Sequence[Spent]) -> int:
    """Unjudged nights that no incident speaks of: two overdue nights in a row have one already."""
    told = [False, *(n.overdue for n in window), False]
    return sum(n.total == 0 and not (n.overdue and (told[place] or told[place + 2])) for place, n in enumerate(window))


def _burn(nights: Sequence[Spent], slo: Slo, *, point: bool = False) -> float | None:
    """Lower 95 % limit of the bad share, in multiples of the share that the target allows. point: the share itself."""
    total = sum(n.total for n in nights)
    if total == 0:
        return None
    bad = total - sum(n.good for n in nights)
    return max(0.0, bad / total if point else wilson(bad, total)[0]) / (1 - slo.target)


def _level(window: Sequence[Spent], slo: Slo) -> BurnLevel:
    """Of the long window, the limit; of the latest night too, unless a night is one event: then whether it was bad."""
    last = _burn(window[-1:], slo, point=slo.sli == "good_nights")
    for level, nights, factor in BURN_RULES:
        long = _burn(window[-nights:], slo)
        if len(window) >= nights and last is not None and long is not None and last >= factor and long >= factor:
            return level
    return BurnLevel.NONE


def burn_verdict(slo: Slo, b: Budget) -> Verdict:
    """The budget as a verdict: fast burns breach at once, slow ones warn.

    Where too many nights went unjudged, an ok is an overdue unknown: nobody knows what those nights spent.
    """
    family = slo.family or Family.SERVICE
    limit = Limit(kind=LimitKind.OBJECTIVE, level=slo.target, nights=slo.nights)
    cause = None
    if b.waiting:
        state, cause, reason = State.UNKNOWN, Cause.LABELS_PENDING, f"SLO {slo.name}: tonight's labels are not due yet"
    elif b.burn is None or b.attained is None or b.left is None:
        state, cause, reason = State.UNKNOWN, Cause.NO_DATA, f"SLO {slo.name}: tonight could not be counted"
    else:
        state = STATE_OF[b.level]
        if slo.sli == "good_nights" and state is State.BREACH:
            state = State.WARN  # each of its bad nights is a breach that was told already
        reason = (
            f"SLO {slo.name}: {b.attained:.2%} good of {b.total:,.0f} over {b.judged_nights} nights, "
            f"{limit}; tonight burns at {b.burn:.1f}x, {max(b.left, 0):.0%} of the budget is left"
        )
    if b.coverage_left is not None and b.coverage_left < 0:
        may = may_go_unjudged(slo)
        reason += f"; {b.unjudged_nights} of its nights could not be judged, {may} may"
    blind = b.blind and state in (State.OK, State.UNKNOWN)
    if blind:
        state, cause = State.UNKNOWN, cause or Cause.NO_DATA
    return Verdict(metric=BURN, subject=slo.name, family=family, state=state, cause=cause, reason=reason,
                   overdue=blind, limit=limit)  # fmt: skip
