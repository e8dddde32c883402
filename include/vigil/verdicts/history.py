"""Dynamic thresholds: how far tonight is from the model's own past nights."""

from collections.abc import Sequence
from statistics import median

from vigil.core.spec import Spec
from vigil.metrics.types import Measurement, Worse

LEAST_NIGHTS = 7
MAD_TO_SD = 1.4826  # of a normal distribution


class Distance(Spec):
    """Tonight against the past: `over` when it is further away than the rule allows."""

    over: bool
    centre: float
    scale: float  # robust sd of a night, never below tonight's sampling error
    sigmas: float
    nights: int


def distance(
    tonight: Measurement, past: Sequence[Measurement], *, sigma: float, nights: int, floor: float
) -> Distance | None:
    """Distance in robust sd (1.4826 x MAD), or None with fewer than LEAST_NIGHTS past values.

    past: the same measurement on past nights, incident nights left out, oldest first.
    floor: distances up to this do not matter, however quiet the past was.
    """
    values = [m.value for m in past if m.value is not None][-nights:]
    if tonight.value is None or len(values) < LEAST_NIGHTS:
        return None
    centre = median(values)
    spread = MAD_TO_SD * median(abs(v - centre) for v in values)
    scale = max(spread, sampling_error(tonight), 1e-12)
    away = _signed(tonight.value - centre, tonight.worse)
    return Distance(
        over=away > sigma * scale and away > floor,
        centre=centre,
        scale=scale,
        sigmas=away / scale,
        nights=len(values),
    )


def sampling_error(m: Measurement) -> float:
    """Of one night's value, from its 95 % interval; 0 for an exact number."""
    if m.low is None or m.high is None:
        return 0.0
    return (m.high - m.low) / (2 * 1.96)


def _signed(difference: float, worse: Worse) -> float:
    match worse:
        case Worse.HIGHER:
            return difference
        case Worse.LOWER:
            return -difference
        case Worse.AWAY:
            return abs(difference)
