"""Divergences between two sets of counts on the same bins: the formulas, and what both metrics of them share."""

from collections.abc import Callable, Iterator, Sequence
from math import log as ln
from math import log2, sqrt

from vigil.metrics.readings import ALL_NULL, NO_BASELINE, all_columns
from vigil.metrics.types import Reading
from vigil.profiles.types import CategoryColumn, Columns, NumericColumn

SMOOTH = 0.5  # added to every bin (Jeffreys), so that an empty bin does not make the divergence infinite
Counts = Sequence[float]


def shares(counts: Counts) -> list[float]:
    """Counts as smoothed shares that sum to 1 and are never 0."""
    total = sum(counts) + SMOOTH * len(counts)
    return [(c + SMOOTH) / total for c in counts]


def psi(p: Counts, q: Counts) -> float:
    """Population stability index sum((p - q) ln(p / q)) in nats; 0 means equal, no upper bound.

    p, q: counts, shape (bins,), same bins. Source: Jeffreys (1946) J-divergence; Siddiqi (2006) for the name.
    Raises ValueError for different lengths.

    >>> round(psi([5000, 5000], [4000, 6000]), 4)
    0.0405
    """
    return sum((a - b) * ln(a / b) for a, b in zip(shares(p), shares(q), strict=True))


def jensen_shannon(p: Counts, q: Counts) -> float:
    """Jensen-Shannon distance, base 2, in [0, 1]. Source: Endres and Schindelin (2003).

    >>> round(jensen_shannon([5000, 5000], [4000, 6000]), 4)
    0.0854
    """
    a, b = shares(p), shares(q)
    mixed = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
    total = sum(x * log2(x / m) + y * log2(y / m) for x, y, m in zip(a, b, mixed, strict=True))
    return sqrt(max(total, 0.0) / 2)


def null_mean(bins: int, n: float, m: float) -> float:
    """What PSI is on average when nothing changed: (bins - 1)(1/n + 1/m). Source: Yurdakul (2018)."""
    return (bins - 1) * (1 / n + 1 / m)


def psi_interval(p: Counts, q: Counts) -> tuple[float, float]:
    """95 % limits of PSI with the noise of both samples taken out: (0, ...) when it is noise alone.

    Delta method for the tonight's and the baseline's multinomial counts; the null mean is taken off the lower limit.
    """
    n, m = sum(p), sum(q)
    a, b = shares(p), shares(q)
    slope_a = [ln(x / y) + (x - y) / x for x, y in zip(a, b, strict=True)]
    slope_b = [-ln(x / y) - (x - y) / y for x, y in zip(a, b, strict=True)]
    variance = _variance(slope_a, a) / n + _variance(slope_b, b) / m
    noise = null_mean(len(a), n, m)
    variance += 2 * (len(a) - 1) * (1 / n + 1 / m) ** 2  # of the scaled chi-square that it is under no change
    value, half = psi(p, q), 1.96 * sqrt(variance)
    return max(0.0, value - noise - half), value + half


def _variance(slope: Sequence[float], p: Sequence[float]) -> float:
    mean = sum(s * x for s, x in zip(slope, p, strict=True))
    return sum(x * (s - mean) ** 2 for s, x in zip(slope, p, strict=True))


def counts_of(column: NumericColumn | CategoryColumn) -> tuple[int, ...]:
    """The bins of a numeric column; the levels, then the new ones, of a category column."""
    if isinstance(column, NumericColumn):
        return column.bins
    return (*(column.levels[k] for k in sorted(column.levels)), column.new)


def pairs(night: Columns, baseline: Columns | None) -> Iterator[tuple[str, tuple[Counts, Counts] | None, str]]:
    """(column, (tonight's counts, the baseline's counts) or None, why not)."""
    was_columns = all_columns(baseline) if baseline else {}
    for name, column in all_columns(night).items():
        before = was_columns.get(name)
        if before is None:
            yield name, None, NO_BASELINE
            continue
        now, was = _aligned(column, before)
        if not sum(now) or not sum(was):
            yield name, None, ALL_NULL
        else:
            yield name, (now, was), ""


def _aligned(a: NumericColumn | CategoryColumn, b: NumericColumn | CategoryColumn) -> tuple[Counts, Counts]:
    if isinstance(a, CategoryColumn) and isinstance(b, CategoryColumn):
        levels = sorted({*a.levels, *b.levels})
        return (
            [*(a.levels.get(x, 0) for x in levels), a.new, a.nulls],
            [*(b.levels.get(x, 0) for x in levels), b.new, b.nulls],
        )
    return counts_of(a), counts_of(b)


def readings(
    night: Columns, baseline: Columns | None, formula: Callable[[Counts, Counts], float], *, with_interval: bool
) -> Iterator[Reading]:
    """One reading a column, by one formula."""
    for name, both, why in pairs(night, baseline):
        if both is None:
            yield Reading(subject=name, why_not=why)
            continue
        low, high = psi_interval(*both) if with_interval else (None, None)
        yield Reading(subject=name, value=formula(*both), low=low, high=high, n=int(sum(both[0])))
