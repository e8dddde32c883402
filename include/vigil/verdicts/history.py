"""Dynamic thresholds: how far tonight is from the model's own past nights."""

from collections.abc import Sequence
from datetime import date
from statistics import median

from vigil.core.spec import Spec
from vigil.metrics.types import Measurement, Worse
from vigil.verdicts.service_days import EVERY_DAY, ServiceDays, nights_of_service
from vigil.verdicts.types import NightResult

LEAST_NIGHTS = 7
MAD_TO_SD = 1.4826  # of a normal distribution
CONFIRMING = 2  # nights of service before tonight: an odd one among them makes tonight's a breach


class Distance(Spec):
    """Tonight against the past: `over` when it is further away than the rule allows."""

    over: bool
    centre: float
    scale: float  # robust sd of a night, never below tonight's sampling error
    sigmas: float
    nights: int


def in_place(history: Sequence[NightResult], night: date, service: ServiceDays = EVERY_DAY) -> tuple[NightResult, ...]:
    """The past as rules look at it: nights with rows, and at its end the two nights of service before `night`.

    "2 of 3 nights" are nights of service, for every kind of rule. Where nobody judged one, or it should have had rows
    and had none, its place stays empty, and what was odd before the gap confirms nothing. A fault that lasts is
    confirmed one night later. Days of rest (`service`) have no place: two Mondays of a weekly model are in a row.

    >>> from vigil.verdicts.types import NightResult
    >>> friday, rest = date(2026, 11, 20), {"partition_digest": "", "config_digest": "", "edges_digest": ""}
    >>> judged = NightResult(monitor="m", environment="staging", night=friday, rows=9, verdicts=(), **rest)
    >>> [(r.night.day, r.rows) for r in in_place([judged], date(2026, 11, 23))]
    [(20, 9), (21, 0), (22, 0)]
    """
    known = {r.night: r for r in history}
    served = {r.night for r in history if r.rows}
    places = nights_of_service(served, night, service, count=CONFIRMING)
    older = tuple(r for r in history if r.rows and r.night not in places and r.night < night)
    return older + tuple(known.get(place) or _nothing(place) for place in places)


def _nothing(night: date) -> NightResult:
    return NightResult(
        monitor="", environment="", night=night, partition_digest="", config_digest="", edges_digest="", verdicts=()
    )


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
