"""Events: facts in the past tense, numbered in their bucket under the head's lock."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load

SQL = load(__file__)


class Event(Struct, frozen=True):
    """One fact, as a handler tells it.

    kind         a name of API.md, such as payment.captured
    data         the object as the API shows it, JSON, as it is at this moment
    merchant_id  the merchant who may read it; person_id the person it is about
    """

    kind: str
    object_id: UUID
    data: bytes
    business_on: date
    person_id: UUID | None = None
    merchant_id: UUID | None = None


class DayClosed(Exception):
    """A command is dated on a business date that its bucket has closed: its clock was read too early."""


class Numbers(Struct, frozen=True):
    """What the head gave to a batch: `first_seq` and the instant, which never goes back in a bucket."""

    first_seq: int
    booked_at: datetime


async def take_numbers(db: Connection, bucket: int, count: int, at: datetime, earliest_on: date) -> Numbers:
    """Lock the bucket's head, the last row a batch locks, and take `count` numbers (events and journals share them).

    Raises DayClosed when `earliest_on`, the earliest business date of the batch, is closed.
    """
    row = await db.fetchrow(SQL.take_numbers, bucket, count, at, earliest_on)
    if row is None:
        raise DayClosed(f"bucket {bucket} has closed {earliest_on}")
    return Numbers(row["first_seq"], row["booked_at"])


async def write_events(
    db: Connection, bucket: int, first_seq: int, booked_at: datetime, events: Sequence[Event]
) -> None:
    """Append events under numbers that `take_numbers` gave."""
    rows = [
        (
            bucket,
            seq,
            event.kind,
            event.object_id,
            event.person_id,
            event.merchant_id,
            booked_at,
            event.business_on,
            event.data,
        )
        for seq, event in enumerate(events, first_seq)
    ]
    await db.execute(SQL.write_events, bucket, rows)


class Closed(Struct, frozen=True):
    """How far a bucket is closed, and the business date of its first number; None: not at all, nothing was booked."""

    through: date | None
    first_on: date | None


async def close_date(db: Connection, bucket: int, on: date) -> None:
    """Let nothing be booked on a business date, or before it, any more. Doing it twice changes nothing."""
    await db.execute(SQL.close_date, bucket, on)


async def load_closed(db: Connection, bucket: int) -> Closed:
    """How far a bucket is closed."""
    row = await db.fetchrow(SQL.load_closed, bucket)
    assert row is not None, f"there is no bucket {bucket}"
    return Closed(row["closed_through"], row["first_on"])


async def closed_through(db: Connection, buckets: Sequence[int]) -> date | None:
    """The last business date that all of some buckets have closed; None: one of them has closed nothing yet."""
    found = [row["closed_through"] for row in await db.fetch(SQL.closed_through, list(buckets))]
    return min(found) if found and None not in found else None
