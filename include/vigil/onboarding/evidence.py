"""What the nights of a reference show: the numbers that drafted rules are made of, and tried on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import sqrt
from statistics import fmean, median, pvariance

from vigil.core.spec import Spec
from vigil.metrics.types import Measurement

Z95 = 1.959964
SPREAD_NIGHTS = 5  # before which how much nights differ is not known
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKS = 21  # days, before which a weekday without rows may be chance
UNEVEN = 1.5  # times, between the weekdays with most and with fewest rows


class Evidence(Spec):
    """nights: what was measured on each night of the reference; counts: rows of every night of the log."""

    nights: tuple[tuple[Measurement, ...], ...] = ()
    counts: Mapping[date, int] = {}

    def of(self, metric: str) -> dict[str, list[Measurement]]:
        """Subject -> what is known of it, night by night."""
        found: dict[str, list[Measurement]] = {}
        for night in self.nights:
            for m in night:
                if m.metric == metric and m.value is not None:
                    found.setdefault(m.subject, []).append(m)
        return found

    def all_of(self, metric: str) -> list[Measurement]:
        """The same of a metric that has one subject."""
        return self.of(metric).get("all", [])

    @property
    def rows_a_night(self) -> int:
        """Of the usual night."""
        return int(median(self.counts.values())) if self.counts else 0

    @property
    def serves(self) -> tuple[str, ...] | None:
        """The weekdays that have rows, where three weeks show that others never do."""
        if not self.counts or (max(self.counts) - min(self.counts)).days + 1 < WEEKS:
            return None
        there = {day.weekday() for day in self.counts}
        return tuple(WEEKDAYS[n] for n in sorted(there)) if len(there) < len(WEEKDAYS) else None

    @property
    def weekly(self) -> bool:
        """Whether some weekday has far more rows than another."""
        each: dict[int, list[int]] = {}
        for day, count in self.counts.items():
            each.setdefault(day.weekday(), []).append(count)
        usual = [median(counts) for counts in each.values() if len(counts) > 1]
        return len(usual) > 1 and max(usual) > UNEVEN * min(usual)


def share_of(known: list[Measurement]) -> float:
    """k of n over all nights together; the median where they are no counts."""
    rows = sum(m.parts[1] for m in known if len(m.parts) == 2)
    if not rows:
        return median(m.value or 0.0 for m in known)
    return sum(m.parts[0] for m in known if len(m.parts) == 2) / rows


def error_of(m: Measurement) -> float:
    """The sampling error of one night."""
    return (m.high - m.low) / (2 * Z95) if m.low is not None and m.high is not None else 0.0


def between(known: list[Measurement]) -> float:
    """The sd between nights that sampling does not explain, not even by chance; 0 where so few nights do not tell."""
    values = [m.value for m in known if m.value is not None]
    if len(values) < SPREAD_NIGHTS:
        return 0.0
    by_chance = 1 + 2 * sqrt(2 / (len(values) - 1))  # of a variance over so many nights, two standard errors
    sampling = fmean(error_of(m) ** 2 for m in known)
    return sqrt(max(0.0, pvariance(values) - by_chance * sampling))
