"""holdout: a bound relative to the value that was recorded with the version; the sign gives the bad side."""

from collections.abc import Iterator

from vigil.metrics.catalog import Against, Entry
from vigil.metrics.types import Measurement, Worse
from vigil.verdicts.bounds import judge_bounds, pools
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.kinds.bound import outcome, tested
from vigil.verdicts.kinds.kind import Band, Silent, Tonight
from vigil.verdicts.limits import Bound, Limit, LimitKind
from vigil.verdicts.thresholds import Outcome
from vigil.verdicts.types import LEAST_ROWS, Cause, Rule, State


class Holdout(Silent):
    """The allowed difference from the holdout's value."""

    def asks(self, rule: Rule) -> bool:
        """Whether the rule has one."""
        return rule.holdout is not None

    def looks_back(self, rule: Rule) -> bool:
        """The counts of past nights are added up."""
        return True

    def answer(self, rule: Rule, tonight: Tonight) -> Iterator[tuple[str, Outcome]]:
        """Unknown without a recorded value; else as a bound is tested."""
        allowed = rule.holdout or 0.0
        for m in tonight.known:
            if m.baseline is None:
                why = "no value was recorded with this version's holdout"
                limit = Limit(kind=LimitKind.HOLDOUT, allowed=allowed)
                yield m.subject, Outcome(state=State.UNKNOWN, cause=Cause.NO_DATA, why=why, limit=limit)
        bounded = [(m, bound) for m in tonight.known if (bound := relative(m, rule)) is not None]
        asked = [(pools(m, list(tonight.pooled.get(m.id, ()))), bound) for m, bound in bounded]
        tests = judge_bounds(asked, min_difference=rule.min_difference, min_rows=rule.min_rows or LEAST_ROWS)
        for (m, bound), t in zip(bounded, tests, strict=True):
            limit = Limit(kind=LimitKind.HOLDOUT, bound=bound, baseline=m.baseline, allowed=allowed)
            yield m.subject, outcome(t, bound, limit)

    def explain(self, rule: Rule, m: Measurement, e: Evidence) -> Iterator[str]:
        """As of a bound; each subject has its own."""
        if m.baseline is not None:
            asked = [(s, bound) for s in e.same_rule(rule) if (bound := relative(s, rule)) is not None]
            yield tested(m, f"holdout {rule.holdout:+g}", asked, e)

    def contradicts(self, rule: Rule, entry: Entry) -> Iterator[tuple[str, str]]:
        """A metric without a value on a holdout, no side, or the good one."""
        allowed = rule.holdout or 0.0
        if entry.against is Against.NOTHING:
            yield "holdout", f"{entry.name!r} has no value on a holdout; give breach, warn, sigma or quantile"
        elif allowed == 0:
            yield "holdout", "0 has no side; its sign says which way is bad, such as '-0.03' for up to 0.03 lower"
        elif (entry.worse is Worse.LOWER and allowed > 0) or (entry.worse is Worse.HIGHER and allowed < 0):
            what = f"{entry.name!r} is bad when it is {entry.worse.value}"
            yield "holdout", f"{what}; write {-allowed:+g}, not {allowed:+g}"

    def bands(self, rule: Rule, m: Measurement) -> Iterator[Band]:
        """A line at the holdout's value and what is allowed beyond it."""
        bound = relative(m, rule)
        if bound is not None:
            yield Band(bound, State.BREACH, computed=True)


def relative(m: Measurement, rule: Rule) -> Bound | None:
    """The bound of a subject; None where no value was recorded."""
    if m.baseline is None or rule.holdout is None:
        return None
    return Bound(side="<" if rule.holdout < 0 else ">", limit=m.baseline + rule.holdout)
