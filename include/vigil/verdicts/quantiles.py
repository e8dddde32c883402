"""A quantile of the model's own past nights as a threshold: no shape is assumed, so it needs many nights."""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import median

from vigil.core.spec import Spec
from vigil.metrics.types import Measurement, Worse
from vigil.verdicts.history import LEAST_NIGHTS, sampling_error
from vigil.verdicts.thresholds import Outcome, few_rows, sees_nothing, suspects, too_few
from vigil.verdicts.types import Cause, NightResult, Rule, State
from vigil.verdicts.words import number

NOISE = 1.645  # standard errors of tonight beyond those of a usual night


class Tail(Spec):
    """Tonight against a quantile of the past: `over` when it lies in the bad tail."""

    over: bool
    side: str  # "<", ">", or "±" for a metric that is bad either way
    limit: float  # with the floor
    centre: float
    nights: int


def nights_needed(quantile: float) -> int:
    """Past nights below which the tail is not known at all: with n nights the worst is passed once in n + 1.

    >>> nights_needed(0.99), nights_needed(0.05)
    (49, 9)
    """
    return max(LEAST_NIGHTS, ceil(0.5 / min(quantile, 1 - quantile) - 1e-9) - 1)


def tail(
    tonight: Measurement, past: Sequence[Measurement], *, quantile: float, nights: int, floor: float
) -> Tail | None:
    """Where tonight lies, or None with fewer than `nights_needed` past values.

    quantile: above one half the upper tail is bad, below it the lower; of a metric that is bad either way it is of the
    distance from the median. The limit is the ceil((n + 1) q)-th of n values: a night like the past is beyond it with
    probability 1 - q at most, but for less than 1 / (n + 1). A night of fewer rows than usual has its extra noise more.
    """
    used = [m for m in past if m.value is not None][-nights:]
    if tonight.value is None or len(used) < nights_needed(quantile):
        return None
    values = [m.value for m in used if m.value is not None]
    centre = median(values)
    away = tonight.worse is Worse.AWAY
    sign = 1.0 if away or quantile > 0.5 else -1.0
    bad = sorted(abs(v - centre) if away else sign * v for v in values)
    level = quantile if quantile > 0.5 else 1 - quantile
    edge = bad[min(len(bad), ceil((len(bad) + 1) * level - 1e-9)) - 1] + floor
    usual = median(sampling_error(m) for m in used)
    extra = NOISE * sqrt(max(0.0, sampling_error(tonight) ** 2 - usual**2))
    at = abs(tonight.value - centre) if away else sign * tonight.value
    side = "±" if away else (">" if sign > 0 else "<")
    return Tail(over=at > edge + extra, side=side, limit=edge if away else sign * edge, centre=centre, nights=len(used))


def by_quantile(
    rule: Rule, m: Measurement, past: Sequence[Measurement], history: Sequence[NightResult], called: str = "nights"
) -> list[Outcome]:
    """One night beyond the quantile is a warn, 2 of 3 nights a breach."""
    if rule.quantile is None:
        return []
    limit = f"{rule.quantile:g} quantile of {rule.nights} {called}"
    doubtful = suspects(m.id, history)  # one odd night must not be the limit by which the next one is judged
    usable = [p for p in past if all(p is not v.measurement for v in doubtful)]
    found = tail(m, usable, quantile=rule.quantile, nights=rule.nights, floor=rule.floor)
    if found is None:
        why = f"{len(usable)} past {called}; {nights_needed(rule.quantile)} are needed to know their {limit}"
        return [Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_NIGHTS, why=why, limit=limit)]
    edge = number(found.limit, m.unit)
    where = f"{edge} from the median {number(found.centre, m.unit)}" if found.side == "±" else f"{found.side} {edge}"
    if found.over:
        again = bool(doubtful)
        why = f"beyond the {rule.quantile:g} quantile of {found.nights} {called} ({where})"
        state = State.BREACH if again else State.WARN
        return [Outcome(state=state, why=why + (", 2 of 3 nights" if again else ""), limit=limit)]
    if too_few(m, rule) or sees_nothing(m, NOISE * sampling_error(m)):
        return [few_rows(m, rule, limit)]
    why = f"within the {rule.quantile:g} quantile of {found.nights} {called} ({where})"
    return [Outcome(state=State.OK, why=why, limit=limit, would_see=f"any value {where} would have been seen")]
