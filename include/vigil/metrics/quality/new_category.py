"""Share of values that the reference never had."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share, unknown
from vigil.metrics.reasons import ALL_NULL, MANY_LEVELS, NO_ROWS
from vigil.metrics.types import Reading

EXAMPLES = 3
LONGEST = 40  # characters of an example


def new_category(given: Given) -> Iterator[Reading]:
    """Values of levels that the monitor's edges do not know / filled values of each category feature, in [0, 1].

    Unknown where the reference has more than 20,000 levels beyond those that are counted: none of them is kept by name.
    The detail names examples: text from data, to be escaped by whoever shows it.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import CategoryColumn
    >>> night = CategoryColumn(rows=10, nulls=2, levels={"a": 6}, new=2, new_examples=("z",))
    >>> reading = next(new_category(feature(night)))
    >>> reading.value, reading.detail
    (0.25, "new: 'z'")
    """
    for name, column, _ in given.category():
        if given.open(name):
            yield unknown(name, MANY_LEVELS, n=column.filled)
            continue
        shown = ", ".join(repr(e[:LONGEST]) for e in column.new_examples[:EXAMPLES])
        yield share(
            name,
            column.new,
            column.filled,
            empty=ALL_NULL if column.rows else NO_ROWS,
            detail=f"new: {shown}" if column.new else "",
        )
