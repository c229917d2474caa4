"""Checkout sessions as they are read, and what they bind."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import invalid_field
from wufeng.payments.checkout import store
from wufeng.payments.checkout.asked import AskedOrders
from wufeng.payments.checkout.model import Bounds, CheckoutSession
from wufeng.payments.pay.model import Funding


async def load_checkout(db: Connection, book: Book, session_id: UUID) -> CheckoutSession | None:
    """One session of a book, whoever's it is; None when there is none."""
    return await store.load_session(db, book.bucket_of(session_id), session_id)


async def newest_checkout(db: Connection, book: Book, order_id: UUID) -> CheckoutSession | None:
    """The latest page of an order, live or not; None when it never had one."""
    return await store.load_newest_session(db, book.bucket_of(order_id), order_id)


async def bounds_of_order(db: Connection, book: Book, order_id: UUID, at: datetime) -> Bounds | None:
    """What the live session of an order binds; None when there is no live one."""
    return _bounds_of(await newest_checkout(db, book, order_id), at)


async def bind_funding(
    asked: AskedOrders, book: Book, order_id: UUID, funding: Funding, at: datetime
) -> Funding:
    """Funding that a payer names freely, bound by the live session of the order: its tenors, its share of the fee.

    Refuses (raises invalid_field) a tenor that the session does not have.
    """
    if funding.line_id is None:
        return funding
    bounds = _bounds_of(await asked.newest_session(book, order_id), at)
    if bounds is None:
        return funding
    if funding.tenor not in bounds.tenors:
        raise invalid_field("/funding", f"This checkout offers tenors {', '.join(map(str, bounds.tenors))}.")
    return replace(funding, merchant_share_ppm=bounds.merchant_share_ppm if funding.tenor > 1 else 0)


def _bounds_of(session: CheckoutSession | None, at: datetime) -> Bounds | None:
    if session is None or not session.is_live(at):
        return None
    return Bounds(session.tenors, session.merchant_fee_share_ppm)
