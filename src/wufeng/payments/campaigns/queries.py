"""Campaigns as they are read."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.campaigns import store
from wufeng.payments.campaigns.model import Counted, Offered


async def load_campaign(db: Connection, book: Book, campaign_id: UUID) -> Counted | None:
    """One campaign of a book, whoever's it is; None when there is none."""
    found = await store.list_campaigns(db, book.id, book.buckets, None, campaign_id, None, 1)
    return found[0] if found else None


async def list_campaigns(
    db: Connection, book: Book, merchant_id: UUID | None, before: UUID | None, limit: int
) -> list[Counted]:
    """Campaigns of a merchant, those over too, the newest first; None: of all merchants of the book."""
    return await store.list_campaigns(db, book.id, book.buckets, merchant_id, None, before, limit)


async def offered_at(
    db: Connection, book: Book, merchant_id: UUID, on: date, payer_id: UUID | None = None
) -> Sequence[Offered]:
    """What is open at a merchant, with its room: what that payer's payment could take now; without one, all of it."""
    buckets = book.buckets if payer_id is None else (book.bucket_of(payer_id),)
    return await store.load_offered(db, book.id, buckets, merchant_id, on)
