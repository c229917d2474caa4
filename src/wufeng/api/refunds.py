"""Refunds: give captured money back, read one."""

from msgspec import Struct

from wufeng.api.bodies import AmountMinor, OrderNo, PaymentId, Reason
from wufeng.api.routing import Call, Nothing, Route, reply
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.ids import Prefix, decode, slot_of
from wufeng.identity import CallerKind, own_merchant
from wufeng.payments import CreateRefund, RefundView, load_payment, load_refund, view_refund


class NewRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money to give back of a payment. `refund_no` is unique within the payment: the same number is the same refund."""

    payment: PaymentId
    refund_no: OrderNo
    amount_minor: AmountMinor
    reason: Reason


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
)
