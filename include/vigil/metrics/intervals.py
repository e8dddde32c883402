"""Intervals and one-sided tests of a bound, from counts alone. No rows, no resampling.

A test asks: how likely are such counts if the true value were just at the bound? `side` is the side that is bad,
"<" or ">". A small p-value means that the true value is beyond the bound.
"""

from collections.abc import Callable, Sequence
from math import ceil, exp, inf, log, sqrt
from statistics import NormalDist

from vigil.metrics.types import Kind

LEVEL = 0.95
FARTHEST_Z = 38.0  # beyond it, a normal tail is 0 in floating point
FARTHEST_X = 700.0  # beyond it, a logistic curve is 0 in floating point
PRIOR_ROWS = 25  # what Newcombe's limits weigh against DeLong's of so many rows
_NORMAL = NormalDist()


def z_of(level: float = LEVEL) -> float:
    """Standard errors on each side of a two-sided interval of this level.

    >>> round(z_of(0.95), 3)
    1.96
    """
    return _NORMAL.inv_cdf(0.5 + level / 2)


def wilson(k: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson score interval of a proportion, k successes of n; (0, 1) for n = 0. Source: Wilson (1927).

    >>> [round(x, 4) for x in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    return _wilson(k, n, z_of(level))


def _wilson(k: float, n: float, z: float) -> tuple[float, float]:
    if n <= 0:
        return 0.0, 1.0
    p, zz = k / n, z * z
    centre = (p + zz / (2 * n)) / (1 + zz / n)
    half = z * sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    low = 0.0 if k <= 0 else max(0.0, centre - half)
    return low, 1.0 if k >= n else min(1.0, centre + half)


def newcombe(k1: float, n1: float, k0: float, n0: float, level: float = LEVEL) -> tuple[float, float]:
    """Newcombe's hybrid score interval of p1 - p0 (his method 10); (-1, 1) without rows. Source: Newcombe (1998).

    >>> [round(x, 4) for x in newcombe(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    return _newcombe(k1, n1, k0, n0, z_of(level))


def _newcombe(k1: float, n1: float, k0: float, n0: float, z: float) -> tuple[float, float]:
    if n1 <= 0 or n0 <= 0:
        return -1.0, 1.0
    p1, p0 = k1 / n1, k0 / n0
    (l1, u1), (l0, u0) = _wilson(k1, n1, z), _wilson(k0, n0, z)
    low = p1 - p0 - sqrt((p1 - l1) ** 2 + (u0 - p0) ** 2)
    high = p1 - p0 + sqrt((u1 - p1) ** 2 + (p0 - l0) ** 2)
    return low, high


def mover_ratio(k1: float, n1: float, k0: float, n0: float, level: float = LEVEL) -> tuple[float, float]:
    """MOVER-R interval of p1 / p0 from Wilson limits; the upper limit is inf where the ratio is unbounded.

    Holds its level for small groups and zero cells, where the log-normal (Katz) interval fails.
    The lower limit is written m / (A + sqrt(A^2 - m o)), which equals the paper's form and divides by no difference.
    Source: Donner and Zou (2012), "Closed-form confidence intervals for functions of the normal mean and sd".

    >>> [round(x, 3) for x in mover_ratio(300, 1000, 450, 1000)]
    [0.593, 0.749]
    """
    if n1 <= 0 or n0 <= 0:
        return 0.0, inf
    z = z_of(level)
    p1, p0 = k1 / n1, k0 / n0
    (l1, u1), (l0, u0) = _wilson(k1, n1, z), _wilson(k0, n0, z)
    product = p1 * p0
    mine, other = l1 * (2 * p1 - l1), u0 * (2 * p0 - u0)
    root = product + sqrt(max(product**2 - mine * other, 0.0))
    low = mine / root if root > 0 else 0.0
    mine, other = u1 * (2 * p1 - u1), l0 * (2 * p0 - l0)
    high = (product + sqrt(max(product**2 - mine * other, 0.0))) / other if other > 0 else inf
    return low, high


def proportion_p(k: float, n: float, *, bound: float, side: str) -> float:
    """One-sided exact p-value of "the true proportion is within the bound"; 1 for n = 0.

    A bound that no proportion can be within (below 0, or above 1) gives 0. Source: Clopper and Pearson (1934).

    >>> round(proportion_p(10, 1000, bound=0.03, side="<"), 6)
    1.8e-05
    """
    from scipy.special import bdtr, bdtrc

    if n <= 0:
        return 1.0
    if (side == ">" and bound < 0) or (side == "<" and bound > 1):
        return 0.0
    limit = min(max(bound, 0.0), 1.0)
    return float(bdtr(int(k), int(n), limit)) if side == "<" else float(bdtrc(int(k) - 1, int(n), limit))


def ratio_p(k1: float, n1: float, k0: float, n0: float, *, bound: float, side: str) -> float:
    """One-sided p-value of "p1 / p0 is within the bound", by the score test of p1 - bound p0 = 0; 1 without events.

    z = (p1 - b p0) / sqrt(q1 (1 - q1) / n1 + b^2 q0 (1 - q0) / n0), with q1 = b q0 the maximum-likelihood
    proportions under the bound. Source: Farrington and Manning (1990).

    >>> ratio_p(300, 1000, 450, 1000, bound=0.8, side="<") < 0.005
    True
    """
    if min(n1, n0) <= 0 or (k1 == 0 and k0 == 0):
        return 1.0
    if bound < 0:
        return 0.0 if side == ">" else 1.0
    q1, q0 = _at_ratio(k1, n1, k0, n0, bound)
    variance = q1 * (1 - q1) / n1 + bound**2 * q0 * (1 - q0) / n0
    return _tail(k1 / n1 - bound * k0 / n0, variance, side)


def _at_ratio(k1: float, n1: float, k0: float, n0: float, bound: float) -> tuple[float, float]:
    """Maximum-likelihood proportions with p1 = bound p0: the smaller root of the likelihood equation in p0."""
    a = bound * (n1 + n0)
    b = -(bound * (n1 + k0) + k1 + n0)
    c = k1 + k0
    q0 = 2 * c / (-b + sqrt(max(b * b - 4 * a * c, 0.0)))
    q0 = min(max(q0, 0.0), 1.0)
    return min(bound * q0, 1.0), q0


def difference_p(k1: float, n1: float, k0: float, n0: float, *, bound: float, side: str) -> float:
    """One-sided p-value of "p1 - p0 is within the bound": where Newcombe's interval just reaches the bound.

    The limits move outwards steadily with z, so the z at which the near limit meets the bound is found by bisection;
    the p-value is its normal tail. Test and interval thus never contradict each other. 1 without rows.

    >>> round(difference_p(48, 80, 56, 70, bound=0.0, side="<"), 4)
    0.0041
    """
    if min(n1, n0) <= 0:
        return 1.0
    observed = k1 / n1 - k0 / n0
    above = observed >= bound  # then the lower limit is the one that meets the bound, else the upper one

    def outside(z: float) -> bool:
        low, high = _newcombe(k1, n1, k0, n0, z)
        return low > bound if above else high < bound

    z = _last(outside)
    tail = _NORMAL.cdf(-z)
    return tail if above == (side == ">") else 1 - tail


def difference_beyond(k1: float, n1: float, k0: float, n0: float, *, bound: float, side: str, z: float) -> bool:
    """Whether `difference_p` is below the tail of z: Newcombe's limit at z lies beyond the bound.

    >>> difference_beyond(48, 80, 56, 70, bound=0.0, side="<", z=2.576)
    True
    """
    if min(n1, n0) <= 0:
        return False
    low, high = _newcombe(k1, n1, k0, n0, z)
    return high < bound if side == "<" else low > bound


def _last(holds: Callable[[float], bool]) -> float:
    """The largest z up to which `holds`."""
    low, high = 0.0, FARTHEST_Z
    if holds(high):
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _tail(distance: float, variance: float, side: str) -> float:
    if variance <= 0 and distance == 0:
        return 0.5  # just at the bound
    if variance <= 0:
        beyond = distance < 0 if side == "<" else distance > 0
        return 0.0 if beyond else 1.0
    z = distance / sqrt(variance)
    return _NORMAL.cdf(z) if side == "<" else _NORMAL.cdf(-z)


def n_needed(
    kind: Kind,
    parts: Sequence[float],
    *,
    bound: float,
    side: str,
    margin: float,
    levels: tuple[float, float] = (0.05, 0.005),
    power: float = 0.80,
) -> int:
    """Rows (of the group, or of the proportion) that would decide, were the rates and the mix of groups as they are.

    To decide is to exclude harm `margin` beyond the bound (test at levels[0]), or to prove that the value is beyond
    the bound (levels[1]), whichever comes first, with this power. At least one more than there are now; without any
    rows, as for a share of one half. Normal approximation: n = ((z_a sd_bound + z_power sd_now) / distance)^2.
    Raises ValueError for kinds that are not counted. Source: Fleiss, Levin and Paik (2003), chapter 4.

    >>> n_needed(Kind.PROPORTION, (90, 100), bound=0.90, side="<", margin=0.05)
    288
    """
    if kind not in (Kind.PROPORTION, Kind.RATIO, Kind.DIFFERENCE):
        raise ValueError(f"a {kind.value} is not counted: no number of rows decides")
    z_power = _NORMAL.inv_cdf(power)
    if not parts or parts[1] <= 0 or (kind is not Kind.PROPORTION and parts[3] <= 0):
        return ceil((_NORMAL.inv_cdf(1 - levels[0]) + z_power) ** 2 * 0.25 / margin**2)
    bad = -1.0 if side == "<" else 1.0
    wanted = []
    for target, level, direction in ((bound + bad * margin, levels[0], -bad), (bound, levels[1], bad)):
        distance, sd_bound, sd_now = _row_noise(kind, parts, target)
        if direction * distance > 0:
            z = _NORMAL.inv_cdf(1 - level)
            wanted.append(ceil(((z * sd_bound + z_power * sd_now) / distance) ** 2))
    return max(min(wanted), int(parts[1]) + 1)


def _row_noise(kind: Kind, parts: Sequence[float], target: float) -> tuple[float, float, float]:
    """(distance from the target, sd per row of the group at the target, sd per row as it is now)."""
    k1, n1 = parts[:2]
    p1 = (k1 + 1) / (n1 + 2)  # never 0 or 1: an sd of zero would promise too much (Agresti and Caffo 2000)
    if kind is Kind.PROPORTION:
        limit = min(max(target, 0.0), 1.0)
        return k1 / n1 - target, sqrt(limit * (1 - limit)), sqrt(p1 * (1 - p1))
    k0, n0 = parts[2:]
    p0, per = (k0 + 1) / (n0 + 2), n1 / n0
    if kind is Kind.DIFFERENCE:
        sd = sqrt(p1 * (1 - p1) + p0 * (1 - p0) * per)
        return k1 / n1 - k0 / n0 - target, sd, sd
    b = max(target, 0.0)
    q1, q0 = _at_ratio(k1, n1, k0, n0, b) if k1 or k0 else (0.0, 0.0)
    at_bound = sqrt(q1 * (1 - q1) + b * b * q0 * (1 - q0) * per)
    return k1 / n1 - target * k0 / n0, at_bound, sqrt(p1 * (1 - p1) + b * b * p0 * (1 - p0) * per)


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -FARTHEST_X else 0.0


def _score_limit(area: float, m: float, n: float, end: float) -> float:
    """The limit between the AUC and 0 or 1 at which it is just as far off as noise would take it (Newcombe 2006)."""
    near, far, z = area, end, z_of()
    for _ in range(40):
        at = (near + far) / 2
        spread = (1 - at) / (2 - at) + at / (1 + at)
        noise = z * sqrt(at * (1 - at) * (1 + ((m + n) / 2 - 1) * spread) / (m * n))
        near, far = (at, far) if abs(area - at) < noise else (near, at)
    return (near + far) / 2


def auc_interval(positives: Sequence[int], negatives: Sequence[int]) -> tuple[float, float, float]:
    """(AUC, low, high) at 95 % from score histograms of both classes on the same bins, in [0, 1].

    Ties within a bin count half, as in the Mann-Whitney statistic; DeLong's variance, logit-transformed so that the
    limits stay in (0, 1). With 50 rows of a class and an AUC above 0.95 DeLong's variance is too small (it covers 90 to
    92 % at 95 %): its limits are drawn towards Newcombe's where those are wider, with a weight of 25 rows against those
    of the smaller class; benchmarks/fairness_detection.py has what they cover.
    Where the variance is zero (perfect separation), Wilson limits of as many trials as the
    smaller class has rows. Raises ValueError when a class is empty. Source: DeLong, DeLong and Clarke-Pearson (1988);
    Newcombe (2006), method 5.

    >>> [round(x, 3) for x in auc_interval((10, 30, 60), (60, 30, 10))]
    [0.825, 0.762, 0.873]
    """
    m, n = sum(positives), sum(negatives)
    if not m or not n:
        raise ValueError(f"AUC needs both classes; there are {m} positive and {n} negative rows")
    area = spread_pos = spread_neg = 0.0
    below = 0
    for pos, neg in zip(positives, negatives, strict=True):
        area += pos * (below + neg / 2) / n / m
        below += neg
    below, above = 0, m
    for pos, neg in zip(positives, negatives, strict=True):
        above -= pos
        spread_pos += pos * ((below + neg / 2) / n - area) ** 2
        spread_neg += neg * ((above + pos / 2) / m - area) ** 2
        below += neg
    variance = spread_pos / (m * max(m - 1, 1)) + spread_neg / (n * max(n - 1, 1))
    least = min(m, n)
    if variance <= 0 or not 0 < area < 1:
        return area, *wilson(area * least, least)
    centre, half = log(area / (1 - area)), z_of() * sqrt(variance) / (area * (1 - area))
    low, high = _logistic(centre - half), _logistic(centre + half)
    weight = PRIOR_ROWS / (PRIOR_ROWS + least)
    wide_low, wide_high = (_score_limit(area, m, n, end) for end in (0.0, 1.0))
    return area, low - weight * max(0.0, low - wide_low), high + weight * max(0.0, wide_high - high)
