"""A gap in the whole that is another one within strata: said beside the number that is about the whole."""

from collections.abc import Mapping

from vigil.metrics.fairness.cells import Pair
from vigil.metrics.given import Given

MOVED = 0.05  # of the difference of selection rates, between crude and stratum-weighted
Stratum = tuple[int, int, int, int]  # favourable and all of the group, favourable and all of the reference group


def weighted_gap(strata: list[Stratum]) -> float | None:
    """Mantel-Haenszel difference of selection rates, group minus reference; None without a stratum that has both.

    Each stratum's difference is weighted by n1 n0 / (n1 + n0). Source: Greenland and Robins (1985).

    >>> round(weighted_gap([(44, 200, 10, 60), (45, 50, 170, 200)]), 3)
    0.052
    """
    both = [(k1 / n1 - k0 / n0, n1 * n0 / (n1 + n0)) for k1, n1, k0, n0 in strata if n1 and n0]
    total = sum(weight for _, weight in both)
    return sum(gap * weight for gap, weight in both) / total if total else None


def simpson(given: Given, pair: Pair) -> str:
    """What the strata say of a pair where they contradict the crude gap: its sign turns, or 5 points are explained.

    Empty where they agree, where the monitor names no `strata`, and for intersections, which have no strata.
    """
    column = given.view.strata
    levels: Mapping[str, Mapping[str, tuple[int, int]]] = given.tonight.strata.get(pair.attribute, {})
    if not column or not levels:
        return ""
    strata = [(*_counts(groups, pair.group), *_counts(groups, pair.reference)) for groups in levels.values()]
    within = weighted_gap(strata)
    k1, n1, k0, n0 = (sum(part) for part in zip(*strata, strict=True))
    if within is None or not n1 or not n0:
        return ""
    crude = k1 / n1 - k0 / n0
    numbers = f"within {column!r} the gap is {100 * within:+.1f} points, crude {100 * crude:+.1f}"
    if crude * within < 0 and min(abs(crude), abs(within)) >= MOVED / 10:
        return f"{numbers}: it turns round (Simpson's paradox)"
    if abs(crude - within) > MOVED:
        return f"{numbers}: who asks explains part of it" if abs(within) < abs(crude) else f"{numbers}: it hides there"
    return ""


def _counts(groups: Mapping[str, tuple[int, int]], group: str) -> tuple[int, int]:
    n, favourable = groups.get(group, (0, 0))
    return favourable, n
