"""Share of a group's rows whose label is known."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import everyone
from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def group_label_coverage(given: Given) -> Iterator[Reading]:
    """Labelled rows / decisions of each group, the reference group included, in [0, 1].

    Subject "attribute=group". Where it differs much between groups, every fairness number that needs labels is about
    the labelled only: denied applicants never get a label.

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> night = grouped(female=Cell(n=100, labelled=40), male=Cell(n=200, labelled=160))
    >>> [(r.subject, r.value) for r in group_label_coverage(night)]
    [('sex=female', 0.4), ('sex=male', 0.8)]
    """
    for p in given.view.protected:
        for subject, cell in everyone(given, p):
            yield share(subject, cell.labelled, cell.n)
