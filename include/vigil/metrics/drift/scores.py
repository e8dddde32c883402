"""The scores that a night is compared by: where a column sits, how wide it is, what is missing, which levels come.

Each is a number near 0 on the baseline with a known sampling variance, so that nights can be compared with nights.
Positions and widths are on the scale of the baseline's sd whatever the column's shape: they are means of normal scores
of the bins (van der Waerden), which a heavy tail cannot dominate. Shares are on the scale 2 arcsin sqrt p, where the
sampling variance is 1/n for every p.
"""

from collections.abc import Sequence
from math import asin, sqrt
from statistics import NormalDist
from typing import NamedTuple

from vigil.profiles.types import CategoryColumn, NumericColumn

SMOOTH = 0.5  # added to every bin, so that a bin that is empty on the baseline has a finite score
FEW = 30  # rows that the baseline's variance counts as
LEVELS = 12  # of a category, the most frequent of the baseline; the others are scored together
MISSING, NEW, OTHER = "(missing)", "(new)", "(other)"
_NORMAL = NormalDist()


class Score(NamedTuple):
    """A value, the sampling variance of that value, and the rows behind it."""

    value: float
    variance: float
    n: int


class Frame(NamedTuple):
    """By bin: the normal score of its middle rank on the baseline, and that score's quadratic residual.

    Both have mean 0 and variance 1 over the baseline, and no correlation.
    """

    position: tuple[float, ...]
    width: tuple[float, ...]


def frame(was: NumericColumn) -> Frame:
    """The scores of the bins, from the counts of a baseline. All 0 where it has no spread.

    >>> [round(z, 2) for z in frame(NumericColumn(rows=4000, bins=(1000, 2000, 1000))).position]
    [-1.41, 0.0, 1.41]
    """
    mass = [b + SMOOTH for b in was.bins]
    total = sum(mass)
    mass, below, z = [m / total for m in mass], 0.0, []
    for m in mass:
        z.append(_NORMAL.inv_cdf(below + m / 2))
        below += m
    z = _standard(z, mass)
    squares = [x * x for x in z]
    slope = sum(m * x * s for m, x, s in zip(mass, z, squares, strict=True))
    q = _standard([s - slope * x for x, s in zip(z, squares, strict=True)], mass)
    return Frame(tuple(z), tuple(q))


def _standard(values: Sequence[float], mass: Sequence[float]) -> list[float]:
    mean = sum(m * v for m, v in zip(mass, values, strict=True))
    sd = sqrt(sum(m * (v - mean) ** 2 for m, v in zip(mass, values, strict=True)))
    return [(v - mean) / sd if sd > 1e-9 else 0.0 for v in values]


def mean_score(counts: Sequence[int], values: Sequence[float]) -> Score:
    """The mean of a bin's score over the rows in the bins.

    >>> mean_score((50, 50), (-1.0, 1.0)), round(mean_score((1, 0), (-1.0, 1.0)).variance, 2)
    (Score(value=0.0, variance=0.01, n=100), 0.97)
    """
    n = sum(counts)
    mean = sum(c * v for c, v in zip(counts, values, strict=True)) / n
    spread = sum(c * (v - mean) ** 2 for c, v in zip(counts, values, strict=True)) / n
    return Score(mean, believed(spread, 1.0, n) / n, n)


def believed(spread: float, before: float, n: int) -> float:
    """The variance of n values that their own spread may be believed to show.

    Few rows that happen to be alike say little of how far the next ones lie apart; one row says nothing. The variance
    of the baseline (`before`) counts as FEW rows, and bounds it from below.

    >>> believed(0.0, 1.0, 30), round(believed(0.0, 1.0, 1), 2), believed(0.8, 1.0, 300)
    (0.5, 0.97, 0.8)
    """
    return max(spread, before * FEW / (n + FEW))


def share_score(k: float, n: int) -> Score:
    """2 arcsin sqrt(k / n): 0 for none, pi for all; its variance is 1/n. Source: Anscombe (1948), Cohen (1988).

    >>> round(share_score(50, 100).value, 4), share_score(50, 100).variance
    (1.5708, 0.01)
    """
    return Score(2 * asin(sqrt(min(1.0, k / n))), 1 / n, n)


def level_counts(now: CategoryColumn, was: CategoryColumn) -> dict[str, tuple[int, int]]:
    """Level -> (rows tonight, rows of the baseline): the most frequent levels of the baseline, the rest, the new ones.

    >>> level_counts(CategoryColumn(rows=3, levels={"a": 2}, new=1), CategoryColumn(rows=5, levels={"a": 5}))
    {'a': (2, 5), '(new)': (1, 0)}
    """
    kept = sorted(was.levels, key=lambda k: (-was.levels[k], k))[:LEVELS]
    pairs = {level: (now.levels.get(level, 0), was.levels[level]) for level in kept}
    rest = (now.filled - now.new - sum(a for a, _ in pairs.values()), was.filled - sum(b for _, b in pairs.values()))
    if any(rest):
        pairs[OTHER] = rest
    pairs[NEW] = (now.new, 0)
    return pairs
