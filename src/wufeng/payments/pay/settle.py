"""What all commands of payments end with: orders put right, events told, answers written."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.claims import Answer
from wufeng.base.events import Event
from wufeng.base.lanes import Batch
from wufeng.payments.events import PAYMENT_RELEASED, Kind
from wufeng.payments.orders.model import Order, OrderState, Taking
from wufeng.payments.orders.views import order_body
from wufeng.payments.pay.model import Payment, PaymentStatus, Reader
from wufeng.payments.pay.state import Table
from wufeng.payments.pay.views import DrawFacts, PaymentView, view_for, view_payment

KIND_OF_STATUS: dict[PaymentStatus, str] = {
    PaymentStatus.CAPTURED: Kind.PAYMENT_CAPTURED,
    PaymentStatus.AUTHORISED: Kind.PAYMENT_AUTHORISED,
    PaymentStatus.DECLINED: Kind.PAYMENT_DECLINED,
    PaymentStatus.VOIDED: Kind.PAYMENT_VOIDED,
    PaymentStatus.EXPIRED: Kind.PAYMENT_EXPIRED,
    PaymentStatus.FAILED: Kind.PAYMENT_FAILED,
}
"""What is told of a payment that came to a state; nothing of one that waits."""

EVENT_LANGUAGE = "zh"
"""Events are the same bytes for all their readers; codes carry the meaning."""

_encode = msgspec.json.Encoder().encode


class Settled(Struct, frozen=True, gc=False, kw_only=True):
    """A payment with what became of it, stored already.

    order    the stored order that it paid or freed; None when the payment made it
    kind     of the event; None: nothing to tell
    created  the status of the answer, unless the payment was declined or waits
    """

    payment: Payment
    reader: Reader
    language: str
    on: date
    draws: tuple[DrawFacts, ...] = ()
    order: Order | None = None
    kind: str | None = None
    created: int = 200


def taking_of(payment: Payment) -> Taking | None:
    """How a payment holds its order now; None when it does not."""
    status = payment.status
    if status is PaymentStatus.CAPTURED:
        return Taking(payment.id, payment.payer_id, OrderState.PAID)
    if status is PaymentStatus.AUTHORISED or status is PaymentStatus.PENDING:
        return Taking(payment.id, payment.payer_id, OrderState.OPEN)
    return None


def tell_and_answer(batch: Batch, table: Table, settled: Sequence[Settled]) -> list[Answer]:
    """Append the events of payments and write their answers, in order."""
    answers: list[Answer] = []
    for one in settled:
        payment = one.payment
        told = _view(batch, table, one, Reader.PLATFORM, EVENT_LANGUAGE)
        if one.kind is not None:
            _tell(batch, one, told)
        if one.language == EVENT_LANGUAGE:  # made once: only the fee and the wording of reasons differ
            shown = view_for(told, payment, one.reader, one.language)
        else:
            shown = _view(batch, table, one, one.reader, one.language)
        answers.append(Answer(_status(one), _encode(shown), payment.id))
    return answers


def _view(batch: Batch, table: Table, one: Settled, reader: Reader, language: str) -> PaymentView:
    payment = one.payment
    return view_payment(
        payment,
        one.draws,
        table.product(payment.funding.line_id, one.on),
        table.guard(payment.payer_id).wallet_id,
        batch.book.id,
        reader,
        language,
    )


def _tell(batch: Batch, one: Settled, view: PaymentView) -> None:
    payment, kind = one.payment, one.kind
    assert kind is not None, "told only when there is something to tell"
    batch.events.append(Event(kind, payment.id, _encode(view), one.on, payment.payer_id, payment.merchant_id))
    if one.order is not None and payment.status is PaymentStatus.CAPTURED:
        paid = _paid(one.order, payment, payment.captured_at)
        batch.events.append(
            Event(
                Kind.ORDER_PAID,
                payment.order_id,
                order_body(paid),
                one.on,
                payment.payer_id,
                payment.merchant_id,
            )
        )


def _paid(order: Order, payment: Payment, at: datetime | None) -> Order:
    return replace(order, state=OrderState.PAID, payment_id=payment.id, payer_id=payment.payer_id, paid_at=at)


def _status(one: Settled) -> int:
    status = one.payment.status
    if status is PaymentStatus.DECLINED:
        return 402
    return 202 if status is PaymentStatus.PENDING else one.created


def kind_of(payment: Payment, *, took_money: bool) -> str | None:
    """The event of a payment's state; a capture that ends by releasing the rest takes no money itself."""
    if payment.status is PaymentStatus.CAPTURED and not took_money:
        return PAYMENT_RELEASED
    return KIND_OF_STATUS.get(payment.status)
