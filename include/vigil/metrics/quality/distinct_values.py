"""How many different values a column has: few of them mean that it is stuck."""

from collections.abc import Iterator

from vigil.metrics.given import Column, Given
from vigil.metrics.readings import plain, unknown
from vigil.metrics.reasons import ALL_NULL, NO_ROWS
from vigil.metrics.types import Reading
from vigil.profiles.types import CategoryColumn, NumericColumn

FEW = 2  # so many values are recognised exactly
LONGEST = 40  # characters of an example
UNLISTED = FEW + 1  # levels of the long tail are counted together: they are taken for more than a few
EXACT = 1e-6  # of the squared range: how close a variance must be to the largest possible one


def distinct_values(given: Given) -> Iterator[Reading]:
    """Different values of each feature. Scores are not asked about: a fallback of rules may have two.

    Exact for one or two values of a number; beyond, the occupied bins, which are a lower bound. Levels of a category
    are counted, new ones up to 32. parts: the share of the yardstick's values in its as many most frequent bins or
    levels, at least the chance that a row has one of so few values; empty without a yardstick.

    >>> from vigil.metrics.example import feature
    >>> stuck = NumericColumn(rows=4, bins=(0, 4, 0), total=200.0, total_sq=10_000.0, smallest=50.0, largest=50.0)
    >>> usual = NumericColumn(rows=8, bins=(2, 4, 2), total=400.0, total_sq=20_800.0, smallest=30.0, largest=70.0)
    >>> reading = next(distinct_values(feature(stuck, usual)))
    >>> reading.value, reading.parts, reading.detail
    (1.0, (0.5,), 'only 50')
    """
    for name, now, was in given.features():
        yield _reading(name, now, was)


def _reading(name: str, now: Column, was: Column | None) -> Reading:
    rows = _valued(now)
    if not rows:
        return unknown(name, ALL_NULL if now.rows else NO_ROWS, n=now.rows)
    count = different(now)
    share = (most_frequent(was, count),) if was is not None and _valued(was) else ()
    return Reading(subject=name, value=float(count), n=rows, parts=share, detail=_examples(now) if count <= FEW else "")


def _valued(column: Column) -> int:
    return column.finite if isinstance(column, NumericColumn) else column.filled


def different(column: Column) -> int:
    """How many different values a column has, at least; one or two values are told exactly.

    >>> different(CategoryColumn(rows=5, levels={"a": 4, "b": 0}, new=1, new_hashes=(7,)))
    2
    """
    if isinstance(column, CategoryColumn):
        listed = sum(1 for rows in column.levels.values() if rows)
        return listed + len(column.new_hashes) + (UNLISTED if column.other else 0)
    if column.smallest == column.largest and column.smallest is not None:
        return 1
    occupied = sum(1 for rows in column.bins if rows)
    return FEW if occupied <= FEW and _only_ends(column) else max(occupied, UNLISTED)


def _only_ends(column: NumericColumn) -> bool:
    """Whether all values are the smallest or the largest one: only then is the variance the largest that the range
    and the mean allow. Source: Bhatia and Davis (2000). Never said where rounding could hide the difference.
    """
    if column.smallest is None or column.largest is None:
        return False
    low, high, rows = column.smallest, column.largest, column.finite
    mean = column.total / rows
    lacking = (high - mean) * (mean - low) - (column.total_sq / rows - mean * mean)
    rounding = 1e-12 * max(low * low, high * high)
    return rounding < EXACT * (high - low) ** 2 and abs(lacking) <= EXACT * (high - low) ** 2


def most_frequent(column: Column, count: int) -> float:
    """The share of a column's values that lie in its `count` most frequent bins or levels, in [0, 1].

    >>> most_frequent(CategoryColumn(rows=10, levels={"a": 6, "b": 3, "c": 1}), 2)
    0.9
    """
    rows = column.bins if isinstance(column, NumericColumn) else (*column.levels.values(), column.other, column.new)
    return sum(sorted(rows, reverse=True)[:count]) / _valued(column)


def _examples(column: Column) -> str:
    """The few values: text of a category comes from data, to be escaped by whoever shows it."""
    if isinstance(column, NumericColumn):
        ends = dict.fromkeys(end for end in (column.smallest, column.largest) if end is not None)
        return f"only {' and '.join(map(plain, ends))}"
    levels = [level for level, rows in column.levels.items() if rows]
    return f"only {' and '.join(repr(level[:LONGEST]) for level in (*levels, *column.new_examples)[:FEW])}"
