"""Selection rate of a group minus that of its reference group."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import contrast, pairs
from vigil.metrics.fairness.simpson import simpson
from vigil.metrics.given import Given
from vigil.metrics.types import Kind, Reading


def parity_difference(given: Given) -> Iterator[Reading]:
    """Favourable share of the group - favourable share of the named reference group, in [-1, 1]; 0 is equal.

    Below 0 the group is worse off. parts: (k1, n1, k0, n0); n: the group's decisions; interval Newcombe.
    Source: Calders and Verwer (2010), discrimination score; Newcombe (1998) for the interval.

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> night = grouped(female=Cell(n=100, favourable=30), male=Cell(n=200, favourable=100))
    >>> next(parity_difference(night)).value
    -0.2
    """
    for pair in pairs(given):
        words = simpson(given, pair)
        yield contrast(Kind.DIFFERENCE, pair, lambda cell: (cell.favourable, cell.n), counts="decisions", words=words)
