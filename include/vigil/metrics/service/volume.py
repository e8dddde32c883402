"""Rows of the night."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.types import Reading


def volume(given: Given) -> Iterator[Reading]:
    """Distinct prediction ids, 0 or more; exact. Judge it by the model's own nights: a holdout's size means nothing.

    >>> from vigil.metrics.example import served
    >>> next(volume(served(requests=1000))).value
    1000.0
    """
    yield Reading(subject="all", value=float(given.tonight.rows), n=given.tonight.rows)
