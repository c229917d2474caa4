"""Settlements in their tables: the parts that each bucket sums, and what they add up to."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import SLOTS
from wufeng.base.sql import load
from wufeng.payments.settlements.model import Due, Settlement, SettlementStatus, Sums

SQL = load(__file__)


async def draw_parts(db: Connection, bucket: int, through: date) -> int:
    """Sum the journals of a bucket up to a closed date that were not summed yet; returns how many parts that made.

    Asserts that the date is closed: a journal booked on it later would never be settled.
    """
    closed = await db.fetchval(SQL.closed_through, bucket)
    assert closed is not None and closed >= through, "only a closed date is settled"
    drawn = await db.fetchrow(SQL.lock_drawn, bucket)
    assert drawn is not None, "the row is made when it is not there"
    if drawn["through"] is not None and drawn["through"] >= through:
        return 0
    parts = await db.fetch(SQL.draw_parts, bucket, drawn["from_seq"], drawn["through"], through)
    await db.execute(SQL.move_drawn, bucket, through)
    return len(parts)


async def drawn_through(db: Connection, buckets: Sequence[int]) -> date | None:
    """The date up to which all of these buckets have summed their journals; None while one has never done so."""
    through: date | None = await db.fetchval(SQL.drawn_through, list(buckets))
    return through


async def lock_settled(db: Connection, bucket: int) -> date | None:
    """Lock a merchants' bucket for drawing up; returns the date up to which its merchants have their settlements."""
    through: date | None = await db.fetchval(SQL.lock_settled, bucket)
    return through


async def next_date(
    db: Connection, book: Book, bucket: int, after: date | None, through: date
) -> date | None:
    """The first date after `after` on which a merchant of the bucket has something to be settled."""
    on: date | None = await db.fetchval(SQL.next_date, book.buckets, after, through, *_slots(book, bucket))
    return on


async def load_due(db: Connection, book: Book, bucket: int, on: date, at_most: int) -> list[Due]:
    """What merchants of a bucket are due for a date, over all buckets of the book, without those settled."""
    rows = await db.fetch(SQL.load_due, bucket, book.buckets, on, *_slots(book, bucket), at_most)
    return [Due(row["merchant_id"], on, row["currency"], _sums(row), row["carried_minor"]) for row in rows]


async def move_settled(db: Connection, bucket: int, through: date) -> None:
    """Record that the merchants of a bucket have their settlements up to a date."""
    await db.execute(SQL.move_settled, bucket, through)


async def insert_settlements(db: Connection, bucket: int, settlements: Sequence[Settlement]) -> None:
    """Append settlements. A second one of a merchant's date is refused by the table."""
    await db.execute(
        SQL.insert_settlements,
        bucket,
        [s.id for s in settlements],
        [s.merchant_id for s in settlements],
        [s.business_on for s in settlements],
        [s.status.value for s in settlements],
        [s.currency for s in settlements],
        [s.sums.payments for s in settlements],
        [s.sums.refunds for s in settlements],
        [s.sums.gross_minor for s in settlements],
        [s.sums.refunded_minor for s in settlements],
        [s.sums.fee_minor for s in settlements],
        [s.sums.subsidy_minor for s in settlements],
        [s.sums.returned_minor for s in settlements],
        [s.sums.net_minor for s in settlements],
        [s.carried_minor for s in settlements],
        [s.payout_minor for s in settlements],
        [s.created_at for s in settlements],
    )


async def lock_settlements(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Settlement]:
    """Lock settlements, in id order; an unknown id is absent."""
    return {row["id"]: _settlement(row) for row in await db.fetch(SQL.lock_settlements, bucket, list(ids))}


async def end_settlements(db: Connection, bucket: int, settlements: Sequence[Settlement]) -> None:
    """Write how payouts ended. Asserts that each was pending: their rows are locked."""
    ended = await db.fetch(
        SQL.end_settlements,
        bucket,
        [s.id for s in settlements],
        [s.status.value for s in settlements],
        [s.paid_on for s in settlements],
        [s.failure for s in settlements],
    )
    assert len(ended) == len(settlements), "a payout ends once"


async def load_settlements(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Settlement]:
    """Settlements by id; an unknown id is absent."""
    return {row["id"]: _settlement(row) for row in await db.fetch(SQL.load_settlements, bucket, list(ids))}


async def list_settlements(
    db: Connection,
    bucket: int,
    merchant_id: UUID,
    from_on: date | None,
    to_on: date | None,
    before: date | None,
    limit: int,
) -> list[Settlement]:
    """A merchant's settlements of business dates from_on..to_on, newest first; `before`: as in queries."""
    rows = await db.fetch(SQL.list_settlements, bucket, merchant_id, from_on, to_on, before, limit)
    return [_settlement(row) for row in rows]


def _slots(book: Book, bucket: int) -> tuple[list[int], list[int]]:
    """The slot ranges of a bucket: firsts and lasts."""
    lasts = [first - 1 for first in book.first_slots[1:]] + [SLOTS - 1]
    own = [
        (first, last)
        for first, last, owner in zip(book.first_slots, lasts, book.slot_buckets, strict=True)
        if owner == bucket
    ]
    return [first for first, _ in own], [last for _, last in own]


def _sums(row: asyncpg.Record) -> Sums:
    return Sums(
        payments=row["payments"],
        refunds=row["refunds"],
        gross_minor=row["gross_minor"],
        refunded_minor=row["refunded_minor"],
        fee_minor=row["fee_minor"],
        subsidy_minor=row["subsidy_minor"],
        returned_minor=row["returned_minor"],
    )


def _settlement(row: asyncpg.Record) -> Settlement:
    return Settlement(
        id=row["id"],
        merchant_id=row["merchant_id"],
        business_on=row["business_on"],
        status=SettlementStatus(row["status"]),
        currency=row["currency"],
        sums=_sums(row),
        carried_minor=row["carried_minor"],
        payout_minor=row["payout_minor"],
        failure=row["failure"],
        paid_on=row["paid_on"],
        created_at=row["created_at"],
    )
