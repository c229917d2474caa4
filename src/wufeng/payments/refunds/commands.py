"""Refunds inside a lane's batch: the line owes less, money returns where it came from, the merchant is owed less."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng import credit, ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem, not_found
from wufeng.base.events import Event
from wufeng.base.ids import Prefix, encode
from wufeng.base.lanes import Batch
from wufeng.ledger import AccountKind, Cause, Journal, JournalKind, account_id
from wufeng.ledger import rules as templates
from wufeng.payments.bank.model import Answered
from wufeng.payments.events import REFUND_PENDING, Kind
from wufeng.payments.pay import family
from wufeng.payments.pay import store as payments
from wufeng.payments.pay.capturing import draws_by_payment
from wufeng.payments.pay.model import Payment
from wufeng.payments.pay.money import line_of
from wufeng.payments.pay.state import Desk
from wufeng.payments.pay.subsidies import release
from wufeng.payments.refunds import rules, store
from wufeng.payments.refunds.model import (
    RETURNS_MAX,
    BankReturn,
    CreateRefund,
    Refund,
    RefundAnswered,
    RefundStatus,
    ReturnStatus,
    return_id,
)
from wufeng.payments.refunds.rules import RefundPlan
from wufeng.payments.refunds.views import effects_of, kept_effect, refund_body
from wufeng.payments.turns import in_turns


class _Planned(Struct, frozen=True):
    command: CreateRefund
    payment: Payment
    plan: RefundPlan
    on: date


async def refund(batch: Batch, desk: Desk, commands: Sequence[CreateRefund]) -> list[Answer | Problem]:
    """Refund captured payments. Refunds of one payment take turns; one number is one refund, however often asked."""
    return await in_turns(
        commands, lambda command: command.payment_id, lambda turn: _refund_distinct(batch, desk, turn)
    )


async def _refund_distinct(
    batch: Batch, desk: Desk, commands: Sequence[CreateRefund]
) -> list[Answer | Problem]:
    loaded = await payments.load_payments(
        batch.db, batch.bucket, [command.payment_id for command in commands]
    )
    names = [(command.payment_id, command.refund_no) for command in commands]
    known = await store.load_refunds_by_no(batch.db, batch.bucket, names)
    refunded = [payment.id for payment in loaded.values() if payment.refunded_minor]
    fees = await store.load_fees_returned(batch.db, batch.bucket, refunded) if refunded else {}
    owed = await _owed_to_merchants(batch, loaded)
    answers: dict[UUID, Answer | Problem] = {}
    planned: list[_Planned] = []
    for command in commands:
        payment = loaded.get(command.payment_id)
        outcome = _plan(batch, desk, command, payment, known, fees, owed)
        if isinstance(outcome, _Planned):
            planned.append(outcome)
            owed[outcome.payment.merchant_id] -= command.amount_minor
        else:
            answers[command.payment_id] = outcome
    if planned:
        for done in await _carry_out(batch, desk, planned):
            status = 202 if done.status is RefundStatus.PENDING else 201
            answers[done.payment_id] = Answer(status, refund_body(done), done.id)
    return [answers[command.payment_id] for command in commands]


def _plan(
    batch: Batch,
    desk: Desk,
    command: CreateRefund,
    payment: Payment | None,
    known: Mapping[tuple[UUID, str], Refund],
    fees: Mapping[UUID, int],
    owed: Mapping[UUID, int],
) -> _Planned | Answer | Problem:
    if payment is None or command.merchant_id not in (None, payment.merchant_id):
        return not_found("payment")
    before = known.get((command.payment_id, command.refund_no))
    if before is not None:
        problem = rules.problem_if_other_request(before, command.amount_minor, command.reason_code)
        return problem if problem is not None else Answer(200, refund_body(before), before.id)
    plan = rules.plan_refund(payment, command.amount_minor, fees.get(payment.id, 0))
    if isinstance(plan, Problem):
        return plan
    floor = rules.problem_if_below_floor(
        owed[payment.merchant_id],
        command.amount_minor - plan.fee_returned_minor,
        desk.catalogue.payable_floor_minor,
    )
    return floor or _Planned(command, payment, plan, batch.book.business_date(command.at))


async def _owed_to_merchants(batch: Batch, loaded: Mapping[UUID, Payment]) -> dict[UUID, int]:
    """What merchants are owed over all buckets, as far as the follower has folded it."""
    accounts = {
        payment.merchant_id: account_id(payment.merchant_id, AccountKind.MERCHANT_PAYABLE)
        for payment in loaded.values()
    }
    found = await ledger.folded_balances(batch.db, batch.book.buckets, list(accounts.values()))
    return {merchant: -found[account] for merchant, account in accounts.items()}


async def _carry_out(batch: Batch, desk: Desk, planned: Sequence[_Planned]) -> list[Refund]:
    """Do what was planned: credit first lowers what is owed, then one set of journals moves all the money."""
    credited = await _refund_draws(batch, desk, planned)
    refunds: list[Refund] = []
    journals: list[Journal] = []
    for one in planned:
        refunded = credited.get(one.payment.id)
        wallet_id = batch.people[one.payment.payer_id].wallet_id
        refunds.append(_new_refund(one, refunded, wallet_id))
        journals += _journals(batch, one, refunded, wallet_id)
    await ledger.post(batch, journals)
    after = [_after(one, credited.get(one.payment.id)) for one in planned]
    await payments.update_payments(batch.db, batch.bucket, after)
    changes = [(one.payment, done) for one, done in zip(planned, after, strict=True)]
    await release(batch, changes)
    await family.release(batch, changes)
    await store.insert_refunds(batch.db, batch.bucket, refunds)
    for one, new in zip(planned, refunds, strict=True):
        _tell(batch, new, one.on)
    return refunds


async def _refund_draws(batch: Batch, desk: Desk, planned: Sequence[_Planned]) -> dict[UUID, credit.Refunded]:
    with_credit = [one for one in planned if one.plan.credit_minor]
    if not with_credit:
        return {}
    drawn = await draws_by_payment(batch, [one.payment for one in with_credit])
    requests = [
        credit.RefundRequest(
            id=one.command.refund_id,
            line_id=line_of(one.payment),
            draw_ids=tuple(draw.id for draw in drawn[one.payment.id]),
            amount_minor=one.plan.credit_minor,
            on=one.on,
            merchants_fault=one.command.reason_code.is_merchants_fault,
        )
        for one in with_credit
    ]
    done = await credit.refund_draws(batch, requests, desk.catalogue.products)
    return {one.payment.id: refunded for one, refunded in zip(with_credit, done, strict=True)}


def _journals(
    batch: Batch, one: _Planned, refunded: credit.Refunded | None, wallet_id: UUID
) -> list[Journal]:
    payment, plan = one.payment, one.plan
    note = {"person": encode(Prefix.PERSON, payment.payer_id), "payment": encode(Prefix.PAYMENT, payment.id)}
    if refunded is not None:
        line = refunded.debt.line
        note |= {
            "line": encode(Prefix.LINE, line.id),
            "product": f"{line.product}@{line.product_version}",
        }
    cause = Cause(one.command.refund_id, payment.currency, one.on, batch.book.id, msgspec.json.encode(note))
    own = templates.refund(
        cause,
        payment.merchant_id,
        line_id=line_of(payment) if refunded is not None else None,
        principal=credit.principal_refunded(refunded) if refunded is not None else (),
        credit_balance_minor=refunded.surplus_minor if refunded is not None else 0,
        wallet_id=wallet_id if plan.wallet_minor else None,
        wallet_minor=plan.wallet_minor,
        fee_returned_minor=plan.fee_returned_minor,
        subsidy_returned=credit.subsidy_refunded(refunded) if refunded is not None else (),
    )
    return [own, *(credit.journals_after_refund(refunded, cause) if refunded is not None else ())]


def _new_refund(one: _Planned, refunded: credit.Refunded | None, wallet_id: UUID) -> Refund:
    command, payment = one.command, one.payment
    returns: list[BankReturn] = []
    for sent in refunded.sent if refunded is not None else ():
        if sent.source.kind is credit.SourceKind.BANK_ACCOUNT:
            assert sent.source.id is not None, "a bank account has an id"
            id_ = return_id(command.refund_id, len(returns))
            returns.append(BankReturn(id_, line_of(payment), sent.source.id, sent.amount_minor))
    return Refund(
        id=command.refund_id,
        payment_id=payment.id,
        merchant_id=payment.merchant_id,
        payer_id=payment.payer_id,
        refund_no=command.refund_no,
        amount_minor=command.amount_minor,
        wallet_minor=one.plan.wallet_minor,
        fee_returned_minor=one.plan.fee_returned_minor,
        charges_returned_minor=refunded.fee_returned_minor if refunded is not None else 0,
        currency=payment.currency,
        reason=command.reason,
        reason_code=command.reason_code,
        status=RefundStatus.PENDING if returns else RefundStatus.POSTED,
        effects=effects_of(refunded, one.plan.wallet_minor, wallet_id),
        returns=tuple(returns),
        created_at=command.at,
        posted_at=None if returns else command.at,
    )


def _after(one: _Planned, refunded: credit.Refunded | None) -> Payment:
    payment = one.payment
    subsidy_minor = refunded.subsidy_returned_minor if refunded is not None else 0
    return replace(
        payment,
        refunded_minor=payment.refunded_minor + one.command.amount_minor,
        wallet_refunded_minor=payment.wallet_refunded_minor + one.plan.wallet_minor,
        campaign_minor=max(0, payment.campaign_minor - subsidy_minor),
    )


def _tell(batch: Batch, new: Refund, on: date) -> None:
    """`refund.posted`, or what banks have to do before it is: one row a return, its id the bank's key."""
    if new.status is RefundStatus.POSTED:
        batch.events.append(
            Event(Kind.REFUND_POSTED, new.id, refund_body(new), on, new.payer_id, new.merchant_id)
        )
    for back in new.returns:
        data = {
            "refund": encode(Prefix.REFUND, new.id),
            "amount_minor": back.amount_minor,
            "currency": new.currency,
            "bank_account": encode(Prefix.BANK_ACCOUNT, back.bank_account_id),
        }
        batch.events.append(Event(REFUND_PENDING, back.id, msgspec.json.encode(data), on, new.payer_id))


def refund_answered(answered: Answered) -> RefundAnswered:
    """The command that takes a bank's answer to a return; its bucket is that of the id."""
    return RefundAnswered(
        at=answered.at, people=(answered.owner_id,), return_id=answered.id, done=answered.done
    )


async def answer(batch: Batch, desk: Desk, commands: Sequence[RefundAnswered]) -> list[Answer | Problem]:  # noqa: ARG001
    """Take banks' answers: money paid out is settled; what a bank refused stays on the line in the person's favour."""
    candidates = {
        return_id(command.return_id, number) for command in commands for number in range(RETURNS_MAX)
    }
    loaded = await store.load_refunds(batch.db, batch.bucket, candidates)
    refund_of = {back.id: one.id for one in loaded.values() for back in one.returns}
    answers: list[Answer | Problem] = []
    changed: set[UUID] = set()
    journals: list[Journal] = []
    refused: list[credit.Refused] = []
    for command in commands:
        refund_id = refund_of.get(command.return_id)
        if refund_id is None:
            answers.append(not_found("refund"))
            continue
        before = loaded[refund_id]
        back = next(back for back in before.returns if back.id == command.return_id)
        if back.status is ReturnStatus.PENDING:
            on = batch.book.business_date(command.at)
            journals.append(await _answer_journal(batch, before, back, command, on))
            if not command.done:
                refused.append(credit.Refused(refund_id, before.returns.index(back), len(before.returns)))
            loaded[refund_id] = after = _answered(before, back, command)
            changed.add(refund_id)
            if after.status is RefundStatus.POSTED:
                batch.events.append(
                    Event(
                        Kind.REFUND_POSTED,
                        after.id,
                        refund_body(after),
                        on,
                        after.payer_id,
                        after.merchant_id,
                    )
                )
        answers.append(Answer(200, refund_body(loaded[refund_id]), refund_id))
    if changed:
        await ledger.post(batch, journals)
        await credit.keep_refused(batch, refused)
        await store.update_refunds(batch.db, batch.bucket, [loaded[id_] for id_ in sorted(changed)])
    return answers


def _answered(before: Refund, back: BankReturn, command: RefundAnswered) -> Refund:
    status = ReturnStatus.PAID if command.done else ReturnStatus.KEPT
    returns = tuple(replace(one, status=status) if one.id == back.id else one for one in before.returns)
    waiting = any(one.status is ReturnStatus.PENDING for one in returns)
    return replace(
        before,
        returns=returns,
        effects=before.effects if command.done else kept_effect(before.effects, back),
        status=RefundStatus.PENDING if waiting else RefundStatus.POSTED,
        posted_at=None if waiting else command.at,
    )


async def _answer_journal(
    batch: Batch, before: Refund, back: BankReturn, command: RefundAnswered, on: date
) -> Journal:
    cause = Cause(before.id, before.currency, on, batch.book.id)
    if command.done:
        return templates.refund_settled(cause, back.amount_minor)
    # The journal that sent this return on its way is undone: journals are in the order of the returns.
    sent = [
        posted
        for posted in await ledger.journals_of(batch.db, batch.bucket, before.id)
        if posted.journal.kind is JournalKind.CREDIT_BALANCE_RETURNED and posted.journal.guarded == 1
    ]
    return templates.reversal(cause, sent[before.returns.index(back)])
