"""Payments: start one, confirm, capture, void, read."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from wufeng.api.bodies import (
    AmountMinor,
    ConfirmationBody,
    Currency,
    FamilyCardId,
    Instant,
    LineId,
    MerchantId,
    OrderId,
    OrderNo,
    PersonId,
    Reason,
    ShortText,
    WalletId,
    in_utc,
)
from wufeng.api.confirming import prove
from wufeng.api.family_paying import card_that_spent, card_to_spend, refuse_while_cooling
from wufeng.api.pay_codes import PayCode, read_shown, refuse_beside_code
from wufeng.api.payment_reading import PaymentList, PaymentsQuery, get_payment, get_payments, reader_of
from wufeng.api.routing import Call, Nothing, Route
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.identity import CallerKind, act_of
from wufeng.identity.merchants.model import NEVER_CREDITABLE, Merchant, Scene
from wufeng.identity.people.queries import person_of_wallet
from wufeng.payments import (
    Capture,
    CapturePayment,
    Confirm,
    Funding,
    OrderTerms,
    Pay,
    PaymentView,
    Presented,
    Reader,
    Receipt,
    Refuse,
    ReviewPayment,
    VoidPayment,
    bind_funding,
    carried_by_campaign,
    funding_of_option,
    load_payment,
    order_id,
)
from wufeng.payments.family.model import Spend
from wufeng.payments.pay.model import Payment
from wufeng.risk.model import Confirmation

Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=500)]], Meta(max_length=20)
]


class InlineOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order made with its payment. `merchant` is left out by the merchant itself; `scene` defaults to its own.

    receipt  a merchant's, or its server's, to say: `confirm` has the payer billed only once they have the goods
    """

    order_no: OrderNo
    amount_minor: AmountMinor
    currency: Currency
    subject: ShortText
    merchant: MerchantId | None = None
    scene: Scene | None = None
    receipt: Receipt = Receipt.NONE
    expires_at: Instant | None = None
    metadata: Metadata | None = None


class FundingSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The payer's wallet, or a line with its months; or a family card that the caller holds, by itself."""

    wallet: WalletId | None = None
    line: LineId | None = None
    family_card: FamilyCardId | None = None
    tenor: Annotated[int, Meta(ge=1, le=60)] = 1


Sources = Annotated[tuple[FundingSource, ...], Meta(min_length=1, max_length=2)]
OptionId = Annotated[str, Meta(min_length=1, max_length=64, examples=["qte_01h455vb4pex5vsknk084sn02q.1"])]


class CreatePayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One attempt to pay an order. With a `pay_code` the code says who pays and from what."""

    order: OrderId | InlineOrder
    payer: PersonId | None = None
    pay_code: PayCode | None = None
    quote_option: OptionId | None = None
    funding: Sources | None = None
    capture: Capture = Capture.NOW
    confirmation: ConfirmationBody | None = None


class ConfirmPayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The payer's yes, and if they wish another funding; or their no."""

    confirmation: ConfirmationBody | None = None
    refuse: bool = False
    quote_option: OptionId | None = None
    funding: Sources | None = None


class CaptureBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much to take (all that is left), and whether the rest is released."""

    amount_minor: AmountMinor | None = None
    final: bool = True


class ReviewBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reviewer's answer to a payment that waits for one, with its reason, which the audit keeps."""

    approve: bool
    reason: Reason


async def create_payment(call: Call[CreatePayment, Nothing]) -> Answer:
    """Start a payment: in one lane batch it is decided, drawn, split and posted, or asks for the payer's word."""
    body = call.body
    if body.pay_code is not None:
        return await _pay_by_code(call)
    if body.funding is not None and any(source.family_card is not None for source in body.funding):
        return await _pay_by_family_card(call, body.funding)
    payer_id = _payer(call)
    if call.caller.kind is not CallerKind.PERSON and body.confirmation is not None:
        raise invalid_field("/confirmation", "Only the payer confirms, in a session of their own.")
    order = await _order_of(call, payer_id)
    funding = await _funding(call, payer_id, body.funding, body.quote_option, order)
    if body.quote_option is None:
        funding = await _priced_now(call, order, funding, payer_id)
    confirmed = Confirmation.NONE
    if call.caller.kind is CallerKind.PERSON:
        stored, confirmed = await prove(call, payer_id, body.confirmation)
        if stored is not None:
            return stored
    return await _submit(call, payer_id, order, funding, confirmed)


async def _pay_by_code(call: Call[CreatePayment, Nothing]) -> Answer:
    """A payment by the code that its payer shows. The order is looked at first: a code is not tried for nothing."""
    refuse_beside_code(call)
    order = await _order_of(call, call.caller.id)
    shown = await read_shown(call)
    if isinstance(shown, Answer):
        return shown
    funding = await _priced_now(call, order, shown.funding, shown.payer_id)
    return await _submit(call, shown.payer_id, order, funding, Confirmation.PAY_CODE, shown.presented)


async def _pay_by_family_card(call: Call[CreatePayment, Nothing], sources: Sequence[FundingSource]) -> Answer:
    """A payment from somebody else's money. Its owner is the payer; who spends says yes."""
    spender_id = call.caller.person_id
    if spender_id is None:
        raise invalid_field("/funding", "Who holds a family card pays with it, in a session of their own.")
    if len(sources) > 1 or sources[0].wallet is not None or sources[0].line is not None:
        raise invalid_field("/funding", "A family card pays by itself.")
    if call.body.quote_option is not None:
        raise invalid_field("/quote_option", "A family card has no quotes: leave it out.")
    if sources[0].tenor > 1:
        raise invalid_field("/funding", "A family card pays at once: its cap holds no instalments' price.")
    _payer(call)
    order = await _order_of(call, spender_id)
    assert sources[0].family_card is not None, "that is what it was asked for"
    card = await card_to_spend(call, sources[0].family_card, spender_id)
    funding = await _priced_now(call, order, Funding(card.use_wallet, card.line_id), card.owner_id)
    answered, confirmed = await prove(call, spender_id, call.body.confirmation)
    if answered is not None:
        return answered
    await refuse_while_cooling(call, card, order.amount_minor)
    return await _submit(call, card.owner_id, order, funding, confirmed, spend=Spend(card.id, spender_id))


async def _priced_now(call: Call[Any, Any], order: OrderTerms, funding: Funding, payer_id: UUID) -> Funding:
    """Funding that no quote has priced: as the order's checkout session binds it, with a campaign's share.

    An order that comes with its payment may be a stored one, named by its number: its page binds all the same.
    """
    services, book = call.services, call.book
    funding = await bind_funding(services.asked_orders, book, order.id, funding, call.at)
    return await carried_by_campaign(
        services.database, services.catalogue, book, order, funding, payer_id, call.at
    )


async def _submit(
    call: Call[CreatePayment, Nothing],
    payer_id: UUID,
    order: OrderTerms,
    funding: Funding,
    confirmed: Confirmation,
    presented: Presented | None = None,
    spend: Spend | None = None,
) -> Answer:
    services = call.services
    command = Pay(
        at=call.at,
        people=(payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=services.ids.new(call.at, slot_of(payer_id)),
        order=order,
        payer_id=payer_id,
        funding=funding,
        capture=call.body.capture,
        confirmation=confirmed,
        caller_id=call.caller.id,
        reader=reader_of(call) if spend is None else Reader.SPENDER,
        presented=presented,
        spend=spend,
        language=call.language,
    )
    return _counted(call, await services.lanes.submit(call.book.bucket_of(payer_id), command))


async def confirm_payment(call: Call[ConfirmPayment, Nothing]) -> Answer:
    """The payer's word on a payment that waits for it."""
    body, services, book = call.body, call.services, call.book
    payment_id = call.path_id(Prefix.PAYMENT, "payment")
    payer_id = call.caller.person_id
    assert payer_id is not None, "only people confirm"
    bucket = book.bucket_of(payment_id)
    async with services.database.read() as db:
        payment = await load_payment(db, book, payment_id)
    if payment is None or payment.confirmer_id != payer_id:
        raise not_found("payment")
    if body.refuse:
        return await services.lanes.submit(bucket, _refusal(call, payment, payer_id))
    if body.confirmation is None:
        raise invalid_field("/confirmation", "Prove the payer's yes, or set refuse.")
    funding: Funding | None = None
    if payment.spender_id is not None and (body.funding is not None or body.quote_option is not None):
        raise invalid_field("/funding", "The family card says what it pays from.")
    if body.funding is not None or body.quote_option is not None:
        order = await services.asked_orders.order(book, payment.order_id)
        assert order is not None, "a payment's order is kept"
        funding = await _funding(call, payer_id, body.funding, body.quote_option, order.terms)
        if body.quote_option is None:
            funding = await _priced_now(call, order.terms, funding, payer_id)
    try:
        answered, confirmed = await prove(call, payer_id, body.confirmation)
    except Problem as problem:
        if problem.code is Code.CONFIRMATION_FAILED and problem.extra.get("tries_left") == 0:
            # The tries are used up: the payment ends, and says so; the key is free, since nothing was stored with it.
            return await services.lanes.submit(bucket, _refusal(call, payment, payer_id))
        raise
    if answered is not None:
        return answered
    if payment.spender_id is not None:
        await refuse_while_cooling(call, await card_that_spent(call, payment), payment.amount_minor)
    command = Confirm(
        at=call.at,
        people=(payment.payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=payment_id,
        payer_id=payer_id,
        confirmation=confirmed,
        funding=funding,
        language=call.language,
    )
    return _counted(call, await services.lanes.submit(bucket, command))


class _Decided(Struct, frozen=True):
    status: str


_read_status = msgspec.json.Decoder(_Decided).decode


def _counted(call: Call[Any, Any], answer: Answer) -> Answer:
    """Count a decided payment by its status; a repeated request counts again, as an answer given."""
    if answer.status in (200, 201, 202, 402):
        call.services.metrics.payment(_read_status(answer.body).status)
    return answer


def _refusal(call: Call[Any, Any], payment: Payment, payer_id: UUID) -> Refuse:
    return Refuse(
        at=call.at,
        people=(payment.payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=payment.id,
        payer_id=payer_id,
        language=call.language,
    )


async def capture_payment(call: Call[CaptureBody, Nothing]) -> Answer:
    """Take an authorised amount, whole or part."""
    payment_id, payer_id, merchant_id = await _of_merchant(call)
    command = CapturePayment(
        at=call.at,
        people=(payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=payment_id,
        merchant_id=merchant_id,
        amount_minor=call.body.amount_minor,
        final=call.body.final,
        language=call.language,
    )
    return await call.services.lanes.submit(call.book.bucket_of(payment_id), command)


async def void_payment(call: Call[Nothing, Nothing]) -> Answer:
    """Release an authorised amount, or what is left of it."""
    payment_id, payer_id, merchant_id = await _of_merchant(call)
    command = VoidPayment(
        at=call.at,
        people=(payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=payment_id,
        merchant_id=merchant_id,
        language=call.language,
    )
    return await call.services.lanes.submit(call.book.bucket_of(payment_id), command)


async def review_payment(call: Call[ReviewBody, Nothing]) -> Answer:
    """Answer for a payment that is `pending`: it goes on, or is declined."""
    services, payment_id = call.services, call.path_id(Prefix.PAYMENT, "payment")
    async with services.database.read() as db:
        payment = await load_payment(db, call.book, payment_id)
    if payment is None:
        raise not_found("payment")
    command = ReviewPayment(
        at=call.at,
        people=(payment.payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=payment_id,
        approve=call.body.approve,
        staff_id=call.caller.id,
        act=act_of(
            call.caller,
            "review_payment",
            Prefix.PAYMENT,
            payment_id,
            call.at,
            call.request_id,
            call.body.reason,
        ),
        language=call.language,
    )
    return await services.lanes.submit(call.book.bucket_of(payment_id), command)


def _payer(call: Call[CreatePayment, Nothing]) -> UUID:
    named = decode(Prefix.PERSON, call.body.payer) if call.body.payer is not None else None
    if call.caller.kind is CallerKind.PERSON:
        if named not in (None, call.caller.person_id):
            raise invalid_field("/payer", "A person pays for themselves: leave it out.")
        assert call.caller.person_id is not None
        return call.caller.person_id
    if named is None:
        raise invalid_field("/payer", "Name the person who pays.")
    return named


async def _order_of(call: Call[CreatePayment, Nothing], payer_id: UUID) -> OrderTerms:
    order = call.body.order
    if isinstance(order, str):
        found = await call.services.asked_orders.order(call.book, decode(Prefix.ORDER, order))
        mine = found is not None and call.caller.merchant_id in (None, found.terms.merchant_id)
        if found is None or not mine:
            raise invalid_field("/order", "There is no such order.")
        return found.terms
    return await _inline_order(call, order, payer_id)


async def _inline_order(call: Call[CreatePayment, Nothing], order: InlineOrder, payer_id: UUID) -> OrderTerms:
    merchant_id = (
        decode(Prefix.MERCHANT, order.merchant) if order.merchant is not None else call.caller.merchant_id
    )
    if merchant_id is None:
        raise invalid_field("/order/merchant", "Name the merchant who is paid.")
    if call.caller.merchant_id not in (None, merchant_id):
        raise invalid_field("/order/merchant", "There is no such merchant.")
    if order.currency != call.book.currency:
        raise invalid_field("/order/currency", f"This book is in {call.book.currency}.")
    merchant = await _merchant(call, merchant_id)
    # A number that a person makes up stands in a space of the person's own: nobody takes a merchant's numbers.
    named_by = payer_id if call.caller.kind is CallerKind.PERSON else None
    return OrderTerms(
        id=order_id(merchant_id, order.order_no, named_by),
        merchant_id=merchant_id,
        order_no=order.order_no,
        amount_minor=order.amount_minor,
        currency=order.currency,
        subject=order.subject,
        scene=_scene(call, order.scene, merchant),
        receipt=_receipt(call, order.receipt),
        expires_at=in_utc(order.expires_at, "/order/expires_at"),
        metadata=msgspec.json.encode(order.metadata) if order.metadata else None,
    )


def _scene(call: Call[Any, Any], asked: Scene | None, merchant: Merchant) -> Scene:
    """The order's scene. A person cannot choose it, and a merchant of a forbidden scene cannot hide it."""
    if asked is None or call.caller.kind is CallerKind.PERSON or merchant.scene in NEVER_CREDITABLE:
        return merchant.scene
    return asked


def _receipt(call: Call[Any, Any], asked: Receipt) -> Receipt:
    """Whether the order waits for its receipt. A payer cannot put off their own bill: of what they make up themselves
    nobody knows that it is to be shipped.
    """
    if asked is not Receipt.NONE and call.caller.kind is CallerKind.PERSON:
        raise invalid_field(
            "/order/receipt", "The merchant says whether a receipt is waited for: leave it out."
        )
    return asked


async def _merchant(call: Call[Any, Any], merchant_id: UUID) -> Merchant:
    merchant = call.services.merchants.at_hand(merchant_id)
    if merchant is None:
        async with call.services.database.read() as db:
            merchant = (await call.services.merchants.load(db, [merchant_id])).get(merchant_id)
    if merchant is None or merchant.book_id != call.book.id:
        raise invalid_field("/order/merchant", "There is no such merchant.")
    return merchant


async def _funding(
    call: Call[Any, Any],
    payer_id: UUID,
    sources: Sequence[FundingSource] | None,
    option: str | None,
    order: OrderTerms,
) -> Funding:
    """What to pay from: a quote's option, or sources in any order; a merchant may leave it to the payer.

    Sources are not priced yet: `_priced_now` does that.
    """
    if sources is not None and option is not None:
        raise invalid_field("/funding", "Give either a quote_option or funding.")
    if option is not None:
        async with call.services.database.read() as db:
            return await funding_of_option(
                db, call.services.catalogue, call.book, option, order, payer_id, call.at
            )
    if sources is None:
        if call.caller.kind is CallerKind.PERSON:
            raise invalid_field("/funding", "Say what to pay from: a wallet, a line, or both.")
        return Funding(use_wallet=True, line_id=None)
    return await _funding_of_sources(call, payer_id, sources)


async def _funding_of_sources(
    call: Call[Any, Any], payer_id: UUID, sources: Sequence[FundingSource]
) -> Funding:
    wallets = [source for source in sources if source.wallet is not None]
    lines = [source for source in sources if source.line is not None]
    if len(wallets) > 1 or len(lines) > 1 or len(wallets) + len(lines) != len(sources):
        raise invalid_field("/funding", "Each source is one wallet or one line, at most one of each.")
    if wallets:
        assert wallets[0].wallet is not None
        async with call.services.database.read() as db:
            owner = await person_of_wallet(db, call.book, decode(Prefix.WALLET, wallets[0].wallet))
        if owner != payer_id:
            raise invalid_field("/funding", "The payer has no such wallet.")
    line = lines[0] if lines else None
    return Funding(
        use_wallet=bool(wallets),
        line_id=decode(Prefix.LINE, line.line) if line is not None and line.line is not None else None,
        tenor=line.tenor if line is not None else 1,
    )


async def _of_merchant(call: Call[Any, Any]) -> tuple[UUID, UUID, UUID]:
    """(payment, payer, merchant) of a payment of the calling merchant's."""
    payment_id = call.path_id(Prefix.PAYMENT, "payment")
    async with call.services.database.read() as db:
        payment = await load_payment(db, call.book, payment_id)
    if payment is None or payment.merchant_id != call.caller.merchant_id:
        raise not_found("payment")
    return payment_id, payment.payer_id, payment.merchant_id


ROUTES = (
    Route(
        method="POST",
        path="/v1/payments",
        operation="create_payment",
        summary="Pay an order",
        handle=create_payment,
        body=CreatePayment,
        answers={201: PaymentView, 202: PaymentView, 402: PaymentView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/payments",
        operation="list_payments",
        summary="Payments of the caller, newest first",
        handle=get_payments,
        query=PaymentsQuery,
        answers={200: PaymentList},
    ),
    Route(
        method="GET",
        path="/v1/payments/{id}",
        operation="get_payment",
        summary="One payment",
        handle=get_payment,
        answers={200: PaymentView},
    ),
    Route(
        method="POST",
        path="/v1/payments/{id}/confirm",
        operation="confirm_payment",
        summary="Say yes or no to a payment",
        handle=confirm_payment,
        body=ConfirmPayment,
        answers={200: PaymentView, 202: PaymentView, 402: PaymentView},
        keyed=True,
    ),
    Route(
        method="POST",
        path="/v1/payments/{id}/capture",
        operation="capture_payment",
        summary="Take an authorised amount",
        handle=capture_payment,
        body=CaptureBody,
        answers={200: PaymentView},
        keyed=True,
    ),
    Route(
        method="POST",
        path="/v1/payments/{id}/review",
        operation="review_payment",
        summary="Answer for a payment that waits for a reviewer",
        handle=review_payment,
        body=ReviewBody,
        answers={200: PaymentView, 402: PaymentView},
        keyed=True,
    ),
    Route(
        method="POST",
        path="/v1/payments/{id}/void",
        operation="void_payment",
        summary="Release an authorised amount",
        handle=void_payment,
        answers={200: PaymentView},
        keyed=True,
    ),
)
