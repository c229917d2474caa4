"""Refunds inside a lane's batch: the line owes less, money returns where it came from, the merchant is owed less."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
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
from wufeng.identity import audit
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
from wufeng.payments.refunds.views import effects_of, kept_effects, refund_body, sent_effects
from wufeng.payments.turns import in_turns


class _Planned(Struct, frozen=True):
    command: CreateRefund
    payment: Payment
    plan: RefundPlan
    on: date

    @property
    def late_on(self) -> date | None:
        """The date from which it counts, where that is before today."""
        value_on = self.command.value_on
        return value_on if value_on is not None and value_on < self.on else None

    @property
    def given_back_minor(self) -> int:
        """What the merchant is owed less."""
        return self.command.amount_minor - self.plan.fee_returned_minor


Credited = credit.Refunded | credit.RefundedLate
"""What a refund does to a line."""


async def refund(batch: Batch, desk: Desk, commands: Sequence[CreateRefund]) -> list[Answer | Problem]:
    """Refund captured payments. Refunds of one payment take turns; one number is one refund, however often asked."""
    return await in_turns(
        commands, lambda command: command.payment_id, lambda turn: refund_each(batch, desk, turn)
    )


async def refund_each(batch: Batch, desk: Desk, commands: Sequence[CreateRefund]) -> list[Answer | Problem]:
    """Refunds of as many payments."""
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
            owed[outcome.payment.merchant_id] -= outcome.given_back_minor
        else:
            answers[command.payment_id] = outcome
    if timely := [one for one in planned if one.late_on is None]:
        credited = await _refund_draws(batch, desk, timely)
        for done in await _carry_out(batch, timely, credited):
            answers[done.payment_id] = _made(done)
    for one in planned:  # each of the others rewrites a history that the ones before it have written
        if one.late_on is not None:
            answers[one.payment.id] = await _carry_out_late(batch, desk, one, one.late_on)
    return [answers[command.payment_id] for command in commands]


async def undo_parts(
    batch: Batch, desk: Desk, payment: Payment, commands: Sequence[CreateRefund]
) -> list[Refund] | Problem:
    """Refunds that undo a payment together, one for each date of its captures, the last first: all of them or none."""
    planned = await _plan_parts(batch, desk, payment, commands)
    if isinstance(planned, Problem):
        return planned
    credited = await _undo_draws(batch, desk, payment, planned)
    if isinstance(credited, Problem):
        return credited
    refunds: list[Refund] = []
    for part, refunded in zip(planned, credited, strict=True):
        one = replace(part, payment=payment)
        refunds += await _carry_out(batch, [one], {} if refunded is None else {payment.id: refunded})
        payment = _after(one, refunded)
    return refunds


async def _plan_parts(
    batch: Batch, desk: Desk, payment: Payment, commands: Sequence[CreateRefund]
) -> list[_Planned] | Problem:
    """Each of what the ones before it have left of the payment, and of what its merchant is owed."""
    fees = await store.load_fees_returned(batch.db, batch.bucket, [payment.id])
    owed = await _owed_to_merchants(batch, {payment.id: payment})
    planned: list[_Planned] = []
    for command in commands:
        one = _plan(batch, desk, command, payment, {}, fees, owed)
        if not isinstance(one, _Planned):
            assert isinstance(one, Problem), "no refund has its number yet"
            return one
        planned.append(one)
        fees[payment.id] = fees.get(payment.id, 0) + one.plan.fee_returned_minor
        owed[payment.merchant_id] -= one.given_back_minor
        payment = _after(one, None)
    return planned


async def _undo_draws(
    batch: Batch, desk: Desk, payment: Payment, planned: Sequence[_Planned]
) -> list[Credited | None] | Problem:
    """What the parts of an undoing do to the line, each to the draws captured by its date: one rewriting of its history
    for all. What counts from today alone needs none.
    """
    if all(one.late_on is None for one in planned):
        timely = await _refund_draws(batch, desk, planned)
        return [timely.get(one.payment.id) for one in planned]
    drawn = (await draws_by_payment(batch, [payment]))[payment.id]
    requests = [_request_of_undone(one, drawn) for one in planned]
    done = await credit.refund_late(batch, requests, desk.catalogue.products)
    return done if isinstance(done, Problem) else list(done)


def _request_of_undone(one: _Planned, drawn: Sequence[credit.Draw]) -> credit.RefundRequest:
    """What was captured later is given back by itself."""
    value_on = one.command.value_on
    assert value_on is not None, "a part of an undoing counts from the date of its captures"
    before = [draw for draw in drawn if draw.posted_on is not None and draw.posted_on <= value_on]
    return replace(_request(one, before), value_on=value_on)


def _made(done: Refund) -> Answer:
    return Answer(202 if done.status is RefundStatus.PENDING else 201, refund_body(done), done.id)


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
    before, on = known.get((command.payment_id, command.refund_no)), batch.book.business_date(command.at)
    if before is not None:
        made_on = batch.book.business_date(before.created_at)
        asked = command.amount_minor, command.reason_code, command.value_on, made_on
        problem = rules.problem_if_other_request(before, *asked)
        return problem if problem is not None else Answer(200, refund_body(before), before.id)
    plan = rules.plan_refund(payment, command.amount_minor, fees.get(payment.id, 0))
    if isinstance(plan, Problem):
        return plan
    planned = _Planned(command, payment, plan, on)
    if command.value_on is not None and payment.captured_at is not None and not command.undoes:
        captured_on = batch.book.business_date(payment.captured_at)
        if problem := rules.problem_of_value_on(payment, captured_on, command.value_on, on):
            return problem
    floor_minor = desk.catalogue.payable_floor_minor
    below = rules.problem_if_below_floor(owed[payment.merchant_id], planned.given_back_minor, floor_minor)
    return below or planned


async def _owed_to_merchants(batch: Batch, loaded: Mapping[UUID, Payment]) -> dict[UUID, int]:
    """What merchants are owed over all buckets, as far as the follower has folded it."""
    accounts = {
        payment.merchant_id: account_id(payment.merchant_id, AccountKind.MERCHANT_PAYABLE)
        for payment in loaded.values()
    }
    found = await ledger.folded_balances(batch.db, batch.book.buckets, list(accounts.values()))
    return {merchant: -found[account] for merchant, account in accounts.items()}


async def _carry_out(
    batch: Batch, planned: Sequence[_Planned], credited: Mapping[UUID, Credited]
) -> list[Refund]:
    """Do what was planned: credit has lowered what is owed, one set of journals moves all the money."""
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
    acts = [one.command.act for one in planned if one.command.act is not None]
    await audit(batch.db, batch.book, batch.ids, acts)
    for one, new in zip(planned, refunds, strict=True):
        _tell(batch, new, one.on, new.returns)
    return refunds


async def _carry_out_late(batch: Batch, desk: Desk, one: _Planned, value_on: date) -> Answer | Problem:
    """A refund that counts from an earlier date: of what was drawn the line's history is folded again with it."""
    credited: dict[UUID, Credited] = {}
    if one.plan.credit_minor:
        drawn = (await draws_by_payment(batch, [one.payment]))[one.payment.id]
        request = replace(_request(one, drawn), value_on=value_on)
        done = await credit.refund_late(batch, [request], desk.catalogue.products)
        if isinstance(done, Problem):
            return done
        (credited[one.payment.id],) = done
    (made,) = await _carry_out(batch, [one], credited)
    return _made(made)


async def _refund_draws(batch: Batch, desk: Desk, planned: Sequence[_Planned]) -> dict[UUID, Credited]:
    with_credit = [one for one in planned if one.plan.credit_minor]
    if not with_credit:
        return {}
    drawn = await draws_by_payment(batch, [one.payment for one in with_credit])
    requests = [_request(one, drawn[one.payment.id]) for one in with_credit]
    done = await credit.refund_draws(batch, requests, desk.catalogue.products)
    return {one.payment.id: refunded for one, refunded in zip(with_credit, done, strict=True)}


def _request(one: _Planned, drawn: Sequence[credit.Draw]) -> credit.RefundRequest:
    return credit.RefundRequest(
        id=one.command.refund_id,
        line_id=line_of(one.payment),
        draw_ids=tuple(draw.id for draw in drawn),
        amount_minor=one.plan.credit_minor,
        on=one.on,
        merchants_fault=one.command.reason_code.is_merchants_fault or one.command.undoes,
        undone=one.command.undoes,
    )


def _journals(batch: Batch, one: _Planned, refunded: Credited | None, wallet_id: UUID) -> list[Journal]:
    payment, plan = one.payment, one.plan
    note = _note(payment.payer_id, payment.id, refunded.line if refunded is not None else None)
    cause = Cause(one.command.refund_id, payment.currency, one.on, batch.book.id, note)
    legs = _legs(cause, refunded)
    own = templates.refund(
        cause,
        payment.merchant_id,
        line_id=line_of(payment) if refunded is not None else None,
        principal=legs.principal,
        credit_balance_minor=legs.credit_balance_minor,
        wallet_id=wallet_id if plan.wallet_minor else None,
        wallet_minor=plan.wallet_minor,
        fee_returned_minor=plan.fee_returned_minor,
        subsidy_returned=legs.subsidy,
    )
    return [*legs.before, own, *legs.after]


def _legs(cause: Cause, refunded: Credited | None) -> credit.RefundLegs:
    """What the credit part brings to the journal, and the journals beside it."""
    if refunded is None:
        return credit.RefundLegs((), 0, (), (), ())
    if isinstance(refunded, credit.RefundedLate):
        return refunded.legs(cause)
    return credit.legs_of_refund(refunded, cause)


def _note(payer_id: UUID, payment_id: UUID, line: credit.Line | None) -> bytes:
    """What leads a reader of a journal back to what it is about."""
    note = {"person": encode(Prefix.PERSON, payer_id), "payment": encode(Prefix.PAYMENT, payment_id)}
    if line is not None:
        note |= {
            "line": encode(Prefix.LINE, line.id),
            "product": f"{line.product}@{line.product_version}",
        }
    return msgspec.json.encode(note)


def _new_refund(one: _Planned, refunded: Credited | None, wallet_id: UUID) -> Refund:
    command, payment = one.command, one.payment
    sent = refunded.sent if refunded is not None else ()
    returns = _returns(command.refund_id, line_of(payment), sent, 0) if sent else ()
    return Refund(
        id=command.refund_id,
        payment_id=payment.id,
        merchant_id=payment.merchant_id,
        payer_id=payment.payer_id,
        refund_no=command.refund_no,
        amount_minor=command.amount_minor,
        wallet_minor=one.plan.wallet_minor,
        fee_returned_minor=one.plan.fee_returned_minor,
        charges_returned_minor=refunded.charges_returned_minor if refunded is not None else 0,
        currency=payment.currency,
        reason=command.reason,
        reason_code=command.reason_code,
        value_on=one.late_on,
        status=RefundStatus.PENDING if returns else RefundStatus.POSTED,
        effects=effects_of(refunded, one.plan.wallet_minor, wallet_id),
        returns=returns,
        created_at=command.at,
        posted_at=None if returns else command.at,
    )


def _returns(
    refund_id: UUID, line_id: UUID, sent: Sequence[credit.Sent], number: int
) -> tuple[BankReturn, ...]:
    """What banks have to pay of what a refund sends. number: of the first of them within the refund."""
    returns: list[BankReturn] = []
    for one in sent:
        if one.source.kind is credit.SourceKind.BANK_ACCOUNT:
            assert one.source.id is not None, "a bank account has an id"
            id_ = return_id(refund_id, number + len(returns))
            returns.append(BankReturn(id_, line_id, one.source.id, one.amount_minor))
    return tuple(returns)


def _after(one: _Planned, refunded: Credited | None) -> Payment:
    payment = one.payment
    subsidy_minor = refunded.subsidy_returned_minor if refunded is not None else 0
    return replace(
        payment,
        refunded_minor=payment.refunded_minor + one.command.amount_minor,
        wallet_refunded_minor=payment.wallet_refunded_minor + one.plan.wallet_minor,
        campaign_minor=max(0, payment.campaign_minor - subsidy_minor),
    )


async def send_back(batch: Batch, sendings: Sequence[credit.Sending], at: datetime) -> None:
    """Refunds of the past send money back that late money has shown to be left over: wallets have it, banks are told.
    A refund waits for them again.
    """
    loaded = await store.load_refunds(batch.db, batch.bucket, {one.refund_id for one in sendings})
    changed = []
    for one in sendings:
        before = loaded[one.refund_id]
        new = _returns(before.id, one.line_id, one.sent, len(before.returns))
        waits = before.status is RefundStatus.PENDING or bool(new)
        effects = sent_effects(before.effects, one.sent)
        after = replace(
            before,
            effects=effects,
            charges_returned_minor=max(
                before.charges_returned_minor,
                sum(effect.amount_minor for effect in effects) - before.amount_minor,
            ),
            returns=(*before.returns, *new),
            status=RefundStatus.PENDING if waits else RefundStatus.POSTED,
            posted_at=None if waits else before.posted_at,
        )
        changed.append(after)
        _tell(batch, after, batch.book.business_date(at), new)
    await store.update_refunds(batch.db, batch.bucket, changed)


def _tell(batch: Batch, new: Refund, on: date, returns: Sequence[BankReturn]) -> None:
    """`refund.posted`, or what banks have to do before it is: one row a return, its id the bank's key."""
    if new.status is RefundStatus.POSTED:
        batch.events.append(
            Event(Kind.REFUND_POSTED, new.id, refund_body(new), on, new.payer_id, new.merchant_id)
        )
    for back in returns:
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


async def answer(batch: Batch, desk: Desk, commands: Sequence[RefundAnswered]) -> list[Answer | Problem]:
    """Take banks' answers: money paid out is settled; what a bank refused pays what the line owes by now, and what is
    left over stays on it in the person's favour.
    """
    candidates = {
        return_id(command.return_id, number) for command in commands for number in range(RETURNS_MAX)
    }
    loaded = await store.load_refunds(batch.db, batch.bucket, candidates)
    fresh = _fresh_answers(batch, loaded, commands)
    kept = await _keep_refused(batch, desk, fresh)
    journals: list[Journal] = []
    for one in fresh:
        before = loaded[one.before.id]
        journals += await _answer_journals(batch, one, kept.get(one.back.id))
        loaded[before.id] = after = _answered(before, one, kept.get(one.back.id))
        if after.status is RefundStatus.POSTED:
            batch.events.append(
                Event(
                    Kind.REFUND_POSTED,
                    after.id,
                    refund_body(after),
                    one.on,
                    after.payer_id,
                    after.merchant_id,
                )
            )
    if fresh:
        await ledger.post(batch, journals)
        changed = sorted({one.before.id for one in fresh})
        await store.update_refunds(batch.db, batch.bucket, [loaded[id_] for id_ in changed])
    refund_of = {back.id: one for one in loaded.values() for back in one.returns}
    return [_view(refund_of.get(command.return_id)) for command in commands]


class _FreshAnswer(Struct, frozen=True):
    """A bank's answer to a return that waits for it. before: the refund as it was before all answers."""

    before: Refund
    back: BankReturn
    command: RefundAnswered
    on: date


def _fresh_answers(
    batch: Batch, loaded: Mapping[UUID, Refund], commands: Sequence[RefundAnswered]
) -> list[_FreshAnswer]:
    """The first answer to each return that waits for one; said late or twice it changes nothing."""
    waiting = {
        back.id: (one, back)
        for one in loaded.values()
        for back in one.returns
        if back.status is ReturnStatus.PENDING
    }
    fresh = []
    for command in commands:
        if (found := waiting.pop(command.return_id, None)) is not None:
            fresh.append(_FreshAnswer(*found, command, batch.book.business_date(command.at)))
    return fresh


async def _keep_refused(
    batch: Batch, desk: Desk, answered: Sequence[_FreshAnswer]
) -> dict[UUID, credit.Kept]:
    """What each return that a bank refused does to its line instead, by the return."""
    refused = {
        one.back.id: credit.Refused(
            refund_id=one.before.id,
            line_id=one.back.line_id,
            number=one.before.returns.index(one.back),
            of=len(one.before.returns),
            amount_minor=one.back.amount_minor,
            on=one.on,
        )
        for one in answered
        if not one.command.done
    }
    kept = await credit.keep_refused(batch, list(refused.values()), desk.catalogue.products)
    return dict(zip(refused, kept, strict=True))


def _view(refund: Refund | None) -> Answer | Problem:
    return Answer(200, refund_body(refund), refund.id) if refund is not None else not_found("refund")


def _answered(before: Refund, one: _FreshAnswer, kept: credit.Kept | None) -> Refund:
    status = ReturnStatus.PAID if kept is None else ReturnStatus.KEPT
    returns = tuple(
        replace(back, status=status) if back.id == one.back.id else back for back in before.returns
    )
    waiting = any(back.status is ReturnStatus.PENDING for back in returns)
    return replace(
        before,
        returns=returns,
        effects=before.effects if kept is None else kept_effects(before.effects, one.back, kept),
        status=RefundStatus.PENDING if waiting else RefundStatus.POSTED,
        posted_at=None if waiting else one.command.at,
    )


async def _answer_journals(batch: Batch, one: _FreshAnswer, kept: credit.Kept | None) -> list[Journal]:
    before, back = one.before, one.back
    if kept is None:
        return [
            templates.refund_settled(
                Cause(before.id, before.currency, one.on, batch.book.id), back.amount_minor
            )
        ]
    note = _note(before.payer_id, before.payment_id, kept.before.line)
    cause = Cause(before.id, before.currency, one.on, batch.book.id, note)
    # The journal that sent this return on its way is undone: journals are in the order of the returns.
    sent = [
        posted
        for posted in await ledger.journals_of(batch.db, batch.bucket, before.id)
        if posted.journal.kind is JournalKind.CREDIT_BALANCE_RETURNED and posted.journal.guarded == 1
    ]
    undone = templates.reversal(cause, sent[before.returns.index(back)])
    return [undone, *credit.journals_of_kept(kept, cause)]
