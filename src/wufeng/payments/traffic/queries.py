"""Payments of late, counted from bounded pieces of indexes: what a page asks for every few seconds."""

from datetime import datetime, timedelta

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import first_id_of
from wufeng.base.sql import load
from wufeng.payments.pay.model import PaymentStatus

SQL = load(__file__)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NEWEST = 5_000
"""Payments of a book that are looked at, at most: each bucket gives its part."""

OPEN_MAX = 20_000

LET_THROUGH = frozenset({PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED, PaymentStatus.VOIDED})
"""What a payment is when it was approved, whatever came after."""


class Traffic(Struct, frozen=True, kw_only=True):
    """Payments of late.

    window_s      how many seconds back `hour` reaches: 3,600, or fewer where there were too many to count
    approved      in that time; the rest of `decided` was declined
    today         of the business date so far; at least so many, if `today_cut`
    """

    minute: int
    hour: int
    today: int
    today_cut: bool
    window_s: int
    decided: int
    approved: int

    @property
    def approved_ppm(self) -> int | None:
        """The share of decided payments that was approved; None: nothing was decided."""
        return self.approved * 1_000_000 // self.decided if self.decided else None


class Reserved(Struct, frozen=True):
    """Payments that hold money, and those that wait for a person's or a reviewer's word."""

    held: int
    held_minor: int
    waiting: int


async def count_recent(db: Connection, book: Book, at: datetime) -> Traffic:
    """Payments of the last minute, the last hour and the business date that is open at that instant of the book."""
    began_at = book.start_of(book.business_date(at))
    hour_at = at - HOUR
    from_at = min(began_at, hour_at)
    bounds = [first_id_of(one) for one in (from_at, hour_at, at - MINUTE)]
    at_most = NEWEST // len(book.buckets)
    rows = await db.fetch(SQL.count_recent, book.buckets, *bounds, at_most)
    sizes: dict[int, int] = {}
    oldest: dict[int, datetime] = {}
    for row in rows:
        bucket = row["bucket"]
        sizes[bucket] = sizes.get(bucket, 0) + row["in_window"]
        oldest[bucket] = min(oldest.get(bucket, at), row["oldest_at"])
    cut = [oldest[bucket] for bucket, size in sizes.items() if size >= at_most]
    since_at = max([hour_at, *cut])
    decided = {
        status: sum(row["in_hour"] for row in rows if row["status"] == status)
        for status in (*LET_THROUGH, PaymentStatus.DECLINED)
    }
    hour = sum(row["in_hour"] for row in rows)
    return Traffic(
        minute=sum(row["in_minute"] for row in rows),
        hour=hour,
        today=sum(sizes.values()) if from_at == began_at else hour,
        today_cut=bool(cut),
        window_s=max(1, (at - since_at) // timedelta(seconds=1)),
        decided=sum(decided.values()),
        approved=sum(decided[status] for status in LET_THROUGH),
    )


async def sum_reserved(db: Connection, book: Book) -> Reserved:
    """What is reserved by payments under way; at most 20,000 of them are counted."""
    rows = {row["status"]: row for row in await db.fetch(SQL.sum_open, book.buckets, OPEN_MAX)}
    held = rows.get(PaymentStatus.AUTHORISED)
    waiting = (PaymentStatus.REQUIRES_ACTION, PaymentStatus.PENDING)
    return Reserved(
        held["count"] if held else 0,
        held["held_minor"] if held else 0,
        sum(rows[status]["count"] for status in waiting if status in rows),
    )
