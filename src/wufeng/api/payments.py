"""Payments: start one, confirm, capture, void, read."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from wufeng.api.bodies import (
    AmountMinor,
    Currency,
    LineId,
    ListQuery,
    MerchantId,
    OrderId,
    OrderNo,
    PersonId,
    Reason,
    ShortText,
    WalletId,
)
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.books import Book
from wufeng.base.claims import Answer, KeyClaim, key_id, load_claims
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.identity import CallerKind, act_of, check_pin, own_between
from wufeng.identity.merchants.model import NEVER_CREDITABLE, Merchant, Scene
from wufeng.identity.people.queries import person_of_wallet
from wufeng.identity.vault import Private
from wufeng.payments import (
    Capture,
    CapturePayment,
    Confirm,
    Funding,
    OrderTerms,
    Pay,
    PaymentFilter,
    PaymentStatus,
    PaymentView,
    Reader,
    Receipt,
    Refuse,
    ReviewPayment,
    VoidPayment,
    bind_funding,
    carried_by_campaign,
    find_order,
    funding_of_option,
    list_payments,
    load_payment,
    order_id,
    show_payments,
)
from wufeng.risk.model import Confirmation

Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=500)]], Meta(max_length=20)
]
Instant = Annotated[datetime, Meta(tz=True)]


class InlineOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order made with its payment. `merchant` is left out by the merchant itself; `scene` defaults to its own."""

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
    """The payer's wallet, or a line with its months."""

    wallet: WalletId | None = None
    line: LineId | None = None
    tenor: Annotated[int, Meta(ge=1, le=60)] = 1


class ProofKind(StrEnum):
    """How the payer proves to be there."""

    PIN = "pin"


class ConfirmationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The payer's yes with its proof, which is never stored."""

    kind: ProofKind
    proof: Annotated[str, Meta(min_length=1, max_length=64)]


Sources = Annotated[tuple[FundingSource, ...], Meta(min_length=1, max_length=2)]
OptionId = Annotated[str, Meta(min_length=1, max_length=64, examples=["qte_01h455vb4pex5vsknk084sn02q.1"])]


class CreatePayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One attempt to pay an order."""

    order: OrderId | InlineOrder
    payer: PersonId | None = None
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


class PaymentsQuery(ListQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which payments."""

    order_no: OrderNo | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    payer: PersonId | None = None
    status: PaymentStatus | None = None


class PaymentList(Struct, frozen=True, kw_only=True):
    """A page of payments, newest first."""

    data: list[PaymentView]
    next: str | None
    has_more: bool


async def create_payment(call: Call[CreatePayment, Nothing]) -> Answer:
    """Start a payment: in one lane batch it is decided, drawn, split and posted, or asks for the payer's word."""
    body, services, book = call.body, call.services, call.book
    payer_id = _payer(call)
    if call.caller.kind is not CallerKind.PERSON and body.confirmation is not None:
        raise invalid_field("/confirmation", "Only the payer confirms, in a session of their own.")
    order = await _order_of(call, payer_id)
    funding = await _funding(call, payer_id, body.funding, body.quote_option, order)
    if isinstance(body.order, str) and body.quote_option is None:
        async with services.database.read() as db:
            funding = await bind_funding(db, book, order.id, funding, call.at)
    if body.quote_option is None:
        funding = await carried_by_campaign(
            services.database, services.catalogue, book, order, funding, payer_id, call.at
        )
    confirmed = Confirmation.NONE
    if call.caller.kind is CallerKind.PERSON:
        stored, confirmed = await _confirmed(call, payer_id, body.confirmation)
        if stored is not None:
            return stored
    command = Pay(
        at=call.at,
        people=(payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=services.ids.new(call.at, slot_of(payer_id)),
        order=order,
        payer_id=payer_id,
        funding=funding,
        capture=body.capture,
        confirmation=confirmed,
        caller_id=call.caller.id,
        reader=_reader(call),
        language=call.language,
    )
    return _counted(call, await services.lanes.submit(book.bucket_of(payer_id), command))


async def confirm_payment(call: Call[ConfirmPayment, Nothing]) -> Answer:
    """The payer's word on a payment that waits for it."""
    body, services, book = call.body, call.services, call.book
    payment_id = call.path_id(Prefix.PAYMENT, "payment")
    payer_id = call.caller.person_id
    assert payer_id is not None, "only people confirm"
    bucket = book.bucket_of(payment_id)
    async with services.database.read() as db:
        payment = await load_payment(db, book, payment_id)
    if payment is None or payment.payer_id != payer_id:
        raise not_found("payment")
    if body.refuse:
        return await services.lanes.submit(bucket, _refusal(call, payment_id, payer_id))
    if body.confirmation is None:
        raise invalid_field("/confirmation", "Prove the payer's yes, or set refuse.")
    funding: Funding | None = None
    if body.funding is not None or body.quote_option is not None:
        async with services.database.read() as db:
            order = await find_order(db, book, payment.order_id)
        assert order is not None, "a payment's order is kept"
        funding = await _funding(call, payer_id, body.funding, body.quote_option, order.terms)
        if not payment.inline_order and body.quote_option is None:
            async with services.database.read() as db:
                funding = await bind_funding(db, book, payment.order_id, funding, call.at)
        if body.quote_option is None:
            funding = await carried_by_campaign(
                services.database, services.catalogue, book, order.terms, funding, payer_id, call.at
            )
    try:
        stored, confirmed = await _confirmed(call, payer_id, body.confirmation)
    except Problem as problem:
        if problem.code is Code.CONFIRMATION_FAILED and problem.extra.get("tries_left") == 0:
            # The tries are used up: the payment ends, and says so; the key is free, since nothing was stored with it.
            return await services.lanes.submit(bucket, _refusal(call, payment_id, payer_id))
        raise
    if stored is not None:
        return stored
    command = Confirm(
        at=call.at,
        people=(payer_id,),
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


def _refusal(call: Call[Any, Any], payment_id: UUID, payer_id: UUID) -> Refuse:
    return Refuse(
        at=call.at,
        people=(payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=payment_id,
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


async def get_payment(call: Call[Nothing, Nothing]) -> Answer:
    """One payment, read from the primary."""
    payment_id = call.path_id(Prefix.PAYMENT, "payment")
    async with call.services.database.read() as db:
        payment = await load_payment(db, call.book, payment_id)
        if payment is None:
            raise not_found("payment")
        own_between(call.caller, payment.payer_id, payment.merchant_id, "payment")
        (view,) = await show_payments(
            db, call.services.catalogue, call.book, [payment], _reader(call), call.language
        )
    return reply(view)


async def get_payments(call: Call[Nothing, PaymentsQuery]) -> Answer:
    """The caller's payments; by the key of the request that made one, the outcome of a lost answer."""
    query, services, book = call.query, call.services, call.book
    payer_id = decode(Prefix.PERSON, query.payer) if query.payer else call.caller.person_id
    if call.caller.kind is CallerKind.PERSON and payer_id != call.caller.person_id:
        raise invalid_field("payer", "A person sees their own payments only.")
    async with services.database.read() as db:
        only: UUID | None = None
        if query.idempotency_key is not None:
            only = await _payment_of_key(db, book, call.caller.id, query.idempotency_key)
            if only is None:
                return reply_list([], query.limit)
        wanted = PaymentFilter(
            payer_id=payer_id,
            merchant_id=call.caller.merchant_id,
            status=query.status,
            order_no=query.order_no,
            only=only,
        )
        found = await list_payments(db, book, wanted, _before(query.starting_after), query.limit + 1)
        views = await show_payments(db, services.catalogue, book, found, _reader(call), call.language)
    return reply_list(views, query.limit)


async def _payment_of_key(db: Any, book: Book, caller_id: UUID, key: str) -> UUID | None:
    claim_id = key_id(caller_id, key)
    claimed = (await load_claims(db, book, [claim_id])).get(claim_id)
    return claimed.answer.object_id if claimed is not None and claimed.answer is not None else None


def _before(starting_after: str | None) -> UUID | None:
    if starting_after is None:
        return None
    try:
        return decode(Prefix.PAYMENT, starting_after)
    except ValueError:
        raise invalid_field("starting_after", "It names no payment of this list.") from None


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
        async with call.services.database.read() as db:
            found = await find_order(db, call.book, decode(Prefix.ORDER, order))
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
        receipt=order.receipt,
        expires_at=order.expires_at,
        metadata=msgspec.json.encode(order.metadata) if order.metadata else None,
    )


def _scene(call: Call[Any, Any], asked: Scene | None, merchant: Merchant) -> Scene:
    """The order's scene. A person cannot choose it, and a merchant of a forbidden scene cannot hide it."""
    if asked is None or call.caller.kind is CallerKind.PERSON or merchant.scene in NEVER_CREDITABLE:
        return merchant.scene
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
    """What to pay from: a quote's option, or sources in any order; a merchant may leave it to the payer."""
    if sources is not None and option is not None:
        raise invalid_field("/funding", "Give either a quote_option or funding.")
    if option is not None:
        async with call.services.database.read() as db:
            return await funding_of_option(db, call.book, option, order, payer_id, call.at)
    if sources is None:
        if call.caller.kind is CallerKind.PERSON:
            raise invalid_field("/funding", "Say what to pay from: a wallet, a line, or both.")
        return Funding(use_wallet=True, line_id=None)
    funding = await _funding_of_sources(call, payer_id, sources)
    if isinstance(getattr(call.body, "order", None), InlineOrder):
        return funding  # a checkout session needs a stored order, so nothing binds this one
    async with call.services.database.read() as db:
        return await bind_funding(db, call.book, order.id, funding, call.at)


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


async def _confirmed(
    call: Call[Any, Any], person_id: UUID, confirmation: ConfirmationBody | None
) -> tuple[Answer | None, Confirmation]:
    """How the payer has said yes, or the stored answer of a key that comes again.

    The key is looked up before a PIN is tried: a repeated request costs no try and needs no proof. A wrong PIN is
    refused here and stored nowhere.
    """
    if confirmation is None:
        return None, Confirmation.SESSION
    assert call.claim is not None, "a confirmation moves money, so its call has a key"
    if (stored := await _stored(call, call.claim)) is not None:
        return stored, Confirmation.NONE
    verdict = await check_pin(
        call.services.database,
        call.services.vault,
        call.book,
        person_id,
        Private(confirmation.proof),
        call.at,
    )
    if not verdict.ok:
        raise Problem(
            Code.CONFIRMATION_FAILED, "The PIN was not accepted.", extra={"tries_left": verdict.tries_left}
        )
    return None, Confirmation.PIN


async def _stored(call: Call[Any, Any], claim: KeyClaim) -> Answer | None:
    async with call.services.database.read() as db:
        claimed = (await load_claims(db, call.book, [claim.id])).get(claim.id)
    if claimed is None or claimed.answer is None:
        return None
    if (problem := claim.problem_if_other(claimed.digest)) is not None:
        raise problem
    return claimed.answer


async def _of_merchant(call: Call[Any, Any]) -> tuple[UUID, UUID, UUID]:
    """(payment, payer, merchant) of a payment of the calling merchant's."""
    payment_id = call.path_id(Prefix.PAYMENT, "payment")
    async with call.services.database.read() as db:
        payment = await load_payment(db, call.book, payment_id)
    if payment is None or payment.merchant_id != call.caller.merchant_id:
        raise not_found("payment")
    return payment_id, payment.payer_id, payment.merchant_id


def _reader(call: Call[Any, Any]) -> Reader:
    readers = {CallerKind.MERCHANT: Reader.MERCHANT, CallerKind.PERSON: Reader.PERSON}
    return readers.get(call.caller.kind, Reader.PLATFORM)


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
