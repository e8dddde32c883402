"""How the share of each protected group among all decisions moved."""

from collections.abc import Iterator, Mapping

from vigil.metrics.drift.missing_shift import share_moved
from vigil.metrics.given import Given
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading
from vigil.profiles.types import Cell


def group_share_shift(given: Given) -> Iterator[Reading]:
    """Decisions of each group / all decisions, on the scale 2 arcsin sqrt p; signed, in [-pi, pi], 0 is no change.

    Subject "attribute=group", of tonight or of the baseline; those who do not say are the group "(missing)". What
    happens to a group cannot be seen in numbers about the others: who is sent elsewhere is missing from all of them.

    >>> from vigil.metrics.example import SEX, profile, view
    >>> from vigil.profiles.types import Cell
    >>> tonight, was = ({"female": Cell(n=n), "male": Cell(n=100 - n)} for n in (10, 50))
    >>> night = Given(profile(groups={"sex": tonight}), profile(groups={"sex": was}), view(protected=(SEX,)))
    >>> [(r.subject, r.detail) for r in group_share_shift(night)]
    [('sex=female', '50.0% -> 10.0%'), ('sex=male', '50.0% -> 90.0%')]
    """
    before = given.baseline.groups if given.baseline else {}
    for p in given.view.protected:
        yield from _of(p.attribute, given.tonight.groups.get(p.attribute, {}), before.get(p.attribute, {}))


def _of(attribute: str, now: Mapping[str, Cell], was: Mapping[str, Cell]) -> Iterator[Reading]:
    n1, n0 = (sum(cell.n for cell in cells.values()) for cells in (now, was))
    if not n1 or not n0:
        yield unknown(attribute, NO_BASELINE if n1 else NO_ROWS, n=n1)
        return
    for group in sorted(now.keys() | was.keys()):
        yield share_moved(f"{attribute}={group}", now.get(group, Cell()).n, n1, was.get(group, Cell()).n, n0)
