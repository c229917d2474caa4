"""Payments that are `pending`: a reviewer answers, or nobody does in time. Also all else that runs out of time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch
from wufeng.identity import audit
from wufeng.identity.audit.model import Act
from wufeng.identity.merchants.model import MerchantStatus
from wufeng.identity.people.model import PersonStatus
from wufeng.payments.orders.model import Order
from wufeng.payments.pay import store
from wufeng.payments.pay.capturing import (
    Part,
    Taken,
    authorised_under,
    carry_out_captures,
    load_for,
    settled_capture,
    take,
    take_excess,
)
from wufeng.payments.pay.ending import End, end_payments
from wufeng.payments.pay.ends import CapturePlan, ended, plan_capture
from wufeng.payments.pay.model import (
    Capture,
    ExpirePayments,
    Payment,
    PaymentStatus,
    Reader,
    ReviewPayment,
)
from wufeng.payments.pay.settle import Settled, kind_of, tell_and_answer
from wufeng.payments.pay.state import Desk, Table
from wufeng.risk import in_order, record_decisions
from wufeng.risk.model import Decision, Outcome, Reason


class Verdict(Struct, frozen=True):
    """What becomes of a pending payment, and the rule that says so (a reviewer's id, or the deadline)."""

    payment: Payment
    approve: bool
    at: datetime
    rules: tuple[str, ...]
    language: str


async def review(batch: Batch, desk: Desk, commands: Sequence[ReviewPayment]) -> list[Answer | Problem]:
    """Take reviewers' answers. The first one counts; it makes a decision row of its own."""
    ids = {command.payment_id for command in commands}
    loaded = await store.load_payments(batch.db, batch.bucket, ids)
    answers: list[Answer | Problem | None] = []
    verdicts: list[Verdict] = []
    acts: list[Act] = []
    for command in commands:
        payment = loaded.get(command.payment_id)
        if payment is None:
            answers.append(not_found("payment"))
        elif payment.status is not PaymentStatus.PENDING or payment.id in {v.payment.id for v in verdicts}:
            detail = "This payment does not wait for a reviewer any more."
            answers.append(Problem(Code.STATE_CONFLICT, detail))
        else:
            rules = ("review", encode(Prefix.STAFF, command.staff_id))
            verdicts.append(Verdict(payment, command.approve, command.at, rules, command.language))
            acts += [command.act] if command.act is not None else []
            answers.append(None)
    await audit(batch.db, batch.book, batch.ids, acts)
    told = await _settle_verdicts(batch, desk, verdicts)
    return [
        answer if answer is not None else told[command.payment_id]
        for command, answer in zip(commands, answers, strict=True)
    ]


async def expire(batch: Batch, desk: Desk, commands: Sequence[ExpirePayments]) -> list[Answer | Problem]:
    """End what nobody confirmed, captured or reviewed in time, of the people that the commands name.

    A review that nobody answered ends as the policy in force says.
    """
    at, limit = max(c.at for c in commands), max(c.limit for c in commands)
    due = await store.load_due_payments(batch.db, batch.bucket, at, limit)
    due = [payment for payment in due if payment.payer_id in batch.people]
    approve = desk.catalogue.policies[batch.book.id].review.on_timeout == "allow"
    verdicts = [
        Verdict(payment, approve, at, ("review_timeout",), "zh")
        for payment in due
        if payment.status is PaymentStatus.PENDING
    ]
    ends = [
        End(payment, ended(payment, PaymentStatus.EXPIRED), at, Reader.PLATFORM, "zh")
        for payment in due
        if payment.status is not PaymentStatus.PENDING
    ]
    await _settle_verdicts(batch, desk, verdicts)
    await end_payments(batch, desk, ends)
    body = msgspec.json.encode({"expired": len(ends), "reviewed": len(verdicts)})
    return [Answer(200, body) for _ in commands]


async def _settle_verdicts(batch: Batch, desk: Desk, verdicts: Sequence[Verdict]) -> dict[UUID, Answer]:
    if not verdicts:
        return {}
    table = await load_for(batch, desk, [verdict.payment for verdict in verdicts])
    lacking = await take_excess(batch, table, [_part(one) for one in verdicts if _captures(table, one)])
    decisions = [
        _decision(batch, table, verdict, lacks_subsidy=verdict.payment.id in lacking) for verdict in verdicts
    ]
    await record_decisions(batch.db, batch.bucket, decisions, {})
    ends: list[End] = []
    taken: list[tuple[Taken, str]] = []
    authorised: list[tuple[Payment, Verdict]] = []
    for verdict, decision in zip(verdicts, decisions, strict=True):
        payment = replace(verdict.payment, decision_id=decision.id, reasons=decision.reasons)
        if decision.outcome is Outcome.DECLINE:
            after = ended(payment, PaymentStatus.DECLINED)
            ends.append(End(verdict.payment, after, verdict.at, Reader.PLATFORM, verdict.language))
            continue
        until = verdict.at + timedelta(days=desk.catalogue.authorised_days)
        payment = replace(payment, status=PaymentStatus.AUTHORISED, expires_at=until)
        if payment.capture is Capture.LATER:
            authorised.append((payment, verdict))
            continue
        taken.append((take(batch, table, _part(replace(verdict, payment=payment))), verdict.language))
    settled = [_settled_authorised(batch, payment, verdict) for payment, verdict in authorised]
    if authorised:
        await store.update_payments(batch.db, batch.bucket, [payment for payment, _ in authorised])
    if taken:
        found: dict[UUID, Order] = await carry_out_captures(batch, table, [one for one, _ in taken])
        settled += [
            settled_capture(table, one, {}, found, Reader.PLATFORM, language) for one, language in taken
        ]
    answers = [*tell_and_answer(batch, table, settled), *await end_payments(batch, desk, ends)]
    return {answer.object_id: answer for answer in answers if answer.object_id is not None}


def _part(verdict: Verdict) -> Part:
    """All that the payment holds, as it is captured once it is authorised."""
    payment = replace(verdict.payment, status=PaymentStatus.AUTHORISED)
    plan = plan_capture(payment, None, final=True)
    assert isinstance(plan, CapturePlan), "all that is held can be captured"
    return Part(payment, plan, verdict.at, 0)


def _captures(table: Table, verdict: Verdict) -> bool:
    return verdict.approve and verdict.payment.capture is Capture.NOW and not _blocks(table, verdict.payment)


def _blocks(table: Table, payment: Payment) -> list[Reason]:
    """Nobody lets a payment of a frozen person or to a closed merchant through."""
    state, merchant = table.states[payment.payer_id], table.given.merchants[payment.merchant_id]
    blocks: list[Reason] = []
    if state.guard.status is not PersonStatus.ACTIVE:
        blocks.append(Reason.PAYER_FROZEN)
    if merchant.status is not MerchantStatus.ACTIVE:
        blocks.append(Reason.MERCHANT_CLOSED)
    return blocks


def _decision(batch: Batch, table: Table, verdict: Verdict, *, lacks_subsidy: bool) -> Decision:
    """The reviewer's decision; none lets through what must not be, or what its campaign cannot carry any more."""
    payment = verdict.payment
    state = table.states[payment.payer_id]
    blocks = _blocks(table, payment) + [Reason.CAMPAIGN_OVER] * lacks_subsidy
    approved = verdict.approve and not blocks
    product = authorised_under(batch, table, payment) if payment.credit_minor else None
    return Decision(
        id=batch.ids.new(verdict.at, payment.id.int & 0xFFFF),
        payment_id=payment.id,
        payer_id=payment.payer_id,
        merchant_id=payment.merchant_id,
        amount_minor=payment.amount_minor,
        at=verdict.at,
        outcome=Outcome.ALLOW if approved else Outcome.DECLINE,
        reasons=() if approved else in_order((*payment.reasons, *blocks)),
        rules=verdict.rules,
        policy=table.given.policy.name,
        product=f"{product.id}@{product.version}" if product is not None else None,
        confirmation=payment.confirmation,
        features=state.features,
    )


def _settled_authorised(batch: Batch, payment: Payment, verdict: Verdict) -> Settled:
    return Settled(
        payment=payment,
        reader=Reader.PLATFORM,
        language=verdict.language,
        on=batch.book.business_date(verdict.at),
        kind=kind_of(payment, took_money=False),
    )
