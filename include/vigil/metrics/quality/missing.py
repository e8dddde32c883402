"""Share of nulls of each feature."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def missing(given: Given) -> Iterator[Reading]:
    """nulls / rows of each feature, in [0, 1]. NaN and infinities are counted apart (`not_finite`).

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> next(missing(feature(NumericColumn(rows=10, nulls=2, bins=(8,))))).value
    0.2
    """
    for name, column, _ in given.features():
        yield share(name, column.nulls, column.rows)
