"""Where the sums of earned interest are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Mapping
from datetime import date

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.accruals.sums import Delta

SQL = load(__file__)

ProductVersion = tuple[str, int]
"""A product, and the version that lines were opened under."""


async def move_accruals(
    db: Connection, bucket: int, deltas: Mapping[ProductVersion, Delta], on: date
) -> None:
    """Move the sums of a date."""
    await db.execute(
        SQL.move_accruals,
        bucket,
        [product for product, _ in deltas],
        [version for _, version in deltas],
        [on] * len(deltas),
        [delta.micro for delta in deltas.values()],
        [delta.daily_micro for delta in deltas.values()],
    )


async def sums_at(db: Connection, bucket: int, on: date) -> dict[ProductVersion, Delta]:
    """What is earned and not billed at the end of a date, and what comes a day."""
    return {
        (row["product"], row["product_version"]): Delta(row["micro"], row["daily_micro"])
        for row in await db.fetch(SQL.sums_at, bucket, on)
    }


async def fold_sums(db: Connection, bucket: int, on: date) -> None:
    """Make one row a product of the events up to a date that is closed."""
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
