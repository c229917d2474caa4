"""Every order is paid on its hosted page: who comes by a code or a link is led there, and it is opened if need be."""

from datetime import datetime
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Database
from wufeng.base.errors import not_found
from wufeng.base.ids import IdMaker, slot_of
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.checkout.commands import LASTS
from wufeng.payments.checkout.model import CheckoutSession
from wufeng.payments.checkout.queries import newest_checkout
from wufeng.payments.checkout.store import insert_session
from wufeng.payments.orders.queries import find_order
from wufeng.payments.scans.model import Standing
from wufeng.payments.scans.rules import standing_of_order


async def page_of_order(
    database: Database,
    ids: IdMaker,
    catalogue: Catalogue,
    book: Book,
    order_id: UUID,
    back: str,
    at: datetime,
) -> CheckoutSession | None:
    """The page of an order: the newest one while it is live, else a new one that binds the same.

    back  where whoever has paid goes on to
    An order that cannot be paid, whatever the reason, gets no new page: its last one says so; None: it never had one.
    """
    async with database.transaction() as db:
        order = await find_order(db, book, order_id)
        if order is None:
            raise not_found("order")
        last = await newest_checkout(db, book, order_id)
        if standing_of_order(order, at) is not Standing.OPEN or (last is not None and last.is_live(at)):
            return last
        offered = catalogue.products.offered(book.business_date(at))
        ends = at + LASTS
        session = CheckoutSession(
            id=ids.new(at, slot_of(order_id)),
            merchant_id=order.terms.merchant_id,
            order_id=order_id,
            return_url=back,
            tenors=last.tenors if last else tuple(sorted({n for product in offered for n in product.tenors})),
            merchant_fee_share_ppm=_share_that_stands(last),
            expired_at=None,
            expires_at=min(ends, order.terms.expires_at) if order.terms.expires_at else ends,
            created_at=at,
        )
        await insert_session(db, book.bucket_of(order_id), session)
    return session


def _share_that_stands(last: CheckoutSession | None) -> int:
    """What the merchant still carries of the fee: whoever ends a page before its time takes the offer back."""
    return last.merchant_fee_share_ppm if last is not None and last.expired_at is None else 0
