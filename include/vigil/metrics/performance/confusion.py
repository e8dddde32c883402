"""Counts of predicted against true classes over labelled rows: what most performance metrics are made of."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from vigil.metrics.given import Given
from vigil.metrics.reasons import LABELS_PENDING, NO_ROWS, NOT_LOGGED, WhyNot, because
from vigil.profiles.types import Profile

Table = Mapping[tuple[str, str], int]


class Counts(NamedTuple):
    """A binary confusion table, with the monitor's positive class."""

    tp: int
    fp: int
    fn: int
    tn: int


def table(profile: Profile) -> dict[tuple[str, str], int]:
    r"""(predicted, label) -> rows.

    >>> from vigil.metrics.example import confused
    >>> table(confused(tp=8, fn=2).tonight)
    {('1', '1'): 8, ('0', '1'): 2}
    """
    found = {}
    for key, n in profile.outcome.confusion.items():
        predicted, label = key.split("\t", 1)
        found[predicted, label] = n
    return found


def counts(cells: Table, positive: str) -> Counts:
    """One class against all others.

    >>> counts({("a", "a"): 5, ("a", "b"): 1, ("b", "a"): 2, ("c", "b"): 3}, "a")
    Counts(tp=5, fp=1, fn=2, tn=3)
    """
    tp = cells.get((positive, positive), 0)
    fp = sum(n for (p, y), n in cells.items() if p == positive and y != positive)
    fn = sum(n for (p, y), n in cells.items() if p != positive and y == positive)
    return Counts(tp, fp, fn, sum(cells.values()) - tp - fp - fn)


class Totals(NamedTuple):
    """Of one class among all: rows that are right, that were predicted to be it, that truly are it."""

    right: int
    said: int
    true: int


def by_class(cells: Table) -> dict[str, Totals]:
    """Each class that was predicted or true, in text order; one pass over the cells.

    >>> by_class({("a", "a"): 5, ("a", "b"): 1, ("b", "a"): 2, ("c", "b"): 3})["a"]
    Totals(right=5, said=6, true=7)
    """
    right: Counter[str] = Counter()
    said: Counter[str] = Counter()
    true: Counter[str] = Counter()
    for (predicted, label), n in cells.items():
        said[predicted] += n
        true[label] += n
        right[label] += n if predicted == label else 0
    return {name: Totals(right[name], said[name], true[name]) for name in sorted({*said, *true})}


def absent(given: Given) -> WhyNot:
    """Why there is nothing to compare: no rows at all, labels that have not come, or something that was not logged."""
    if not given.tonight.rows:
        return NO_ROWS
    if not given.tonight.outcome.labelled:
        return LABELS_PENDING
    return because(NOT_LOGGED, "the labelled rows have nothing to compare the label with")
