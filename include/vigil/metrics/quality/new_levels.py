"""How many levels of a category the reference never had."""

from collections.abc import Iterator, Sequence

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import ALL_NULL, MANY_LEVELS, NO_BASELINE, NO_ROWS
from vigil.metrics.types import Reading
from vigil.profiles.aggregates import HASHES

LARGEST = 2.0**64 - 1  # of a hash


def distinct(hashes: Sequence[int]) -> tuple[float, float, float]:
    """(number, low, high) of distinct values from their smallest hashes: exact where all are kept.

    Beyond, the k-th smallest of N evenly spread hashes lies near k / N: N is about (k - 1) / h_k, with a standard error
    of N / sqrt(k - 2). Source: Bar-Yossef et al. (2002); Beyer et al. (2007), unbiased form.

    >>> distinct((5, 7))
    (2.0, 2.0, 2.0)
    >>> round(distinct([int(LARGEST / 1000 * i) for i in range(1, 33)])[0])
    969
    """
    k = len(hashes)
    if k < HASHES:
        return float(k), float(k), float(k)
    found = (k - 1) * LARGEST / max(hashes)
    half = z_of() * found / (k - 2) ** 0.5
    return found, max(float(k), found - half), found + half


def new_levels(given: Given) -> Iterator[Reading]:
    """Distinct levels tonight that the reference never had, of each category feature; 0 is usual.

    Exact up to 31, estimated beyond (standard error 18 %), and it adds up over nights without counting one twice. The
    detail has examples. How many rows they have is `new_category`, which says when neither is known.

    >>> from vigil.metrics.example import feature
    >>> from vigil.profiles.types import CategoryColumn
    >>> night = CategoryColumn(rows=10, levels={"a": 8}, new=2, new_hashes=(3, 9), new_examples=("b", "c"))
    >>> reading = next(new_levels(feature(night, CategoryColumn(rows=10, levels={"a": 10}))))
    >>> reading.value, reading.detail
    (2.0, "'b', 'c'")
    """
    for name, now, was in given.category():
        if given.open(name):
            yield unknown(name, MANY_LEVELS, n=now.filled)
        elif was is None:
            yield unknown(name, NO_BASELINE, n=now.filled)
        elif not now.filled:
            yield unknown(name, ALL_NULL if now.rows else NO_ROWS)
        else:
            value, low, high = distinct(now.new_hashes)
            detail = ", ".join(repr(e[:40]) for e in now.new_examples)
            yield Reading(subject=name, value=value, low=low, high=high, n=now.filled, detail=detail)
