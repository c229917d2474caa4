"""The proof of campaigns' budgets: what payments have taken of them, beside what is kept as used."""

from enum import StrEnum

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.ledger import Break
from wufeng.ledger.verify import BREAKS_MAX

SQL = load(__file__)


class BudgetBreak(StrEnum):
    """What does not agree."""

    CAMPAIGN_USED = (
        "campaign_used"  # a slice's used amount is not what payments hold of it, or is more than its own
    )


async def budget_breaks(db: Connection, bucket: int) -> list[Break]:
    """Where a bucket's slices of budgets are not what its payments say: a check of `ledger.verify`."""
    return [
        Break(
            bucket,
            BudgetBreak.CAMPAIGN_USED,
            f"campaign {row['campaign_id']}",
            row["expected"],
            row["found"],
        )
        for row in await db.fetch(SQL.wrong_slices, bucket, BREAKS_MAX)
    ]
