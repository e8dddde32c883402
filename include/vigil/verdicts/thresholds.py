"""What each threshold of a rule says about each subject it names."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Literal

from vigil.core.spec import Spec
from vigil.metrics.types import Kind, Measurement
from vigil.verdicts.bounds import TESTED, Pools, Tested, judge_bound, judge_bounds, pools
from vigil.verdicts.history import LEAST_NIGHTS, Distance, distance, sampling_error
from vigil.verdicts.types import LEAST_ROWS, Bound, Cause, NightResult, Rule, State, Verdict
from vigil.verdicts.words import number

DYNAMIC = "sigma of"
ANSWERS = ("breach", "warn", "sigma", "quantile", "holdout", "surprise")
LEARNED = (DYNAMIC, "quantile of")  # in the `limit` of verdicts that are about past nights
FARTHEST = {"sd": 3.0, "share": 0.5}  # a night that sees no smaller move than this, by unit, sees nothing
MANY = 1000  # robust sd that say no more than that there was no spread


class Outcome(Spec):
    """What one threshold says. side: of a bound that is not a hard one, the side that is bad; None for all others."""

    state: State
    why: str
    limit: str
    cause: Cause | None = None
    hard: bool = False
    ticket: bool = False
    would_see: str = ""
    side: Literal["<", ">"] | None = None


def static(rule: Rule, known: Sequence[Measurement], past: Mapping[str, list[Measurement]]) -> dict[str, list[Outcome]]:
    """breach, warn, hard and holdout bounds, for all subjects of the rule at once (Holm)."""
    out: dict[str, list[Outcome]] = {m.subject: [] for m in known}
    pooled = [pools(m, past.get(m.id, [])) for m in known]
    if rule.breach is not None:
        for p, t in zip(pooled, _tests(rule, pooled, rule.breach), strict=True):
            out[p.tonight.subject].append(_outcome(t, rule.breach))
    if rule.warn is not None:
        for p, t in zip(pooled, _tests(rule, pooled, rule.warn), strict=True):
            out[p.tonight.subject].append(_warning(rule, rule.warn, t))
    _add_hard(rule, known, out)
    if rule.holdout is not None:
        for subject, outcome in _holdout(rule, pooled):
            out[subject].append(outcome)
    return out


def _answered(rule: Rule, *, beside: str) -> bool:
    """Whether another threshold of the rule than the one named (or the hard one) answers for the subject."""
    return any(getattr(rule, name) not in (None, False) for name in ANSWERS if name != beside)


def _warning(rule: Rule, bound: Bound, t: Tested) -> Outcome:
    """Beyond the milder bound. What it cannot tell is not ok, unless another threshold answers for the subject."""
    limit = f"warn {bound}"
    if t.state in (State.BREACH, State.WARN):
        return Outcome(state=State.WARN, why=t.why, limit=limit, side=bound.side)
    if t.state is State.UNKNOWN and not _answered(rule, beside="warn"):
        return Outcome(state=t.state, cause=t.cause, why=t.why, limit=limit)
    return Outcome(state=State.OK, why=t.why, limit=limit, would_see=t.would_see)


def _add_hard(rule: Rule, known: Sequence[Measurement], out: dict[str, list[Outcome]]) -> None:
    """A bound beyond which one night is enough; it never softens what the other thresholds say."""
    if rule.hard is None:
        return
    tonight = [Pools.alone(m) for m in known]
    for p, t in zip(tonight, _tests(rule, tonight, rule.hard), strict=True):
        limit = f"hard {rule.hard}"
        if t.state is State.BREACH:
            out[p.tonight.subject].append(Outcome(state=State.BREACH, why=t.why, limit=limit, hard=True))
        elif not _answered(rule, beside="hard"):
            out[p.tonight.subject].append(_tripwire(t, p.tonight, limit))


def _tripwire(t: Tested, m: Measurement, limit: str) -> Outcome:
    """A hard bound that no other threshold stands beside, and that was not certainly passed.

    A number of few rows is not unknown for it: only what is certainly beyond is looked for.
    """
    if t.state is State.WARN or (t.state is State.UNKNOWN and m.kind in TESTED):
        return Outcome(state=t.state, cause=t.cause, why=t.why, limit=limit)
    return Outcome(state=State.OK, why=t.why, limit=limit, would_see=t.would_see)


def _tests(rule: Rule, pooled: Sequence[Pools], bound: Bound) -> list[Tested]:
    return judge_bound(pooled, bound, min_difference=rule.min_difference, min_rows=rule.min_rows or LEAST_ROWS)


def _outcome(t: Tested, bound: Bound) -> Outcome:
    return Outcome(state=t.state, cause=t.cause, why=t.why, limit=str(bound), would_see=t.would_see, side=bound.side)


def _holdout(rule: Rule, pooled: Sequence[Pools]) -> Iterator[tuple[str, Outcome]]:
    """(subject, what a bound relative to the value recorded with the version says); the sign gives the bad side."""
    allowed = rule.holdout or 0.0
    side: Literal["<", ">"] = "<" if allowed < 0 else ">"
    for p in pooled:
        if p.tonight.baseline is None:
            why = "no value was recorded with this version's holdout"
            yield (
                p.tonight.subject,
                Outcome(state=State.UNKNOWN, cause=Cause.NO_DATA, why=why, limit=f"holdout {allowed:+g}"),
            )
    known = [(p, p.tonight.baseline) for p in pooled if p.tonight.baseline is not None]
    asked = [(p, Bound(side=side, limit=base + allowed)) for p, base in known]
    tested = judge_bounds(asked, min_difference=rule.min_difference, min_rows=rule.min_rows or LEAST_ROWS)
    for (p, bound), (_, base), t in zip(asked, known, tested, strict=True):
        limit = f"{bound} (holdout {number(base)} {allowed:+g})"
        yield p.tonight.subject, _outcome(t, bound).model_copy(update={"limit": limit})


def _seen(m: Measurement, seen: float, centre: float) -> str:
    """What a sigma rule could have seen; nothing where the past moves more than a share can."""
    if m.unit == "share" and not 0 <= centre + seen <= 1:
        return ""
    return f"a move of {number(seen, m.unit)} from {number(centre, m.unit)} would have been seen"


def sees_nothing(m: Measurement, noise: float) -> bool:
    """Whether so few rows were sampled that the noise alone, in the metric's unit, hides every move that happens."""
    return noise > FARTHEST.get(m.unit, inf)


def _away(m: Measurement, d: Distance, called: str = "nights") -> str:
    """How far from the past; nights that were all alike have no spread to count it in."""
    usual = f"from the median {number(d.centre)} of {d.nights} {called}"
    if abs(d.sigmas) < MANY or m.value is None:
        return f"{d.sigmas:+.1f} robust sd {usual}"
    return f"{number(abs(m.value - d.centre))} away {usual}, which were all alike"


def confirmed(question: str, history: Sequence[NightResult]) -> bool:
    """Whether one of the two nights before was already unusual."""
    return bool(suspects(question, history))


def suspects(question: str, history: Sequence[NightResult]) -> list[Verdict]:
    """What was unusual on the two nights before, and is not confirmed yet."""
    before = [v for r in history[-2:] for v in r.verdicts if v.id == question]
    alarms = [v for v in before if v.state in (State.WARN, State.BREACH)]
    return [v for v in alarms if v.hard or any(word in v.limit for word in LEARNED)]


def too_few(m: Measurement, rule: Rule) -> bool:
    """Whether a night has fewer rows than the rule asks for; how many there are can be said of any number of them."""
    return rule.min_rows is not None and m.n < rule.min_rows and m.kind is not Kind.COUNT


def few_rows(m: Measurement, rule: Rule, limit: str) -> Outcome:
    """Unknown: nothing unusual was seen, on so few rows that nothing would have been."""
    asked = f"are fewer than the {rule.min_rows} that the rule asks for"
    few = f"{m.n} rows {asked if too_few(m, rule) else 'show no move that can happen'}"
    return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=few, limit=limit)


def dynamic(
    rule: Rule, m: Measurement, past: Sequence[Measurement], history: Sequence[NightResult], called: str = "nights"
) -> list[Outcome]:
    """k-sigma against past nights: one night is a warn, 2 of 3 nights a breach."""
    if rule.sigma is None:
        return []
    d = distance(m, past, sigma=rule.sigma, nights=rule.nights, floor=rule.floor)
    limit = f"{rule.sigma:g} {DYNAMIC} {rule.nights} {called}"
    if d is None:
        why = f"{len(past)} past {called}; {LEAST_NIGHTS} are needed to know what is usual"
        return [Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_NIGHTS, why=why, limit=limit)]
    why = _away(m, d, called)
    if not d.over and (too_few(m, rule) or sees_nothing(m, rule.sigma * sampling_error(m))):
        return [few_rows(m, rule, limit)]
    if not d.over:
        seen = max(rule.sigma * d.scale, rule.floor)
        would_see = _seen(m, seen, d.centre)
        return [Outcome(state=State.OK, why=why, limit=limit, would_see=would_see)]
    again = confirmed(m.id, history)
    return [
        Outcome(
            state=State.BREACH if again else State.WARN, why=why + (", 2 of 3 nights" if again else ""), limit=limit
        )
    ]
