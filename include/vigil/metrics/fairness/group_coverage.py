"""Share of decisions whose group is known."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import MISSING
from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def group_coverage(given: Given) -> Iterator[Reading]:
    """Decisions with a value of the protected attribute / all decisions, in [0, 1]; subject "attribute".

    Who does not say is in no group: where many do not, every number about groups is about those who do.

    >>> from vigil.metrics.example import SEX, profile, view
    >>> from vigil.profiles.types import Cell
    >>> cells = {"female": Cell(n=30), "male": Cell(n=50), "(missing)": Cell(n=20)}
    >>> night = Given(profile(rows=100, groups={"sex": cells}), None, view(protected=(SEX,)))
    >>> [(r.subject, r.value) for r in group_coverage(night)]
    [('sex', 0.8)]
    """
    for p in given.view.protected:
        cells = given.tonight.groups.get(p.attribute, {})
        known = sum(cell.n for group, cell in cells.items() if group != MISSING)
        yield share(p.attribute, known, sum(cell.n for cell in cells.values()))
