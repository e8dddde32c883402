"""Share of values of a numeric feature that are no numbers."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def wrong_type(given: Given) -> Iterator[Reading]:
    """Values that cannot be read as a number / rows of each numeric feature, in [0, 1].

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> next(wrong_type(feature(NumericColumn(rows=10, wrong_type=1, bins=(9,))))).value
    0.1
    """
    for name, column, _ in given.numeric():
        yield share(name, column.wrong_type, column.rows)
