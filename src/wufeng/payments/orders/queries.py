"""Orders as they are read."""

from collections.abc import Sequence
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.orders import store
from wufeng.payments.orders.model import Order, OrderView, order_id
from wufeng.payments.orders.views import view_order

SEARCHED = 2_000
"""How many of a merchant's newest orders a search looks through."""


async def find_order(db: Connection, book: Book, order_id: UUID) -> Order | None:
    """One order, of whichever merchant of the book; None when there is none."""
    return await store.load_order(db, book.bucket_of(order_id), order_id)


async def list_orders(
    db: Connection, book: Book, merchant_id: UUID, starting_after: UUID | None, limit: int
) -> list[OrderView]:
    """A merchant's orders, the newest first, after one of them. An unknown one begins at the newest."""
    return [view_order(order) for order in await orders_of(db, book, merchant_id, starting_after, limit)]


async def orders_of(
    db: Connection, book: Book, merchant_id: UUID, starting_after: UUID | None, limit: int
) -> list[Order]:
    """The same orders as they are kept."""
    last = await find_order(db, book, starting_after) if starting_after is not None else None
    before = (last.created_at, last.terms.id) if last and last.terms.merchant_id == merchant_id else None
    return await store.list_orders(db, book.buckets, merchant_id, before, limit)


async def search_orders(
    db: Connection, book: Book, merchant_id: UUID, number: str, limit: int
) -> list[Order]:
    """A merchant's orders by their number: the one that has it, whatever its age; of the newest 2,000 also those whose
    number begins so.
    """
    exact = await find_order(db, book, order_id(merchant_id, number))
    found = await store.search_orders(db, book.buckets, merchant_id, number, SEARCHED, limit)
    if exact is not None and all(order.terms.id != exact.terms.id for order in found):
        found = [exact, *found][:limit]
    return found


async def orders_by_number(db: Connection, book: Book, merchants: Sequence[UUID], number: str) -> list[Order]:
    """The orders of some merchants that have this number, the newest first."""
    ids = [order_id(merchant, number) for merchant in merchants]
    found = await store.load_orders(db, book.buckets, ids)
    return sorted(found, key=lambda order: order.created_at, reverse=True)
