"""Share of values outside the range of the baseline."""

from collections.abc import Iterator

from vigil.core.errors import MismatchedEdges
from vigil.metrics.given import Given
from vigil.metrics.readings import plain, share, unknown
from vigil.metrics.reasons import ALL_NULL, NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading
from vigil.profiles.types import NumericColumn


def count_outside(now: NumericColumn, was: NumericColumn) -> int:
    """Values in bins beyond those that the baseline occupies: all of them are outside its range.

    Exact for the baseline that the edges were fitted to (`profiles.edges.fit` ends its bins at the smallest and the
    largest value). For another version's baseline it is a lower bound: its range may end within a bin.
    Raises MismatchedEdges for different numbers of bins.

    >>> count_outside(NumericColumn(bins=(3, 40, 50, 7)), NumericColumn(bins=(0, 10, 10, 0)))
    10
    """
    if len(now.bins) != len(was.bins):
        raise MismatchedEdges(
            f"{len(now.bins)} bins tonight, {len(was.bins)} on the baseline: re-profile the older one"
        )
    occupied = [j for j, count in enumerate(was.bins) if count]
    return sum(now.bins[: occupied[0]]) + sum(now.bins[occupied[-1] + 1 :])


def out_of_range(given: Given) -> Iterator[Reading]:
    """Finite values below the baseline's smallest or above its largest / finite values, in [0, 1].

    >>> from vigil.metrics.example import feature
    >>> night = NumericColumn(rows=100, bins=(3, 40, 50, 7), smallest=-4.0, largest=9.0)
    >>> holdout = NumericColumn(rows=20, bins=(0, 10, 10, 0), smallest=0.0, largest=5.0)
    >>> reading = next(out_of_range(feature(night, holdout)))
    >>> reading.value, reading.detail
    (0.1, '-4 to 9, was 0 to 5')
    """
    for name, now, was in given.numeric():
        if was is None or not was.finite:
            yield unknown(name, NO_BASELINE, n=now.rows)
        elif not now.finite:
            yield unknown(name, ALL_NULL if now.rows else NO_ROWS, n=now.rows)
        else:
            outside = count_outside(now, was)
            yield share(name, outside, now.finite, detail=_ranges(now, was) if outside else "")


def _ranges(now: NumericColumn, was: NumericColumn) -> str:
    ends = [plain(end) for end in (now.smallest, now.largest, was.smallest, was.largest) if end is not None]
    return "{} to {}, was {} to {}".format(*ends) if len(ends) == 4 else ""
