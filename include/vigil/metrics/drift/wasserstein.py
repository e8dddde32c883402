"""How far the values of a numeric feature had to be carried, in standard deviations of the baseline."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import pi, sqrt

from vigil.core.errors import MismatchedEdges
from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.drift.mean_shift import moments
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import ALL_NULL, NO_BASELINE, NO_ROWS, NO_SPREAD, NOT_LOGGED, because
from vigil.metrics.types import Reading
from vigil.profiles.edges import tails
from vigil.profiles.types import NumericColumn


def distance(now: NumericColumn, was: NumericColumn, edges: Sequence[float]) -> float:
    """The integral of |F - G| in the column's own unit, 0 or more.

    Between two edges both distribution functions are taken as straight lines. In the tails (`profiles.edges.tails`)
    the integral of each is known exactly from the sum of the values there, which keeps it right on skewed data.

    >>> night = NumericColumn(rows=2, bins=(0, 2, 0), tail_rows=2)
    >>> distance(night, NumericColumn(rows=2, bins=(0, 0, 2), tail_rows=2, high_tail=6.0), (0.0, 1.0))
    2.5
    """
    lo, hi = tails(edges)
    inner = [(edge, a - b) for edge, a, b in zip(edges, _cumulative(now), _cumulative(was), strict=True)]
    inner = [(edge, gap) for edge, gap in inner if lo <= edge <= hi]
    middle = sum(_area(d0, d1, right - left) for (left, d0), (right, d1) in pairwise(inner))
    first = [(lo * _below(c, edges, lo) - c.low_tail) / c.finite for c in (now, was)]
    last = [(c.high_tail - hi * (c.finite - _below(c, edges, hi))) / c.finite for c in (now, was)]
    return middle + abs(first[0] - first[1]) + abs(last[0] - last[1])


def _below(column: NumericColumn, edges: Sequence[float], edge: float) -> int:
    """Finite values up to one of the edges."""
    return sum(column.bins[: edges.index(edge) + 1])


def _widths(edges: Sequence[float]) -> list[float]:
    return [right - left for left, right in pairwise(edges)]


def _cumulative(column: NumericColumn) -> list[float]:
    """The distribution function at each edge."""
    return [seen / column.finite for seen in accumulate(column.bins[:-1])]


def _area(d0: float, d1: float, width: float) -> float:
    """Integral of |d| over one bin, where d goes straight from d0 to d1."""
    if d0 * d1 >= 0:
        return width * (abs(d0) + abs(d1)) / 2
    return width * (d0 * d0 + d1 * d1) / (2 * (abs(d0) + abs(d1)))


def by_chance(was: NumericColumn, edges: Sequence[float], n: int) -> float:
    """About the distance that sampling noise alone makes: sqrt(2/pi (1/n + 1/m)) times the integral of sqrt(F (1 - F)).

    The tails beyond the edges are left out, so it is rather too small.
    """
    g = [sqrt(x * (1 - x)) for x in _cumulative(was)]
    spread = sum((a + b) / 2 * wide for (a, b), wide in zip(pairwise(g), _widths(edges), strict=True))
    return sqrt(2 / pi * (1 / n + 1 / was.finite)) * spread


def _reading(name: str, now: NumericColumn, was: NumericColumn, edges: Sequence[float]) -> Reading:
    (_, sd1), (_, sd0) = moments(now), moments(was)
    if sd0 == 0:
        return unknown(name, NO_SPREAD, n=now.finite)
    value, chance = distance(now, was, edges) / sd0, by_chance(was, edges, now.finite) / sd0
    half = z_of() * sqrt((sd1 / sd0) ** 2 / now.finite + 1 / was.finite)
    return Reading(subject=name, value=value, low=max(0.0, value - chance - half), high=value + half, n=now.finite)


def wasserstein(given: Given) -> Iterator[Reading]:
    """Earth mover's distance of each numeric feature from the baseline, divided by the baseline's sd; 0 or more.

    A shift of every value by 0.5 sd is 0.5. Within 1.3 % of the raw values' with 31 bins (measured). The lower limit
    has what noise alone makes taken off; limits by the distance being 1-Lipschitz in the values. Needs the edges.
    Source: Vaserstein (1969); Vallender (1974) for the form with distribution functions.

    >>> from dataclasses import replace
    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import Edges
    >>> kept = {"rows": 100, "tail_rows": 100}
    >>> night = NumericColumn(bins=(0, 0, 100, 0), high_tail=150.0, total=150.0, total_sq=230.0, **kept)
    >>> was = NumericColumn(bins=(0, 50, 50, 0), low_tail=25.0, high_tail=75.0, total=100.0, total_sq=130.0, **kept)
    >>> given = replace(feature(night, was), edges=Edges(numeric={"x": (0.0, 1.0, 2.0)}))
    >>> round(next(wasserstein(given)).value, 3)
    0.913
    """
    for name, now, was in given.numeric():
        edges = given.edges.numeric.get(name) if given.edges else None
        if was is None or was.finite < 2:
            yield unknown(name, NO_BASELINE, n=now.finite)
        elif not now.finite:
            yield unknown(name, ALL_NULL if now.rows else NO_ROWS)
        elif not edges:
            yield unknown(name, because(NOT_LOGGED, "the edges of its bins are not known"), n=now.finite)
        elif (now.tail_rows, was.tail_rows) != (now.finite, was.finite):
            why = because(NO_BASELINE, "a profile of an older version has no sums of its tails; profile it again")
            yield unknown(name, why, n=now.finite)
        elif not len(now.bins) == len(was.bins) == len(edges) + 1:
            raise MismatchedEdges(f"{len(now.bins)} and {len(was.bins)} bins on {len(edges)} edges: re-profile")
        else:
            yield _reading(name, now, was, edges)


def group_wasserstein(given: Given) -> Iterator[Reading]:
    """`wasserstein` within each protected group, subject "feature|attribute=group"."""
    return in_groups(given, wasserstein)
