"""A quantile of the model's own past nights as a threshold: no shape is assumed, so it needs many nights."""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import median

from vigil.core.spec import Spec
from vigil.metrics.types import Measurement, Worse
from vigil.verdicts.history import LEAST_NIGHTS, sampling_error

NOISE = 1.645  # standard errors of tonight beyond those of a usual night


class Tail(Spec):
    """Tonight against a quantile of the past: `over` when it lies in the bad tail."""

    over: bool
    side: str  # "<", ">", or "±" for a metric that is bad either way
    limit: float  # with the floor
    centre: float
    nights: int


def nights_needed(quantile: float) -> int:
    """Past nights below which the tail is not known at all: with n nights the worst is passed once in n + 1.

    >>> nights_needed(0.99), nights_needed(0.05)
    (49, 9)
    """
    return max(LEAST_NIGHTS, ceil(0.5 / min(quantile, 1 - quantile) - 1e-9) - 1)


def tail(
    tonight: Measurement, past: Sequence[Measurement], *, quantile: float, nights: int, floor: float
) -> Tail | None:
    """Where tonight lies, or None with fewer than `nights_needed` past values.

    quantile: above one half the upper tail is bad, below it the lower; of a metric that is bad either way it is of the
    distance from the median. The limit is the ceil((n + 1) q)-th of n values: a night like the past is beyond it with
    probability 1 - q at most, but for less than 1 / (n + 1). A night of fewer rows than usual has its extra noise more.
    """
    used = [m for m in past if m.value is not None][-nights:]
    if tonight.value is None or len(used) < nights_needed(quantile):
        return None
    values = [m.value for m in used if m.value is not None]
    centre = median(values)
    away = tonight.worse is Worse.AWAY
    sign = 1.0 if away or quantile > 0.5 else -1.0
    bad = sorted(abs(v - centre) if away else sign * v for v in values)
    level = quantile if quantile > 0.5 else 1 - quantile
    edge = bad[min(len(bad), ceil((len(bad) + 1) * level - 1e-9)) - 1] + floor
    usual = median(sampling_error(m) for m in used)
    extra = NOISE * sqrt(max(0.0, sampling_error(tonight) ** 2 - usual**2))
    at = abs(tonight.value - centre) if away else sign * tonight.value
    side = "±" if away else (">" if sign > 0 else "<")
    return Tail(over=at > edge + extra, side=side, limit=edge if away else sign * edge, centre=centre, nights=len(used))
