"""What can be asked of payment links: make one, take it up, close it. No money moves, so no lane is needed."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import IdMaker, Prefix, encode, hashed_id, slot_of
from wufeng.identity import Merchants
from wufeng.identity.merchants.model import MerchantStatus
from wufeng.payments.offered import terms_of
from wufeng.payments.orders.model import Channel, Order
from wufeng.payments.orders.queries import find_order
from wufeng.payments.orders.store import insert_orders
from wufeng.payments.payment_links import rules, store
from wufeng.payments.payment_links.model import PaymentLink
from wufeng.payments.payment_links.queries import paid_of, uses_of
from wufeng.payments.payment_links.store import UseRow


class NewLink(Struct, frozen=True, kw_only=True):
    """A link somebody wants."""

    merchant_id: UUID
    amount_minor: int
    subject: str
    uses_max: int
    expires_at: datetime | None


async def create_link(
    database: Database, ids: IdMaker, book: Book, new: NewLink, at: datetime
) -> PaymentLink:
    """Make a link; without an end it can be paid for seven days. Refuses (raises) an end that has passed."""
    link = PaymentLink(
        id=ids.new(at, slot_of(new.merchant_id)),
        merchant_id=new.merchant_id,
        amount_minor=new.amount_minor,
        subject=new.subject,
        uses_max=new.uses_max,
        expires_at=rules.check_end(new.expires_at, at),
        closed_at=None,
        created_at=at,
    )
    async with database.transaction() as db:
        await store.insert_link(db, book.bucket_of(link.id), link)
    return link


async def close_link(
    database: Database, book: Book, link_id: UUID, merchant_id: UUID, at: datetime
) -> PaymentLink:
    """Close a link for good. An order that somebody has taken up already can be paid until it ends.

    Another merchant's is not there (raises not_found); twice changes nothing.
    """
    async with database.transaction() as db:
        link = await store.close_link(db, book.bucket_of(link_id), link_id, merchant_id, at)
    if link is None:
        raise not_found("payment link")
    return link


async def take_up(
    database: Database,
    ids: IdMaker,
    merchants: Merchants,
    book: Book,
    link_id: UUID,
    person_id: UUID,
    at: datetime,
) -> Order:
    """The order that a person with a link pays: asked again, the same one while it waits.

    The caller has shown that the link was given to them. Refuses (raises) one that has ended or is used up.
    """
    bucket = book.bucket_of(link_id)
    async with database.transaction() as db:
        link = await store.lock_link(db, bucket, link_id)
        if link is None:
            raise not_found("payment link")
        uses = (await uses_of(db, book, [link], at))[link_id]
        if (problem := rules.problem_if_ended(link, paid_of(uses), at)) is not None:
            raise problem
        use = rules.use_for(link, uses, person_id)
        if isinstance(use, int):
            return await _new_order(db, ids, merchants, book, link, use, person_id, at)
        order = await find_order(db, book, use.order_id)
    assert order is not None, "an order is kept for ever"
    return order


async def _new_order(
    db: Connection,
    ids: IdMaker,
    merchants: Merchants,
    book: Book,
    link: PaymentLink,
    number: int,
    person_id: UUID,
    at: datetime,
) -> Order:
    merchant = (await merchants.load(db, [link.merchant_id]))[link.merchant_id]
    if merchant.status is not MerchantStatus.ACTIVE:
        raise Problem(Code.STATE_CONFLICT, "This merchant is closed.")
    terms = terms_of(
        Channel.LINK,
        merchant,
        book,
        person_id,
        hashed_id(b"link", link.id.bytes, ids.new_anywhere(at).bytes),
        link.amount_minor,
        link.subject,
        at,
        {"payment_link": encode(Prefix.PAYMENT_LINK, link.id)},
    )
    assert terms.expires_at is not None, "such an order ends"
    await insert_orders(db, book, [terms], [None], at)
    use = UseRow(number, terms.id, person_id)
    await store.put_use(db, book.bucket_of(link.id), link.id, use, terms.expires_at)
    return Order.new(terms, at)
