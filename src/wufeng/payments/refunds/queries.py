"""Refunds as they are read."""

from datetime import date
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import first_id_of
from wufeng.payments.refunds import store
from wufeng.payments.refunds.model import Refund

SHOWN_MAX = 200
SUMMED_MAX = 50_000


async def load_refund(db: Connection, book: Book, refund_id: UUID) -> Refund | None:
    """One refund of a book, whoever's it is; None when there is none."""
    return (await store.load_refunds(db, book.bucket_of(refund_id), [refund_id])).get(refund_id)


async def refunds_of_payment(db: Connection, book: Book, payment_id: UUID) -> list[Refund]:
    """The refunds of one payment, the oldest first; at most 200."""
    return await store.refunds_of_payment(db, book.bucket_of(payment_id), payment_id, SHOWN_MAX)


async def refunds_since(db: Connection, book: Book, merchant_id: UUID, on: date) -> tuple[int, int]:
    """How many refunds a merchant has given on a business date and since, and their sum in minor units."""
    first = first_id_of(book.start_of(on))
    return await store.sum_refunds(db, book.buckets, merchant_id, first, SUMMED_MAX)
