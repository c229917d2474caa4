"""Orders as they are read."""

from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.orders import store
from wufeng.payments.orders.model import Order, OrderView
from wufeng.payments.orders.views import view_order


async def find_order(db: Connection, book: Book, order_id: UUID) -> Order | None:
    """One order, of whichever merchant of the book; None when there is none."""
    return await store.load_order(db, book.bucket_of(order_id), order_id)


async def list_orders(
    db: Connection, book: Book, merchant_id: UUID, starting_after: UUID | None, limit: int
) -> list[OrderView]:
    """A merchant's orders, the newest first, after one of them. An unknown one begins at the newest."""
    last = await find_order(db, book, starting_after) if starting_after is not None else None
    before = (last.created_at, last.terms.id) if last and last.terms.merchant_id == merchant_id else None
    found = await store.list_orders(db, book.buckets, merchant_id, before, limit)
    return [view_order(order) for order in found]
