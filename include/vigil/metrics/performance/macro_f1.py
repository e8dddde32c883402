"""Mean F1 over the classes, each with the same weight."""

from collections.abc import Iterator
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.performance.confusion import Table, absent, by_class, table
from vigil.metrics.readings import unknown
from vigil.metrics.types import Reading


def mean_f1(cells: Table) -> tuple[float, float]:
    """(mean F1 of the classes that were predicted or true, its standard error).

    Standard error by the delta method for the multinomial cells: with F_c = 2 t_c / s_c (t: right, s: predicted plus
    true), dF_c / dn_ij = (2 [i = j = c] - F_c ([i = c] + [j = c])) / s_c. Source: Takahashi et al. (2022), "Confidence
    interval for micro-averaged F1 and macro-averaged F1 scores". Raises ZeroDivisionError without rows.

    >>> [round(x, 3) for x in mean_f1({("a", "a"): 40, ("a", "b"): 10, ("b", "b"): 50})]
    [0.899, 0.03]
    """
    classes = by_class(cells)
    total = {c: one.said + one.true for c, one in classes.items()}
    score = {c: 2 * one.right / total[c] for c, one in classes.items()}
    slopes = {
        (i, j): (2 * (i == j) / total[i] - score[i] / total[i] - score[j] / total[j]) / len(classes) for i, j in cells
    }
    n = sum(cells.values())
    mean = sum(slopes[cell] * count for cell, count in cells.items())
    variance = sum(slopes[cell] ** 2 * count for cell, count in cells.items()) - mean * mean / n
    return sum(score.values()) / len(classes), sqrt(max(variance, 0.0))


def macro_f1(given: Given) -> Iterator[Reading]:
    """Mean of each class's 2 tp / (2 tp + fp + fn), in [0, 1]; higher is better. See `mean_f1`.

    >>> from vigil.metrics.example import confused
    >>> round(next(macro_f1(confused(tp=40, fp=10, tn=50))).value, 3)
    0.899
    """
    cells = {pair: n for pair, n in table(given.tonight).items() if n}
    if not cells:
        yield unknown("all", absent(given))
        return
    value, error = mean_f1(cells)
    half = z_of() * error
    n = sum(cells.values())
    yield Reading(subject="all", value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=n)
