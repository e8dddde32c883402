"""On which scale nights are compared with nights: one where noise adds up and has the same size everywhere."""

from math import asin, log, pi, sin, sqrt
from typing import NamedTuple

from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.words import number

ARCSINE, LOG = "arcsine", "log"
FLOORS = {"sd": 0.05, ARCSINE: 0.03, LOG: 0.05, "difference": 0.02}  # effects below do not matter, by scale
HARD_SD, HARD_SHARE = 1.0, 0.20  # a jump that one night is enough for
Z95 = 1.959964


class Scaled(NamedTuple):
    """A value to compare with other nights', its sampling variance, and the scale that both are on."""

    value: float
    variance: float
    scale: str


def scaled(m: Measurement) -> Scaled | None:
    """The measurement on an additive scale; None where it has no value there.

    Shares as 2 arcsin sqrt p (variance 1/n), ratios and counts as logarithms, everything else as it is.

    >>> from vigil.core.words import Family
    >>> from vigil.metrics.types import Worse
    >>> m = Measurement(metric="volume", subject="all", family=Family.SERVICE, kind=Kind.COUNT, value=99.0, n=99,
    ...                 unit="rows", worse=Worse.AWAY)
    >>> scaled(m).scale, round(scaled(m).value, 2), round(scaled(m).variance, 3)
    ('log', 4.61, 0.01)
    """
    if m.value is None:
        return None
    if m.kind is Kind.COUNT:
        return Scaled(log(m.value + 1), 1 / (m.value + 1), LOG)
    if m.kind is Kind.PROPORTION and len(m.parts) == 2 and m.parts[1]:
        k, n = m.parts
        return Scaled(2 * asin(sqrt(min(1.0, max(0.0, k / n)))), 1 / n, ARCSINE)
    if m.kind is Kind.RATIO and len(m.parts) == 4:
        return _ratio(m.parts)
    return Scaled(m.value, m.variance if m.variance is not None else _variance(m), m.unit or "number")


def _ratio(parts: tuple[float, ...]) -> Scaled | None:
    k1, n1, k0, n0 = parts
    if not min(n1, n0):
        return None
    half = 0.5  # of a success: no group is without any
    variance = 1 / (k1 + half) - 1 / (n1 + half) + 1 / (k0 + half) - 1 / (n0 + half)
    return Scaled(log((k1 + half) / (n1 + half) / ((k0 + half) / (n0 + half))), max(variance, 1e-12), LOG)


def _variance(m: Measurement) -> float:
    if m.low is None or m.high is None:
        return 0.0
    return ((m.high - m.low) / (2 * Z95)) ** 2


def anchor(m: Measurement) -> float:
    """Where 0 of a relative score lies on its absolute scale: of a share, the holdout's.

    >>> from vigil.core.words import Family
    >>> from vigil.metrics.types import Worse
    >>> m = Measurement(metric="level_shift", subject="x:a", family=Family.DRIFT, kind=Kind.NUMBER, value=0.0, n=9,
    ...                 unit="arcsine", worse=Worse.AWAY, parts=(5, 10, 50, 100))
    >>> round(anchor(m), 3)
    1.571
    """
    if m.kind is Kind.NUMBER and m.unit == ARCSINE and len(m.parts) == 4 and m.parts[3]:
        return 2 * asin(sqrt(min(1.0, m.parts[2] / m.parts[3])))
    return 0.0


def share(position: float) -> float:
    """The share at a place of the arcsine scale.

    >>> round(share(pi / 2), 3), share(9.0)
    (0.5, 1.0)
    """
    return sin(min(max(position, 0.0), pi) / 2) ** 2


def jump(m: Measurement, scale: str, value: float, centre: float) -> str:
    """Why a move is so large that one night is enough, or "". Shares: 20 points; positions and means: 1 sd.

    What moves the good way is none, however far.
    """
    if (m.worse is Worse.HIGHER and value < centre) or (m.worse is Worse.LOWER and value > centre):
        return ""
    if scale == ARCSINE:
        moved = share(value + anchor(m)) - share(centre + anchor(m))
        return f"a share that moved {100 * moved:+.0f} points" if abs(moved) > HARD_SHARE else ""
    if scale == "sd" and abs(value - centre) > HARD_SD:
        return f"more than {HARD_SD:g} sd at once"
    return ""


def words(m: Measurement, scale: str, position: float) -> str:
    """A place of the scale as people read it.

    >>> from vigil.core.words import Family
    >>> from vigil.metrics.types import Worse
    >>> m = Measurement(metric="volume", subject="all", family=Family.SERVICE, kind=Kind.COUNT, value=99.0, n=99,
    ...                 unit="rows", worse=Worse.AWAY)
    >>> words(m, "log", 4.60517)
    '99 rows'
    """
    from math import exp

    if scale == ARCSINE:
        return number(share(position + anchor(m)), "share")
    if scale == LOG:
        return number(exp(position) - 1, m.unit) if m.kind is Kind.COUNT else number(exp(position))
    return number(position, m.unit)
