"""Whether a disparity has always been so, or got worse: tonight against the model's own past nights.

Statistics: docs/statistics.md#fairness.
"""

from collections.abc import Sequence
from math import log, sqrt
from statistics import NormalDist
from typing import NamedTuple

from vigil.core.words import Family
from vigil.metrics.pool import COUNTED, pool
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.bounds import p_within
from vigil.verdicts.history import sampling_error
from vigil.verdicts.limits import Bound, Side
from vigil.verdicts.words import number

NIGHTS = 28
LEAST = 3  # past nights that tell more than the holdout
WORSE_LEVEL = 0.01  # one-sided
_NORMAL = NormalDist()


class Place(NamedTuple):
    """A night's number on the scale on which it is compared, and the variance of its sampling."""

    at: float
    variance: float


def trend(m: Measurement, past: Sequence[Measurement], side: Side | None = None) -> str:
    """A clause that tells a known disparity from a new one; empty for what is no number about groups.

    past: the same question on past nights that teach, oldest first. side: the bad one of the bound that it was held
    against. Tonight is compared with the past by a normal test whose variance is that of tonight's sampling, of the
    past's, and what the past nights varied beyond their sampling (DerSimonian and Laird 1986).

    >>> from vigil.metrics.pool import interval
    >>> def ratio(*parts):
    ...     value, low, high = interval(Kind.RATIO, parts)
    ...     return Measurement(metric="selection_rate_ratio", subject="sex=female", family="fairness", kind="ratio",
    ...                        value=value, low=low, high=high, n=parts[1], parts=parts, unit="ratio", worse="lower")
    >>> trend(ratio(300, 1000, 500, 1000), [ratio(480, 1000, 500, 1000)] * 28, "<")
    'was 0.96 on the last 28 nights: got worse (p < 1e-15)'
    """
    if m.family is not Family.FAIRNESS or m.value is None:
        return ""
    bad = _bad_side(m, side)
    used = [p for p in past if p.value is not None and p.kind is m.kind and place(p) is not None][-NIGHTS:]
    if len(used) < LEAST or place(m) is None:
        return _against_holdout(m, bad)
    p = p_worse(m, used, bad)
    when = f"on the last {len(used)} nights"
    value, low, high = _together(used)
    if p < WORSE_LEVEL:
        return f"was {number(value, m.unit)} {when}: got worse ({_said(p)})"
    return f"has been {_range(low, high, m.unit)} {when} (known), not worse tonight ({_said(p)})"


def _bad_side(m: Measurement, side: Side | None) -> str:
    if m.worse is Worse.AWAY:
        return ">" if (m.value or 0.0) >= 0 else "<"
    return side or ("<" if m.worse is Worse.LOWER else ">")


def place(m: Measurement) -> Place | None:
    """Counts with half a person more in each cell, so that no night without a favourable decision is infinitely far."""
    if m.kind in COUNTED and m.parts:
        shares = [((k + 0.5) / (n + 1), n) for k, n in zip(m.parts[::2], m.parts[1::2], strict=True)]
        if m.kind is Kind.RATIO:
            (p1, n1), (p0, n0) = shares
            return Place(log(p1 / p0), (1 - p1) / (p1 * (n1 + 1)) + (1 - p0) / (p0 * (n0 + 1)))
        at = shares[0][0] - (shares[1][0] if m.kind is Kind.DIFFERENCE else 0.0)
        return Place(at, sum(p * (1 - p) / (n + 1) for p, n in shares))
    error = sampling_error(m)
    return Place(m.value, error**2) if m.value is not None and error > 0 else None


def p_worse(m: Measurement, used: Sequence[Measurement], side: str) -> float:
    """One-sided p-value of "tonight is not further on this side than the past nights were"; 1 where it has no noise."""
    tonight, places = place(m), [at for p in used if (at := place(p)) is not None]
    if tonight is None or not places:
        return 1.0
    centre, variance, between = usual(places)
    z = (tonight.at - centre) / sqrt(tonight.variance + variance + between)
    return _NORMAL.cdf(z) if side == "<" else _NORMAL.cdf(-z)


def usual(places: Sequence[Place]) -> tuple[float, float, float]:
    """(weighted mean, its variance, variance between nights) of past nights."""
    weights = [1 / p.variance for p in places]
    total = sum(weights)
    mean = sum(w * p.at for w, p in zip(weights, places, strict=True)) / total
    spread = sum(w * (p.at - mean) ** 2 for w, p in zip(weights, places, strict=True))
    scale = total - sum(w * w for w in weights) / total
    between = max(0.0, (spread - (len(places) - 1)) / scale) if scale > 0 else 0.0
    weights = [1 / (p.variance + between) for p in places]
    mean = sum(w * p.at for w, p in zip(weights, places, strict=True)) / sum(weights)
    return mean, 1 / sum(weights), between


def _together(used: Sequence[Measurement]) -> tuple[float, float, float]:
    """(value, low, high) of the past nights: counts added up, or where there are none a weighted mean."""
    if used[-1].kind in COUNTED:
        pooled = pool(used)
        value = pooled.value or 0.0
        low, high = pooled.low, pooled.high
        return value, value if low is None else low, value if high is None else high
    mean, variance, _ = usual([at for p in used if (at := place(p)) is not None])
    return mean, mean - 1.96 * sqrt(variance), mean + 1.96 * sqrt(variance)


def _against_holdout(m: Measurement, side: str) -> str:
    """What the yardstick tells where past nights do not: its value is taken as it is."""
    if m.baseline is None:
        return "no past nights tell yet whether it has always been so"
    bound = Bound(side="<" if side == "<" else ">", limit=m.baseline)
    p = p_within(m.model_copy(update={"worse": Worse.HIGHER if side == ">" else Worse.LOWER}), bound)
    was = f"{number(m.baseline, m.unit)} on the {m.yardstick or 'baseline'}"
    if p < WORSE_LEVEL:
        return f"was {was}: got worse ({_said(p)})"
    return f"not worse than {was} (known since then, {_said(p)})"


def _range(low: float, high: float, unit: str) -> str:
    return f"{number(low, unit)} to {number(high, unit)}"


def _said(p: float) -> str:
    return "p < 1e-15" if p < 1e-15 else f"p = {p:.2g}"
