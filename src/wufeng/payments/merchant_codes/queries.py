"""Static codes as they are read."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.merchant_codes import store
from wufeng.payments.merchant_codes.model import MerchantCode


async def load_code(db: Connection, book: Book, code_id: UUID) -> MerchantCode | None:
    """One code of a book, whoever's it is, closed ones too; None when there is none."""
    return await store.load_code(db, book.bucket_of(code_id), code_id)


async def list_codes(
    db: Connection, book: Book, merchant_id: UUID, before: UUID | None, limit: int
) -> list[MerchantCode]:
    """A merchant's codes, closed ones too, the newest first."""
    return await store.list_codes(db, book.bucket_of(merchant_id), merchant_id, before, limit)
