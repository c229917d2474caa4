"""Orders: the list, one order from its making to its settlement, its refund, and its result as it comes."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import segno
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.client import ApiProblem
from wufeng.identity import own_merchant
from wufeng.identity.merchants.model import Merchant
from wufeng.payments.checkout.model import CheckoutSession
from wufeng.payments.checkout.queries import newest_checkout
from wufeng.payments.merchant_codes.views import drawn, emv_of_order, url_of_order
from wufeng.payments.orders.model import Order, OrderState
from wufeng.payments.orders.queries import find_order, orders_of, search_orders
from wufeng.payments.pay.model import Payment, PaymentStatus
from wufeng.payments.pay.queries import load_payment
from wufeng.payments.refunds.model import Refund, RefundReason
from wufeng.payments.refunds.queries import refunds_of_payment
from wufeng.payments.settlements.model import SettlementView
from wufeng.payments.settlements.queries import list_settlements
from wufeng.web.merchant.take import own_address
from wufeng.web.paging import Door, Reply, Visit, pages_of
from wufeng.web.texts import as_markup, minor_of

A_PAGE = 25
NUMBER_MAX = 64
ROUNDS = 15 * 60
"""How often a live result looks, once a second, before the page has to ask again."""

LOOKS_EVERY_S = 1.0
REASON_MAX = 200
PAID = frozenset({OrderState.PAID, OrderState.SHIPPED, OrderState.RECEIPT_CONFIRMED})


class Shown(Struct, frozen=True):
    """An order as a list shows it. `state` tells refunds too."""

    order: Order
    id: str
    state: str


class Whole(Struct, frozen=True):
    """An order with all that belongs to it."""

    order: Order
    merchant: Merchant
    session: CheckoutSession | None
    payment: Payment | None
    refunds: Sequence[Refund]
    settlement: SettlementView | None

    @property
    def left_minor(self) -> int:
        """What can still be given back."""
        payment = self.payment
        return payment.captured_minor - payment.refunded_minor if payment is not None else 0


async def list_all(visit: Visit) -> Reply:
    """The newest orders, or those with a number."""
    number, after = visit.field("number")[:NUMBER_MAX], _order_id(visit.field("after"))
    async with visit.services.database.read() as db:
        if number:
            found = await search_orders(db, visit.book, visit.caller.id, number, A_PAGE)
        else:
            found = await orders_of(db, visit.book, visit.caller.id, after, A_PAGE + 1)
        orders = await shown_orders(visit, db, found[:A_PAGE])
    return visit.show(
        "merchant/orders.html",
        orders=orders,
        number=number,
        more=orders[-1].id if len(found) > A_PAGE else None,
        at="orders",
    )


async def show_order(visit: Visit) -> Reply:
    """One order: to be paid by its code, or with its timeline and its refund."""
    return _show(visit, await _whole(visit))


async def refund(visit: Visit) -> Reply:
    """Give money back, whole or a part. The form's key is the refund's number: sent twice, it is one refund."""
    whole = await _whole(visit)
    key, payment = visit.key(), whole.payment
    if payment is None or payment.captured_minor == 0:
        return _show(visit, whole, visit.gettext("This order is not paid: there is nothing to give back."))
    asked_whole = visit.field("how") == "whole"
    typed = visit.field("left") if asked_whole else visit.field("amount")
    amount_minor = minor_of(typed, payment.currency)
    if not amount_minor:
        return _show(visit, whole, visit.gettext("Enter the amount to give back, such as 12.80."))
    reason = visit.field("reason")[:REASON_MAX] or visit.gettext("No reason given")
    try:
        await visit.api.refunds.create(
            payment=encode(Prefix.PAYMENT, payment.id),
            refund_no=key,
            amount_minor=amount_minor,
            reason=reason,
            reason_code=_reason_code(visit),
            idempotency_key=key,
        )
    except ApiProblem as problem:
        if problem.code not in (Code.STATE_CONFLICT, Code.INVALID_FIELD, Code.IDEMPOTENCY_KEY_REUSED):
            raise
        return _show(visit, await _whole(visit), _too_much(visit, whole, problem))
    return visit.go(f"/merchant/orders/{visit.values['id']}?given={key}#refunds")


async def live(visit: Visit) -> Reply:
    """The order's result as it comes: an event at each change, the last one when it is decided."""
    whole, seen = await _whole(visit), visit.field("seen")
    return Reply(media_type="text/event-stream", stream=_changes(visit, whole.order.terms.id, seen))


async def _changes(visit: Visit, order_id: UUID, seen: str) -> AsyncIterator[bytes]:
    """One indexed read a second. A piece that tells the end has no source of more in it."""
    for _ in range(ROUNDS):
        order = await _now(visit, order_id)
        state = live_state(order)
        if state != seen:
            yield _event(visit, order, state)
            seen = state
        if state not in ("open", "taking"):
            await asyncio.sleep(
                3 * LOOKS_EVERY_S
            )  # for the browser to end it: what breaks off is looked at again
            return
        await asyncio.sleep(LOOKS_EVERY_S)
        yield b": still here\n\n"
    yield _event(visit, await _now(visit, order_id), "asleep")


async def _now(visit: Visit, order_id: UUID) -> Order:
    async with visit.services.database.read() as db:
        order = await find_order(db, visit.book, order_id)
    assert order is not None, "an order is kept for ever"
    return order


def _event(visit: Visit, order: Order, state: str) -> bytes:
    html = visit.show("merchant/_live.html", **live_of(order, state)).body.decode()
    lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"event: state\n{lines}\n".encode()


def live_state(order: Order) -> str:
    """What a till wants to know: open, taking (somebody is paying it), paid, or over."""
    if order.state is OrderState.OPEN:
        return "open" if order.payment_id is None else "taking"
    return "paid" if order.state in PAID else "over"


def live_of(order: Order, state: str) -> dict[str, Any]:
    """What the live piece of a page shows."""
    return {"order": order, "order_public": encode(Prefix.ORDER, order.terms.id), "state": state}


async def shown_orders(visit: Visit, db: Connection, orders: Sequence[Order]) -> list[Shown]:
    """Orders for a list. Only those that are paid are looked up for refunds, a statement each."""
    shown = []
    for order in orders:
        state = order.state.value
        if order.state in PAID and order.payment_id is not None:
            payment = await load_payment(db, visit.book, order.payment_id)
            if payment is not None and payment.refunded_minor:
                part = payment.refunded_minor < payment.captured_minor
                state = "part_refunded" if part else "refunded"
        shown.append(Shown(order, encode(Prefix.ORDER, order.terms.id), state))
    return shown


async def _whole(visit: Visit) -> Whole:
    """The order in the path with what belongs to it. Another merchant's is not there."""
    order_id, book = visit.path_id(Prefix.ORDER, "order"), visit.book
    async with visit.services.database.read() as db:
        order = await find_order(db, book, order_id)
        if order is None:
            raise not_found("order")
        own_merchant(visit.caller, order.terms.merchant_id, "order")
        session = await newest_checkout(db, book, order_id)
        payment = await load_payment(db, book, order.payment_id) if order.payment_id is not None else None
        refunds = await refunds_of_payment(db, book, payment.id) if payment is not None else []
        settlement = None
        if payment is not None and payment.captured_at is not None:
            on = book.business_date(payment.captured_at)
            found = await list_settlements(db, book, visit.caller.id, on, on, None, 1)
            settlement = found[0] if found else None
        merchant = (await visit.services.merchants.load(db, [order.terms.merchant_id]))[
            order.terms.merchant_id
        ]
    return Whole(order, merchant, session, payment, refunds, settlement)


def _show(visit: Visit, whole: Whole, error: str = "") -> Reply:
    order = whole.order
    state = live_state(order)
    waits = state in ("open", "taking")
    url = url_of_order(visit.services.vault, visit.book, own_address(visit), order.terms) if waits else ""
    return visit.show(
        "merchant/order.html",
        status=422 if error else 200,
        whole=whole,
        payment=whole.payment,
        captured=whole.payment is not None and whole.payment.status is PaymentStatus.CAPTURED,
        given=visit.field("given"),
        typed=visit.field("amount"),
        reason=visit.field("reason"),
        reason_code=_reason_code(visit),
        reason_codes=[code.value for code in RefundReason if code is not RefundReason.UNDONE],
        error=error,
        url=url,
        qr=as_markup(qr_svg(url, visit.gettext("Code to scan and pay"))) if waits else None,
        emv_qr=as_markup(drawn(emv_of_order(order.terms, whole.merchant, visit.book))) if waits else None,
        at="orders",
        **live_of(order, state),
    )


def qr_svg(text: str, title: str) -> str:
    """A QR code as SVG for a page: drawn by attributes, since our policy takes no styles inside."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        scale=8,
        border=2,
        xmldecl=False,
        svgns=True,
        title=title,
        omitsize=True,
        light="#fff",
    )
    return out.getvalue().decode()


def _too_much(visit: Visit, whole: Whole, problem: ApiProblem) -> str:
    """Why a refund was refused, in words."""
    if problem.code is Code.INVALID_FIELD:
        return visit.gettext("Nothing was given back. Look at the amount and the reason again.")
    if problem.code is Code.IDEMPOTENCY_KEY_REUSED or whole.payment is None:
        return visit.gettext("This form has given another amount back already. Look at what happened.")
    left = visit.formats.money(whole.left_minor, whole.payment.currency)
    return visit.gettext("Nothing was given back: at most %(left)s is left of this payment.") % {"left": left}


def _reason_code(visit: Visit) -> str:
    """What the form says the reason is; what nobody chose is another one."""
    return visit.field("reason_code") or RefundReason.OTHER.value


def _order_id(text: str) -> UUID | None:
    try:
        return decode(Prefix.ORDER, text) if text else None
    except ValueError:
        return None


page = pages_of(Door.MERCHANT)

PAGES = (
    page("GET", "/merchant/orders", "merchant_orders", list_all),
    page("GET", "/merchant/orders/{id}", "merchant_order", show_order),
    page("GET", "/merchant/orders/{id}/live", "merchant_order_live", live),
    page("POST", "/merchant/orders/{id}/refund", "merchant_refund", refund),
)
