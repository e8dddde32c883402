"""Difference of favourable decisions among those who deserved them."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import against_reference, compared
from vigil.metrics.readings import LABELS_PENDING
from vigil.metrics.types import Kind, Reading, View
from vigil.profiles.types import Profile


def equal_opportunity(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Favourable share among deserving rows, group - reference group, in [-1, 1]. Among labelled rows only.

    Source: Hardt, Price and Srebro (2016).
    """
    if not night.outcome.labelled:
        for attribute, group, *_ in compared(night, view):
            yield Reading(subject=f"{attribute}={group}", why_not=LABELS_PENDING)
        return
    coverage = night.outcome.labelled / night.rows
    yield from against_reference(
        night,
        baseline,
        view,
        kind=Kind.DIFFERENCE,
        of=lambda cell: (cell.favourable_deserving, cell.deserving),
        detail=f"among labelled rows, {coverage:.0%} of the cohort",
    )
