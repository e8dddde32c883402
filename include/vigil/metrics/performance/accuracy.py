"""How many predictions were right."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance import weights
from vigil.metrics.performance.confusion import absent, table
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def accuracy(given: Given) -> Iterator[Reading]:
    """Labelled rows whose prediction equals the label / labelled rows, in [0, 1]; binary and multiclass.

    Misleading where classes are unbalanced: see recall, precision, macro F1.

    >>> from vigil.metrics.example import confused
    >>> next(accuracy(confused(tp=8, fp=2, fn=4, tn=86))).value
    0.94
    """
    cells = table(given.tonight)
    if given.view.weighted and given.view.decision is not None and (weighed := weights.cells(given)) is not None:
        sums, squares = weighed.sums, weighed.squares
        yield share("all", *weights.effective(sums.tp + sums.tn, sum(sums), sum(squares)), empty=absent(given))
        return
    right = sum(n for (predicted, label), n in cells.items() if predicted == label)
    yield share("all", right, sum(cells.values()), empty=absent(given))
