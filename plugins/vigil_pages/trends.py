"""A model's nights as curves: what moved, what is left, how right it is. Values only; `charts` draws them.

One pass over the nights, whatever their number: which questions are drawn is decided by the newest of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vigil.core.words import Family
from vigil.metrics.types import Worse
from vigil.verdicts.kinds.registry import thresholds
from vigil.verdicts.types import Cause, State

from .words import amount, beyond, burn_words, written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date

    from vigil.config.schema import Monitor
    from vigil.metrics.types import Measurement
    from vigil.verdicts.kinds.kind import Band
    from vigil.verdicts.types import NightResult, Rule, Rules, Verdict

MOST_PERFORMANCE = 8
RANK = {State.BREACH: 3, State.WARN: 2, State.UNKNOWN: 1, State.OK: 0}
COVERAGE = "label_coverage/all"


@dataclass(frozen=True)
class Point:
    """One night of a curve. `value` is None where it cannot be known; `state` is "" where no rule asked."""

    night: date
    value: float | None
    low: float | None = None
    high: float | None = None
    state: str = ""


@dataclass(frozen=True)
class Line:
    """A limit: "breach", "warn" or "mark" (only a place worth seeing). The other side of `±1` has no label."""

    value: float
    kind: str
    label: str


@dataclass(frozen=True)
class Trend:
    """A curve with its limits. `usual` is where the model's own past nights leave tonight room."""

    name: str
    metric: str
    unit: str
    points: tuple[Point, ...]
    state: str = ""
    now: str = ""
    limits: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    usual: tuple[float | None, float | None] | None = None
    whiskers: bool = False  # whether the 95 % interval of each night is drawn
    least: float | None = None  # the picture reaches at least so far down
    most: float | None = None  # and so far up
    lowest: float | None = None  # what is further down is drawn there


def rules_of(rules: Rules, verdict: Verdict) -> list[Rule]:
    """The rules that judge this question."""
    mine: Iterable[Rule] = getattr(rules, verdict.family.value)
    return [r for r in mine if r.metric == verdict.metric and ("*" in r.subjects or verdict.subject in r.subjects)]


def newest_of(results: Sequence[NightResult], family: Family) -> NightResult | None:
    """The newest night that measured anything of a family."""
    return next(
        (r for r in reversed(results) if any(v.family is family and v.measurement is not None for v in r.verdicts)),
        None,
    )


def collect(results: Sequence[NightResult], wanted: Collection[str]) -> dict[str, list[tuple[Point, Measurement]]]:
    """Every night's numbers of the wanted questions, oldest first."""
    series: dict[str, list[tuple[Point, Measurement]]] = {question: [] for question in wanted}
    for result in results:
        asked = ((v.id, v.measurement, v.state.value, v.cause) for v in result.verdicts if v.measurement is not None)
        seen = ((m.id, m, "", None) for m in result.measurements)
        for question, m, state, cause in (*asked, *seen):
            if question in series:
                early = cause is Cause.LABELS_PENDING  # a figure of few labels is not believed yet
                value = None if early else m.value
                series[question].append((Point(result.night, value, m.low, m.high, state), m))
    return series


def now(m: Measurement) -> str:
    """`0.61 sd (0.55 to 0.68 sd)`, or why there is no number."""
    if m.value is None:
        return m.why_not or "unknown"
    text = amount(m.value, m.unit)
    if m.low is None or m.high is None:
        return text
    return f"{text} ({between(m.low, m.high, m.unit)})"


def between(low: float, high: float, unit: str) -> str:
    """`0.55 to 0.68 sd`: the unit is said once."""
    return f"{amount(low, unit).split(' ')[0]} to {amount(high, unit)}"


def limit_lines(rules: Sequence[Rule], m: Measurement) -> list[Line]:
    """The static limits of a question; one that is bad both ways has two lines and one label."""
    lines: list[Line] = []
    for rule in rules:
        bands = [band for kind in thresholds(rule) for band in kind.bands(rule, m)]
        for band in sorted(bands, key=lambda band: not band.computed):
            label = _label(band, m)
            lines.append(Line(band.bound.limit, band.state.value, f"{label} (one night)" if band.one_night else label))
            if m.worse is Worse.AWAY and band.bound.side == ">" and band.bound.limit > 0 and not band.computed:
                lines.append(Line(-band.bound.limit, band.state.value, ""))
    return lines


def _label(band: Band, m: Measurement) -> str:
    if band.computed:
        return f"{'below' if band.bound.side == '<' else 'above'} {amount(band.bound.limit, m.unit)}"
    return beyond(band.bound, unit=m.unit, worse=m.worse)


def in_words(lines: Sequence[Line]) -> list[str]:
    """Each limit once, for the text beside a picture."""
    return [f"limit {line.label}" for line in lines if line.label]


def performance(monitor: Monitor, results: Sequence[NightResult]) -> list[Trend]:
    """Each cohort's figures as far as its labels have come, and how many labels that is."""
    newest = newest_of(results, Family.PERFORMANCE)
    asked = [v for v in newest.verdicts if v.family is Family.PERFORMANCE and v.measurement] if newest else []
    asked = [v for v in asked if v.id != COVERAGE][:MOST_PERFORMANCE]
    series = collect(results, {COVERAGE, *(v.id for v in asked)})
    trends = [_figure(monitor, v, series[v.id]) for v in asked]
    if series[COVERAGE] and (asked or monitor.rules.performance):
        trends.append(_coverage(monitor, [point for point, _ in series[COVERAGE]]))
    return trends


def _figure(monitor: Monitor, v: Verdict, told: Sequence[tuple[Point, Measurement]]) -> Trend:
    known = [(point, m) for point, m in told if point.value is not None]
    rules = rules_of(monitor.rules, v)
    points = tuple(point for point, _ in told)
    name = v.metric if v.subject == "all" else f"{v.metric} of {v.subject}"
    if not known:
        return Trend(name, v.metric, told[-1][1].unit, points, state="unknown", now="no cohort has enough labels yet")
    point, m = known[-1]
    lines = limit_lines(rules, m)
    holdout = [f"was {amount(m.baseline, m.unit)} on the {m.yardstick or 'baseline'}"] if m.baseline is not None else []
    return Trend(
        name=name,
        metric=v.metric,
        unit=m.unit,
        points=points,
        state=point.state or "unknown",
        now=f"{now(m)}, cohort of {point.night}",
        limits=(*holdout, *in_words(lines)),
        lines=tuple(lines),
        whiskers=True,
    )


def _coverage(monitor: Monitor, points: Sequence[Point]) -> Trend:
    mature = monitor.labels.mature_share
    full = [p for p in points if p.value is not None and p.value >= mature]
    where = f"newest night with enough: {full[-1].night}" if full else "no night has enough yet"
    line = Line(mature, "mark", f"{written(mature, 'share')} are enough")
    return Trend(
        name="Known labels",
        metric="label_coverage",
        unit="share",
        points=tuple(points),
        now=f"{amount(points[-1].value, 'share')} of the newest night; {where}",
        limits=(line.label,),
        lines=(line,),
        least=0.0,
        most=1.0,
    )


def budgets(results: Sequence[NightResult]) -> list[Trend]:
    """What was left of each objective's budget, night by night; the objectives of the newest night."""
    if not results:
        return []
    points: dict[str, list[Point]] = {b.slo: [] for b in results[-1].budgets}
    for result in results:
        for b in result.budgets:
            if b.slo in points:
                points[b.slo].append(Point(result.night, b.left))
    line = Line(0.0, "breach", "nothing left")
    return [
        Trend(
            name=b.slo,
            metric="budget left",
            unit="share",
            points=tuple(points[b.slo]),
            now=burn_words(b.level) if b.left is not None else "not counted yet",
            lines=(line,),
            least=0.0,
            most=1.0,
            lowest=-0.5,
        )
        for b in results[-1].budgets
    ]
