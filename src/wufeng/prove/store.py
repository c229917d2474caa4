"""What the proofs read of the database, and how they hurt a transaction."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load

SQL = load(__file__)


class PaymentRow(Struct, frozen=True):
    """A payment as its row says."""

    id: UUID
    payer_id: UUID
    merchant_id: UUID
    order_id: UUID
    order_no: str
    amount_minor: int
    status: str
    wallet_minor: int
    credit_minor: int
    captured_minor: int
    fee_minor: int
    refunded_minor: int


class RefundRow(Struct, frozen=True):
    """A refund as its row says."""

    id: UUID
    payment_id: UUID
    merchant_id: UUID
    refund_no: str
    amount_minor: int
    status: str


class Moved(Struct, frozen=True):
    """What the journals of a payment moved on its payer's accounts."""

    journals: int
    moved_minor: int


class Budget(Struct, frozen=True):
    """A campaign's budget. `given_minor`: of it, what the buckets hold, used or not."""

    id: UUID
    budget_minor: int
    given_minor: int


class Taken(Struct, frozen=True):
    """One bucket's slice of a budget, and what its payments say that they used of it."""

    campaign_id: UUID
    given_minor: int
    used_minor: int


class Told(Struct, frozen=True):
    """An event about a person."""

    seq: int
    kind: str
    object_id: UUID
    person_id: UUID
    business_on: date


class Run(Struct, frozen=True):
    """What one step of one close has noted in a bucket."""

    business_on: date
    step: str
    row_count: int
    errors: tuple[str, ...]


async def load_payments(db: Connection, bucket: int, merchants: Collection[UUID]) -> list[PaymentRow]:
    """The payments of some merchants."""
    return [PaymentRow(**dict(row)) for row in await db.fetch(SQL.payments_of_merchants, bucket, merchants)]


async def load_refunds(db: Connection, bucket: int, merchants: Collection[UUID]) -> list[RefundRow]:
    """The refunds of some merchants."""
    return [RefundRow(**dict(row)) for row in await db.fetch(SQL.refunds_of_merchants, bucket, merchants)]


async def load_moved(db: Connection, bucket: int, payments: Collection[UUID]) -> dict[UUID, Moved]:
    """What the journals of payments moved; a payment without a journal is absent."""
    rows = await db.fetch(SQL.moved_by_payments, bucket, payments)
    return {row["payment_id"]: Moved(row["journals"], row["moved_minor"]) for row in rows}


async def load_overdue(db: Connection, bucket: int, before: datetime) -> list[UUID]:
    """Payments that still wait for their payer though they expired before that instant."""
    return [row["id"] for row in await db.fetch(SQL.overdue_payments, bucket, before)]


async def load_broken_floors(db: Connection, bucket: int) -> list[UUID]:
    """Accounts beyond their bounds."""
    return [row["id"] for row in await db.fetch(SQL.broken_floors, bucket)]


async def load_stray_draws(db: Connection, bucket: int) -> list[UUID]:
    """Draws whose shares do not add up to the whole."""
    return [row["id"] for row in await db.fetch(SQL.stray_draws, bucket)]


async def load_budgets(db: Connection, merchants: Collection[UUID]) -> list[Budget]:
    """The budgets of some merchants' campaigns."""
    return [Budget(**dict(row)) for row in await db.fetch(SQL.budgets_of_merchants, merchants)]


async def load_taken(db: Connection, bucket: int, campaigns: Collection[UUID]) -> list[Taken]:
    """What a bucket holds and has used of budgets."""
    return [Taken(**dict(row)) for row in await db.fetch(SQL.taken_of_budgets, bucket, campaigns)]


async def load_told(db: Connection, bucket: int, people: Collection[UUID], after_seq: int) -> list[Told]:
    """The events about some people behind a number of the bucket, in their order."""
    return [Told(**dict(row)) for row in await db.fetch(SQL.told_of_people, bucket, people, after_seq)]


async def load_standing(db: Connection, bucket: int, owners: Collection[UUID]) -> list[tuple[UUID, str]]:
    """What closes and deeds have left of some lines and people: texts without ids, each with whose it is."""
    return [(row["owner"], row["told"]) for row in await db.fetch(SQL.standing, bucket, owners)]


async def load_told_twice(db: Connection, bucket: int) -> list[str]:
    """What the close has told more than once of an object."""
    rows = await db.fetch(SQL.told_once, bucket)
    return [
        f"{row['kind']} of {row['object_id']} on {row['business_on']}: {row['times']} times" for row in rows
    ]


async def load_late_bookings(db: Connection, bucket: int) -> list[str]:
    """What was booked on a date whose close had begun to issue and tell bills."""
    rows = await db.fetch(SQL.late_bookings, bucket)
    return [f"number {row['seq']} of bucket {bucket} is dated {row['business_on']}" for row in rows]


async def load_stray_bills(db: Connection, bucket: int) -> list[UUID]:
    """Bills that stand twice, that were not told, or that hold what was bought on their date or later."""
    return [row["id"] for row in await db.fetch(SQL.stray_bills, bucket)]


async def load_bills_by_date(db: Connection, bucket: int) -> dict[date, int]:
    """How many bills of each date there are."""
    return {row["issued_on"]: row["bills"] for row in await db.fetch(SQL.bills_by_date, bucket)}


async def load_awake(
    db: Connection, bucket: int, lines: Collection[UUID], through: date
) -> list[tuple[UUID, date]]:
    """Lines, each with the dates up to one on which a due date of its bills comes or has passed."""
    return [(row[0], row[1]) for row in await db.fetch(SQL.awake_bills, bucket, lines, through)]


async def load_runs(db: Connection, bucket: int) -> list[Run]:
    """The dashboard's rows of a bucket."""
    rows = await db.fetch(SQL.runs_of_closes, bucket)
    return [Run(row["business_on"], row["step"], row["row_count"], tuple(row["errors"])) for row in rows]


async def load_head(db: Connection, bucket: int) -> int:
    """The last number that a bucket gave."""
    seq: int = await db.fetchval(SQL.load_head, bucket)
    return seq


async def load_progress(db: Connection, buckets: Collection[int]) -> int:
    """A number that moves on with everything that closes do in some buckets."""
    moved: int = await db.fetchval(SQL.close_progress, buckets)
    return moved


async def load_backends(db: Connection, database_name: str) -> Sequence[int]:
    """The processes of the database server that work for Wufeng, but this connection's."""
    return [row["pid"] for row in await db.fetch(SQL.backends, database_name)]


async def poison(db: Connection, statement: str, bucket: int, value: UUID | str) -> None:
    """Run the statement `poison_…` of that name: the database is to refuse it."""
    await db.execute(SQL.text(f"poison_{statement}"), bucket, value)
