"""Share of favourable decisions in each protected group."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import everyone
from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def selection_rate(given: Given) -> Iterator[Reading]:
    """Favourable decisions / decisions of each group, the reference group included, in [0, 1].

    Subject "attribute=group". Declared groups are listed even without rows; where none is declared, those of
    tonight and of the baseline: one that is gone has no rows.

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> night = grouped(female=Cell(n=100, favourable=30), male=Cell(n=200, favourable=100))
    >>> [(r.subject, r.value) for r in selection_rate(night)]
    [('sex=female', 0.3), ('sex=male', 0.5)]
    """
    for p in given.view.protected:
        for subject, cell in everyone(given, p):
            yield share(subject, cell.favourable, cell.n)
