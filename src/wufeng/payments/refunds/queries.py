"""Refunds as they are read."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.refunds import store
from wufeng.payments.refunds.model import Refund


async def load_refund(db: Connection, book: Book, refund_id: UUID) -> Refund | None:
    """One refund of a book, whoever's it is; None when there is none."""
    return (await store.load_refunds(db, book.bucket_of(refund_id), [refund_id])).get(refund_id)
