"""Closing days: one bucket, one business date after the other."""

import time
from collections.abc import Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from wufeng.base import faults
from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.events import close_date, load_closed
from wufeng.base.lanes import Lanes
from wufeng.credit.close import store
from wufeng.credit.close.model import ClosedDay, CloseStep, DayClose, StepResult

ONE_DAY = timedelta(days=1)
NS_A_MS = 1_000_000


async def close_day(
    lanes: Lanes, book: Book, bucket: int, closed_on: date, steps: Sequence[CloseStep]
) -> ClosedDay:
    """Close one business date of a bucket: nothing is booked on it any more, then what the next date begins with.

    The date must have ended on the book's clock. Safe to run again after a crash at any point, and by two processes at
    once: what is done is done once. Days are closed in their order; `close_through` sees to that.
    """
    close = DayClose(lanes, book, bucket, closed_on)
    async with lanes.database.read() as db:
        await close_date(db, bucket, closed_on)
    results = {step.name: await _timed(step, close) for step in steps}
    async with lanes.database.read() as db:
        await store.record_finished(db, bucket, closed_on, results, close.at)
        recorded = await store.load_runs(db, [bucket], closed_on, closed_on)
    errors = tuple(error for result in results.values() for error in result.errors)
    return ClosedDay(closed_on, recorded.get(closed_on, {}), errors)


async def _timed(step: CloseStep, close: DayClose) -> StepResult:
    began_ns = time.perf_counter_ns()
    result = await step.run(close)
    return replace(result, took_ms=(time.perf_counter_ns() - began_ns) // NS_A_MS)


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
    if faults.planted(faults.Plant.FORGET_RERUN) and closed.through is not None:
        first = closed.through + ONE_DAY
    elif finished is not None:
        first = finished + ONE_DAY
    elif closed.through is not None:
        first = closed.through
    else:
        first = closed.first_on or through
    return [first + n * ONE_DAY for n in range((through - first).days + 1)]
