"""Mean F1 over the classes, each weighted by its true rows."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import Table, absent, by_class, table
from vigil.metrics.readings import unknown
from vigil.metrics.types import Reading


def weighted_mean_f1(cells: Table) -> tuple[float, float]:
    """(mean F1 of the classes weighted by their labelled rows, its standard error).

    Standard error by the delta method for the multinomial cells: with G the sum over classes of 2 t y / s (t: right,
    y: true, s: predicted plus true), dG / dn_ij = 2 t_j / s_j - 2 t_j y_j / s_j^2 - 2 t_i y_i / s_i^2, and where
    i = j also + 2 y_i / s_i; the mean is G / n. Raises ZeroDivisionError without rows.

    >>> [round(x, 3) for x in weighted_mean_f1({("a", "a"): 40, ("a", "b"): 10, ("b", "b"): 50})]
    [0.901, 0.029]
    """
    n = sum(cells.values())
    grow, shrink, hit, total = {}, {}, {}, 0.0
    for name, one in by_class(cells).items():
        both = one.said + one.true
        grow[name] = 2 * one.right / both
        shrink[name] = 2 * one.right * one.true / both**2
        hit[name] = 2 * one.true / both
        total += grow[name] * one.true
    mean = total / n
    variance = sum(
        rows * ((grow[y] - shrink[y] - shrink[p] + (hit[p] if p == y else 0.0) - mean) / n) ** 2
        for (p, y), rows in cells.items()
    )
    return mean, sqrt(variance)


def weighted_f1(given: Given) -> Iterator[Reading]:
    """Mean of each class's 2 tp / (2 tp + fp + fn), weighted by its labelled rows, in [0, 1]; higher is better.

    Interval: delta method, see `weighted_mean_f1`. n: labelled rows. Source: scikit-learn's
    `f1_score(average="weighted")`.

    >>> from vigil.metrics.example import confused
    >>> round(next(weighted_f1(confused(tp=40, fp=10, tn=50))).value, 3)
    0.901
    """
    cells = {pair: n for pair, n in table(given.tonight).items() if n}
    if not cells:
        yield unknown("all", absent(given))
        return
    value, error = weighted_mean_f1(cells)
    half, n = z_of() * error, sum(cells.values())
    yield Reading(subject="all", value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=n)
