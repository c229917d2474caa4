"""What can be read of settlements."""

from datetime import date
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.payments.settlements import rules, store
from wufeng.payments.settlements.model import Settlement, SettlementView


async def get_settlement(db: Connection, book: Book, settlement_id: UUID) -> Settlement:
    """One settlement. Raises the not_found problem for an unknown id."""
    found = await store.load_settlements(db, book.bucket_of(settlement_id), [settlement_id])
    if settlement_id not in found:
        raise not_found("settlement")
    return found[settlement_id]


async def list_settlements(
    db: Connection,
    book: Book,
    merchant_id: UUID,
    from_on: date | None,
    to_on: date | None,
    before: date | None,
    limit: int,
) -> list[SettlementView]:
    """A merchant's settlements of business dates from_on..to_on (both may be open), newest first.

    before  the business date of the last settlement of the page before
    """
    bucket = book.bucket_of(merchant_id)
    found = await store.list_settlements(db, bucket, merchant_id, from_on, to_on, before, limit)
    return [rules.view_of(settlement) for settlement in found]
