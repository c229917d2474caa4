"""Refunds: give captured money back, read one."""

from datetime import date
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.api.bodies import AmountMinor, OrderNo, PaymentId, Reason
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.credit.documents.queries import ExplanationView
from wufeng.identity import Act, CallerKind, act_of, own_merchant, own_person
from wufeng.payments import (
    CreateRefund,
    RefundReason,
    RefundView,
    UndonePayment,
    UndoPayment,
    load_payment,
    load_refund,
    view_refund,
)
from wufeng.payments.refunds import views


class NewRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money to give back of a payment. `refund_no` is unique within the payment: the same number is the same refund.

    value_on     the date from which it counts, for staff; the day it is made where none is named. Of an earlier one all
                 that came since then is told again: late interest, minimums and bills are as they would have been
    reason_code  where it is the merchant's fault (`not_received`, `faulty`, `not_as_described`, `duplicate`), fees of
                 instalments that the payer has paid come back too
    """

    payment: PaymentId
    refund_no: OrderNo
    amount_minor: AmountMinor
    reason: Reason
    reason_code: Literal[
        "changed_mind", "not_received", "faulty", "not_as_described", "duplicate", "other"
    ] = "other"
    value_on: date | None = None


async def create_refund(call: Call[NewRefund, Nothing]) -> Answer:
    """Give money back: first less is owed, the rest returns to where it came from."""
    body, services, book = call.body, call.services, call.book
    payment_id = decode(Prefix.PAYMENT, body.payment)
    async with services.database.read() as db:
        payment = await load_payment(db, book, payment_id)
    of_merchant = call.caller.merchant_id if call.caller.kind is CallerKind.MERCHANT else None
    if payment is None or of_merchant not in (None, payment.merchant_id):
        raise invalid_field("/payment", "There is no such payment.")
    if body.value_on is not None and call.caller.kind is not CallerKind.STAFF:
        raise invalid_field("/value_on", "Only staff date a refund back.")
    command = CreateRefund(
        at=call.at,
        people=(payment.payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        refund_id=services.ids.new(call.at, slot_of(payment_id)),
        payment_id=payment_id,
        merchant_id=of_merchant,
        refund_no=body.refund_no,
        amount_minor=body.amount_minor,
        reason=body.reason,
        reason_code=RefundReason(body.reason_code),
        value_on=body.value_on,
        act=_act(call, payment_id) if call.caller.kind is CallerKind.STAFF else None,
    )
    return await services.lanes.submit(book.bucket_of(payment_id), command)


class UndoBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a payment is undone: a chargeback, or a purchase that never was."""

    reason: Reason


async def undo_payment(call: Call[UndoBody, Nothing]) -> Answer:
    """Give back what is left of a captured payment as of its captures, as if it had never been."""
    services, payment_id = call.services, call.path_id(Prefix.PAYMENT, "payment")
    async with services.database.read() as db:
        payment = await load_payment(db, call.book, payment_id)
    if payment is None:
        raise not_found("payment")
    command = UndoPayment(
        at=call.at,
        people=(payment.payer_id,),
        claim=call.claim,
        request_id=call.request_id,
        payment_id=payment_id,
        reason=call.body.reason,
        act=_act(call, payment_id),
    )
    return await services.lanes.submit(call.book.bucket_of(payment_id), command)


def _act(call: Call[NewRefund, Nothing] | Call[UndoBody, Nothing], payment_id: UUID) -> Act:
    """The caller's deed, for the audit: kept in the transaction that does it."""
    reason = call.body.reason
    return act_of(call.caller, call.operation, Prefix.PAYMENT, payment_id, call.at, call.request_id, reason)


async def get_refund(call: Call[Nothing, Nothing]) -> Answer:
    """One refund."""
    async with call.services.database.read() as db:
        refund = await load_refund(db, call.book, call.path_id(Prefix.REFUND, "refund"))
    if refund is None:
        raise not_found("refund")
    own_merchant(call.caller, refund.merchant_id, "refund")
    return reply(view_refund(refund))


async def explain_refund(call: Call[Nothing, Nothing]) -> Answer:
    """What a refund did to what its payer owes, and what went back."""
    async with call.services.database.read() as db:
        refund = await load_refund(db, call.book, call.path_id(Prefix.REFUND, "refund"))
    if refund is None:
        raise not_found("refund")
    own_person(call.caller, refund.payer_id, "refund")
    return reply(views.explain_refund(refund, call.book.business_date(call.at), call.language))


ROUTES = (
    Route(
        method="POST",
        path="/v1/refunds",
        operation="create_refund",
        summary="Give captured money back",
        handle=create_refund,
        body=NewRefund,
        answers={200: RefundView, 201: RefundView, 202: RefundView},
        keyed=True,
    ),
    Route(
        method="POST",
        path="/v1/payments/{id}/undo",
        operation="undo_payment",
        summary="Undo a captured payment, as if it had never been",
        handle=undo_payment,
        body=UndoBody,
        answers={200: UndonePayment, 201: UndonePayment},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/refunds/{id}",
        operation="get_refund",
        summary="One refund",
        handle=get_refund,
        answers={200: RefundView},
    ),
    Route(
        method="GET",
        path="/v1/refunds/{id}/explain",
        operation="explain_refund",
        summary="What a refund did to what its payer owes, and what went back",
        handle=explain_refund,
        answers={200: ExplanationView},
    ),
)
