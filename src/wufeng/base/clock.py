"""Time: the only place that reads the machine's clock.

The edge reads a `Clock` once a command and passes the instant on; nothing below asks what time it is.
What business date an instant falls on is arithmetic, and stands in `base/calendar.py`.
"""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the instant, in UTC."""

    def now(self) -> datetime:
        """The instant now, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The instant now, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is turned: for tests, `play` and simulations."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The instant last set."""
        return self._at

    def turn_to(self, at: datetime) -> None:
        """Set the clock. Going back is refused: instants of one book never decrease."""
        assert at >= self._at, "a clock is only turned forward"
        self._at = at.astimezone(UTC)
