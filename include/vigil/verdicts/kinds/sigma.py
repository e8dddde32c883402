"""sigma: the distance from the median of the model's own past nights, in robust sd."""

from collections.abc import Iterator

from vigil.metrics.types import Measurement
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.history import LEAST_NIGHTS, Distance, distance, sampling_error
from vigil.verdicts.kinds.kind import Setting, Silent, Tonight
from vigil.verdicts.limits import Limit, LimitKind
from vigil.verdicts.thresholds import Outcome, confirmed, few_rows, sees_nothing, too_few
from vigil.verdicts.types import Cause, Rule, State
from vigil.verdicts.words import number

MANY = 1000  # robust sd that say no more than that there was no spread
STEP = 1.25  # of `vigil tune`
LEAST_SIGMA = 2.0  # below which `vigil tune` does not go


class Sigma(Silent):
    """k robust sd."""

    def asks(self, rule: Rule) -> bool:
        """Whether the rule has one."""
        return rule.sigma is not None

    def looks_back(self, rule: Rule) -> bool:
        """Past nights are what it compares with."""
        return True

    def answer(self, rule: Rule, tonight: Tonight) -> Iterator[tuple[str, Outcome]]:
        """One night is a warn, 2 of 3 nights a breach."""
        for m in tonight.known:
            yield m.subject, _outcome(rule, m, tonight)

    def explain(self, rule: Rule, m: Measurement, e: Evidence) -> Iterator[str]:
        """How far it is."""
        like = e.alike(m, rule)
        d = distance(m, like.past, sigma=rule.sigma or 0.0, nights=rule.nights, floor=rule.floor)
        if d is None:
            yield f"sigma {rule.sigma:g}: too few past nights to know what is usual"
            return
        floor = f", and more than {number(rule.floor, m.unit)} away" if rule.floor else ""
        yield (
            f"sigma {rule.sigma:g}: {d.sigmas:+.1f} robust sd (of {number(d.scale, m.unit)}) from the median "
            f"{number(d.centre, m.unit)} of {d.nights} {like.called}; beyond {rule.sigma:g}{floor}, one night is a warn"
        )

    def settings(self, rule: Rule) -> Iterator[Setting]:
        """How many robust sd."""
        if rule.sigma is not None:
            yield Setting("sigma", rule.sigma, nights=rule.nights)

    def moved(self, setting: Setting, *, milder: bool) -> float:
        """More is milder."""
        return setting.value * STEP if milder else max(setting.value / STEP, LEAST_SIGMA)


def _outcome(rule: Rule, m: Measurement, tonight: Tonight) -> Outcome:
    past, called = tonight.past(m)
    sigma = rule.sigma or 0.0
    d = distance(m, past, sigma=sigma, nights=rule.nights, floor=rule.floor)
    limit = Limit(kind=LimitKind.SIGMA, level=sigma, nights=rule.nights, called=called)
    if d is None:
        why = f"{len(past)} past {called}; {LEAST_NIGHTS} are needed to know what is usual"
        return Outcome(state=State.UNKNOWN, cause=Cause.TOO_FEW_NIGHTS, why=why, limit=limit)
    why = _away(m, d, called)
    if d.over:
        again = confirmed(m.id, tonight.history)
        state = State.BREACH if again else State.WARN
        return Outcome(state=state, why=why + (", 2 of 3 nights" if again else ""), limit=limit)
    if too_few(m, rule) or sees_nothing(m, sigma * sampling_error(m)):
        return few_rows(m, rule, limit)
    return Outcome(state=State.OK, why=why, limit=limit, would_see=_seen(m, max(sigma * d.scale, rule.floor), d.centre))


def _seen(m: Measurement, seen: float, centre: float) -> str:
    """What a sigma rule could have seen; nothing where the past moves more than a share can."""
    if m.unit == "share" and not 0 <= centre + seen <= 1:
        return ""
    return f"a move of {number(seen, m.unit)} from {number(centre, m.unit)} would have been seen"


def _away(m: Measurement, d: Distance, called: str) -> str:
    """How far from the past; nights that were all alike have no spread to count it in."""
    usual = f"from the median {number(d.centre)} of {d.nights} {called}"
    if abs(d.sigmas) < MANY or m.value is None:
        return f"{d.sigmas:+.1f} robust sd {usual}"
    return f"{number(abs(m.value - d.centre))} away {usual}, which were all alike"
