"""What a test of a bound would have found: the true value that it finds in four nights of five.

Statistics: docs/statistics.md#what-an-ok-could-have-seen.

The test itself is turned round: its critical counts are looked up, and the true value is sought at which counts at
least as bad come with 80 % probability. So the statement holds for small groups too, where no normal curve does.
"""

from collections.abc import Callable, Sequence
from math import floor, sqrt
from statistics import NormalDist

from vigil.metrics.intervals import difference_beyond, proportion_p, ratio_p
from vigil.metrics.types import Kind
from vigil.verdicts.limits import Bound

POWER = 0.80
_NORMAL = NormalDist()
# nodes and weights of a five-point rule for a normal curve: the reference group's counts vary too
_NODES = ((-2.85697, 0.011257), (-1.355626, 0.222076), (0.0, 0.533333), (1.355626, 0.222076), (2.85697, 0.011257))
Counts = tuple[int, float]  # critical count of the group, weight


def least_found(
    kind: Kind, parts: Sequence[float], bound: Bound, *, level: float, power: float = POWER
) -> float | None:
    """The value nearest to the bound that a one-sided test at `level` finds with this power; None where none is.

    parts: tonight's counts; sizes, and the reference group's rate, are taken as they are. Raises ValueError for kinds
    that are not counted.

    >>> round(least_found(Kind.PROPORTION, (900, 1000), Bound(side="<", limit=0.8), level=0.005), 4)
    0.755
    """
    if kind is Kind.PROPORTION:
        n = int(parts[1])
        critical = _critical(n, bound.side, lambda k: proportion_p(k, n, bound=bound.limit, side=bound.side) < level)
        return None if critical is None else _rate([(critical, 1.0)], n, bound.side, power)
    if kind not in (Kind.RATIO, Kind.DIFFERENCE):
        raise ValueError(f"a {kind.value} has no counts to turn its test round")
    found = _against_reference(kind, parts, bound, level)
    rate = _rate(found, int(parts[1]), bound.side, power) if found else None
    if rate is None:
        return None
    other = parts[2] / parts[3]
    return rate - other if kind is Kind.DIFFERENCE else rate / other


def _against_reference(kind: Kind, parts: Sequence[float], bound: Bound, level: float) -> list[Counts]:
    """The group's critical counts, weighted by how likely the reference group's counts are; none where one has none."""
    n1, k0, n0 = int(parts[1]), parts[2], int(parts[3])
    if not n1 or not n0 or not k0:
        return []
    sd, z = sqrt(k0 * (1 - k0 / n0)), -_NORMAL.inv_cdf(level)
    found = []
    for node, weight in _NODES:
        other = min(max(floor(k0 + node * sd + 0.5), 1), n0)

        def beyond(k: int, other: int = other) -> bool:
            if kind is Kind.RATIO:
                return ratio_p(k, n1, other, n0, bound=bound.limit, side=bound.side) < level
            return difference_beyond(k, n1, other, n0, bound=bound.limit, side=bound.side, z=z)

        critical = _critical(n1, bound.side, beyond)
        if critical is not None:
            found.append((critical, weight))
    return found


def _critical(n: int, side: str, beyond: Callable[[int], bool]) -> int | None:
    """The count nearest to the good side that the test still finds; None where it finds none."""
    low, high = 0, n
    if side == "<":
        if not beyond(0):
            return None
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if beyond(middle) else (low, middle - 1)
        return low
    if not beyond(n):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if beyond(middle) else (middle + 1, high)
    return low


def _rate(found: Sequence[Counts], n: int, side: str, power: float) -> float | None:
    """The group's true rate at which counts at least as bad as critical come with this probability."""
    from scipy.special import bdtri

    if len(found) == 1 and found[0][1] == 1.0:
        k = found[0][0]
        if side == "<":
            return float(bdtri(k, n, power)) if k < n else 1.0
        return float(bdtri(k - 1, n, 1 - power)) if k else 0.0
    return _mixed(found, n, side, power)


def _mixed(found: Sequence[Counts], n: int, side: str, power: float) -> float | None:
    """The same of several critical counts with weights, by bisection."""
    from scipy.special import bdtr

    def seen(rate: float) -> float:
        below = ((w, float(bdtr(k if side == "<" else k - 1, n, rate)) if k or side == "<" else 0.0) for k, w in found)
        return sum(w * (p if side == "<" else 1 - p) for w, p in below)

    low, high = 0.0, 1.0
    if seen(low if side == "<" else high) < power:
        return None
    for _ in range(30):
        middle = (low + high) / 2
        if (seen(middle) >= power) == (side == "<"):
            low = middle
        else:
            high = middle
    return (low + high) / 2
