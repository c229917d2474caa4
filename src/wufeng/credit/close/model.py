"""The day close: what a step is, and what a close has done."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.lanes import Lanes


class DayClose(Struct, frozen=True):
    """The close of one business date in one bucket: what a step is given.

    closed_on  the business date that has ended; nothing can be booked on it any more
    on         the one that begins: what a step does is dated so
    at         its first instant: the `at` of the step's commands
    """

    lanes: Lanes
    book: Book
    bucket: int
    closed_on: date

    @property
    def on(self) -> date:
        """The business date that begins."""
        return self.closed_on + timedelta(days=1)

    @property
    def at(self) -> datetime:
        """The first instant of the business date that begins."""
        return self.book.start_of(self.on)


class StepResult(Struct, frozen=True):
    """What one run of a step did. An error is one object that could not be done; it stays due for the next run."""

    rows: int
    errors: tuple[str, ...] = ()
    took_ms: int = 0


class StepRun(Struct, frozen=True):
    """A step of one close in one bucket as it is recorded: the time of all its runs, the errors of the last."""

    bucket: int
    business_on: date
    step: str
    row_count: int
    took_ms: int
    errors: tuple[str, ...]


class CloseStep(Struct, frozen=True):
    """One step of the close. Running it again does only what is left: rows say themselves whether they are due."""

    name: str
    run: Callable[[DayClose], Awaitable[StepResult]]


class ClosedDay(Struct, frozen=True):
    """The close of one business date: rows by step, as they are recorded, and what could not be done."""

    business_on: date
    steps: dict[str, int]
    errors: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all steps."""
        return sum(self.steps.values())
