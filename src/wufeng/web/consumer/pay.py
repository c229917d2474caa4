"""Paying: the hosted checkout of an order, a payment that waits for its payer, the receipt."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import Prefix, decode, encode
from wufeng.client import ApiProblem, Confirmation, Source
from wufeng.credit import Product
from wufeng.credit.documents.steps import Explained
from wufeng.credit.products.model import Early
from wufeng.credit.queries import load_draw, show_instalments
from wufeng.credit.views import PlanView
from wufeng.identity import own_person
from wufeng.identity.merchants.model import Merchant
from wufeng.identity.passkeys.queries import has_passkey
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
from wufeng.payments.checkout.rules import status_of, way_back
from wufeng.payments.orders.model import Order
from wufeng.payments.orders.rules import problem_if_not_payable
from wufeng.payments.quotes.model import QuoteOption, SourceKind
from wufeng.payments.refunds.model import Refund
from wufeng.payments.refunds.queries import refunds_of_payment
from wufeng.payments.refunds.views import explain_refund
from wufeng.web.consumer.family import FAMILY, card_of_option, cards_to_pay_with
from wufeng.web.consumer.passkeys import ask_to_confirm, confirmation_of, party_of, say
from wufeng.web.consumer.reading import payments_of, reading, state_of
from wufeng.web.consumer.scan import stand_in
from wufeng.web.consumer.sign_in import own_phone, shown_code
from wufeng.web.paging import Door, Reply, Visit, pages_of


class Group(Struct, frozen=True):
    """The ways to pay of one kind: `wallet`, `line`, or `both` (the balance first, the rest on credit).

    product  the version, where credit is in it: each has a group of its own, with its lenders and what late costs
    name     of the product, in the visitor's language
    """

    kind: str
    product: Product | None
    name: str
    options: tuple[QuoteOption, ...]

    @property
    def early(self) -> Early | None:
        """What becomes of fees not yet due when its plans are settled early."""
        return self.product.instalments.early if self.product is not None else None

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
            if shown.payment.spender is None
            and (shown.payment.expires_at is None or shown.payment.expires_at > visit.at)
        ],
    )


async def checkout(visit: Visit) -> Reply:
    """The page of one order: what is paid to whom, the ways to pay with their prices, one confirmation."""
    return await _show_checkout(visit, await _find(visit))


async def pay(visit: Visit) -> Reply:
    """Pay the order of a checkout. Sent twice it is one payment; what stands afterwards is the receipt."""
    found = await _find(visit)
    option, confirmation = visit.field("option"), confirmation_of(visit)
    if found.status in (CheckoutStatus.EXPIRED, CheckoutStatus.CANCELLED):
        return await _show_checkout(visit, found)
    if not option:
        return await _show_checkout(visit, found, error="option", status=422)
    try:
        payment = await visit.api.payments.create(
            order=encode(Prefix.ORDER, found.order.terms.id),
            quote_option=None if card_of_option(option) else option,
            funding=[Source(family_card=option)] if card_of_option(option) else None,
            confirmation=confirmation,
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        error = _error_of(problem, confirmation)
        if error == "taken":
            return visit.go(visit.path)
        return await _show_checkout(visit, found, error=error, status=problem.status, problem=problem)
    return visit.go(f"/app/payments/{payment.id}")


async def ask_for_order(visit: Visit) -> Reply:
    """What a passkey is asked in order to pay what the form of a checkout pays."""
    found = await _find(visit)
    if not visit.field("option"):
        return say(visit.gettext("Choose what you pay from."))
    option = visit.field("option")
    way = {"funding": [{"family_card": option}]} if card_of_option(option) else {"quote_option": option}
    request = {"order": encode(Prefix.ORDER, found.order.terms.id), **way}
    return await ask_to_confirm(visit, "create_payment", "", request)


async def cancel(visit: Visit) -> Reply:
    """The visitor does not pay on this page; what it then says leads back to the shop."""
    found = await _find(visit)
    try:
        await visit.api.checkout_sessions.cancel(encode(Prefix.CHECKOUT_SESSION, found.session.id))
    except ApiProblem as problem:
        if problem.code is not Code.STATE_CONFLICT:
            raise
    return visit.go(visit.path.removesuffix("/cancel"))


async def confirm(visit: Visit) -> Reply:
    """The visitor's yes to a payment that a merchant or the operator began."""
    payment_id = visit.path_id(Prefix.PAYMENT, "payment")
    option, confirmation = visit.field("option"), confirmation_of(visit)
    if not option:
        return await _show_waiting(visit, payment_id, error="option", status=422)
    try:
        payment = await visit.api.payments.confirm(
            encode(Prefix.PAYMENT, payment_id),
            confirmation or Confirmation(kind="pin", proof=""),
            quote_option=None if option == FAMILY else option,
            idempotency_key=visit.key(),
        )
    except ApiProblem as problem:
        error = _error_of(problem, confirmation)
        if error == "taken":
            return visit.go(f"/app/payments/{visit.values['id']}")
        return await _show_waiting(visit, payment_id, error=error, status=problem.status, problem=problem)
    return visit.go(f"/app/payments/{payment.id}")


async def ask_for_waiting(visit: Visit) -> Reply:
    """What a passkey is asked in order to say yes to a payment that waits."""
    payment_id = visit.path_id(Prefix.PAYMENT, "payment")
    async with visit.services.database.read() as db:
        await _own_payment(visit, db, payment_id)
    if not visit.field("option"):
        return say(visit.gettext("Choose what you pay from."))
    option = visit.field("option")
    request = {} if option == FAMILY else {"quote_option": option}
    return await ask_to_confirm(visit, "confirm_payment", encode(Prefix.PAYMENT, payment_id), request)


async def send_code(visit: Visit) -> Reply:
    """Send the code that the largest payments ask for beside a passkey."""
    payment_id = visit.path_id(Prefix.PAYMENT, "payment")
    async with visit.services.database.read() as db:
        await _own_payment(visit, db, payment_id)
    await visit.api.sessions.send_code(phone=await own_phone(visit), purpose="payment")
    return await _show_waiting(visit, payment_id)


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
        own = view.captured_minor and not _spent_by(visit, view)
        refunds = await refunds_of_payment(db, visit.book, payment_id) if own else []
    still_waits = view.status is PaymentStatus.REQUIRES_ACTION and (
        view.expires_at is None or visit.at < view.expires_at
    )
    if still_waits and (view.spender is None or _spent_by(visit, view)):
        return await _show_waiting(visit, payment_id)
    return visit.show(
        "consumer/receipt.html",
        payment=view,
        state=state_of(view),
        order=order,
        merchant=merchant,
        plans={plan.draw: plan for plan in plans},
        refunds=[view_refund(refund) for refund in refunds],
        why={encode(Prefix.REFUND, refund.id): _by_effect(visit, refund) for refund in refunds},
        return_url=_way_back(session, order, visit) if session is not None else None,
        again=f"/checkout/{encode(Prefix.CHECKOUT_SESSION, session.id)}"
        if session is not None and session.is_live(visit.at)
        else None,
    )


def _by_effect(visit: Visit, refund: Refund) -> tuple[Explained, ...]:
    """What put each piece of a refund where it went, in the order of its effects."""
    return explain_refund(refund, visit.book.business_date(visit.at), visit.language).amounts[0].steps


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
            stand_in(visit, book)
            merchant = await _merchant(visit, db, order.terms)
            return Checkout(session, order, merchant, view_session(session, order, visit.at).status)
    raise not_found("checkout session")


async def _show_checkout(
    visit: Visit, found: Checkout, *, error: str = "", status: int = 200, problem: ApiProblem | None = None
) -> Reply:
    shared: dict[str, Any] = {
        "order": found.order.terms,
        "merchant": found.merchant,
        "return_url": _way_back(found.session, found.order, visit),
        "expires_at": found.session.expires_at,
    }
    if found.order.payment_id is not None or found.status is not CheckoutStatus.OPEN:
        mine = _own_payment_of(visit, found.order)
        if mine is not None:
            return visit.go(f"/app/payments/{encode(Prefix.PAYMENT, mine)}")
        return visit.show("consumer/closed.html", end=_end_of(found), **shared)
    if visit.caller_or_none is None:
        return visit.show("consumer/checkout.html", **shared)
    order = encode(Prefix.ORDER, found.order.terms.id)
    asked = {
        "refuse": f"{visit.path}/cancel",
        "opens": f"/app/apply?{urlencode({'order': order, 'next': visit.path})}",
        "takes_cards": True,
        "spent": False,
        "needs": "pin",
        "codes": None,
        "test_code": None,
    }
    return await _show_ways(visit, found.order, visit.path, {**shared, **asked}, error, status, problem)


def _end_of(found: Checkout) -> str:
    """What a page says on which nothing is paid: `taken` tells that somebody pays, never who."""
    taken = found.status is CheckoutStatus.OPEN and found.order.payment_id is not None
    return "taken" if taken else found.status.value


def _way_back(session: CheckoutSession, order: Order, visit: Visit) -> str:
    id_ = encode(Prefix.CHECKOUT_SESSION, session.id)
    return way_back(session, id_, status_of(session, order, visit.at))


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
    if problem_if_not_payable(order) is not None:
        return _show_gone(visit, order, merchant)
    shared = {
        "order": order.terms,
        "merchant": merchant,
        "return_url": None,
        "expires_at": view.expires_at,
        "refuse": f"/app/payments/{view.id}/refuse",
        "opens": None,
        "takes_cards": False,
        "spent": _spent_by(visit, view),
        "needs": view.next_action.needs if view.next_action is not None else "pin",
        "codes": f"/app/payments/{view.id}/code",
        "test_code": await shown_code(visit, await own_phone(visit), "payment"),
    }
    action = f"/app/payments/{view.id}/confirm"
    return await _show_ways(visit, order, action, shared, error, status, problem)


def _show_gone(visit: Visit, order: Order, merchant: Merchant) -> Reply:
    """What stands in place of a payment that waits once its order is closed, or somebody else pays it."""
    mine = _own_payment_of(visit, order)
    if mine is not None:
        return visit.go(f"/app/payments/{encode(Prefix.PAYMENT, mine)}")
    end = "complete" if order.paid_at is not None else "taken" if order.payment_id is not None else "closed"
    return visit.show("consumer/closed.html", end=end, order=order.terms, merchant=merchant, return_url=None)


async def _show_ways(
    visit: Visit,
    order: Order,
    action: str,
    shared: dict[str, Any],
    error: str,
    status: int,
    problem: ApiProblem | None,
) -> Reply:
    """The ways to pay. What was chosen before an error stays chosen, under the new prices."""
    async with visit.services.database.read() as db:
        pin_set = await has_pin(db, visit.book, visit.caller.id)
        passkey_set = await has_passkey(db, visit.book, visit.caller.id)
        cards = await cards_to_pay_with(visit, db) if shared["takes_cards"] else []
    options = () if shared["spent"] else await options_of(visit, order)
    chosen = visit.field("option").rpartition(".")[2]
    groups = _groups(options, visit)
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
    kept = next((option.id for option in options if chosen and option.id.endswith(f".{chosen}")), None)
    kept = kept or card_of_option(visit.field("option"))
    return visit.show(
        "consumer/pay.html",
        status=status,
        action=action,
        groups=groups,
        own_minor=next((g.options[0].funding[0].amount_minor for g in groups if g.kind == "both"), 0),
        chosen=kept or first_open,
        cards=cards,
        payable=shared["spent"] or any(option.available for option in options) or bool(cards),
        pin_set=pin_set,
        passkey_set=passkey_set,
        party=party_of(visit),
        error=error,
        asks=f"/app/orders/{encode(Prefix.ORDER, order.terms.id)}/friend",
        tries_left=problem.extra.get("tries_left") if problem is not None else None,
        **shared,
    )


async def options_of(visit: Visit, order: Order) -> Sequence[QuoteOption]:
    """The ways in which the visitor can pay an order, priced and kept; none of one that cannot be paid any more."""
    if problem_if_not_payable(order) is not None:
        return ()
    services, terms = visit.services, order.terms
    asked = Asked(
        merchant_id=terms.merchant_id,
        order_id=terms.id,
        amount_minor=terms.amount_minor,
        scene=terms.scene,
        payer_id=visit.caller.id,
        shows_wallet=True,
        language=visit.language,
    )
    quote = await create_quote(
        services.database,
        services.ids,
        services.catalogue,
        services.merchants,
        visit.book,
        asked,
        order,
        visit.at,
    )
    return quote.options


def _groups(options: Sequence[QuoteOption], visit: Visit) -> list[Group]:
    """The options by kind and line, in the order in which they are offered: the balance comes first."""
    found: dict[tuple[int, str | None], list[QuoteOption]] = {}
    for option in options:
        kinds = {source.kind for source in option.funding}
        place = 2 if len(kinds) > 1 else 1 if SourceKind.LINE in kinds else 0
        line = next((source.line for source in option.funding if source.line), None)
        found.setdefault((place, line), []).append(option)
    return [
        _group(("wallet", "line", "both")[place], options, visit)
        for (place, _), options in sorted(found.items(), key=lambda one: one[0][0])
    ]


def _group(kind: str, options: Sequence[QuoteOption], visit: Visit) -> Group:
    if options[0].product is None:
        return Group(kind, None, "", tuple(options))
    id_, _, version = options[0].product.partition("@")
    product = visit.services.products.version(id_, int(version))
    name = product.name.zh if visit.language == "zh" else product.name.en
    return Group(kind, product, name, tuple(options))


def _error_of(problem: ApiProblem, confirmation: Confirmation | None) -> str:
    """Which of the page's own messages a problem is; one that it has no words for is raised on."""
    match problem.code:
        case Code.CONFIRMATION_FAILED if "needs" in problem.extra:
            return "needs"
        case Code.CONFIRMATION_FAILED if "code_tries_left" in problem.extra:
            return "code"
        case Code.CONFIRMATION_FAILED:
            return "pin" if confirmation is None or confirmation.kind == "pin" else "passkey"
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
    spends = payment.spender_id is not None and payment.spender_id == visit.caller.id
    own_person(visit.caller, payment.spender_id if spends else payment.payer_id, "payment")
    reader = Reader.SPENDER if spends else Reader.PERSON
    (view,) = await show_payments(db, visit.services.catalogue, visit.book, [payment], reader, visit.language)
    order = await find_order(db, visit.book, payment.order_id)
    assert order is not None, "a payment's order is kept"
    return view, order


def _spent_by(visit: Visit, view: PaymentView) -> bool:
    """Whether the visitor pays it with somebody else's family card."""
    return view.spender is not None and view.spender == encode(Prefix.PERSON, visit.caller.id)


def _own_payment_of(visit: Visit, order: Order) -> UUID | None:
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
    page("POST", "/checkout/{id}/challenge", "app_ask_to_pay", ask_for_order),
    page("POST", "/checkout/{id}/cancel", "checkout_cancel", cancel),
    page("GET", "/app/payments/{id}", "app_payment", receipt),
    page("POST", "/app/payments/{id}/confirm", "app_confirm", confirm),
    page("POST", "/app/payments/{id}/confirm/challenge", "app_ask_to_confirm", ask_for_waiting),
    page("POST", "/app/payments/{id}/code", "app_confirm_code", send_code),
    page("POST", "/app/payments/{id}/refuse", "app_refuse", refuse),
)
