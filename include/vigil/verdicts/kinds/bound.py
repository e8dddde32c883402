"""breach, warn and hard: bounds that somebody wrote, tested for all subjects of a rule at once (Holm)."""

from collections.abc import Iterator, Sequence

from vigil.metrics.catalog import Against, Entry
from vigil.metrics.types import Kind, Measurement
from vigil.verdicts.bounds import (
    BREACH_LEVEL,
    TESTED,
    WARN_LEVEL,
    Pools,
    Tested,
    excludes,
    holm,
    judge_bound,
    p_values,
    pools,
    said,
)  # fmt: skip
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.kinds.kind import Band, Setting, Silent, Tonight
from vigil.verdicts.limits import Bound, Limit, LimitKind
from vigil.verdicts.memory import added_up, main_version
from vigil.verdicts.thresholds import Outcome
from vigil.verdicts.types import LEAST_ROWS, Rule, State

POSSIBLE = {Kind.PROPORTION: (0.0, 1.0), Kind.RATIO: (0.0, float("inf")), Kind.DIFFERENCE: (-1.0, 1.0)}
WINDOWS = (("tonight", "tonight"), ("recent", "added up over 3 nights"), ("week", "over 7"), ("month", "over 28"))
STEP = 1.25  # of a hard bound, in one step of `vigil tune`


class Bounds(Silent):
    """breach, warn and hard."""

    def asks(self, rule: Rule) -> bool:
        """Whether the rule has one of them."""
        return bool(written(rule))

    def looks_back(self, rule: Rule) -> bool:
        """breach and warn add up the counts of past nights; hard is about tonight alone."""
        return rule.breach is not None or rule.warn is not None

    def answer(self, rule: Rule, tonight: Tonight) -> Iterator[tuple[str, Outcome]]:
        """A breach or a warn by the counts of up to 28 nights, and at once beyond the hard bound."""
        pooled = [pools(m, list(tonight.pooled.get(m.id, ()))) for m in tonight.known]
        if rule.breach is not None:
            for p, t in zip(pooled, _tests(rule, pooled, rule.breach), strict=True):
                yield p.tonight.subject, outcome(t, rule.breach, Limit(kind=LimitKind.BREACH, bound=rule.breach))
        if rule.warn is not None:
            for p, t in zip(pooled, _tests(rule, pooled, rule.warn), strict=True):
                yield p.tonight.subject, _warning(rule, rule.warn, t)
        yield from _hard(rule, tonight.known)

    def explain(self, rule: Rule, m: Measurement, e: Evidence) -> Iterator[str]:
        """The p-value of each window, adjusted for the subjects of the rule."""
        for name, bound in written(rule):
            yield tested(m, name, [(s, bound) for s in e.same_rule(rule)], e)

    def contradicts(self, rule: Rule, entry: Entry) -> Iterator[tuple[str, str]]:
        """A bound that nothing can pass, or that a night without any harm would pass."""
        least, most = POSSIBLE.get(entry.kind, (float("-inf"), float("inf")))
        equal = entry.against is Against.WITHIN or entry.kind is Kind.DIFFERENCE  # 0 is as it was, or equal treatment
        for name, bound in written(rule):
            if (bound.side == "<" and bound.limit <= least) or (bound.side == ">" and bound.limit >= most):
                yield name, f"{entry.name!r} lies between {least:g} and {most:g}: nothing is {bound}"
            elif equal and bound.violated(0.0):
                turned = ">" if bound.side == "<" else "<"
                what = f"{entry.name!r} is 0 where nothing is wrong, and 0 is {bound}"
                yield name, f"{what}; write {f'{turned} {bound.limit:g}'!r} or {f'{bound.side} {-bound.limit:g}'!r}"

    def settings(self, rule: Rule) -> Iterator[Setting]:
        """The hard bound; breach and warn are what somebody has decided."""
        if rule.hard is not None and rule.hard.limit:
            yield Setting("hard", rule.hard.limit, side=rule.hard.side)

    def moved(self, setting: Setting, *, milder: bool) -> float:
        """Outwards is milder."""
        outwards = (setting.side == ">") == (setting.value > 0)
        return setting.value * (STEP if milder == outwards else 1 / STEP)

    def bands(self, rule: Rule, m: Measurement) -> Iterator[Band]:
        """A line at each bound."""
        for name, bound in written(rule):
            yield Band(bound, State.WARN if name == "warn" else State.BREACH, one_night=name == "hard")


def written(rule: Rule) -> list[tuple[str, Bound]]:
    """(field, bound) of a rule."""
    named = (("breach", rule.breach), ("warn", rule.warn), ("hard", rule.hard))
    return [(name, bound) for name, bound in named if bound is not None]


def outcome(t: Tested, bound: Bound, limit: Limit) -> Outcome:
    """What a test of a bound says."""
    return Outcome(state=t.state, cause=t.cause, why=t.why, limit=limit, would_see=t.would_see, side=bound.side)


def tested(m: Measurement, name: str, asked: Sequence[tuple[Measurement, Bound]], e: Evidence) -> str:
    """A test of a bound in words. asked: the numbers that it is adjusted for, each with its bound."""
    version = main_version(e.result.versions)
    every = [Pools.alone(s) if name == "hard" else pools(s, added_up(e.nights(s), version)) for s, _ in asked]
    place = next(i for i, (s, _) in enumerate(asked) if s.id == m.id)
    mine, pooled = asked[place][1], every[place]
    windows = [(w, words) for w, words in WINDOWS if w == "tonight" or getattr(pooled, w).n > m.n]
    each_p = [
        dict(zip((w for w, _ in WINDOWS), p_values(s, b), strict=True)) for s, (_, b) in zip(every, asked, strict=True)
    ]
    by_window = [[p[w] for p in each_p] for w, _ in windows]
    each = [_window(p[place], getattr(pooled, w), words) for p, (w, words) in zip(by_window, windows, strict=True)]
    text = f"{name}: a test that the true value is not {said(m, mine)}, one-sided: p = {', '.join(each)}"
    if len(asked) > 1:
        adjusted = ", ".join(f"{holm(p)[place]:.2g}" for p in by_window)
        text += f"; with {len(asked)} subjects of the rule (Holm) {adjusted}"
    if len(windows) > 1 and excludes(m, mine, 0.0):
        text += "; tonight alone excludes that it is beyond, so that the nights before decide nothing"
    return f"{text}. {_levels(name, months=windows[-1][0] == 'month')}"


def _warning(rule: Rule, bound: Bound, t: Tested) -> Outcome:
    """Beyond the milder bound. What it cannot tell is not ok, unless another threshold answers for the subject."""
    limit = Limit(kind=LimitKind.WARN, bound=bound)
    if t.state in (State.BREACH, State.WARN):
        return Outcome(state=State.WARN, why=t.why, limit=limit, side=bound.side)
    if t.state is State.UNKNOWN and not rule.answered(beside="warn"):
        return Outcome(state=t.state, cause=t.cause, why=t.why, limit=limit)
    return Outcome(state=State.OK, why=t.why, limit=limit, would_see=t.would_see)


def _hard(rule: Rule, known: Sequence[Measurement]) -> Iterator[tuple[str, Outcome]]:
    """A bound beyond which one night is enough; it never softens what the other thresholds say."""
    if rule.hard is None:
        return
    tonight, limit = [Pools.alone(m) for m in known], Limit(kind=LimitKind.HARD, bound=rule.hard)
    for p, t in zip(tonight, _tests(rule, tonight, rule.hard), strict=True):
        if t.state is State.BREACH:
            yield p.tonight.subject, Outcome(state=State.BREACH, why=t.why, limit=limit, hard=True)
        elif not rule.answered(beside="hard"):
            yield p.tonight.subject, _tripwire(t, p.tonight, limit)


def _tripwire(t: Tested, m: Measurement, limit: Limit) -> Outcome:
    """A hard bound that no other threshold stands beside, and that was not certainly passed.

    A number of few rows is not unknown for it: only what is certainly beyond is looked for.
    """
    if t.state is State.WARN or (t.state is State.UNKNOWN and m.kind in TESTED):
        return Outcome(state=t.state, cause=t.cause, why=t.why, limit=limit)
    return Outcome(state=State.OK, why=t.why, limit=limit, would_see=t.would_see)


def _tests(rule: Rule, pooled: Sequence[Pools], bound: Bound) -> list[Tested]:
    return judge_bound(pooled, bound, min_difference=rule.min_difference, min_rows=rule.min_rows or LEAST_ROWS)


def _window(p: float, pooled: Measurement, words: str) -> str:
    return f"{p:.2g} {words}" + ("" if words == "tonight" else f" ({pooled.n:,} rows)")


def _levels(name: str, *, months: bool) -> str:
    """What follows from how small a p-value is. A `warn:` bound never breaks anything."""
    if name == "hard":
        return f"Below {BREACH_LEVEL:g} it is a breach"
    if name == "warn":
        lasting = f", or below {BREACH_LEVEL:g} tonight or on 28 nights," if months else ""
        return f"Below {WARN_LEVEL:g} on 7 nights{lasting} it is a warn, and never a breach"
    lasting = ", also on 28 nights where fewer cannot tell that it is within or say only probably" if months else ""
    return f"Below {BREACH_LEVEL:g} it is a breach{lasting}, below {WARN_LEVEL:g} on 7 nights a warn"
