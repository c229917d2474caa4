"""When auto-debit runs: with the day close, by the hours of the due date, and after a source has refused."""

from datetime import date, datetime, timedelta
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.events import load_closed
from wufeng.base.followers import Follower, Stream, read_events
from wufeng.base.lanes import Command, Lanes
from wufeng.credit.close.commands import AUTO_DEBIT
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.credit.close.sweep import Due, sweep
from wufeng.credit.debits import rules, store
from wufeng.credit.debits.commands import AskNextSource, DebitAgain, DebitLines
from wufeng.credit.debits.model import Asked, Hour
from wufeng.credit.products.commands import Products

REFUSED = "repayment.failed"
"""The event after which the next source is asked."""


def debit_step() -> CloseStep:
    """The first try of a date, made by the close with which it begins."""

    async def run(close: DayClose) -> StepResult:
        async def find(db: Connection, after: tuple[date, UUID], at_most: int) -> list[Due]:
            return await store.lines_of_date(db, close.bucket, close.on, after, at_most)

        def make(people: tuple[UUID, ...], lines: tuple[UUID, ...]) -> Command:
            return DebitLines(at=close.at, people=people, closed_on=close.closed_on, lines=lines)

        return await sweep(close.lanes, close.bucket, find, make)

    return CloseStep(AUTO_DEBIT, run)


async def debit_due(
    lanes: Lanes, book: Book, products: Products, at: datetime, since: datetime | None = None
) -> list[StepResult]:
    """Make the tries of due dates whose hour has come by an instant of the book's clock, in their order.

    Call it from a timer, and before the days that a turned clock has ended are closed: on a date that is not closed yet
    the hours that nobody has seen pass are made up for, each dated when it should have been. Safe to repeat and to run
    in several processes. Dates that are closed have no hours any more: their close is followed by the next's first try.

    since  hours up to this instant were made by the caller's last call; None: it has made none
    """
    return [await _debit_bucket(lanes, book, bucket, products, since, at) for bucket in book.buckets]


async def _debit_bucket(
    lanes: Lanes, book: Book, bucket: int, products: Products, since: datetime | None, at: datetime
) -> StepResult:
    async with lanes.database.read() as db:
        closed = await load_closed(db, bucket)
    today = book.business_date(at)
    on = today if closed.through is None else min(today, closed.through + timedelta(days=1))
    rows, errors = 0, list[str]()
    for hour in rules.hours(products.versions(), book, on, since, at):
        done = await _debit_hour(lanes, bucket, on, hour, at if on == today else hour.at)
        rows += done.rows
        errors += done.errors
    return StepResult(rows, tuple(errors))


async def _debit_hour(lanes: Lanes, bucket: int, on: date, hour: Hour, at: datetime) -> StepResult:
    async def find(db: Connection, after: tuple[date, UUID], at_most: int) -> list[Due]:
        return await store.lines_of_hour(db, bucket, on, hour.products, hour.number, after[1], at_most)

    def make(people: tuple[UUID, ...], lines: tuple[UUID, ...]) -> Command:
        return DebitAgain(at=at, people=people, on=on, number=hour.number, lines=lines)

    return await sweep(lanes, bucket, find, make)


def debits_follower(lanes: Lanes) -> Follower:
    """Asks the next source when an outside rail has refused a debit.

    The lane's command commits before the cursor moves: who dies between the two asks twice, and the second time what
    was asked for is on its way already, or has been answered: only what is due then is asked for.
    """

    async def handle(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        rows = await read_events(db, bucket, after_seq, through_seq, [REFUSED])
        if not rows:
            return
        debits = {
            one.repayment_id: one for one in await store.load_debits(db, bucket, [r.object_id for r in rows])
        }
        people = await store.people_of_lines(db, bucket, {one.line_id for one in debits.values()})
        for row in rows:
            if (asked := debits.get(row.object_id)) is not None:
                await lanes.submit(bucket, _next(asked, people[asked.line_id], row.at))

    return Follower("debits", Stream.EVENT, handle)


def _next(asked: Asked, person_id: UUID, at: datetime) -> AskNextSource:
    return AskNextSource(at=at, people=(person_id,), on=asked.on, number=asked.number, lines=(asked.line_id,))
