"""Intervals and one-sided tests of a bound, from counts alone. No rows, no resampling."""

from collections.abc import Callable
from math import ceil, inf, log, sqrt

from vigil.metrics.types import Kind

LEVEL = 0.95


def _z(p: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(p))


def wilson(k: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson score interval of a proportion, k successes of n; (0, 1) for n = 0. Source: Wilson (1927).

    >>> [round(x, 4) for x in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if n <= 0:
        return 0.0, 1.0
    z = _z(0.5 + level / 2)
    p, zz = k / n, z * z
    centre = (p + zz / (2 * n)) / (1 + zz / n)
    half = z * sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(k1: float, n1: float, k0: float, n0: float, level: float = LEVEL) -> tuple[float, float]:
    """Newcombe's hybrid score interval of p1 - p0 (his method 10). Source: Newcombe (1998).

    >>> [round(x, 4) for x in newcombe(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    if n1 <= 0 or n0 <= 0:
        return -1.0, 1.0
    p1, p0 = k1 / n1, k0 / n0
    (l1, u1), (l0, u0) = wilson(k1, n1, level), wilson(k0, n0, level)
    low = p1 - p0 - sqrt((p1 - l1) ** 2 + (u0 - p0) ** 2)
    high = p1 - p0 + sqrt((u1 - p1) ** 2 + (p0 - l0) ** 2)
    return max(-1.0, low), min(1.0, high)


def mover_ratio(k1: float, n1: float, k0: float, n0: float, level: float = LEVEL) -> tuple[float, float]:
    """MOVER-R interval of p1 / p0 from Wilson limits; (0, inf) when it cannot be bounded.

    Source: Donner and Zou (2012), "Closed-form confidence intervals for functions of the normal mean and sd".
    Holds its level for small groups and zero cells where the log-normal (Katz) interval fails.

    >>> [round(x, 3) for x in mover_ratio(300, 1000, 450, 1000)]
    [0.593, 0.749]
    """
    if n1 <= 0 or n0 <= 0:
        return 0.0, inf
    p1, p0 = k1 / n1, k0 / n0
    (l1, u1), (l0, u0) = wilson(k1, n1, level), wilson(k0, n0, level)
    below, above = u0 * (2 * p0 - u0), l0 * (2 * p0 - l0)
    low = _limit(p1 * p0, l1 * (2 * p1 - l1), below, upper=False)
    high = _limit(p1 * p0, u1 * (2 * p1 - u1), above, upper=True)
    return max(0.0, low), high


def _limit(product: float, mine: float, other: float, *, upper: bool) -> float:
    inside = product**2 - mine * other
    if other <= 0 or inside < 0:
        return inf if upper else 0.0
    return (product + sqrt(inside)) / other if upper else (product - sqrt(inside)) / other


def _score(p: float, n: float, bound: float) -> float:
    """Standard errors between an observed proportion and a bound, under the bound."""
    return (p - bound) / sqrt(max(bound * (1 - bound), 1e-12) / n)


def proportion_p(k: float, n: float, *, bound: float, side: str) -> float:
    """One-sided exact p-value of "the true proportion is within the bound"; side "<" means that lower is bad.

    Source: Clopper and Pearson (1934). 1.0 for n = 0.

    >>> round(proportion_p(10, 1000, bound=0.03, side="<"), 6)
    1.8e-05
    """
    from scipy.stats import binom

    if n <= 0:
        return 1.0
    limit = min(max(bound, 0.0), 1.0)
    return float(binom.cdf(k, n, limit)) if side == "<" else float(binom.sf(k - 1, n, limit))


def ratio_p(k1: float, n1: float, k0: float, n0: float, *, bound: float, side: str) -> float:
    """One-sided p-value of "p1 / p0 is within the bound", by a score test of p1 - bound x p0 = 0.

    The variance is taken at the maximum-likelihood proportions under the bound. Source: Farrington and Manning (1990).

    >>> ratio_p(300, 1000, 450, 1000, bound=0.8, side="<") < 0.005
    True
    """
    if min(n1, n0) <= 0 or (k1 == 0 and k0 == 0):
        return 1.0
    p1, p0 = k1 / n1, k0 / n0
    q1, q0 = _farrington_manning_ratio(k1, n1, k0, n0, bound)
    variance = q1 * (1 - q1) / n1 + bound**2 * q0 * (1 - q0) / n0
    return _tail(p1 - bound * p0, variance, side)


def _farrington_manning_ratio(k1: float, n1: float, k0: float, n0: float, bound: float) -> tuple[float, float]:
    """Maximum-likelihood proportions with p1 = bound x p0."""
    a = bound * (n1 + n0)
    b = -(bound * (n1 + k0) + k1 + n0)
    c = k1 + k0
    q0 = (-b - sqrt(max(b * b - 4 * a * c, 0.0))) / (2 * a) if a else (k0 / n0)
    q0 = min(max(q0, 0.0), 1.0)
    return min(max(bound * q0, 0.0), 1.0), q0


def difference_p(k1: float, n1: float, k0: float, n0: float, *, bound: float, side: str) -> float:
    """One-sided p-value of "p1 - p0 is within the bound", by inverting Newcombe's interval."""
    if min(n1, n0) <= 0:
        return 1.0
    observed = k1 / n1 - k0 / n0
    beyond = observed < bound if side == "<" else observed > bound

    def reaches(level: float) -> bool:
        low, high = newcombe(k1, n1, k0, n0, level)
        return low <= bound <= high

    two_sided = _smallest_p(reaches)
    return two_sided / 2 if beyond else 1 - two_sided / 2


def _smallest_p(reaches: Callable[[float], bool]) -> float:
    """1 - the confidence level at which the interval just reaches the bound, by bisection."""
    low, high = 0.0, 1 - 1e-12
    if not reaches(high):
        return 1e-12
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return 1 - high


def _tail(distance: float, variance: float, side: str) -> float:
    from scipy.stats import norm

    if variance <= 0:
        beyond = distance < 0 if side == "<" else distance > 0
        return 0.0 if beyond else 1.0
    z = distance / sqrt(variance)
    return float(norm.cdf(z)) if side == "<" else float(norm.sf(z))


def n_needed(kind: Kind, parts: tuple[float, ...], *, bound: float, side: str, margin: float) -> int:
    """Rows (of the smaller group) that would exclude harm `margin` beyond the bound, were all as it is now.

    Normal approximation at one-sided 5 %, 80 % power. At least one more than there are now.
    """
    if not parts or parts[1] <= 0:
        return ceil((_z(0.95) + _z(0.80)) ** 2 * 0.25 / margin**2)
    p, n = parts[0] / parts[1], parts[1]
    further = bound - margin if side == "<" else bound + margin
    if kind is Kind.PROPORTION:
        gap, spread = abs(p - further), sqrt(max(p * (1 - p), 0.01 / n))
    else:
        p0 = parts[2] / parts[3] if parts[3] else 0.0
        gap = abs(p - further * p0) if kind is Kind.RATIO else abs(p - p0 - further)
        spread = sqrt(max(p * (1 - p), 0.01 / n))
    if gap <= 0:
        return ceil(4 * n)
    return max(ceil(((_z(0.95) + _z(0.80)) * spread / gap) ** 2), int(n) + 1)


def auc_interval(positives: tuple[int, ...], negatives: tuple[int, ...]) -> tuple[float, float, float]:
    """(AUC, low, high) at 95 % from score histograms of both classes on the same bins.

    Ties within a bin count half, as in the Mann-Whitney statistic; DeLong's variance, logit-transformed so that the
    limits stay in (0, 1). Source: DeLong, DeLong and Clarke-Pearson (1988).
    """
    import numpy as np

    pos, neg = np.asarray(positives, float), np.asarray(negatives, float)
    m, n = pos.sum(), neg.sum()
    above = (np.cumsum(neg) - neg + neg / 2) / n  # share of negatives below a positive of each bin
    below = (m - np.cumsum(pos) + pos / 2) / m  # share of positives above a negative of each bin
    auc = float((pos * above).sum() / m)
    variance = float((pos * (above - auc) ** 2).sum() / (m * max(m - 1, 1)))
    variance += float((neg * (below - auc) ** 2).sum() / (n * max(n - 1, 1)))
    if not 0 < auc < 1 or variance <= 0:
        return auc, auc, auc
    centre, half = log(auc / (1 - auc)), _z(0.975) * sqrt(variance) / (auc * (1 - auc))
    low, high = (1 / (1 + 2.718281828459045 ** -(centre + sign * half)) for sign in (-1, 1))
    return auc, low, high
