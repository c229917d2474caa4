"""The proof of family cards: what payments have taken of their months, beside what is kept as used."""

from enum import StrEnum

from wufeng.base.database import Connection
from wufeng.ledger import Break
from wufeng.ledger.verify import BREAKS_MAX
from wufeng.payments.family import store


class FamilyBreak(StrEnum):
    """What does not agree."""

    FAMILY_USED = "family_used"  # a card's used amount is not what payments of its month hold or have taken


async def family_breaks(db: Connection, bucket: int) -> list[Break]:
    """Where a bucket's family cards are not what its payments say: a check of `ledger.verify`."""
    return [
        Break(bucket, FamilyBreak.FAMILY_USED, f"family card {card}", expected, found)
        for card, expected, found in await store.wrong_cards(db, bucket, BREAKS_MAX)
    ]
