"""What can be read about merchants."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import not_found
from wufeng.identity.merchants import store
from wufeng.identity.merchants.model import Merchant


async def load_merchant(db: Connection, book: Book, merchant_id: UUID) -> Merchant:
    """One merchant of a book, closed ones too. Raises the not_found problem for an unknown id and another book's."""
    merchant = (await store.load_merchants(db, [merchant_id])).get(merchant_id)
    if merchant is None or merchant.book_id != book.id:
        raise not_found("merchant")
    return merchant


async def list_merchants(db: Connection, book: Book, at_most: int) -> list[UUID]:
    """The ids of a book's merchants, closed ones too, the newest first."""
    return await store.list_ids(db, book.id, at_most)
