"""The one real clock."""

from datetime import UTC, datetime


class SystemClock:
    """Implements the Clock port."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)
