"""A clock that tests move."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Says what it was told, or real time shifted by what it was moved."""

    def __init__(self) -> None:
        self._shift = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def move(self, by: timedelta) -> None:
        self._shift += by

    def set(self, at: datetime) -> None:
        """Make it this instant now; time goes on from there."""
        self._shift = at - datetime.now(UTC)
