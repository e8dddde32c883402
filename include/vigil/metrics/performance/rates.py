"""Shares of the binary confusion table."""

from collections.abc import Callable, Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.confusion import Counts, absent
from vigil.metrics.performance.weights import cells, effective
from vigil.metrics.readings import share, unknown
from vigil.metrics.reasons import NO_ROWS, because
from vigil.metrics.types import Reading


def rate(given: Given, of: Callable[[Counts], tuple[float, float]], empty: str) -> Iterator[Reading]:
    """One reading "all": (k, n) of the table as a share; `empty` says what n counts when it is 0.

    With sampling weights the parts are Kish's: as many equally weighted rows as tell the same.
    """
    now = cells(given)
    if now is None:
        yield unknown("all", absent(given))
        return
    k, n = of(now.sums)
    if now.squares is not now.sums:
        k, n = effective(k, n, of(now.squares)[1])
    yield share("all", k, n, empty=because(NO_ROWS, empty))
