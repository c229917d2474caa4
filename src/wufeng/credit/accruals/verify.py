"""The proof of the sums of earned interest: account by account once more, beside what events and closes have kept."""

from enum import StrEnum

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.ledger import Break

SQL = load(__file__)


class AccrualBreak(StrEnum):
    """What does not agree."""

    ACCRUED = "accrued"  # a product's sum is not what its draws and bills have earned and no bill holds
    ACCRUAL_BOOKED = "accrual_booked"  # the ledger has another sum than the closes noted


async def accrual_breaks(db: Connection, bucket: int) -> list[Break]:
    """Where the sums of a bucket are not what all its draws and bills give: a check of `ledger.verify`."""
    breaks = [
        Break(
            bucket,
            AccrualBreak.ACCRUED,
            f"product {row['product']}@{row['product_version']}",
            f"{row['micro']} micro, {row['daily_micro']} a day",
            f"{row['found_micro']} micro, {row['found_daily_micro']} a day",
        )
        for row in await db.fetch(SQL.wrong_sums, bucket)
    ]
    breaks += [
        Break(bucket, AccrualBreak.ACCRUAL_BOOKED, "accruals", row["noted_minor"], row["booked_minor"])
        for row in await db.fetch(SQL.wrong_booked, bucket)
    ]
    return breaks
