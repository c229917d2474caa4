"""What can be asked of checkout sessions: make one, end one. No money moves, so no lane is needed."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.books import Book
from wufeng.base.database import Database
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.ids import IdMaker, slot_of
from wufeng.identity import Merchants
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.checkout import rules, store
from wufeng.payments.checkout.model import CheckoutSession, CheckoutView
from wufeng.payments.checkout.views import view_session
from wufeng.payments.orders.queries import find_order
from wufeng.payments.orders.rules import problem_if_not_payable

LASTS = timedelta(hours=24)
"""How long a page stays open, unless its order expires before."""


class NewSession(Struct, frozen=True, kw_only=True):
    """A page somebody wants. No tenors named: all that the products in force have."""

    merchant_id: UUID
    order_id: UUID
    return_url: str
    cancel_url: str | None = None
    tenors: tuple[int, ...] = ()
    merchant_fee_share_ppm: int = 0


async def create_checkout(
    database: Database,
    ids: IdMaker,
    catalogue: Catalogue,
    merchants: Merchants,
    book: Book,
    new: NewSession,
    at: datetime,
) -> CheckoutView:
    """Open the page of an order. The newest page of an order is the one that binds.

    Refuses (raises) another merchant's order, one that is paid or closed, terms that no product has, and ways back
    that are not the merchant's.
    """
    tenors = _check(catalogue, book, new, at)
    bucket = book.bucket_of(new.order_id)
    async with database.transaction() as db:
        order = await find_order(db, book, new.order_id)
        if order is None or order.terms.merchant_id != new.merchant_id:
            raise invalid_field("/order", "There is no such order.")
        merchant = (await merchants.load(db, [new.merchant_id]))[new.merchant_id]
        _check_ways_back(book, new, merchant.return_origins)
        if (problem := problem_if_not_payable(order)) is not None:
            raise problem
        ends = at + LASTS
        if order.terms.expires_at is not None:
            ends = min(ends, order.terms.expires_at)
        session = CheckoutSession(
            id=ids.new(at, slot_of(new.order_id)),
            merchant_id=new.merchant_id,
            order_id=new.order_id,
            return_url=new.return_url,
            cancel_url=new.cancel_url,
            tenors=tenors,
            merchant_fee_share_ppm=new.merchant_fee_share_ppm,
            expired_at=None,
            expires_at=ends,
            created_at=at,
        )
        await store.insert_session(db, bucket, session)
    return view_session(session, order, at)


def _check_ways_back(book: Book, new: NewSession, origins: Collection[str]) -> None:
    rules.check_way_back(new.return_url, "/return_url", book.mode, origins)
    if new.cancel_url is not None:
        rules.check_way_back(new.cancel_url, "/cancel_url", book.mode, origins)


def _check(catalogue: Catalogue, book: Book, new: NewSession, at: datetime) -> tuple[int, ...]:
    products = catalogue.products.offered(book.business_date(at))
    offered = sorted({tenor for product in products for tenor in product.tenors})
    for place, tenor in enumerate(new.tenors):
        if tenor not in offered:
            detail = f"It is not offered; these are: {', '.join(map(str, offered))}."
            raise invalid_field(f"/tenors/{place}", detail)
    most_ppm = max((product.instalments.merchant_share_max_ppm for product in products), default=0)
    if not 0 <= new.merchant_fee_share_ppm <= most_ppm:
        raise invalid_field("/merchant_fee_share_ppm", f"It must be between 0 and {most_ppm}.")
    return tuple(sorted(set(new.tenors))) or tuple(offered)


async def expire_checkout(
    database: Database, book: Book, session_id: UUID, merchant_id: UUID, at: datetime
) -> CheckoutView:
    """End a page before its time. Another merchant's is not there (raises not_found); twice changes nothing."""
    bucket = book.bucket_of(session_id)
    async with database.transaction() as db:
        session = await store.load_session(db, bucket, session_id)
        if session is None or session.merchant_id != merchant_id:
            raise not_found("checkout session")
        await store.expire_session(db, bucket, session_id, at)
        order = await find_order(db, book, session.order_id)
        assert order is not None, "an order is kept for ever"
    return view_session(replace(session, expired_at=session.expired_at or at), order, at)


async def cancel_checkout(database: Database, book: Book, session_id: UUID, at: datetime) -> CheckoutView:
    """A person who has the page does not want to pay on it: it ends, and its order waits for another page.

    Refuses (raises) an absent one, and one that has ended otherwise or whose order is being paid. Twice is once.
    """
    bucket = book.bucket_of(session_id)
    async with database.transaction() as db:
        session = await store.load_session(db, bucket, session_id)
        if session is None:
            raise not_found("checkout session")
        order = await find_order(db, book, session.order_id)
        assert order is not None, "an order is kept for ever"
        if (problem := rules.problem_if_not_cancellable(session, order, at)) is not None:
            raise problem
        await store.cancel_session(db, bucket, session_id, at)
    return view_session(replace(session, cancelled_at=session.cancelled_at or at), order, at)
