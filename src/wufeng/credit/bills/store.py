"""Where bills are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec
from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.accruals.columns import pieces_column, pieces_of, rounding_column, rounding_of
from wufeng.credit.accruals.model import Segment
from wufeng.credit.bills.model import Bill, BillItem, BillItems, BillStatus, InterestBilled
from wufeng.credit.bills.rules import is_settled
from wufeng.credit.lines.store import array_literal

SQL = load(__file__)

_INTEREST_OF = msgspec.json.Decoder(tuple[InterestBilled, ...])
_SEGMENTS = msgspec.json.Decoder(tuple[Segment, ...])


async def insert_bills(
    db: Connection, bucket: int, bills: Sequence[tuple[Bill, BillItems]], journals: int
) -> None:
    """Keep new bills with what stands on them. A second bill of a line on one date breaks the unique index.

    journals  how many the batch has posted before: their numbers come before the bills
    """
    new = [bill for bill, _ in bills]
    await db.execute(
        SQL.insert_bills,
        bucket,
        [bill.id for bill in new],
        [bill.line_id for bill in new],
        [bill.issued_on for bill in new],
        [bill.due_on for bill in new],
        [bill.accrued_on for bill in new],
        [bill.wake_on for bill in new],
        [is_settled(bill) for bill in new],
        [bill.daily_ppm for bill in new],
        [bill.status.value for bill in new],
        [bill.single_minor for bill in new],
        [bill.instalment_minor for bill in new],
        [bill.fee_minor for bill in new],
        [bill.interest_minor for bill in new],
        [bill.late_interest_minor for bill in new],
        [bill.carried_minor for bill in new],
        [bill.missed_minor for bill in new],
        [bill.minimum_minor for bill in new],
        [bill.paid_principal_minor for bill in new],
        [bill.paid_fee_minor for bill in new],
        [bill.paid_interest_minor for bill in new],
        [bill.counted_minor for bill in new],
        [bill.interest_billed_minor for bill in new],
        [_segments_text(bill) for bill in new],
        [_interest_text(items) for _, items in bills],
        [array_literal(item.draw_id for item in items.items) for _, items in bills],
        [array_literal(item.part for item in items.items) for _, items in bills],
        [array_literal(item.tenor for item in items.items) for _, items in bills],
        [array_literal(item.principal_minor for item in items.items) for _, items in bills],
        [array_literal(item.fee_minor for item in items.items) for _, items in bills],
        [array_literal(item.interest_minor for item in items.items) for _, items in bills],
        [bill.bears_fees for bill in new],
        [bill.least_minor for bill in new],
        [bill.most_minor for bill in new],
        [bill.grace_days for bill in new],
        [bill.over_limit_minor for bill in new],
        [rounding_column(bill.rounding) for bill in new],
        [pieces_column(bill.pieces) for bill in new],
        journals,
        [bill.used_minor for bill in new],
        [bill.over_limit_from_minor for bill in new],
        [bill.over_limit_most_minor for bill in new],
        [bill.over_limit_used_minor for bill in new],
    )


async def update_bills(db: Connection, bucket: int, bills: Sequence[Bill]) -> None:
    """Keep what changed of bills."""
    await db.execute(
        SQL.update_bills,
        bucket,
        [bill.id for bill in bills],
        [bill.accrued_on for bill in bills],
        [bill.wake_on for bill in bills],
        [is_settled(bill) for bill in bills],
        [bill.daily_ppm for bill in bills],
        [bill.status.value for bill in bills],
        [bill.single_minor for bill in bills],
        [bill.instalment_minor for bill in bills],
        [bill.fee_minor for bill in bills],
        [bill.late_interest_minor for bill in bills],
        [bill.minimum_minor for bill in bills],
        [bill.paid_principal_minor for bill in bills],
        [bill.paid_fee_minor for bill in bills],
        [bill.paid_interest_minor for bill in bills],
        [bill.counted_minor for bill in bills],
        [bill.interest_billed_minor for bill in bills],
        [_segments_text(bill) for bill in bills],
        [bill.bears_fees for bill in bills],
        [bill.least_minor for bill in bills],
        [bill.most_minor for bill in bills],
        [bill.interest_minor for bill in bills],
        [bill.carried_minor for bill in bills],
        [bill.missed_minor for bill in bills],
        [bill.over_limit_refunded_minor for bill in bills],
        [bill.used_minor for bill in bills],
        [bill.over_limit_minor for bill in bills],
        [bill.over_limit_used_minor for bill in bills],
    )


async def update_items(db: Connection, bucket: int, items: Mapping[UUID, BillItems]) -> None:
    """Keep what bills were issued with anew: a late event has changed what they should have been issued with."""
    of = list(items.values())
    await db.execute(
        SQL.update_items,
        bucket,
        list(items),
        [_interest_text(one) for one in of],
        [array_literal(item.draw_id for item in one.items) for one in of],
        [array_literal(item.part for item in one.items) for one in of],
        [array_literal(item.tenor for item in one.items) for one in of],
        [array_literal(item.principal_minor for item in one.items) for one in of],
        [array_literal(item.fee_minor for item in one.items) for one in of],
        [array_literal(item.interest_minor for item in one.items) for one in of],
    )


async def load_bills_of_line(db: Connection, bucket: int, line_id: UUID) -> list[Bill]:
    """All the bills that a line ever had, the oldest first."""
    return [_bill(row) for row in await db.fetch(SQL.load_all_of_line, bucket, line_id)]


async def is_billed_since(db: Connection, bucket: int, line_id: UUID, seq: int) -> bool:
    """Whether a bill of a line was made when a number of the bucket, or a later one, was the last."""
    return bool(await db.fetchval(SQL.is_billed_since, bucket, line_id, seq))


async def load_seqs(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, int]:
    """By bill: the bucket's last number when it was issued. One of which that is not known is absent."""
    return {row["id"]: row["seq"] for row in await db.fetch(SQL.load_seqs, bucket, ids)}


async def load_unsettled_bills(db: Connection, bucket: int, line_ids: Collection[UUID]) -> list[Bill]:
    """The bills of some lines on which something is owed, or interest is still to be billed."""
    return [_bill(row) for row in await db.fetch(SQL.load_unsettled_bills, bucket, line_ids)]


async def load_bills(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Bill]:
    """Bills by id; an unknown id is absent."""
    return {row["id"]: _bill(row) for row in await db.fetch(SQL.load_bills, bucket, ids)}


async def list_bills(
    db: Connection, bucket: int, line_id: UUID, after: UUID | None, at_most: int
) -> list[Bill]:
    """One page of a line's bills, the newest first; `after` is the last one of the page before."""
    rows = await db.fetch(SQL.load_bills_of_line, bucket, line_id, after, at_most)
    bills = await load_bills(db, bucket, [row["id"] for row in rows])
    return [bills[row["id"]] for row in rows]


async def load_items(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, BillItems]:
    """What bills were issued with."""
    return {row["id"]: _items(row) for row in await db.fetch(SQL.load_items, bucket, ids)}


async def lines_to_wake(db: Connection, bucket: int, on: date, at_most: int) -> dict[UUID, UUID]:
    """Lines, each with its person, that have a bill which the close that begins a date must look at."""
    rows = await db.fetch(SQL.lines_to_wake, bucket, on, at_most)
    return {row["id"]: row["person_id"] for row in rows}


def _bill(row: Record) -> Bill:
    fields = dict(row)
    fields["status"] = BillStatus(fields["status"])
    segments = fields["segments"]
    fields["segments"] = _SEGMENTS.decode(segments) if segments is not None else ()
    fields["rounding"], fields["pieces"] = rounding_of(fields["rounding"]), pieces_of(fields["pieces"])
    return Bill(**fields)


def _items(row: Record) -> BillItems:
    names = ("item_draws", "item_parts", "item_tenors", "item_principal", "item_fee")
    columns = [row[name] for name in names]
    columns.append(row["item_interest"] or [0] * len(columns[0]))  # bills of an earlier release have none
    interest_of = row["interest_of"]
    return BillItems(
        tuple(BillItem(*item) for item in zip(*columns, strict=True)),
        _INTEREST_OF.decode(interest_of) if interest_of else (),
    )


def _segments_text(bill: Bill) -> str | None:
    return msgspec.json.encode(bill.segments).decode() if bill.segments else None


def _interest_text(items: BillItems) -> str | None:
    return msgspec.json.encode(items.interest).decode() if items.interest else None
