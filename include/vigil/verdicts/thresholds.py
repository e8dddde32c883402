"""What a threshold says about a subject, and what the kinds of thresholds share."""

from collections.abc import Sequence
from math import inf
from typing import Literal

from vigil.core.spec import Spec
from vigil.metrics.types import Kind, Measurement
from vigil.verdicts.limits import Limit, LimitKind
from vigil.verdicts.types import Cause, NightResult, Rule, State, Verdict

LEARNED = (LimitKind.SIGMA, LimitKind.QUANTILE)  # held against past nights, question by question
FARTHEST = {"sd": 3.0, "share": 0.5}  # a night that sees no smaller move than this, by unit, sees nothing


class Outcome(Spec):
    """What one threshold says. side: of a bound that is not a hard one, the side that is bad; None for all others."""

    state: State
    why: str
    limit: Limit
    cause: Cause | None = None
    hard: bool = False
    ticket: bool = False
    would_see: str = ""
    side: Literal["<", ">"] | None = None


def sees_nothing(m: Measurement, noise: float) -> bool:
    """Whether so few rows were sampled that the noise alone, in the metric's unit, hides every move that happens."""
    return noise > FARTHEST.get(m.unit, inf)


def confirmed(question: str, history: Sequence[NightResult]) -> bool:
    """Whether one of the two nights before was already unusual."""
    return bool(suspects(question, history))


def suspects(question: str, history: Sequence[NightResult]) -> list[Verdict]:
    """What was unusual on the two nights before, and is not confirmed yet."""
    before = [v for r in history[-2:] for v in r.verdicts if v.id == question]
    alarms = [v for v in before if v.state in (State.WARN, State.BREACH)]
    return [v for v in alarms if v.hard or v.limited_by(*LEARNED)]


def too_few(m: Measurement, rule: Rule) -> bool:
    """Whether a night has fewer rows than the rule asks for; how many there are can be said of any number of them."""
    return rule.min_rows is not None and m.n < rule.min_rows and m.kind is not Kind.COUNT


def few_rows(m: Measurement, rule: Rule, limit: Limit) -> Outcome:
    """Unknown: nothing unusual was seen, on so few rows that nothing would have been."""
    asked = f"are fewer than the {rule.min_rows} that the rule asks for"
    few = f"{m.n} rows {asked if too_few(m, rule) else 'show no move that can happen'}"
    return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=few, limit=limit)
