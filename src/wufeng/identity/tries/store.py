"""Counts of tries in the database, each homed by its own hash."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.tries.model import Counter, Taken

SQL = load(__file__)


async def count_tries(db: Connection, counters: Sequence[Counter], at: datetime) -> dict[UUID, Taken]:
    """Add one to each count; returns how they stand, by the counter's id."""
    ordered = sorted(counters, key=lambda one: (one.bucket, one.id))
    rows = await db.fetch(
        SQL.count_tries,
        [one.bucket for one in ordered],
        [one.id for one in ordered],
        [at + timedelta(seconds=one.limit.window_s) for one in ordered],
        at,
    )
    return {row["id"]: Taken(row["taken"], row["ends_at"]) for row in rows}


async def give_back_tries(db: Connection, counters: Sequence[Counter], taken: Mapping[UUID, Taken]) -> None:
    """Take one off each count again."""
    ordered = sorted(counters, key=lambda one: (one.bucket, one.id))
    await db.execute(
        SQL.give_back_tries,
        [one.bucket for one in ordered],
        [one.id for one in ordered],
        [taken[one.id].ends_at for one in ordered],
    )


async def forget_tries(db: Connection, bucket: int, at: datetime, at_most: int) -> int:
    """Delete counts whose window is over."""
    return len(await db.fetch(SQL.forget_tries, bucket, at, at_most))
