"""The reference nights of drift in a draft."""

from enum import StrEnum
from typing import Any

from vigil.core.spec import Spec

USUAL_LEVEL = 0.005
LAST_NIGHTS = 28


class ReferenceWindow(StrEnum):
    """The nights that teach: the first ones of a log, or the last ones before tonight."""

    FIRST = "first"
    ROLLING = "rolling"


class WindowChoice(Spec):
    """What was tried on the log's own nights.

    nights: quiet nights that were judged. alarms_of_first: on how many of them the first nights make an alarm.
    faults: injected into copies of these nights. alarms, seen: of the chosen window; seen_otherwise: of the other one.
    level: the false-discovery rate at which the chosen window is quiet.
    """

    window: ReferenceWindow
    level: float
    nights: int
    faults: int
    alarms_of_first: int
    alarms: int
    seen: int
    seen_otherwise: int

    @property
    def surprise(self) -> dict[str, Any]:
        """The keys of `surprise:` that differ from the defaults."""
        rolls = {"window": "rolling", "nights": LAST_NIGHTS} if self.window is ReferenceWindow.ROLLING else {}
        return {**rolls, **({"level": self.level} if self.level != USUAL_LEVEL else {})}

    @property
    def reason(self) -> str:
        """One sentence for people."""
        other = "the last 28 nights" if self.window is ReferenceWindow.FIRST else "the first nights"
        mine = "the first nights" if self.window is ReferenceWindow.FIRST else "the last 28 nights and their trend"
        return (
            f"learnt from the first nights, drift is an alarm on {self.alarms_of_first} of {self.nights} nights; so "
            f"both ways were tried at the same number of alarms: {mine} notice {self.seen} of {self.faults} faults "
            f"injected into this log ({self.alarms} alarms), {other} {self.seen_otherwise}"
        )
