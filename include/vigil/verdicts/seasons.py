"""Past nights that are like tonight: the same weekday, once there are enough of them.

Statistics: docs/statistics.md#thresholds-from-past-nights.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from vigil.metrics.types import Measurement
from vigil.verdicts.memory import Remembered

WEEKS = 8  # of the same weekday; before that, weekdays and weekends are the two seasons of a week
SATURDAY = 5


class Alike(NamedTuple):
    """The measurements of past nights, oldest first, and what these nights are called: "Saturdays"."""

    past: Sequence[Measurement]
    called: str


def alike(nights: Sequence[Remembered], night: date) -> Alike:
    """What the nights that teach a question, of tonight's season, say of it."""
    dated = [(one.night, one.measurement) for one in nights if one.teaches]
    same = [m for when, m in dated if when.weekday() == night.weekday() and m.value is not None]
    if len(same) >= WEEKS:
        return Alike(same, f"{night:%A}s")
    weekend = night.weekday() >= SATURDAY
    rest = [m for when, m in dated if (when.weekday() >= SATURDAY) == weekend]
    return Alike(rest, "weekend nights" if weekend else "weekday nights")
