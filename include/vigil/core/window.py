"""Nights. A night is a local calendar day as a half-open window of UTC instants."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open [start, end), both UTC. Nights tile: this night's end is the next one's start."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant.utcoffset() != timedelta(0):
                raise ValueError(f"a window needs UTC instants, got {instant!r}")
        if not self.start < self.end:
            raise ValueError(f"a window needs start < end, got {self.start} .. {self.end}")

    @property
    def utc_dates(self) -> tuple[date, ...]:
        """The UTC dates that the window touches: one to three, for pruning only."""
        last = (self.end - timedelta(microseconds=1)).date()
        first = self.start.date()
        return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def night_window(night: date, zone: str) -> Window:
    """The local calendar day `night` in `zone` as UTC instants; 23 or 25 hours twice a year.

    >>> w = night_window(date(2026, 3, 29), "Europe/Berlin")
    >>> (w.end - w.start).total_seconds() / 3600
    23.0
    """
    tz = ZoneInfo(zone)
    start = datetime.combine(night, time(0), tz).astimezone(UTC)
    end = datetime.combine(night + timedelta(days=1), time(0), tz).astimezone(UTC)
    return Window(start, end)
