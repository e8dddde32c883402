"""Share of favourable decisions in each protected group."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading
from vigil.profiles.types import Cell


def selection_rate(given: Given) -> Iterator[Reading]:
    """Favourable decisions / decisions of each group, the reference group included, in [0, 1].

    Subject "attribute=group". Declared groups are listed even without rows; where none is declared, those that occur.

    >>> from vigil.metrics.example import grouped
    >>> night = grouped(female=Cell(n=100, favourable=30), male=Cell(n=200, favourable=100))
    >>> [(r.subject, r.value) for r in selection_rate(night)]
    [('sex=female', 0.3), ('sex=male', 0.5)]
    """
    for p in given.view.protected:
        cells = given.tonight.groups.get(p.attribute, {})
        for group in sorted({*p.groups, p.reference} if p.groups else {*cells, p.reference}):
            cell = cells.get(group, Cell())
            yield share(f"{p.attribute}={group}", cell.favourable, cell.n)
