"""Chi-square of each feature, on a scale that does not grow with the rows."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.drift.bins import compare
from vigil.metrics.drift.divergence import Counts, occupied
from vigil.metrics.drift.in_groups import in_groups
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.types import Reading


def statistic(p: Counts, q: Counts) -> float:
    """Pearson's two-sample chi-square of counts on the same bins; 0 is equal shares.

    >>> round(statistic([50, 50], [40, 60]), 4)
    2.0202
    """
    n, m = sum(p), sum(q)
    a, b = occupied(p, q)
    return sum((x * m - y * n) ** 2 / (x + y) for x, y in zip(a, b, strict=True)) / (n * m)


def chi_square_reading(subject: str, p: Counts, q: Counts) -> Reading:
    """Cramer's V with limits from which the noise of equal shares is taken off; the statistic and its p in words."""
    from scipy.special import chdtrc

    total, df = sum(p) + sum(q), len(occupied(p, q)[0]) - 1
    found = statistic(p, q)
    beyond = max(0.0, found - df)  # estimates the non-centrality
    half = z_of() * sqrt(2 * df + 4 * beyond)
    low, high = sqrt(max(0.0, found - df - half) / total), sqrt(min(1.0, max(found, found - df + half) / total))
    p_value = float(chdtrc(df, found)) if df else 1.0
    detail = f"chi-square {found:.1f} on {df} df, p = {p_value:.2g}"
    return Reading(subject=subject, value=sqrt(found / total), low=low, high=high, n=int(sum(p)), detail=detail)


def chi_square(given: Given) -> Iterator[Reading]:
    """Cramer's V of each feature's counts tonight and on the baseline: sqrt(chi-square / rows), in [0, 1]; 0 is equal.

    The statistic itself grows with the rows: with enough of them every harmless wobble is significant. It stands in the
    detail, with its degrees of freedom and p-value. Bins of numeric features, levels of categories (new ones are one);
    nulls are left to `missing`. Source: Pearson (1900), Cramer (1946).

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> night, was = NumericColumn(rows=100, bins=(50, 50)), NumericColumn(rows=100, bins=(40, 60))
    >>> reading = next(chi_square(feature(night, was)))
    >>> round(reading.value, 4), reading.detail
    (0.1005, 'chi-square 2.0 on 1 df, p = 0.16')
    """
    return compare(given, chi_square_reading)


def group_chi_square(given: Given) -> Iterator[Reading]:
    """`chi_square` within each protected group, subject "feature|attribute=group"."""
    return in_groups(given, chi_square)
