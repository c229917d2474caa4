"""Payments as their callers read them: one, a list, the outcome of a lost answer."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from wufeng.api.bodies import ListQuery, OrderNo, PersonId
from wufeng.api.routing import Call, Nothing, reply, reply_list
from wufeng.base.books import Book
from wufeng.base.claims import Answer, key_id, load_claims
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.ids import Prefix, decode
from wufeng.identity import CallerKind, own_between
from wufeng.payments import (
    PaymentFilter,
    PaymentStatus,
    PaymentView,
    Reader,
    list_payments,
    load_payment,
    show_payments,
)


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


def reader_of(call: Call[Any, Any]) -> Reader:
    """For whom a payment is shown."""
    readers = {CallerKind.MERCHANT: Reader.MERCHANT, CallerKind.PERSON: Reader.PERSON}
    return readers.get(call.caller.kind, Reader.PLATFORM)


async def get_payment(call: Call[Nothing, Nothing]) -> Answer:
    """One payment, read from the primary."""
    payment_id = call.path_id(Prefix.PAYMENT, "payment")
    async with call.services.database.read() as db:
        payment = await load_payment(db, call.book, payment_id)
        if payment is None:
            raise not_found("payment")
        spends = payment.spender_id is not None and payment.spender_id == call.caller.person_id
        person_id = payment.spender_id if spends else payment.payer_id
        own_between(call.caller, person_id, payment.merchant_id, "payment")
        reader = Reader.SPENDER if spends else reader_of(call)
        (view,) = await show_payments(
            db, call.services.catalogue, call.book, [payment], reader, call.language
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
            made = await load_payment(db, book, only)
            if made is not None and made.spender_id is not None and made.spender_id == payer_id:
                return reply_list(
                    await show_payments(db, services.catalogue, book, [made], Reader.SPENDER, call.language),
                    query.limit,
                )
        wanted = PaymentFilter(
            payer_id=payer_id,
            merchant_id=call.caller.merchant_id,
            status=query.status,
            order_no=query.order_no,
            only=only,
        )
        found = await list_payments(db, book, wanted, _before(query.starting_after), query.limit + 1)
        views = await show_payments(db, services.catalogue, book, found, reader_of(call), call.language)
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
