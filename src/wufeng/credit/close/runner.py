"""Closing days: one bucket, one business date after the other."""

from collections.abc import Sequence
from datetime import date, timedelta

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.events import close_date, load_closed
from wufeng.base.lanes import Lanes
from wufeng.credit.close import store
from wufeng.credit.close.model import ClosedDay, CloseStep, DayClose

ONE_DAY = timedelta(days=1)


async def close_day(
    lanes: Lanes, book: Book, bucket: int, closed_on: date, steps: Sequence[CloseStep]
) -> ClosedDay:
    """Close one business date of a bucket: nothing is booked on it any more, then what the next date begins with.

    The date must have ended on the book's clock. Safe to run again after a crash at any point, and by two processes at
    once: what is done is done once. Days are closed in their order; `close_through` sees to that.
    """
    close = DayClose(lanes, book, bucket, closed_on)
    async with lanes.database.transaction() as db:
        await close_date(db, bucket, closed_on)
    errors: list[str] = []
    rows: dict[str, int] = {}
    for step in steps:
        result = await step.run(close)
        rows[step.name] = result.rows
        errors += result.errors
    async with lanes.database.transaction() as db:
        await store.record_finished(db, bucket, closed_on, rows, close.at)
        recorded = await store.load_runs(db, [bucket], closed_on, closed_on)
    return ClosedDay(closed_on, recorded.get(closed_on, {}), tuple(errors))


async def close_through(
    lanes: Lanes, book: Book, bucket: int, through: date, steps: Sequence[CloseStep]
) -> list[ClosedDay]:
    """Close all business dates of a bucket up to `through`, in order; a killed close is finished first."""
    async with lanes.database.read() as db:
        dates = await dates_to_close(db, bucket, through)
    return [await close_day(lanes, book, bucket, on, steps) for on in dates]


async def dates_to_close(db: Connection, bucket: int, through: date) -> list[date]:
    """The dates whose close is still to be done or to be finished.

    A bucket that was never closed begins with the date of its first journal or event; without one only `through` is
    closed.
    """
    closed, finished = await load_closed(db, bucket), await store.load_last_finished(db, bucket)
    if finished is not None:
        first = finished + ONE_DAY
    elif closed.through is not None:
        first = closed.through
    else:
        first = closed.first_on or through
    return [first + n * ONE_DAY for n in range((through - first).days + 1)]
