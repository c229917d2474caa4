"""Cursors and the rows that followers read."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load

SQL = load(__file__)


class Behind(Struct, frozen=True):
    """A follower that has something to do in a bucket. `cursor_seq` is None when it has never been there."""

    bucket: int
    follower: str
    head_seq: int
    cursor_seq: int | None

    @property
    def lag(self) -> int:
        """Numbers (events and journals) of the bucket that it has not handled yet."""
        return self.head_seq - (self.cursor_seq or 0)


class EventRow(Struct, frozen=True):
    """An event as it is stored. `at` is the instant of its commit order: it never goes back in a bucket."""

    bucket: int
    seq: int
    kind: str
    object_id: UUID
    person_id: UUID | None
    merchant_id: UUID | None
    at: datetime
    business_on: date
    data: bytes


async def behind(db: Connection, followers: Collection[str]) -> list[Behind]:
    """The followers that have something to do, in all buckets."""
    return [Behind(**dict(row)) for row in await db.fetch(SQL.behind, list(followers))]


async def behind_in_bucket(db: Connection, bucket: int, followers: Collection[str]) -> list[Behind]:
    """The followers that have something to do in one bucket."""
    return [Behind(**dict(row)) for row in await db.fetch(SQL.behind_in_bucket, bucket, list(followers))]


async def open_cursor(db: Connection, bucket: int, follower: str) -> None:
    """Let a follower begin in a bucket, before its first row."""
    await db.execute(SQL.open_cursor, bucket, follower)


async def take_cursor(db: Connection, bucket: int, follower: str, span: int) -> tuple[int, int] | None:
    """Lock a follower's cursor: (after_seq, through_seq), `span` apart at most. None: another has it."""
    row = await db.fetchrow(SQL.take_cursor, bucket, follower, span)
    return None if row is None else (row["after_seq"], row["through_seq"])


async def move_cursor(db: Connection, bucket: int, follower: str, through_seq: int) -> None:
    """Record that all up to `through_seq` is done."""
    await db.execute(SQL.move_cursor, bucket, follower, through_seq)


async def read_events(
    db: Connection, bucket: int, after_seq: int, through_seq: int, kinds: Collection[str] | None = None
) -> list[EventRow]:
    """Events of a bucket with after_seq < seq <= through_seq, in order; of some kinds only, if given."""
    wanted = None if kinds is None else list(kinds)
    rows = await db.fetch(SQL.read_events, bucket, after_seq, through_seq, wanted)
    return [EventRow(**dict(row)) for row in rows]
