"""Orders that are about to be paid, and what binds their funding: read for many requests at a time."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.coalesce import BucketCoalescer
from wufeng.base.database import Connection, Database
from wufeng.payments.checkout import store
from wufeng.payments.checkout.model import CheckoutSession
from wufeng.payments.orders.model import Order
from wufeng.payments.orders.store import load_orders


class AskedOrders:
    """Look-ups of one process that come at the same time share their statements, as authentication's do."""

    def __init__(self, database: Database) -> None:
        self._orders: BucketCoalescer[UUID, Order] = BucketCoalescer(database, _load_orders)
        self._sessions: BucketCoalescer[UUID, CheckoutSession] = BucketCoalescer(
            database, store.load_newest_sessions
        )

    async def order(self, book: Book, order_id: UUID) -> Order | None:
        """One order, of whichever merchant of the book; None when there is none."""
        return await self._orders.get(book.bucket_of(order_id), order_id)

    async def newest_session(self, book: Book, order_id: UUID) -> CheckoutSession | None:
        """The latest checkout page of an order, live or not; None when it never had one."""
        return await self._sessions.get(book.bucket_of(order_id), order_id)


async def _load_orders(db: Connection, bucket: int, ids: Sequence[UUID]) -> Mapping[UUID, Order]:
    return {order.terms.id: order for order in await load_orders(db, [bucket], ids)}
