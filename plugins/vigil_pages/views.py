"""What the pages show, as values; nothing here reads a store or asks who is looking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader

from vigil.core.words import Family
from vigil.verdicts.limits import Limit
from vigil.verdicts.types import State

from . import charts
from .budgets import policy_pill
from .trends import RANK, between
from .words import amount, written

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.incidents.types import Incident
    from vigil.metrics.types import Measurement
    from vigil.verdicts.types import Budget, NightResult, Verdict

PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
PAGES.globals.update(draw_curve=charts.curve, draw_dot=charts.dot, amount=amount, between=between)
NIGHTS = 28
LOUD, QUIET = 30, 100  # verdicts of a family on one page
NEVER = "never judged: run vigil backfill, or its DAG"
SIGN = {"ok": "✓", "warn": "!", "breach": "✕", "unknown": "?", "rest": "–", "none": "·"}
WAITING = ("labels pending",)  # an unknown that is no trouble tonight


@dataclass(frozen=True)
class Square:
    """One night of one model in the grid."""

    night: date
    state: str
    sign: str
    title: str


@dataclass(frozen=True)
class Row:
    """One model in the grid."""

    model: str
    environment: str
    owner: str
    tier: int
    squares: tuple[Square, ...]
    last: str
    incident: str | None
    budgets: tuple[tuple[str, str, str], ...]  # name, words, state
    policy: tuple[str, str] | None = None  # what the budget policy asks for tonight, and its look; None: nothing


def render(template: str, **values: object) -> str:
    """A page as HTML; whatever text it shows is escaped."""
    return PAGES.get_template(template).render(**values)


def night_state(result: NightResult) -> str:
    """The worst state of a night; labels that are not due yet do not colour it. A day of rest has none."""
    if result.rest and not result.verdicts:
        return "rest"
    states = [v.state for v in result.verdicts if not (v.cause and v.cause.value in WAITING and not v.overdue)]
    return max(states, key=lambda s: RANK[s]).value if states else "unknown"


def square(night: date, result: NightResult | None) -> Square:
    """A night as a square with a sign and words, so that colour is not all there is."""
    if result is None:
        return Square(night, "none", SIGN["none"], f"{night}: not judged")
    state = night_state(result)
    if state == "rest":
        return Square(night, state, SIGN[state], f"{night}: {'; '.join(map(str, result.notes)) or 'no service'}")
    counts = {s: sum(v.state is s for v in result.verdicts) for s in State}
    words = ", ".join(f"{n} {s.value}" for s, n in counts.items() if n)
    return Square(night, state, SIGN[state], f"{night}: {words}")


def row(monitor: Monitor, results: Sequence[NightResult], open_incidents: Sequence[Incident], *, last: date) -> Row:
    """A model's line in the grid, its last NIGHTS nights up to `last`."""
    by_night = {r.night: r for r in results}
    nights = [last - timedelta(days=n) for n in range(NIGHTS - 1, -1, -1)]
    newest = results[-1] if results else None
    mine = [i for i in open_incidents if (i.monitor, i.environment) == (monitor.model, monitor.environment)]
    return Row(
        model=monitor.model,
        environment=monitor.environment,
        owner=monitor.people.owner,
        tier=monitor.risk.tier,
        squares=tuple(square(n, by_night.get(n)) for n in nights),
        last=f"newest {square(newest.night, newest).title}" if newest else NEVER,
        incident=mine[0].id if mine else None,
        budgets=tuple(budget_words(b) for b in newest.budgets) if newest else (),
        policy=policy_pill(monitor, newest.budgets) if newest else None,
    )


def unjudged(monitor: Monitor, due: date) -> dict[str, str]:
    """What to do about a model without a judged night. due: the newest night that can be judged."""
    first = due - timedelta(days=NIGHTS - 1)
    return {"model": monitor.model, "dag_id": monitor.dag_id, "first": str(first), "last": str(due)}


def budget_words(b: Budget) -> tuple[str, str, str]:
    """(name, words, state) of an error budget."""
    if b.left is None or b.attained is None:
        return b.slo, "not counted yet", "unknown"
    left = max(b.left, 0.0)
    state = "ok" if left > 0.5 else "warn" if left > 0 else "breach"
    words = f"{percent(left, 0)} of the budget left: {percent(b.attained)} good, target {percent(b.target)}"
    return b.slo, f"{words}, {b.nights} nights" + (", of logged requests" if b.of_logged else ""), state


def percent(share: float, decimals: int = 2) -> str:
    """Rounded down, so that what is not whole is never shown as 100 %.

    >>> percent(0.99996), percent(0.893), percent(1.0), percent(0.3324, 0)
    ('99.99 %', '89.3 %', '100 %', '33 %')
    """
    steps = 10**decimals
    return f"{floor(round(share * 100 * steps, 6)) / steps:.10g} %"


@dataclass(frozen=True)
class Answers:
    """A family's verdicts of one night: what is not ok, what is, and how many of either are not shown."""

    family: str
    loud: list[dict[str, Any]]
    quiet: list[dict[str, Any]]
    more_loud: int
    ok: int


def families(result: NightResult | None) -> list[Answers]:
    """The verdicts of a night by family, the worst first, so many that a page stays a page."""
    if result is None:
        return []
    told = []
    for family in Family:
        mine = [v for v in result.verdicts if v.family is family]
        mine.sort(key=lambda v: (-RANK[v.state], v.metric, v.subject))
        loud, quiet = [v for v in mine if v.state is not State.OK], [v for v in mine if v.state is State.OK]
        if mine:
            shown = [verdict_row(v) for v in loud[:LOUD]], [verdict_row(v) for v in quiet[:QUIET]]
            told.append(Answers(family.value, *shown, max(0, len(loud) - LOUD), len(quiet)))
    return told


def verdict_row(v: Verdict) -> dict[str, Any]:
    """One verdict as cells of a table."""
    m = v.measurement
    return {
        "state": v.state.value,
        "sign": SIGN[v.state.value],
        "metric": v.metric,
        "subject": v.subject,
        "value": amount(m.value, m.unit) if m and m.value is not None else "",
        "interval": interval(m) if m else "",
        "n": f"{m.n:,}" if m else "",
        "baseline": amount(m.baseline, m.unit) if m and m.baseline is not None else "",
        "limit": limit_words(v.limit, m.unit if m else ""),
        "reason": v.reason,
        "would_see": v.would_see,
    }


def limit_words(limit: Limit | None, unit: str) -> str:
    """A verdict's limit with its unit.

    >>> limit_words(Limit(kind="breach", bound="< 0.98"), "share"), limit_words(Limit(kind="hard", bound="> 1"), "sd")
    ('< 98 %', 'hard > 1 sd')
    """
    return limit.words(lambda value: written(value, unit)) if limit is not None else ""


def interval(m: Measurement) -> str:
    """`0 to 0.0434 nats`: the unit is said once."""
    if m.low is None or m.high is None:
        return ""
    return between(m.low, m.high, m.unit)
