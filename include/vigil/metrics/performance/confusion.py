"""Precision, recall, accuracy, specificity, F1 and macro F1 from a confusion table over labelled rows."""

from collections.abc import Callable, Iterator
from statistics import fmean
from typing import NamedTuple

from vigil.core.words import Task
from vigil.metrics.readings import LABELS_PENDING, TOO_FEW, share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile

Table = dict[tuple[str, str], int]


class Cells(NamedTuple):
    """Counts of a binary confusion table."""

    tp: int
    fp: int
    fn: int
    tn: int


def table(profile: Profile | None) -> Table:
    """(predicted, label) -> rows."""
    if profile is None:
        return {}
    pairs = {k: tuple(k.split("\t", 1)) for k in profile.outcome.confusion}
    return {(p[0], p[1]): profile.outcome.confusion[k] for k, p in pairs.items()}


def _cells(t: Table, positive: str) -> Cells:
    tp = t.get((positive, positive), 0)
    fp = sum(n for (p, y), n in t.items() if p == positive and y != positive)
    fn = sum(n for (p, y), n in t.items() if p != positive and y == positive)
    return Cells(tp, fp, fn, sum(t.values()) - tp - fp - fn)


def _binary(
    numerator: Callable[[Cells], int], denominator: Callable[[Cells], int], empty: str
) -> Callable[[Profile, Profile | None, View], Iterator[Reading]]:
    def metric(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
        """A share of labelled rows, with the positive class of the monitor."""
        if view.task is not Task.BINARY or view.decision is None:
            return
        now, was = table(night), table(baseline)
        if not now:
            yield Reading(subject="all", why_not=LABELS_PENDING)
            return
        cells, before = _cells(now, view.decision.positive), _cells(was, view.decision.positive)
        if not denominator(cells):
            yield Reading(subject="all", why_not=f"{TOO_FEW}: {empty}")
            return
        base = (numerator(before), denominator(before)) if was else None
        yield share("all", numerator(cells), denominator(cells), was=base)

    return metric


precision = _binary(lambda c: c.tp, lambda c: c.tp + c.fp, "nothing was predicted positive")
recall = _binary(lambda c: c.tp, lambda c: c.tp + c.fn, "no labelled row is positive")
specificity = _binary(lambda c: c.tn, lambda c: c.tn + c.fp, "no labelled row is negative")


def accuracy(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Labelled rows whose prediction was right / labelled rows, in [0, 1] (binary and multiclass)."""
    if view.task is Task.REGRESSION:
        return
    now, was = table(night), table(baseline)
    if not now:
        yield Reading(subject="all", why_not=LABELS_PENDING)
        return
    right = sum(n for (p, y), n in now.items() if p == y)
    base = (sum(n for (p, y), n in was.items() if p == y), sum(was.values())) if was else None
    yield share("all", right, sum(now.values()), was=base)


def _f1(t: Table, positive: str) -> float | None:
    tp, fp, fn, _ = _cells(t, positive)
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else None


def f1(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """2 tp / (2 tp + fp + fn), in [0, 1]. Source: van Rijsbergen (1979)."""
    if view.task is not Task.BINARY or view.decision is None:
        return
    now = table(night)
    value = _f1(now, view.decision.positive)
    base = _f1(table(baseline), view.decision.positive)
    why = "" if value is not None else LABELS_PENDING if not now else f"{TOO_FEW}: no positive row"
    yield Reading(subject="all", value=value, n=sum(now.values()), baseline=base, why_not=why)


def _macro(t: Table) -> float | None:
    classes = sorted({c for pair in t for c in pair})
    return fmean(_f1(t, c) or 0.0 for c in classes) if classes else None


def macro_f1(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Mean F1 of the classes that were predicted or true, each class the same weight, in [0, 1]."""
    if view.task is not Task.MULTICLASS:
        return
    now = table(night)
    value = _macro(now)
    why = "" if value is not None else LABELS_PENDING
    yield Reading(subject="all", value=value, n=sum(now.values()), baseline=_macro(table(baseline)), why_not=why)
