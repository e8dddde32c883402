"""Mean F1 over the classes, each weighted by its true rows."""

from collections.abc import Iterator

import numpy as np

from vigil.metrics.given import Given
from vigil.metrics.performance.confusion import absent, table
from vigil.metrics.performance.delta import around, array
from vigil.metrics.readings import unknown
from vigil.metrics.types import Reading


def weighted_f1(given: Given) -> Iterator[Reading]:
    """Mean of each class's 2 tp / (2 tp + fp + fn), weighted by its labelled rows, in [0, 1]; higher is better.

    Interval: delta method. n: labelled rows. Source: scikit-learn's `f1_score(average="weighted")`.

    >>> from vigil.metrics.example import confused
    >>> round(next(weighted_f1(confused(tp=40, fp=10, tn=50))).value, 3)
    0.901
    """
    cells = {pair: n for pair, n in table(given.tonight).items() if n}
    if not cells:
        yield unknown("all", absent(given))
        return
    classes = {c: i for i, c in enumerate(sorted({c for pair in cells for c in pair}))}
    said = np.array([classes[p] for p, _ in cells])
    true = np.array([classes[y] for _, y in cells])

    def of(rows: np.ndarray) -> float:
        right = np.bincount(said, weights=rows * (said == true), minlength=len(classes))
        both = [np.bincount(side, weights=rows, minlength=len(classes)) for side in (said, true)]
        return float((both[1] * 2 * right / (both[0] + both[1])).sum() / rows.sum())

    yield from around(of, array(list(cells.values())), n=sum(cells.values()), least=0.0, most=1.0)
