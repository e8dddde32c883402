"""Making readings from counts: the few shapes that most metrics share."""

from vigil.metrics.pool import interval
from vigil.metrics.reasons import NO_ROWS, WhyNot
from vigil.metrics.types import Kind, Reading


def unknown(subject: str, why: WhyNot, *, n: int = 0) -> Reading:
    """A number that cannot be known, and why (a constant of `metrics.reasons`, or `because` of one)."""
    return Reading(subject=subject, n=n, absence=why.absence, why_not=why.words)


def plain(value: float) -> str:
    """A feature's own value in words: four significant digits, thousands written out.

    >>> plain(171123.4), plain(3.78213), plain(-0.00071)
    ('171,123', '3.782', '-0.00071')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def share(subject: str, k: float, n: float, *, empty: WhyNot = NO_ROWS, detail: str = "") -> Reading:
    """k of n with its Wilson interval; unknown because of `empty` when n is 0.

    >>> share("income", 2, 10).value
    0.2
    """
    return counted(Kind.PROPORTION, subject, (k, n), empty=empty, detail=detail)


def counted(kind: Kind, subject: str, parts: tuple[float, ...], *, empty: WhyNot, detail: str = "") -> Reading:
    """A proportion, ratio or difference of counts with its interval; `n` is the rows of the (first) group.

    parts: (k, n), or (k1, n1, k0, n0) with the reference group last.
    """
    value, low, high = interval(kind, parts)
    n = int(parts[1])
    if value is None:
        return unknown(subject, empty, n=n)
    return Reading(subject=subject, value=value, low=low, high=high, n=n, parts=parts, detail=detail)
