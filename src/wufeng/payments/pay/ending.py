"""Payments that end without taking (more) money: voided by the merchant, declined by a reviewer, or expired."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng import ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem, not_found
from wufeng.base.lanes import Batch
from wufeng.payments.orders import store as orders
from wufeng.payments.orders.model import Order
from wufeng.payments.pay import counted, family, store, subsidies
from wufeng.payments.pay.capturing import draws_by_payment, facts_of_draws, load_for, open_holds
from wufeng.payments.pay.ends import ended, problem_if_not_voidable
from wufeng.payments.pay.model import Payment, PaymentStatus, Reader, VoidPayment
from wufeng.payments.pay.rules import HOLDS_ORDER
from wufeng.payments.pay.settle import Settled, kind_of, taking_of, tell_and_answer
from wufeng.payments.pay.state import Desk


class End(Struct, frozen=True):
    """A payment that ends at an instant, before and after, and for whom the answer is written."""

    before: Payment
    after: Payment
    at: datetime
    reader: Reader
    language: str


async def void(batch: Batch, desk: Desk, commands: Sequence[VoidPayment]) -> list[Answer | Problem]:
    """Release authorised amounts. After a part capture the payment stays captured with what was taken."""
    ids = {command.payment_id for command in commands}
    loaded = await store.load_payments(batch.db, batch.bucket, ids)
    answers: list[Answer | Problem | None] = []
    ends: list[End] = []
    for command in commands:
        payment = loaded.get(command.payment_id)
        if payment is None or payment.merchant_id != command.merchant_id:
            answers.append(not_found("payment"))
        elif (problem := problem_if_not_voidable(payment)) is not None:
            answers.append(problem)
        else:
            after = loaded[payment.id] = ended(payment, PaymentStatus.VOIDED)
            ends.append(End(payment, after, command.at, Reader.MERCHANT, command.language))
            answers.append(None)
    told = iter(await end_payments(batch, desk, ends))
    return [answer if answer is not None else next(told) for answer in answers]


async def end_payments(batch: Batch, desk: Desk, ends: Sequence[End]) -> list[Answer]:
    """Store payments that end without a further capture: holds voided, orders freed or paid in part."""
    if not ends:
        return []
    table = await load_for(batch, desk, [end.before for end in ends])
    holding = [end for end in ends if end.before.status in HOLDS_ORDER]
    found: dict[UUID, Order] = {}
    if holding:
        found = await orders.lock_orders(batch.db, batch.book, [end.before.order_id for end in holding])
    await store.update_payments(batch.db, batch.bucket, [end.after for end in ends])
    await subsidies.release(batch, [(end.before, end.after) for end in ends])
    await family.release(batch, [(end.before, end.after) for end in ends])
    await counted.release(batch, [(end.before, end.after) for end in ends])
    await ledger.void_holds(batch, [hold for end in holding for hold in open_holds(end.before)])
    if holding:
        fixes = {end.after.order_id: (end.after.id, taking_of(end.after)) for end in holding}
        await orders.settle_orders(batch.db, batch.book, fixes, max(end.at for end in holding))
    drawn = await draws_by_payment(batch, [end.after for end in ends if end.after.captured_minor])
    settled = [
        Settled(
            payment=end.after,
            reader=end.reader,
            language=end.language,
            on=batch.book.business_date(end.at),
            draws=facts_of_draws(table, end.after, drawn),
            order=None if end.after.inline_order else found.get(end.after.order_id),
            kind=kind_of(end.after, took_money=False),
        )
        for end in ends
    ]
    return tell_and_answer(batch, table, settled)
