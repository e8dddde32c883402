"""Static bounds: a test of the bound, never of the point alone (docs/statistics.md#test-of-a-bound).

Harm that lasts is seen on 7 and on 28 nights together, when a night alone is too small. But a pool speaks of tonight
only as long as tonight does not contradict it: what is over is over, and what begins is not diluted to an ok.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import NormalDist
from typing import Self

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.metrics.intervals import difference_p, n_needed, proportion_p, ratio_p
from vigil.metrics.pool import pool
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.limits import Bound
from vigil.verdicts.power import POWER, least_found
from vigil.verdicts.types import Cause, State

BREACH_LEVEL = 0.005  # one-sided, after Holm over the subjects of the rule
WARN_LEVEL = 0.05
OK_LEVEL = 0.05  # of the mirrored test
MIN_DIFFERENCE = {Kind.RATIO: 0.10, Kind.PROPORTION: 0.05, Kind.DIFFERENCE: 0.10}
TESTED = (Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE)
GAP = 0.10  # of a number that is no plain count, where the rule names no difference that matters: so much of a bound
WINDOWS = (2, 6, 27)  # past nights that are added to tonight: 3, 7 and 28 nights together
HARM = (Family.FAIRNESS, Family.PERFORMANCE)
_NORMAL = NormalDist()


class Pools(Spec):
    """One measurement tonight, and added up over the last 3, 7 and 28 nights (tonight included).

    nights: the past nights that were added, oldest first, at most 27.
    """

    tonight: Measurement
    recent: Measurement
    week: Measurement
    month: Measurement
    nights: tuple[Measurement, ...] = ()

    @classmethod
    def alone(cls, m: Measurement) -> Self:
        """A night that nothing is added to."""
        return cls(tonight=m, recent=m, week=m, month=m)


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
        return Pools.alone(tonight)
    usable = [m for m in past if m.kind is tonight.kind and m.value is not None and m.parts]
    recent, week, month = (pool([*usable[-more:], tonight]) for more in WINDOWS)
    return Pools(tonight=tonight, recent=recent, week=week, month=month, nights=tuple(usable[-WINDOWS[-1] :]))


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


def p_lasting(subject: Pools, bound: Bound, past: int) -> float:
    """p-value of "within the bound" of tonight and the `past` nights before, added up.

    Where tonight itself lies within, its worst past night is left out: what happened once is no harm that lasts, and a
    good night must not be called bad for the night before.
    """
    nights = subject.nights[-past:]
    tonight = facing(subject.tonight, bound)
    if not nights or tonight.value is None or bound.violated(tonight.value):
        return p_within(pool([*nights, subject.tonight]) if nights else subject.tonight, bound)
    worst = min(range(len(nights)), key=lambda n: p_within(nights[n], bound))
    return p_within(pool([*nights[:worst], *nights[worst + 1 :], subject.tonight]), bound)


def facing(m: Measurement, bound: Bound) -> Measurement:
    """For a metric that is bad either way, `> 1` bounds the distance: a fall of 1.3 is held against it as 1.3."""
    if m.worse is not Worse.AWAY or bound.side != ">" or m.value is None or m.value >= 0:
        return m
    low = None if m.high is None else -m.high
    high = None if m.low is None else -m.low
    parts = (*m.parts[2:], *m.parts[:2]) if m.kind is Kind.DIFFERENCE else m.parts
    return m.model_copy(update={"value": -m.value, "low": low, "high": high, "parts": parts})


def _normal_tail(z: float) -> float:
    return _NORMAL.cdf(-z)


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
    """Tests one bound for all subjects of a rule, see `judge_bounds`."""
    return judge_bounds([(s, bound) for s in subjects], min_difference=min_difference, min_rows=min_rows)


def judge_bounds(asked: Sequence[tuple[Pools, Bound]], *, min_difference: float | None, min_rows: int) -> list[Tested]:
    """Tests each subject of a rule against its bound, Holm-adjusted over them.

    Tonight, 3 and 7 nights are tested for harm; 28 nights where those could not tell, or where they say "probably".
    """
    each = [p_values(s, bound) for s, bound in asked]
    windows = [holm(column) for column in zip(*each, strict=True)]
    return [
        _Question(s, bound, min_difference, min_rows, len(asked), own[0]).answer(*p_values)
        for (s, bound), own, *p_values in zip(asked, each, *windows, strict=True)
    ]


def p_values(subject: Pools, bound: Bound) -> list[float]:
    """p-values of "within the bound" tonight, and on 3, 7 and 28 nights together."""
    return [p_within(subject.tonight, bound), *(p_lasting(subject, bound, past) for past in WINDOWS)]


def _windows(subject: Pools) -> tuple[Measurement, Measurement, Measurement, Measurement]:
    return subject.tonight, subject.recent, subject.week, subject.month


def said(m: Measurement, bound: Bound) -> str:
    """The bound in words: a distance is bounded on both sides."""
    return f"±{bound.limit:g}" if m.worse is Worse.AWAY and bound.side == ">" and bound.limit > 0 else str(bound)


def _p(p: float) -> str:
    return "p < 1e-15" if p < 1e-15 else f"p = {p:.1g}"


@dataclass(frozen=True, slots=True)
class _Question:
    """One subject and one bound.

    company: how many subjects the rule asks about. p_alone: tonight's p-value, before it is adjusted for them.
    """

    subject: Pools
    bound: Bound
    min_difference: float | None
    min_rows: int
    company: int
    p_alone: float

    def answer(self, p_tonight: float, p_recent: float, p_week: float, p_month: float) -> Tested:
        """From the adjusted p-values of "within the bound" tonight, on 3, 7 and 28 nights."""
        m, shown = self.subject.tonight, said(self.subject.tonight, self.bound)
        if p_tonight < BREACH_LEVEL:
            return Tested(state=State.BREACH, why=f"beyond {shown} ({_p(p_tonight)})", p_breach=p_tonight)
        goes_on = not self._is_over(m)
        for p, nights in ((p_recent, 3), (p_week, 7)) if goes_on else ():
            if p < BREACH_LEVEL:
                why = f"beyond {shown} on {nights} nights together ({_p(p)})"
                return Tested(state=State.BREACH, why=why, p_breach=p)
        lasting = Tested(
            state=State.BREACH, why=f"beyond {shown} on 28 nights together ({_p(p_month)})", p_breach=p_month
        )
        lasts = goes_on and p_month < BREACH_LEVEL and not self._is_over(self.subject.week)
        if goes_on and p_week < WARN_LEVEL:
            why = f"probably beyond {shown} ({_p(p_week)} on 7 nights)"
            probably = Tested(state=State.WARN, why=why, p_breach=min(p_tonight, p_recent, p_week))
            return lasting if lasts else probably
        if m.kind not in TESTED:
            return self._untested()
        return self._within() or (lasting if lasts else self._too_few())

    def _is_over(self, window: Measurement) -> bool:
        """Whether these nights by themselves exclude that the true value is beyond the bound."""
        return excludes(window, self.bound, 0.0)

    def _within(self) -> Tested | None:
        """Ok, on the smallest window that can say so; nights before count only where tonight looks no worse."""
        names = ("tonight", "on 3 nights", "on 7 nights", "on 28 nights")
        told = 1 if self.p_alone < OK_LEVEL else len(names)
        for window, name in zip(_windows(self.subject)[:told], names, strict=False):
            if window.n >= self.min_rows and self._excludes(window):
                seen = _would_see(window, self.bound, name, self.company)
                return Tested(state=State.OK, why=f"within {self.bound} {name}", would_see=seen)
        return None

    @property
    def _margin(self) -> float:
        return self.min_difference or MIN_DIFFERENCE[self.subject.tonight.kind]

    def _too_few(self) -> Tested:
        m, bound, margin = facing(self.subject.tonight, self.bound), self.bound, self._margin
        levels = (OK_LEVEL, BREACH_LEVEL / self.company)
        needed = n_needed(m.kind, m.parts, bound=bound.limit, side=bound.side, margin=margin, levels=levels)
        why = f"{m.n} rows cannot exclude a value {margin:g} beyond {bound}"
        if self.subject.month.n > m.n:
            why += f", nor {self.subject.month.n} on 28 nights"
        why += f"; about {max(self.min_rows, needed)} are needed"
        return Tested(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=why)

    def _excludes(self, window: Measurement) -> bool:
        """Whether harm larger than the margin beyond the bound is excluded (the mirrored test)."""
        return excludes(window, self.bound, self._margin)

    def _untested(self) -> Tested:
        m, bound = self.subject.tonight, self.bound
        if m.n < self.min_rows and m.kind is not Kind.COUNT:
            why = f"{m.n} rows; at least {self.min_rows} are needed"
            return Tested(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=why)
        unsure = _within_noise(facing(m, bound), bound, self.min_difference)
        if unsure is not None:
            return unsure
        seen = _would_see(m, bound, "tonight", self.company)
        return Tested(state=State.OK, why=f"within {bound}", would_see=seen)


def _within_noise(m: Measurement, bound: Bound, margin: float | None) -> Tested | None:
    """Unknown, where a number that is no count, and does not pool, cannot exclude harm beyond the bound.

    Of drift, which is a cause and no harm, only a value that lies beyond the bound and may not is unknown.
    """
    if m.low is None or m.high is None or m.low == m.high or m.value is None:
        return None
    if m.family not in HARM and not bound.violated(m.value):
        return None
    least = margin or (GAP if m.family is Family.FAIRNESS else GAP * abs(bound.limit) or GAP)
    if excludes(m, bound, least):
        return None
    room = abs(bound.limit - m.value) + least if not bound.violated(m.value) else least - abs(m.value - bound.limit)
    half = (m.high - m.low) / 2 * 1.645 / 1.96
    needed = ceil(m.n * (half / room) ** 2) if room > 0 else None
    enough = f"; about {max(needed, m.n + 1)} are needed" if needed else ""
    why = f"{m.n} rows cannot exclude a value {least:g} beyond {bound}{enough}"
    return Tested(state=State.UNKNOWN, cause=Cause.TOO_FEW_ROWS, why=why)


def excludes(m: Measurement, bound: Bound, margin: float) -> bool:
    """Whether harm larger than the margin beyond the bound is excluded, at 5 %: the mirrored test."""
    m = facing(m, bound)
    further = bound.limit - margin if bound.side == "<" else bound.limit + margin
    mirrored = Bound(side=">" if bound.side == "<" else "<", limit=further)
    return p_within(m, mirrored) < OK_LEVEL


def _would_see(m: Measurement, bound: Bound, name: str, company: int) -> str:
    """The true value that would have been a breach with 80 % power, among so many subjects of the rule."""
    if m.low is None or m.high is None:
        return f"any value {bound} {name} would have been found"
    level = BREACH_LEVEL / company
    if m.kind in TESTED:
        seen = least_found(m.kind, facing(m, bound).parts, bound, level=level)
    else:
        reach = (_NORMAL.inv_cdf(1 - level) + _NORMAL.inv_cdf(POWER)) * (m.high - m.low) / (2 * 1.96)
        seen = bound.limit - reach if bound.side == "<" else bound.limit + reach
    if seen is None:
        return ""  # so few rows that nothing which can happen would have been found
    word = "below" if bound.side == "<" else "above"
    return f"a true value {word} {seen:.4g} {name} would have been found (80 % power)"
