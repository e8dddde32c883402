"""Rows that carried an id already logged."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def duplicates(given: Given) -> Iterator[Reading]:
    """Further rows with an id already counted / all rows received, in [0, 1]. Other metrics count each id once.

    >>> from vigil.metrics.example import profile, view
    >>> next(duplicates(Given(profile(rows=90, duplicates=10), None, view()))).value
    0.1
    """
    night = given.tonight
    yield share("all", night.duplicates, night.rows + night.duplicates)
