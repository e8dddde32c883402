"""Tiny nights of a model that does not exist, for the running examples in docstrings and for tests."""

from typing import Any

from vigil.core.words import Task
from vigil.metrics.given import Column, Given
from vigil.metrics.types import View
from vigil.profiles.edges import SCORE_EDGES
from vigil.profiles.layout import Decision, FeatureType, Protected
from vigil.profiles.types import Cell, Columns, Contribution, NumericColumn, Outcome, Profile, Service

DECISION = Decision(positive="1", favourable="0", deserving="0")
SEX = Protected(attribute="sex", reference="male")


def profile(task: Task = Task.BINARY, **parts: Any) -> Profile:
    """A profile with some parts; the rest is empty."""
    return Profile(**{"monitor": "m", "environment": "test", "task": task, "edges_digest": "e", **parts})


def view(task: Task = Task.BINARY, **parts: Any) -> View:
    """A view; a binary one says that 1 (a default) is predicted and that 0 is good for the person."""
    decision = DECISION if task is Task.BINARY else None
    return View(**{"task": task, "features": {}, "decision": decision, **parts})


def columns(column: Column) -> Columns:
    """One column called x."""
    return Columns(numeric={"x": column}) if isinstance(column, NumericColumn) else Columns(category={"x": column})


def feature(now: Column, was: Column | None = None) -> Given:
    """One feature x, tonight and on the baseline."""
    kind = FeatureType.NUMERIC if isinstance(now, NumericColumn) else FeatureType.CATEGORY
    before = profile(rows=was.rows, columns=columns(was)) if was is not None else None
    return Given(profile(rows=now.rows, columns=columns(now)), before, view(features={"x": kind}))


def served(*, latency_ms: tuple[float, ...] = (), **counts: Any) -> Given:
    """A night of a service."""
    return Given(profile(rows=counts.get("requests", 0), service=Service(**counts)), None, view(latency_ms=latency_ms))


def told(outcome: Outcome, was: Outcome | None = None, *, task: Task = Task.BINARY, rows: int | None = None) -> Given:
    """What a model said against what happened."""
    tonight = profile(task, rows=outcome.labelled if rows is None else rows, outcome=outcome)
    return Given(tonight, profile(task, outcome=was) if was is not None else None, view(task))


def confused(*, tp: int = 0, fp: int = 0, fn: int = 0, tn: int = 0) -> Given:
    """A binary night with these labelled counts; 1 is the positive class."""
    cells = {"1\t1": tp, "1\t0": fp, "0\t1": fn, "0\t0": tn}
    return told(Outcome(labelled=sum(cells.values()), confusion={k: n for k, n in cells.items() if n}))


def grouped(*, female: Cell, male: Cell) -> Given:
    """Decisions for women, with men as the reference group."""
    rows, labelled = female.n + male.n, female.labelled + male.labelled
    groups = {"sex": {"female": female, "male": male}}
    tonight = profile(rows=rows, groups=groups, outcome=Outcome(labelled=labelled))
    return Given(tonight, None, view(protected=(SEX,)))


def explained(**absolute: float) -> Profile:
    """A night with these sums of |contribution| of 100 explained rows each, without spread."""
    parts = {f: Contribution(n=100, absolute=v, squared=v * v / 100) for f, v in absolute.items()}
    return profile(contributions=parts)


def scored_twice() -> Given:
    """A night whose scores are 0.2 and 0.8, without labels, and a baseline whose labels agree with them."""
    low, high = (next(i for i, e in enumerate(SCORE_EDGES) if e >= p) for p in (0.2, 0.8))

    def bins(at_low: int, at_high: int) -> tuple[int, ...]:
        return tuple({low: at_low, high: at_high}.get(i, 0) for i in range(len(SCORE_EDGES) + 1))

    was = profile(rows=1000, outcome=Outcome(labelled=1000, scores={"1": bins(100, 400), "0": bins(400, 100)}))
    return Given(profile(rows=400, outcome=Outcome(scores={"none": bins(200, 200)})), was, view())
