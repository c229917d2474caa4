"""Paying: the hosted checkout of an order, a payment that waits for its payer, the receipt."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.client import ApiProblem, Confirmation
from wufeng.credit.queries import load_draw, show_instalments
from wufeng.credit.views import PlanView
from wufeng.identity import own_person
from wufeng.identity.merchants.model import Merchant
from wufeng.identity.pins.queries import has_pin
from wufeng.payments import (
    Asked,
    OrderTerms,
    PaymentStatus,
    PaymentView,
    Reader,
    create_quote,
    find_order,
    load_checkout,
    load_payment,
    show_payments,
    view_refund,
    view_session,
)
from wufeng.payments.checkout.model import CheckoutSession, CheckoutStatus
from wufeng.payments.checkout.queries import newest_checkout
from wufeng.payments.orders.model import Order
from wufeng.payments.quotes.model import QuoteOption, QuoteView, SourceKind
from wufeng.payments.refunds.queries import refunds_of_payment
from wufeng.web.consumer.reading import payments_of, reading, state_of
from wufeng.web.paging import Door, Reply, Visit, pages_of


class Group(Struct, frozen=True):
    """The ways to pay of one kind: `wallet`, `line`, or `both` (the balance first, the rest on credit).

    name  of the product, where credit is in it: each has a group of its own, with its lenders and what late costs
    """

    kind: str
    name: str
    options: tuple[QuoteOption, ...]

    @property
    def any_open(self) -> bool:
        """Whether one of them can be taken now."""
        return any(option.available for option in self.options)


class Checkout(Struct, frozen=True):
    """A session with its order and merchant."""

    session: CheckoutSession
    order: Order
    merchant: Merchant
    status: CheckoutStatus


async def ask_to_pay(visit: Visit) -> Reply:
    """Where a payment begins: the shop's code, its link, and what waits already."""
    async with visit.services.database.read() as db:
        waiting = await payments_of(visit, db, status=PaymentStatus.REQUIRES_ACTION, at_most=20)
    return visit.show(
        "consumer/start.html",
        waiting=[
            shown
            for shown in waiting
            if shown.payment.expires_at is None or shown.payment.expires_at > visit.at
        ],
    )


async def checkout(visit: Visit) -> Reply:
    """The page of one order: what is paid to whom, the ways to pay with their prices, one confirmation."""
    return await _show_checkout(visit, await _find(visit))


async def pay(visit: Visit) -> Reply:
    """Pay the order of a checkout. Sent twice it is one payment; what stands afterwards is the receipt."""
    found = await _find(visit)
    option, pin = visit.field("option"), visit.field("pin")
    if not option:
        return await _show_checkout(visit, found, error="option", status=422)
    try:
        payment = await visit.api.payments.create(
            order=encode(Prefix.ORDER, found.order.terms.id),
            quote_option=option,
            confirmation=Confirmation(kind="pin", proof=pin) if pin else None,
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        error = _error_of(problem)
        if error == "taken":
            return visit.go(visit.path)
        return await _show_checkout(visit, found, error=error, status=problem.status, problem=problem)
    return visit.go(f"/app/payments/{payment.id}")


async def confirm(visit: Visit) -> Reply:
    """The visitor's yes to a payment that a merchant or the operator began."""
    payment_id = visit.path_id(Prefix.PAYMENT, "payment")
    option, pin = visit.field("option"), visit.field("pin")
    if not option:
        return await _show_waiting(visit, payment_id, error="option", status=422)
    try:
        payment = await visit.api.payments.confirm(
            encode(Prefix.PAYMENT, payment_id),
            Confirmation(kind="pin", proof=pin),
            quote_option=option,
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        error = _error_of(problem)
        if error == "taken":
            return visit.go(f"/app/payments/{visit.values['id']}")
        return await _show_waiting(visit, payment_id, error=error, status=problem.status, problem=problem)
    return visit.go(f"/app/payments/{payment.id}")


async def refuse(visit: Visit) -> Reply:
    """The visitor's no."""
    payment_id = encode(Prefix.PAYMENT, visit.path_id(Prefix.PAYMENT, "payment"))
    try:
        await visit.api.payments.refuse(payment_id, idempotency_key=visit.key())
    except ApiProblem as problem:
        if problem.code is not Code.STATE_CONFLICT:
            raise
    return visit.go(f"/app/payments/{payment_id}")


async def receipt(visit: Visit) -> Reply:
    """One payment: what came of it, what happens next; or the question, while it waits for the visitor."""
    payment_id = visit.path_id(Prefix.PAYMENT, "payment")
    async with visit.services.database.read() as db:
        view, order = await _own_payment(visit, db, payment_id)
        plans = [await _plan(visit, db, funding.draw) for funding in view.funding if funding.draw]
        merchant = await _merchant(visit, db, order.terms)
        session = await newest_checkout(db, visit.book, order.terms.id)
        refunds = await refunds_of_payment(db, visit.book, payment_id) if view.captured_minor else []
    still_waits = view.status is PaymentStatus.REQUIRES_ACTION and (
        view.expires_at is None or visit.at < view.expires_at
    )
    if still_waits:
        return await _show_waiting(visit, payment_id)
    return visit.show(
        "consumer/receipt.html",
        payment=view,
        state=state_of(view),
        order=order,
        merchant=merchant,
        plans={plan.draw: plan for plan in plans},
        refunds=[view_refund(refund) for refund in refunds],
        return_url=session.return_url if session is not None else None,
        again=f"/checkout/{encode(Prefix.CHECKOUT_SESSION, session.id)}"
        if session is not None and session.is_live(visit.at)
        else None,
    )


async def _find(visit: Visit) -> Checkout:
    """The session in the path, in whichever book it is; the visit then stands in that book."""
    session_id = visit.path_id(Prefix.CHECKOUT_SESSION, "checkout session")
    others = [book for book in visit.services.books.values() if book.id != visit.book.id]
    async with visit.services.database.read() as db:
        for book in (visit.book, *others):
            session = await load_checkout(db, book, session_id)
            if session is None:
                continue
            order = await find_order(db, book, session.order_id)
            assert order is not None, "an order is kept for ever"
            _stand_in(visit, book)
            merchant = await _merchant(visit, db, order.terms)
            return Checkout(session, order, merchant, view_session(session, order, visit.at).status)
    raise not_found("checkout session")


def _stand_in(visit: Visit, book: Book) -> None:
    """Somebody signed in to another book is nobody here, and signs in here next."""
    if book.id == visit.book.id:
        return
    visit.in_book(book)
    visit.caller_or_none, visit.token = None, None
    visit.set_cookie("wufeng_book", book.name)


async def _show_checkout(
    visit: Visit, found: Checkout, *, error: str = "", status: int = 200, problem: ApiProblem | None = None
) -> Reply:
    shared: dict[str, Any] = {
        "order": found.order.terms,
        "merchant": found.merchant,
        "return_url": found.session.return_url,
        "expires_at": found.session.expires_at,
    }
    if found.status is not CheckoutStatus.OPEN:
        mine = await _own_payment_of(visit, found.order)
        if mine is not None:
            return visit.go(f"/app/payments/{encode(Prefix.PAYMENT, mine)}")
        return visit.show("consumer/closed.html", paid=found.status is CheckoutStatus.COMPLETE, **shared)
    if visit.caller_or_none is None:
        return visit.show("consumer/checkout.html", **shared)
    order = encode(Prefix.ORDER, found.order.terms.id)
    asked = {"refuse": None, "opens": f"/app/apply?{urlencode({'order': order, 'next': visit.path})}"}
    return await _show_ways(visit, found.order.terms, visit.path, {**shared, **asked}, error, status, problem)


async def _show_waiting(
    visit: Visit,
    payment_id: UUID,
    *,
    error: str = "",
    status: int = 200,
    problem: ApiProblem | None = None,
) -> Reply:
    async with visit.services.database.read() as db:
        view, order = await _own_payment(visit, db, payment_id)
        merchant = await _merchant(visit, db, order.terms)
    shared = {
        "order": order.terms,
        "merchant": merchant,
        "return_url": None,
        "expires_at": view.expires_at,
        "refuse": f"/app/payments/{view.id}/refuse",
        "opens": None,
    }
    action = f"/app/payments/{view.id}/confirm"
    return await _show_ways(visit, order.terms, action, shared, error, status, problem)


async def _show_ways(
    visit: Visit,
    order: OrderTerms,
    action: str,
    shared: dict[str, Any],
    error: str,
    status: int,
    problem: ApiProblem | None,
) -> Reply:
    """The ways to pay. What was chosen before an error stays chosen, under the new prices."""
    async with visit.services.database.read() as db:
        pin_set = await has_pin(db, visit.book, visit.caller.id)
    quote = await _quote(visit, order)
    chosen = visit.field("option").rpartition(".")[2]
    groups = _groups(quote, visit)
    first_open = next(
        (
            option.id
            for group in groups
            if group.kind == "wallet"
            for option in group.options
            if option.available
        ),
        None,
    )
    kept = next((option.id for option in quote.options if chosen and option.id.endswith(f".{chosen}")), None)
    return visit.show(
        "consumer/pay.html",
        status=status,
        action=action,
        groups=groups,
        own_minor=next((g.options[0].funding[0].amount_minor for g in groups if g.kind == "both"), 0),
        chosen=kept or first_open,
        payable=any(option.available for option in quote.options),
        pin_set=pin_set,
        error=error,
        tries_left=problem.extra.get("tries_left") if problem is not None else None,
        **shared,
    )


async def _quote(visit: Visit, order: OrderTerms) -> QuoteView:
    services = visit.services
    asked = Asked(
        merchant_id=order.merchant_id,
        order_id=order.id,
        amount_minor=order.amount_minor,
        scene=order.scene,
        payer_id=visit.caller.id,
        shows_wallet=True,
        language=visit.language,
    )
    return await create_quote(
        services.database,
        services.ids,
        services.catalogue,
        services.merchants,
        visit.book,
        asked,
        order,
        visit.at,
    )


def _groups(quote: QuoteView, visit: Visit) -> list[Group]:
    """The options by kind and line, in the order in which they are offered: the balance comes first."""
    found: dict[tuple[int, str | None], list[QuoteOption]] = {}
    for option in quote.options:
        kinds = {source.kind for source in option.funding}
        place = 2 if len(kinds) > 1 else 1 if SourceKind.LINE in kinds else 0
        line = next((source.line for source in option.funding if source.line), None)
        found.setdefault((place, line), []).append(option)
    return [
        Group(("wallet", "line", "both")[place], _product_name(options[0], visit), tuple(options))
        for (place, _), options in sorted(found.items(), key=lambda one: one[0][0])
    ]


def _product_name(option: QuoteOption, visit: Visit) -> str:
    if option.product is None:
        return ""
    id_, _, version = option.product.partition("@")
    name = visit.services.products.version(id_, int(version)).name
    return name.zh if visit.language == "zh" else name.en


def _error_of(problem: ApiProblem) -> str:
    """Which of the page's own messages a problem is; one that it has no words for is raised on."""
    match problem.code:
        case Code.CONFIRMATION_FAILED:
            return "pin"
        case Code.ORDER_TAKEN | Code.STATE_CONFLICT:
            return "taken"
        case Code.INVALID_FIELD | Code.IDEMPOTENCY_KEY_REUSED:
            return "price"
        case _:
            raise problem


async def _own_payment(visit: Visit, db: Connection, payment_id: UUID) -> tuple[PaymentView, Order]:
    payment = await load_payment(db, visit.book, payment_id)
    if payment is None:
        raise not_found("payment")
    own_person(visit.caller, payment.payer_id, "payment")
    (view,) = await show_payments(
        db, visit.services.catalogue, visit.book, [payment], Reader.PERSON, visit.language
    )
    order = await find_order(db, visit.book, payment.order_id)
    assert order is not None, "a payment's order is kept"
    return view, order


async def _own_payment_of(visit: Visit, order: Order) -> UUID | None:
    """The payment that took an order, when it is the visitor's own."""
    if visit.caller_or_none is None or order.payment_id is None or order.payer_id != visit.caller.id:
        return None
    return order.payment_id


async def _plan(visit: Visit, db: Connection, draw: str) -> PlanView:
    read = reading(visit, db)
    found, line = await load_draw(read, decode(Prefix.DRAW, draw))
    return await show_instalments(read, found, line)


async def _merchant(visit: Visit, db: Connection, order: OrderTerms) -> Merchant:
    found = await visit.services.merchants.load(db, [order.merchant_id])
    if order.merchant_id not in found:
        raise Problem(Code.INTERNAL, "An order's merchant is kept.")
    return found[order.merchant_id]


page = pages_of(Door.CONSUMER)

PAGES = (
    page("GET", "/app/pay", "app_pay", ask_to_pay),
    page("GET", "/checkout/{id}", "checkout", checkout),
    page("POST", "/checkout/{id}", "checkout_pay", pay),
    page("GET", "/app/payments/{id}", "app_payment", receipt),
    page("POST", "/app/payments/{id}/confirm", "app_confirm", confirm),
    page("POST", "/app/payments/{id}/refuse", "app_refuse", refuse),
)
