"""Search: an id of any kind, a phone, an order number; straight to the page when there is one."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.errors import Problem, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.credit.queries import load_bill, load_draw, load_line, load_repayment
from wufeng.identity import Private
from wufeng.identity.merchants.model import Merchant
from wufeng.identity.merchants.queries import list_merchants, load_merchant
from wufeng.identity.people.queries import get_person, person_of_phone, person_of_wallet
from wufeng.payments import PaymentFilter, find_order, list_payments, load_checkout, load_payment, load_refund
from wufeng.payments.orders.model import Order
from wufeng.payments.orders.queries import orders_by_number
from wufeng.payments.pay.model import Payment
from wufeng.payments.wallets.queries import show_movement
from wufeng.risk import load_decision
from wufeng.web.console.frame import merchant_names, reading, show
from wufeng.web.paging import Door, Reply, Visit, pages_of

LATEST = 50
MERCHANTS_MAX = 5_000
TEXT_MAX = 100


class Hit(Struct, frozen=True):
    """One thing found in a list: a payment, or an order that nobody has paid yet."""

    id: str
    title: str
    subject: str
    amount_minor: int
    currency: str
    status: str
    link: str | None


class Found(Struct, frozen=True, kw_only=True):
    """What a search has come to: a page to go to, or a list, with its merchant if it is one's."""

    page: str | None = None
    merchant: Merchant | None = None
    hits: tuple[Hit, ...] = ()


NOTHING = Found()


async def search(visit: Visit) -> Reply:
    """One box for everything."""
    text = visit.field("q")
    found = NOTHING
    if text and len(text) <= TEXT_MAX and text.isprintable():
        async with visit.services.database.read() as db:
            try:
                found = await _find(visit, db, text)
            except Problem:  # every way of looking says not_found, also of another book's
                found = NOTHING
    if found.page is not None:
        return visit.go(found.page)
    merchant = found.merchant
    return await show(
        visit,
        "search.html",
        q=text,
        hits=found.hits,
        merchant=merchant,
        merchant_id=encode(Prefix.MERCHANT, merchant.id) if merchant else "",
    )


async def _find(visit: Visit, db: Connection, text: str) -> Found:
    head = text.partition("_")[0]
    if head in _WAYS:
        try:
            id_ = decode(Prefix(head), text)
        except ValueError:
            return NOTHING
        return await _WAYS[head](visit, db, id_)
    services, book = visit.services, visit.book
    person_id = await person_of_phone(db, services.vault, book, Private(text))
    if person_id is not None:
        return Found(page=_person(person_id))
    number, _, merchant_text = text.rpartition(" ")
    if number and merchant_text.startswith("mer_"):
        try:
            merchants = [decode(Prefix.MERCHANT, merchant_text)]
        except ValueError:
            return NOTHING
        await load_merchant(db, book, merchants[0])
    else:
        number, merchants = text, await list_merchants(db, book, MERCHANTS_MAX)
    orders = await orders_by_number(db, book, merchants, number.strip())
    if len(orders) == 1 and orders[0].payer_id is not None:
        return _of_order(orders[0])
    return Found(hits=await _order_hits(visit, db, orders))


def _person(person_id: UUID, around: UUID | None = None) -> str:
    path = f"/console/people/{encode(Prefix.PERSON, person_id)}"
    if around is None:
        return path
    shown = encode(Prefix.PAYMENT, around)
    return f"{path}?around={shown}#{shown}"


def _of_order(order: Order) -> Found:
    assert order.payer_id is not None
    return Found(page=_person(order.payer_id, order.payment_id))


async def _order_hits(visit: Visit, db: Connection, orders: list[Order]) -> tuple[Hit, ...]:
    names = await merchant_names(
        visit, db, {encode(Prefix.MERCHANT, one.terms.merchant_id) for one in orders}
    )
    return tuple(
        Hit(
            encode(Prefix.ORDER, order.terms.id),
            names[encode(Prefix.MERCHANT, order.terms.merchant_id)],
            f"{order.terms.order_no} · {order.terms.subject}",
            order.terms.amount_minor,
            order.terms.currency,
            order.state.value,
            _person(order.payer_id, order.payment_id) if order.payer_id else None,
        )
        for order in orders
    )


async def _of_person(visit: Visit, db: Connection, id_: UUID) -> Found:
    await get_person(db, visit.services.vault, visit.book, id_)
    return Found(page=_person(id_))


async def _of_wallet(visit: Visit, db: Connection, id_: UUID) -> Found:
    person_id = await person_of_wallet(db, visit.book, id_)
    return Found(page=_person(person_id)) if person_id is not None else NOTHING


async def _of_payment(visit: Visit, db: Connection, id_: UUID) -> Found:
    payment = await load_payment(db, visit.book, id_)
    return Found(page=_person(payment.payer_id, payment.id)) if payment is not None else NOTHING


async def _of_order_id(visit: Visit, db: Connection, id_: UUID) -> Found:
    order = await find_order(db, visit.book, id_)
    if order is None:
        return NOTHING
    return (
        _of_order(order) if order.payer_id is not None else Found(hits=await _order_hits(visit, db, [order]))
    )


async def _of_checkout(visit: Visit, db: Connection, id_: UUID) -> Found:
    session = await load_checkout(db, visit.book, id_)
    return await _of_order_id(visit, db, session.order_id) if session is not None else NOTHING


async def _of_refund(visit: Visit, db: Connection, id_: UUID) -> Found:
    refund = await load_refund(db, visit.book, id_)
    return Found(page=_person(refund.payer_id, refund.payment_id)) if refund is not None else NOTHING


async def _of_line(visit: Visit, db: Connection, id_: UUID) -> Found:
    return Found(page=_person((await load_line(reading(visit, db), id_)).person_id))


async def _of_draw(visit: Visit, db: Connection, id_: UUID) -> Found:
    draw, line = await load_draw(reading(visit, db), id_)
    return Found(page=_person(line.person_id, draw.payment_id))


async def _of_bill(visit: Visit, db: Connection, id_: UUID) -> Found:
    return Found(page=_person((await load_bill(reading(visit, db), id_))[1].person_id))


async def _of_repayment(visit: Visit, db: Connection, id_: UUID) -> Found:
    read = reading(visit, db)
    return await _of_line(visit, db, (await load_repayment(read, id_)).line_id)


async def _of_movement(visit: Visit, db: Connection, id_: UUID) -> Found:
    movement = await show_movement(db, visit.book, id_)
    return await _of_wallet(visit, db, decode(Prefix.WALLET, movement.wallet))


async def _of_decision(visit: Visit, db: Connection, id_: UUID) -> Found:
    if await load_decision(db, visit.book.bucket_of(id_), id_) is None:
        raise not_found("decision")
    return Found(page=f"/console/decisions/{encode(Prefix.DECISION, id_)}")


async def _of_journal(_visit: Visit, _db: Connection, id_: UUID) -> Found:
    return Found(page=f"/console/journals?of={encode(Prefix.JOURNAL, id_)}")


async def _of_merchant(visit: Visit, db: Connection, id_: UUID) -> Found:
    merchant = await load_merchant(db, visit.book, id_)
    payments = await list_payments(db, visit.book, PaymentFilter(merchant_id=id_), None, LATEST)
    return Found(merchant=merchant, hits=tuple(_payment_hit(one) for one in payments))


def _payment_hit(payment: Payment) -> Hit:
    return Hit(
        encode(Prefix.PAYMENT, payment.id),
        payment.order_no,
        payment.subject,
        payment.amount_minor,
        payment.currency,
        payment.status.value,
        _person(payment.payer_id, payment.id),
    )


_WAYS: Mapping[str, Callable[[Visit, Connection, UUID], Awaitable[Found]]] = {
    Prefix.PERSON: _of_person,
    Prefix.WALLET: _of_wallet,
    Prefix.PAYMENT: _of_payment,
    Prefix.ORDER: _of_order_id,
    Prefix.CHECKOUT_SESSION: _of_checkout,
    Prefix.REFUND: _of_refund,
    Prefix.LINE: _of_line,
    Prefix.DRAW: _of_draw,
    Prefix.PLAN: _of_draw,
    Prefix.BILL: _of_bill,
    Prefix.REPAYMENT: _of_repayment,
    Prefix.TOP_UP: _of_movement,
    Prefix.WITHDRAWAL: _of_movement,
    Prefix.DECISION: _of_decision,
    Prefix.JOURNAL: _of_journal,
    Prefix.MERCHANT: _of_merchant,
}
"""How each kind of id is looked up."""

page = pages_of(Door.CONSOLE)

PAGES = (page("GET", "/console/search", "console_search", search),)
