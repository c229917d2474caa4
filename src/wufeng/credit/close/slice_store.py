"""Set-based statements of the close: one slice of a bucket each, inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.accruals.store import ProductVersion
from wufeng.credit.accruals.sums import Delta
from wufeng.credit.close.rules import next_by_day
from wufeng.credit.products.model import Product

SQL = load(__file__)


class Slice(Struct, frozen=True):
    """Lines that are due in the order of their ids, as far as their people are locked now.

    found  how many were due, locked or not      last  the highest id of those found; None: none was
    """

    found: int
    last: UUID | None
    lines: Sequence[UUID]


Earned = Mapping[ProductVersion, Delta]
"""By how much a slice moves the sums of interest that is earned and not billed."""


class Passed(Struct, frozen=True):
    """Bills that were looked at, and those of them that fall due on the date that begins."""

    rows: int
    due: Sequence[UUID]
    earned: Earned


class Issued(Struct, frozen=True):
    """Bills that were issued, in the order of their lines."""

    bills: Sequence[UUID]
    earned: Earned


class SliceRefused(Exception):
    """A set did not find the rows that it was to write: nothing of it may commit."""


async def plan_each_slice(db: Connection) -> None:
    """Let each statement of the transaction be planned for the rows that it is given."""
    await db.execute(SQL.plan_each_slice)


async def lock_lines_to_bill(db: Connection, bucket: int, on: date, after: UUID, at_most: int) -> Slice:
    """The next lines behind `after` whose bill is of that date; people whom others hold are left out."""
    return Slice(*await _row(db, SQL.lock_lines_to_bill, bucket, on, after, at_most))


async def lock_lines_to_wake(db: Connection, bucket: int, on: date, after: UUID, at_most: int) -> Slice:
    """The next lines behind `after` with a bill to look at on that date; people whom others hold are left out."""
    return Slice(*await _row(db, SQL.lock_lines_to_wake, bucket, on, after, at_most))


async def pass_due_dates(
    db: Connection, bucket: int, on: date, lines: Sequence[UUID], plain: Sequence[Product]
) -> Passed:
    """Let due dates come and pass for those of the lines that need no decision; the caller holds their people."""
    rows, due, earned = await _row(
        db,
        SQL.pass_due_dates,
        bucket,
        on,
        lines,
        [product.id for product in plain],
        [product.version for product in plain],
        [product.interest.revolving_daily_ppm for product in plain],
        next_by_day(on),
    )
    return Passed(rows, due, _earned(earned))


async def issue_bills(
    db: Connection, bucket: int, on: date, lines: Sequence[UUID], plain: Sequence[Product], head: str
) -> Issued:
    """Issue the bills of those of the lines that need no decision; the caller holds their people.

    head  the first 22 hex digits of the bills' ids
    """
    bills, charges, charged, earned = await _row(
        db,
        SQL.issue_bills,
        bucket,
        on,
        lines,
        [product.id for product in plain],
        [product.version for product in plain],
        [product.minimum.principal_ppm for product in plain],
        next_by_day(on),
        head,
    )
    if charges != charged:
        raise SliceRefused(f"bucket {bucket}: {charges} charges, {charged} accounts")
    return Issued(bills, _earned(earned))


async def tell_bills(
    db: Connection,
    bucket: int,
    on: date,
    bills: Sequence[UUID],
    kind: str,
    texts: Mapping[str, str],
    at: datetime,
) -> None:
    """Number and write events about bills, and the journals of those just issued. Locks the bucket's head."""
    parts = [texts[code] for code in ("purchases", "instalments", "instalment_fees", "interest")]
    status = await db.execute(SQL.tell_bills, bucket, on, bills, kind, *parts, at)
    if status != f"INSERT 0 {len(bills)}":
        raise SliceRefused(f"bucket {bucket}: {len(bills)} bills were to be told, the answer was {status}")


async def count_waiting(db: Connection) -> int:
    """How many others wait for the rows of this transaction: payments of people that a slice has locked."""
    waiting: int = await db.fetchval(SQL.count_waiting)
    return waiting


async def _row(db: Connection, statement: str, *values: object) -> Record:
    row = await db.fetchrow(statement, *values)
    assert row is not None, "a statement of sums has one row"
    return row


def _earned(rows: Sequence[tuple[str, int, int, int, int]]) -> Earned:
    return {(product, version): Delta(*sums) for product, version, *sums in rows}
