"""Undoing a payment: what is left of it is given back as of its captures, as if it had never been (PRODUCTS.md 2.2)."""

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from wufeng import credit
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import Prefix, encode, slot_of
from wufeng.base.lanes import Batch
from wufeng.identity import audit
from wufeng.payments.pay import store as payments
from wufeng.payments.pay.capturing import draws_by_payment
from wufeng.payments.pay.model import Payment
from wufeng.payments.pay.state import Desk
from wufeng.payments.refunds import store
from wufeng.payments.refunds.commands import undo_parts
from wufeng.payments.refunds.model import CreateRefund, Refund, RefundReason, UndonePayment, UndoPayment
from wufeng.payments.refunds.views import view_refund

Part = tuple[int, date | None]
"""An amount to give back, and the date of its captures; None: it drew no credit, and no date changes it."""


async def undo(batch: Batch, desk: Desk, commands: Sequence[UndoPayment]) -> list[Answer | Problem]:
    """Undo captured payments, one after the other: each rewrites its line's history. What has been undone is answered
    as it was done. One that cannot be undone as a whole is not undone in part.
    """
    return [await _undo(batch, desk, command) for command in commands]


async def _undo(batch: Batch, desk: Desk, command: UndoPayment) -> Answer | Problem:
    loaded = await payments.load_payments(batch.db, batch.bucket, [command.payment_id])
    payment = loaded.get(command.payment_id)
    if payment is None or payment.payer_id not in batch.people:
        return not_found("payment")
    left_minor = payment.captured_minor - payment.refunded_minor
    if not left_minor:
        return await _done_before(batch, payment)
    drawn = (await draws_by_payment(batch, [payment])).get(payment.id, ())
    parts = [_refund(batch, command, *part) for part in parts_of(payment, drawn)]
    done = await undo_parts(batch, desk, payment, parts)
    if isinstance(done, Problem):
        return done
    await audit(batch.db, batch.book, batch.ids, [command.act] if command.act is not None else [])
    return _answer(payment, sorted(done, key=lambda one: one.id), 201)  # as they are found later


def parts_of(payment: Payment, drawn: Sequence[credit.Draw]) -> Iterator[Part]:
    """What is left of a payment by the dates of its captures, the last first; with the first what its wallet paid."""
    wallet_minor = min(payment.wallet_minor, payment.captured_minor) - payment.wallet_refunded_minor
    left_minor = payment.captured_minor - payment.refunded_minor - wallet_minor
    left: dict[date, int] = {}
    for draw in reversed(drawn):
        assert draw.posted_on is not None, "a capture has posted it"
        part_minor = min(left_minor, sum(draw.principal_parts))  # refunds have lowered them
        left_minor -= part_minor
        left[draw.posted_on] = left.get(draw.posted_on, 0) + part_minor
    assert not left_minor, "what a payment has left of its credit, its draws have"
    parts: list[Part] = [(amount_minor, on) for on, amount_minor in left.items() if amount_minor]
    if not parts:
        parts = [(0, None)]
    for n, (amount_minor, on) in enumerate(parts, 1):
        yield amount_minor + (wallet_minor if n == len(parts) else 0), on


def _refund(batch: Batch, command: UndoPayment, amount_minor: int, captured_on: date | None) -> CreateRefund:
    id_ = batch.ids.new(command.at, slot_of(command.payment_id))
    return CreateRefund(
        at=command.at,
        people=command.people,
        refund_id=id_,
        payment_id=command.payment_id,
        merchant_id=None,
        refund_no=encode(Prefix.REFUND, id_),
        amount_minor=amount_minor,
        reason=command.reason,
        reason_code=RefundReason.UNDONE,
        value_on=captured_on,
    )


async def _done_before(batch: Batch, payment: Payment) -> Answer | Problem:
    done = await store.refunds_that_undid(batch.db, batch.bucket, payment.id)
    if not done:
        return Problem(Code.STATE_CONFLICT, "Nothing is left of this payment to undo.")
    return _answer(payment, done, 200)


def _answer(payment: Payment, done: Sequence[Refund], status: int) -> Answer:
    view = UndonePayment(
        payment=encode(Prefix.PAYMENT, payment.id), refunds=tuple(view_refund(one) for one in done)
    )
    return Answer(status, msgspec.json.encode(view), payment.id)
