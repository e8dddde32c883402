"""Past nights that are like tonight: the same weekday, once there are enough of them (judgement §4)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from vigil.metrics.types import Measurement
from vigil.verdicts.types import PROVISIONAL, Cause, NightResult

WEEKS = 8  # of the same weekday; before that, weekdays and weekends are the two seasons of a week
SATURDAY = 5


class Alike(NamedTuple):
    """The measurements of past nights, oldest first, and what these nights are called: "Saturdays"."""

    past: Sequence[Measurement]
    called: str


def alike(question: str, history: Sequence[NightResult], excluded: frozenset[date], night: date) -> Alike:
    """What past nights of tonight's season say of a question; excluded nights and cohorts that waited teach nothing."""
    dated = [
        (result.night, verdict.measurement)
        for result in history
        if result.night not in excluded
        for verdict in result.verdicts
        if verdict.id == question and verdict.measurement is not None
        if verdict.cause is not Cause.LABELS_PENDING and verdict.cohort != PROVISIONAL
    ]
    same = [m for when, m in dated if when.weekday() == night.weekday() and m.value is not None]
    if len(same) >= WEEKS:
        return Alike(same, f"{night:%A}s")
    weekend = night.weekday() >= SATURDAY
    rest = [m for when, m in dated if (when.weekday() >= SATURDAY) == weekend]
    return Alike(rest, "weekend nights" if weekend else "weekday nights")
