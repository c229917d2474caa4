"""Payment links as they are read, with how often they were paid."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.orders.store import load_orders
from wufeng.payments.payment_links import rules, store
from wufeng.payments.payment_links.model import Fate, PaymentLink, Use


async def load_link(db: Connection, book: Book, link_id: UUID) -> PaymentLink | None:
    """One link of a book, whoever's it is; None when there is none."""
    return await store.load_link(db, book.bucket_of(link_id), link_id)


async def list_links(
    db: Connection, book: Book, merchant_id: UUID, before: UUID | None, limit: int
) -> list[PaymentLink]:
    """A merchant's links, those that have ended too, the newest first."""
    return await store.list_links(db, book.bucket_of(merchant_id), merchant_id, before, limit)


async def uses_of(
    db: Connection, book: Book, links: Sequence[PaymentLink], at: datetime
) -> Mapping[UUID, list[Use]]:
    """The uses of links of one merchant, each with what became of its order; a link has at most 100."""
    if not links:
        return {}
    rows = await store.load_uses(db, book.bucket_of(links[0].id), [link.id for link in links])
    ids = [row.order_id for uses in rows.values() for row in uses]
    orders = {order.terms.id: order for order in await load_orders(db, book.buckets, ids)}
    return {
        link: [
            Use(
                number=row.number,
                order_id=row.order_id,
                person_id=row.person_id,
                fate=rules.fate_of(orders[row.order_id], at),
            )
            for row in uses
        ]
        for link, uses in rows.items()
    }


def paid_of(uses: Sequence[Use]) -> int:
    """How many uses of a link are paid."""
    return sum(use.fate is Fate.PAID for use in uses)
