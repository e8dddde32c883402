"""Drafts rules from the nights of the reference, except for drift, which the default rules watch.

A bound that a night of the reference breaks is moved a step, and another, until none does; what cannot be moved any
further is left out. Either is said beside the rule, because what is allowed from the start is never found again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Family, Task
from vigil.onboarding.evidence import Evidence, share_of
from vigil.onboarding.performance import performance

SHARES = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 0.95, 0.98, 0.99)
GOOD_SHARES = (0.99, 0.98, 0.95, 0.90, 0.80, 0.70, 0.50)
RATIOS = (0.80, 0.70, 0.60, 0.50, 0.40, 0.30, 0.20)
DIFFERENCES = (-0.20, -0.30, -0.40, -0.50, -0.60)
TARGETS = ((0.995, 0.99), (0.985, 0.98), (0.96, 0.95), (0.92, 0.90))  # what was attained -> what is promised
LEAST_STEP = 0.01  # between a share and its bound


class Line(Spec):
    """One rule, and what its owner should know of it."""

    family: Family
    rule: dict[str, Any]
    note: str = ""
    moved: bool = False  # from the usual bound, which the reference itself would break


class Left(Spec):
    """A metric without a rule, and why."""

    family: Family
    what: str
    why: str


class Book(Spec):
    """The rules of a draft. without: feature or metric -> why the default drift rules leave it out."""

    lines: tuple[Line, ...] = ()
    left: tuple[Left, ...] = ()
    without: Mapping[str, str] = Field(default_factory=dict)
    availability: float | None = None  # the target of its objective

    def of(self, family: str) -> list[Line]:
        """The rules of a family."""
        return [line for line in self.lines if line.family == family]

    def left_of(self, family: str) -> list[Left]:
        """What is not asked in a family."""
        return [one for one in self.left if one.family == family]


class Model(Spec):
    """What the rules must know of the model itself. nightly: features of which a night has one value."""

    task: Task
    known: frozenset[str]  # what the log says beside features: "status", "score", …
    labelled: bool = False
    protected: bool = False
    nightly: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


Steps = Mapping[str, int]  # "metric/subject" -> how many steps its bound was moved
Made = Iterator[Line | Left]


def rules_of(model: Model, shown: Evidence, steps: Steps, without: Mapping[str, str]) -> Book:
    """The drafted rules after some bounds were moved."""
    made = [*_service(model, shown, steps), *_quality(model, shown, steps)]
    if model.labelled:
        for rule, note, why in performance(model.task, shown, steps, scored="score" in model.known):
            made.append(Line(family=Family.PERFORMANCE, rule=rule, note=note) if rule else
                        Left(family=Family.PERFORMANCE, what=note, why=why))  # fmt: skip
    if model.protected:
        made += _fairness(model, shown, steps)
    return Book(
        lines=tuple(one for one in made if isinstance(one, Line)),
        left=tuple(one for one in made if isinstance(one, Left)),
        without=without,
        availability=_target(shown.all_of("success_rate")) if "status" in model.known else None,
    )


class Ladder(NamedTuple):
    """A metric that is a share, and the bounds it may get, tightest first."""

    family: Family
    metric: str
    rungs: Sequence[float]
    side: str = ">"
    more: Mapping[str, Any] = MappingProxyType({})
    without: Sequence[str] = ()
    note: str = ""


def _service(model: Model, shown: Evidence, steps: Steps) -> Made:
    if "status" in model.known:
        more = {"min_difference": 0.02}
        yield from _bounded(Ladder(Family.SERVICE, "success_rate", GOOD_SHARES[1:], "<", more), shown, steps)
    usual: dict[str, Any] = {"metric": "volume", "sigma": 6, "nights": 28, "floor": max(1, shown.rows_a_night // 2)}
    forms = (
        (usual, "against the model's own nights"),
        ({**usual, "season": "weekday"}, "against the same weekdays: they differ"),
        (
            {"metric": "volume", "surprise": True, "floor": 0.7},
            "its nights differ widely: half as many or twice is odd",
        ),
    )
    place = steps.get("volume/all", 0) + (1 if shown.weekly else 0)
    if place < len(forms):
        yield Line(family=Family.SERVICE, rule=forms[place][0], note=forms[place][1])
    else:
        yield Left(family=Family.SERVICE, what="volume", why="the reference's own nights differ too much in their rows")


def _quality(model: Model, shown: Evidence, steps: Steps) -> Made:
    scores = ["missing_score"] if "score" in model.known else []
    yield from _bounded(Ladder(Family.QUALITY, "missing", SHARES), shown, steps)
    for metric in ("not_finite", "wrong_type", "missing_prediction", *scores):
        yield from _bounded(Ladder(Family.QUALITY, metric, SHARES[1:]), shown, steps)
    without = [name for name in model.categories if name in model.nightly]
    yield from _bounded(Ladder(Family.QUALITY, "new_category", SHARES[2:], without=without), shown, steps)


def _fairness(model: Model, shown: Evidence, steps: Steps) -> Made:
    policy = "four-fifths: a policy, tested with its uncertainty"
    yield from _policy("selection_rate_ratio", shown, steps, RATIOS, policy)
    if model.labelled:
        yield from _policy("equal_opportunity", shown, steps, DIFFERENCES, "")
    note = "who does not say is in no group"
    yield from _bounded(Ladder(Family.FAIRNESS, "group_coverage", GOOD_SHARES, "<", note=note), shown, steps)


def _bounded(asked: Ladder, shown: Evidence, steps: Steps) -> Made:
    """One rule for the subjects that have the commonest bound, and one for each other bound."""
    metric, rungs = asked.metric, asked.rungs
    known = {s: share_of(ms) for s, ms in shown.of(metric).items() if s not in asked.without}
    by_bound: dict[float, list[str]] = {}
    for subject, share in known.items():
        place = _place(share, rungs, asked.side) + steps.get(f"{metric}/{subject}", 0)
        if place < len(rungs):
            by_bound.setdefault(rungs[place], []).append(subject)
        else:
            yield Left(family=asked.family, what=f"{metric}({subject})", why=_said(metric, [share]))
    if not by_bound:
        return
    usual = max(by_bound, key=lambda bound: (len(by_bound[bound]), -rungs.index(bound)))
    apart = [*asked.without, *(s for s in known if s not in by_bound[usual])]
    for bound in sorted(by_bound, key=lambda b: (b != usual, rungs.index(b))):
        whom = {"subjects": by_bound[bound]} if bound != usual else {"without": apart} if apart else {}
        note = asked.note if bound == rungs[0] else _said(metric, [known[s] for s in by_bound[bound]])
        rule = {"metric": metric, **whom, "breach": f"{asked.side} {bound:.2f}", **asked.more}
        yield Line(family=asked.family, rule=rule, note=note, moved=bound != rungs[0])


def _said(metric: str, shares: Collection[float]) -> str:
    """What the reference has of a share.

    >>> _said("missing", [0.969, 0.95]), _said("missing", [0.0])
    ('null in 95.0% to 96.9% of the reference', 'on one of its nights more than the reference has together, 0.0%')
    """
    low, high = f"{min(shares):.1%}", f"{max(shares):.1%}"
    if not max(shares):
        return f"on one of its nights more than the reference has together, {low}"
    many = low if low == high else f"{low} to {high}"
    return f"null in {many} of the reference" if metric == "missing" else f"{many} on the reference"


def _place(share: float, rungs: Sequence[float], side: str) -> int:
    """The first bound with room beside a share: a fifth of what it may vary by, a point at least.

    >>> _place(0.0, SHARES, ">"), SHARES[_place(0.97, SHARES, ">")], GOOD_SHARES[_place(0.985, GOOD_SHARES, "<")]
    (0, 0.98, 0.95)
    """
    room = max(LEAST_STEP, 0.2 * share * (1 - share))
    fits = (share + room <= rung + 1e-12 if side == ">" else share - room >= rung - 1e-12 for rung in rungs)
    return next((n for n, fit in enumerate(fits) if fit), len(rungs))


def _policy(metric: str, shown: Evidence, steps: Steps, rungs: Sequence[float], note: str) -> Made:
    """A policy for all groups; of those that the reference has beyond it the policy warns, and worse breaks a bound."""
    known = shown.of(metric)
    moved = {s: n for s in known if (n := steps.get(f"{metric}/{s}", 0))}
    apart = {"without": list(moved)} if moved else {}
    yield Line(family=Family.FAIRNESS, rule={"metric": metric, **apart, "breach": f"< {rungs[0]:.2f}"}, note=note)
    for subject, n in moved.items():
        rule: dict[str, Any] = {"metric": metric, "subjects": [subject], "warn": f"< {rungs[0]:.2f}"}
        if n < len(rungs):
            rule["breach"] = f"< {rungs[n]:.2f}"
        was = median(m.value or 0.0 for m in known[subject])
        told = f"{was:.2f} on the reference already: it warns each night until you decide about it"
        yield Line(family=Family.FAIRNESS, rule=rule, note=told, moved=True)


def _target(known: Sequence[Any]) -> float | None:
    """The objective that the reference attains with room.

    >>> _target([]) is None
    True
    """
    if not known:
        return None
    attained = share_of(list(known))
    return next((target for least, target in TARGETS if attained >= least), None)
