"""Refunds: give captured money back, read one."""

from msgspec import Struct

from wufeng.api.bodies import AmountMinor, OrderNo, PaymentId, Reason
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.credit.documents.queries import ExplanationView
from wufeng.identity import CallerKind, own_merchant, own_person
from wufeng.payments import CreateRefund, RefundReason, RefundView, load_payment, load_refund, view_refund
from wufeng.payments.refunds import views


class NewRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money to give back of a payment. `refund_no` is unique within the payment: the same number is the same refund.

    reason_code  where it is the merchant's fault (`not_received`, `faulty`, `not_as_described`, `duplicate`), fees of
                 instalments that the payer has paid come back too
    """

    payment: PaymentId
    refund_no: OrderNo
    amount_minor: AmountMinor
    reason: Reason
    reason_code: RefundReason = RefundReason.OTHER


async def create_refund(call: Call[NewRefund, Nothing]) -> Answer:
    """Give money back: first less is owed, the rest returns to where it came from."""
    body, services, book = call.body, call.services, call.book
    payment_id = decode(Prefix.PAYMENT, body.payment)
    async with services.database.read() as db:
        payment = await load_payment(db, book, payment_id)
    of_merchant = call.caller.merchant_id if call.caller.kind is CallerKind.MERCHANT else None
    if payment is None or of_merchant not in (None, payment.merchant_id):
        raise invalid_field("/payment", "There is no such payment.")
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
        reason_code=body.reason_code,
    )
    return await services.lanes.submit(book.bucket_of(payment_id), command)


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
