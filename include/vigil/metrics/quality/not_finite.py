"""Share of NaN and infinities of each numeric feature."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def not_finite(given: Given) -> Iterator[Reading]:
    """(NaN + infinities) / rows of each numeric feature, in [0, 1].

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> next(not_finite(feature(NumericColumn(rows=10, nans=2, infs=1, bins=(7,))))).value
    0.3
    """
    for name, column, _ in given.numeric():
        yield share(name, column.nans + column.infs, column.rows)
