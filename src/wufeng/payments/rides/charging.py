"""Charging rides inside a lane's batch: one ordinary payment a charge, in the transaction that changes the charge.

Each try is a payment of its own, all of one order: whatever is raced, repeated or crashes, a charge is paid once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch
from wufeng.payments.orders import store as orders
from wufeng.payments.pay.model import Capture, Funding, Pay, Payment, Reader
from wufeng.payments.pay.start import pay
from wufeng.payments.pay.state import Desk
from wufeng.payments.pay.store import load_payments
from wufeng.payments.rides import rules, store
from wufeng.payments.rides.model import ChargeStatus, RideCharge
from wufeng.risk.model import Confirmation

STATUS_OF_ANSWER = {201: ChargeStatus.CHARGED, 202: ChargeStatus.PENDING, 402: ChargeStatus.UNPAID}
"""Where a charge stands by the answer of its payment: a payment that would wait for its payer is declined instead."""


class Yes(Struct, frozen=True):
    """How charges are paid: with the code that opened the gate, or by a hand that has proved to be there.

    funding     None: what the charge names
    moved_from  the first `at` of a command that was moved on past a closed day; None: it never was
    """

    at: datetime
    confirmation: Confirmation = Confirmation.PAY_CODE
    funding: Funding | None = None
    reader: Reader = Reader.PLATFORM
    language: str = "zh"
    moved_from: datetime | None = None


class Tried(Struct, frozen=True):
    """A charge after it was tried, and what its payment answered; None: there was none to make."""

    charge: RideCharge
    answer: Answer | Problem | None


async def look_at_pending(batch: Batch, charges: Sequence[RideCharge]) -> list[RideCharge]:
    """The same charges, those that waited as their payments stand now. Writes what has changed."""
    waiting = [charge.payment_id for charge in charges if charge.status is ChargeStatus.PENDING]
    if not waiting:
        return list(charges)
    found = await load_payments(batch.db, batch.bucket, [id_ for id_ in waiting if id_ is not None])
    after = [_looked_at(charge, found) for charge in charges]
    changed = [new for old, new in zip(charges, after, strict=True) if new is not old and new != old]
    if changed:
        await store.write_charges(batch.db, batch.bucket, changed)
    return after


def _looked_at(charge: RideCharge, payments: Mapping[UUID, Payment]) -> RideCharge:
    if charge.status is not ChargeStatus.PENDING:
        return charge
    payment = payments.get(charge.payment_id) if charge.payment_id is not None else None
    return rules.looked_at(charge, payment.status if payment is not None else None)


async def collect(batch: Batch, desk: Desk, charges: Sequence[RideCharge], yes: Yes) -> list[Tried]:
    """Try to be paid for charges that are open or unpaid, and write how they stand then. Answers keep their order."""
    on = batch.book.business_date(yes.at)
    due = [charge for charge in charges if charge.due_minor]
    commands = {charge.id: _pay(batch, charge, yes) for charge in due}
    answers = await pay(batch, desk, [commands[charge.id] for charge in due]) if due else []
    answered = {charge.id: answer for charge, answer in zip(due, answers, strict=True)}
    taken = [commands[id_].order.id for id_, answer in answered.items() if isinstance(answer, Problem)]
    states = await orders.lock_orders(batch.db, batch.book, taken) if taken else {}
    tried: list[Tried] = []
    for charge in charges:
        answer = answered.get(charge.id)
        if answer is None:
            tried.append(Tried(rules.free(charge, on), None))
            continue
        command = commands[charge.id]
        if isinstance(answer, Problem):
            order = states.get(command.order.id)
            after = rules.taken_elsewhere(charge, order, on) if order is not None else charge
        else:
            status = STATUS_OF_ANSWER[answer.status]
            after = rules.tried(charge, status, command.payment_id, command.order.id, on)
        tried.append(Tried(after, answer))
    await store.write_charges(batch.db, batch.bucket, [one.charge for one in tried])
    return tried


def _pay(batch: Batch, charge: RideCharge, yes: Yes) -> Pay:
    """The payment of a charge. Nobody is there to be asked: what would wait for the payer's word is declined."""
    return Pay(
        at=yes.at,
        people=(charge.payer_id,),
        payment_id=batch.ids.new(yes.at, slot_of(charge.payer_id)),
        order=rules.order_of(charge, batch.book.currency),
        payer_id=charge.payer_id,
        funding=yes.funding or charge.funding,
        capture=Capture.NOW,
        confirmation=yes.confirmation,
        caller_id=charge.merchant_id,
        reader=yes.reader,
        language=yes.language,
        moved_from=yes.moved_from,
    )
