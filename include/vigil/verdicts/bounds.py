"""Static bounds: a test of the bound, never of the point alone (judgement §4)."""

from collections.abc import Sequence
from math import inf

from pydantic import Field

from vigil.core.spec import Spec
from vigil.metrics.intervals import difference_p, n_needed, proportion_p, ratio_p
from vigil.metrics.pool import pool
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.types import Bound, Cause, State

BREACH_LEVEL = 0.005  # one-sided, after Holm over the subjects of the rule
WARN_LEVEL = 0.05
OK_LEVEL = 0.05  # of the mirrored test
MIN_DIFFERENCE = {Kind.RATIO: 0.10, Kind.PROPORTION: 0.05, Kind.DIFFERENCE: 0.10}
Z_FOUND = 2.576 + 0.842  # a one-sided test at 0.5 % finds a shift of this many standard errors with 80 % power
POSSIBLE = {Kind.PROPORTION: (0.0, 1.0), Kind.RATIO: (0.0, inf), Kind.DIFFERENCE: (-1.0, 1.0)}
TESTED = (Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE)


class Pools(Spec):
    """One measurement tonight, and added up over the last 7 and 28 nights (tonight included)."""

    tonight: Measurement
    week: Measurement
    month: Measurement


class Tested(Spec):
    """What the test of one bound says about one subject."""

    state: State
    cause: Cause | None = None
    why: str
    would_see: str = ""
    p_breach: float = Field(default=1.0, ge=0, le=1)


def pools(tonight: Measurement, past: Sequence[Measurement]) -> Pools:
    """Tonight with the same measurement of past nights, oldest first; only counts add up."""
    if tonight.kind not in TESTED or tonight.value is None:
        return Pools(tonight=tonight, week=tonight, month=tonight)
    usable = [m for m in past if m.kind is tonight.kind and m.value is not None and m.parts]
    return Pools(tonight=tonight, week=pool([*usable[-6:], tonight]), month=pool([*usable[-27:], tonight]))


def p_within(measured: Measurement, bound: Bound) -> float:
    """One-sided p-value of "the true value is within the bound"; small means it is beyond.

    Counts are tested exactly; a number with an interval by the normal distribution that the interval
    implies on the side of the bound; a number without one is taken as it is (p is 0 or 1).
    """
    measured = facing(measured, bound)
    value = measured.value
    if value is None:
        return 1.0
    if measured.kind is Kind.PROPORTION:
        return proportion_p(*measured.parts, bound=bound.limit, side=bound.side)
    if measured.kind is Kind.RATIO:
        return ratio_p(*measured.parts, bound=bound.limit, side=bound.side)
    if measured.kind is Kind.DIFFERENCE:
        return difference_p(*measured.parts, bound=bound.limit, side=bound.side)
    near = measured.low if bound.side == ">" else measured.high
    if near is None or near == value:
        return 0.0 if bound.violated(value) else 1.0
    return _normal_tail((value - bound.limit) * 1.96 / (value - near))


def facing(m: Measurement, bound: Bound) -> Measurement:
    """For a metric that is bad either way, `> 1` bounds the distance: a fall of 1.3 is held against it as 1.3."""
    if m.worse is not Worse.AWAY or bound.side != ">" or m.value is None or m.value >= 0:
        return m
    low = None if m.high is None else -m.high
    high = None if m.low is None else -m.low
    return m.model_copy(update={"value": -m.value, "low": low, "high": high})


def _normal_tail(z: float) -> float:
    from scipy.stats import norm

    return float(norm.sf(z))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment, in the order given. Source: Holm (1979).

    >>> holm([0.01, 0.04])
    [0.02, 0.04]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def judge_bound(
    subjects: Sequence[Pools], bound: Bound, *, min_difference: float | None, min_rows: int
) -> list[Tested]:
    """Tests one bound for all subjects of a rule, Holm-adjusted over them."""
    tonight = holm([p_within(s.tonight, bound) for s in subjects])
    week = holm([p_within(s.week, bound) for s in subjects])
    return [
        _verdict(s, bound, min(a, b), b, min_difference=min_difference, min_rows=min_rows)
        for s, a, b in zip(subjects, tonight, week, strict=True)
    ]


def said(m: Measurement, bound: Bound) -> str:
    """The bound in words: a distance is bounded on both sides."""
    return f"±{bound.limit:g}" if m.worse is Worse.AWAY and bound.side == ">" and bound.limit > 0 else str(bound)


def _p(p: float) -> str:
    return "p < 1e-15" if p < 1e-15 else f"p = {p:.1g}"


def _verdict(
    subject: Pools, bound: Bound, p_breach: float, p_week: float, *, min_difference: float | None, min_rows: int
) -> Tested:
    m = subject.tonight
    if p_breach < BREACH_LEVEL:
        return Tested(state=State.BREACH, why=f"beyond {said(m, bound)} ({_p(p_breach)})", p_breach=p_breach)
    if p_week < WARN_LEVEL:
        return Tested(
            state=State.WARN, why=f"probably beyond {said(m, bound)} ({_p(p_week)} on 7 nights)", p_breach=p_breach
        )
    if m.kind not in TESTED:
        return _untested(m, bound, min_rows)
    margin = min_difference or MIN_DIFFERENCE[m.kind]
    for window, name in ((m, "tonight"), (subject.week, "on 7 nights"), (subject.month, "on 28 nights")):
        if window.n >= min_rows and _excludes(window, bound, margin):
            return Tested(state=State.OK, why=f"within {bound} {name}", would_see=_would_see(window, bound, name))
    needed = max(min_rows, n_needed(m.kind, m.parts, bound=bound.limit, side=bound.side, margin=margin))
    return Tested(
        state=State.UNKNOWN,
        cause=Cause.TOO_FEW_ROWS,
        why=f"{m.n} rows cannot exclude a value {margin:g} beyond {bound}; about {needed} are needed",
    )


def _untested(m: Measurement, bound: Bound, min_rows: int) -> Tested:
    if m.n < min_rows and m.kind is not Kind.COUNT:
        why = f"{m.n} rows; at least {min_rows} are needed"
        return Tested(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=why)
    return Tested(state=State.OK, why=f"within {bound}", would_see=_would_see(m, bound, "tonight"))


def _excludes(m: Measurement, bound: Bound, margin: float) -> bool:
    """Whether harm larger than `margin` beyond the bound is excluded (the mirrored test)."""
    further = bound.limit - margin if bound.side == "<" else bound.limit + margin
    mirrored = Bound(side=">" if bound.side == "<" else "<", limit=further)
    return p_within(m, mirrored) < OK_LEVEL


def _would_see(m: Measurement, bound: Bound, name: str) -> str:
    if m.low is None or m.high is None:
        return f"any value {bound} {name} would have been found"
    reach = Z_FOUND * (m.high - m.low) / (2 * 1.96)
    seen = bound.limit - reach if bound.side == "<" else bound.limit + reach
    least, most = POSSIBLE.get(m.kind, (-inf, inf))
    if not least < seen < most:
        return ""  # so wide an interval that nothing which can happen would have been found
    word = "below" if bound.side == "<" else "above"
    return f"a true value {word} {seen:.3g} {name} would have been found (80 % power)"
