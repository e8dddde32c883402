"""A clock that stands."""

from datetime import UTC, datetime


class StoppedClock:
    """Clock: always the same time.

    >>> StoppedClock().now().isoformat()
    '2026-11-22T03:04:05+00:00'
    """

    def __init__(self, at: datetime = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)) -> None:
        self._at = at

    def now(self) -> datetime:
        """The time that it was given, UTC."""
        return self._at
