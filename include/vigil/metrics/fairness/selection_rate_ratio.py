"""Selection rate of a group over that of its reference group."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import contrast, pairs
from vigil.metrics.fairness.simpson import simpson
from vigil.metrics.given import Given
from vigil.metrics.types import Kind, Reading


def selection_rate_ratio(given: Given) -> Iterator[Reading]:
    """Favourable share of the group / favourable share of the named reference group, 0 or more; 1 is equal.

    The adverse impact ratio. The four-fifths line (0.8) is a policy that the monitor chooses, not part of this number.
    parts: (k1, n1, k0, n0), the group's then the reference's; n: the group's decisions; interval MOVER-R.
    Source: 29 CFR 1607.4(D); Donner and Zou (2012) for the interval.

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> night = grouped(female=Cell(n=100, favourable=30), male=Cell(n=200, favourable=100))
    >>> reading = next(selection_rate_ratio(night))
    >>> reading.value, reading.parts, reading.detail
    (0.6, (30.0, 100.0, 100.0, 200.0), '30 of 100 (30.0%), male 100 of 200 (50.0%)')
    """
    for pair in pairs(given):
        words = simpson(given, pair)
        yield contrast(Kind.RATIO, pair, lambda cell: (cell.favourable, cell.n), counts="decisions", words=words)
