"""Friends' links as they are read."""

from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.friend_links import store
from wufeng.payments.friend_links.model import FriendLink
from wufeng.payments.orders.model import Order
from wufeng.payments.orders.queries import find_order


class Asked(Struct, frozen=True):
    """A link with the order that it asks for."""

    link: FriendLink
    order: Order


async def load_asked(db: Connection, book: Book, link_id: UUID) -> Asked | None:
    """One link of a book with its order, whoever's it is; None when there is none."""
    link = await store.load_link(db, book.bucket_of(link_id), link_id)
    if link is None:
        return None
    order = await find_order(db, book, link.order_id)
    assert order is not None, "an order is kept for ever"
    return Asked(link, order)
