"""Difference of favourable decisions among those who deserved them."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import labelled_contrast, pairs
from vigil.metrics.given import Given
from vigil.metrics.types import Reading

COUNTS = "deserving labelled rows"


def equal_opportunity(given: Given) -> Iterator[Reading]:
    """Favourable share among the deserving of the group - the same of the reference group, in [-1, 1]; 0 is equal.

    Over labelled rows only, which may be a selection (a denied applicant never gets a label): the detail says so, with
    the share labelled in both groups. parts: (k1, n1, k0, n0); n: the group's deserving rows; interval Newcombe.
    Source: Hardt, Price and Srebro (2016).

    >>> from vigil.metrics.example import grouped
    >>> from vigil.profiles.types import Cell
    >>> women = Cell(n=100, favourable=30, labelled=50, deserving=40, favourable_deserving=20)
    >>> men = Cell(n=200, favourable=100, labelled=100, deserving=80, favourable_deserving=60)
    >>> reading = next(equal_opportunity(grouped(female=women, male=men)))
    >>> reading.value
    -0.25
    >>> reading.detail
    '20 of 40 (50.0%), male 60 of 80 (75.0%); among labelled rows: 50% of the group, 50% of the reference group'
    """
    for pair in pairs(given):
        yield labelled_contrast(pair, lambda cell: (cell.favourable_deserving, cell.deserving), counts=COUNTS)
