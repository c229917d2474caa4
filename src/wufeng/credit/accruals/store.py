"""Where the sums of earned interest are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Mapping
from datetime import date

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.accruals.identity import Standing
from wufeng.credit.accruals.sums import Course, Delta

SQL = load(__file__)

ProductVersion = tuple[str, int]
"""A product, and the version that lines were opened under."""


async def move_accruals(db: Connection, bucket: int, courses: Mapping[ProductVersion, Course]) -> None:
    """Move the sums of some products, each by the rows of a course."""
    rows = [(key, on, delta) for key, course in courses.items() for on, delta in course.items()]
    await db.execute(
        SQL.move_accruals,
        bucket,
        [product for (product, _), _, _ in rows],
        [version for (_, version), _, _ in rows],
        [on for _, on, _ in rows],
        [delta.micro for _, _, delta in rows],
        [delta.daily_micro for _, _, delta in rows],
        [delta.billed_minor for _, _, delta in rows],
    )


async def sums_at(db: Connection, bucket: int, on: date) -> dict[ProductVersion, Delta]:
    """What is earned and not billed at the end of a date, what comes a day, and what was billed in all."""
    return {
        (row["product"], row["product_version"]): Delta(row["micro"], row["daily_micro"], row["billed_minor"])
        for row in await db.fetch(SQL.sums_at, bucket, on)
    }


async def fold_sums(db: Connection, bucket: int, on: date) -> None:
    """Make one row a product of the rows up to a date that is closed."""
    await db.execute(SQL.fold_sums, bucket, on)


async def last_closed(db: Connection, bucket: int) -> dict[ProductVersion, tuple[date, int]]:
    """What stands as accrued in the ledger, by product, and since which date's close."""
    return {
        (row["product"], row["product_version"]): (row["business_on"], row["accrued_minor"])
        for row in await db.fetch(SQL.last_closed, bucket)
    }


async def insert_closed(
    db: Connection, bucket: int, on: date, accrued_minor: Mapping[ProductVersion, int]
) -> set[ProductVersion]:
    """Note what the close of a date books as accrued; returns those that no other closer has noted before."""
    rows = await db.fetch(
        SQL.insert_closed,
        bucket,
        on,
        [product for product, _ in accrued_minor],
        [version for _, version in accrued_minor],
        list(accrued_minor.values()),
    )
    return {(row["product"], row["product_version"]) for row in rows}


async def read_ledger(db: Connection, bucket: int) -> list[Standing]:
    """Read the journals of a bucket that were not read before, and say how its products stand.

    Each journal is read once, so the cost follows events. Works in the caller's transaction, and locks no more than
    the number up to which the bucket has been read.
    """
    await db.execute(SQL.begin_reading, bucket)
    seq = await db.fetchval(SQL.lock_reading, bucket)
    return [Standing(**dict(row)) for row in await db.fetch(SQL.read_ledger, bucket, seq)]
