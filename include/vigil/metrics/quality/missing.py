"""Share of nulls of each feature, and of decisions without a protected attribute."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.lacking import without_group
from vigil.metrics.readings import share
from vigil.metrics.types import Reading


def missing(given: Given) -> Iterator[Reading]:
    """nulls / rows of each feature, in [0, 1]. NaN and infinities are counted apart (`not_finite`).

    Of a protected attribute that is no feature: decisions without a value of it / decisions.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import NumericColumn
    >>> next(missing(feature(NumericColumn(rows=10, nulls=2, bins=(8,))))).value
    0.2
    """
    for name, column, _ in given.features():
        yield share(name, column.nulls, column.rows)
    for protected in given.view.protected:
        name = protected.attribute
        rows, of = without_group(given.tonight, name)
        if of and name not in given.view.features:
            yield share(name, rows, of)
