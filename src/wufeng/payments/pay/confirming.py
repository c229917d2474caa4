"""The payer's word on a payment in `requires_action`: yes, proved at the edge, or no."""

from collections.abc import Sequence

from msgspec.structs import replace

from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.lanes import Batch
from wufeng.payments.orders import rules as order_rules
from wufeng.payments.orders import store as orders
from wufeng.payments.orders.model import Order
from wufeng.payments.pay import family, store, subsidies
from wufeng.payments.pay.deciding import Outcome, carry_out, decide
from wufeng.payments.pay.ends import ended, problem_if_not_awaiting
from wufeng.payments.pay.model import Confirm, Payment, PaymentStatus, Reader, Refuse
from wufeng.payments.pay.repricing import problem_of_new_day
from wufeng.payments.pay.rules import counts, least_confirmation
from wufeng.payments.pay.settle import Settled, kind_of, taking_of, tell_and_answer
from wufeng.payments.pay.state import Desk, Needs, Table, load_table
from wufeng.payments.turns import in_turns
from wufeng.risk import lacks_confirmation
from wufeng.risk.model import Reason


async def confirm(batch: Batch, desk: Desk, commands: Sequence[Confirm]) -> list[Answer | Problem]:
    """Decide payments whose payers have said yes. The order is taken only now.

    Those of one order take turns: the second finds it taken.
    """
    ids = {command.payment_id for command in commands}
    loaded = await store.load_payments(batch.db, batch.bucket, ids)

    def order_of(command: Confirm) -> object:
        payment = loaded.get(command.payment_id)
        return payment.order_id if payment is not None else command.payment_id

    return await in_turns(commands, order_of, lambda turn: _confirm_distinct(batch, desk, turn))


async def _confirm_distinct(batch: Batch, desk: Desk, commands: Sequence[Confirm]) -> list[Answer | Problem]:
    ids = {command.payment_id for command in commands}
    loaded = await store.load_payments(batch.db, batch.bucket, ids)
    wanted = [(command, _as_wanted(command, loaded.get(command.payment_id))) for command in commands]
    found = [payment for _, payment in wanted if not isinstance(payment, Problem)]
    table = await load_table(
        batch,
        desk,
        Needs(
            payers={payment.payer_id for payment in found},
            merchants={payment.merchant_id for payment in found},
            drawing={payment.payer_id for payment in found if payment.funding.line_id},
            wallets={payment.payer_id for payment in found if payment.funding.use_wallet},
            counted={p.payer_id for p in found if counts(p.channel, p.funding)},
        ),
    )
    await family.load_cards_of(batch, table, found)
    locked = await orders.lock_orders(batch.db, batch.book, [payment.order_id for payment in found])
    await subsidies.take_rooms(
        batch,
        table,
        [
            subsidies.Wanted(payment.payer_id, payment.funding, payment.amount_minor, command.at)
            for command, payment in wanted
            if not isinstance(payment, Problem)
        ],
    )
    answers: list[Answer | Problem | None] = []
    outcomes: list[Outcome] = []
    settled: list[Settled] = []
    for command, payment in wanted:
        outcome = (
            payment
            if isinstance(payment, Problem)
            else _decide(batch, desk, table, command, payment, locked[payment.order_id])
        )
        if isinstance(outcome, Problem):
            answers.append(outcome)
            continue
        answers.append(None)
        outcomes.append(outcome)
        settled.append(_settled(command, outcome, locked[outcome.payment.order_id]))
    await subsidies.return_rooms(batch, table)
    if outcomes:
        await store.update_payments(batch.db, batch.bucket, [outcome.payment for outcome in outcomes])
        await carry_out(batch, table, outcomes)
    fixes = {
        outcome.payment.order_id: (outcome.payment.id, taking)
        for outcome in outcomes
        if (taking := taking_of(outcome.payment)) is not None
    }
    if fixes:
        await orders.settle_orders(batch.db, batch.book, fixes, max(command.at for command in commands))
    told = iter(tell_and_answer(batch, table, settled))
    return [answer if answer is not None else next(told) for answer in answers]


def _as_wanted(command: Confirm, payment: Payment | None) -> Payment | Problem:
    """The payment as its payer wants it now. Which share of the fee the merchant carries was settled at the edge."""
    if payment is None or payment.confirmer_id != command.payer_id:
        return not_found("payment")
    if (problem := problem_if_not_awaiting(payment)) is not None:
        return problem
    funding = command.funding or payment.funding
    return replace(payment, funding=funding, confirmed_by=command.confirmation.code)


def _decide(
    batch: Batch, desk: Desk, table: Table, command: Confirm, payment: Payment, order: Order
) -> Outcome | Problem:
    on = batch.book.business_date(command.at)
    if payment.expires_at is not None and command.at >= payment.expires_at:
        late = replace(ended(payment, PaymentStatus.EXPIRED), confirmed_by=None)
        return Outcome(late, None, on)
    if (problem := order_rules.problem_if_not_payable(order)) is not None:
        return problem
    if (problem := _problem_of_new_day(batch, table, command, payment)) is not None:
        return problem
    features = table.states[payment.payer_id].features
    needs = lacks_confirmation(
        command.confirmation,
        payment.amount_minor,
        features,
        on.toordinal(),
        table.given.policy,
        least_confirmation(table.guard(payment.payer_id).outcome, spends=payment.spender_id is not None),
    )
    if needs is not None:
        detail = f"This payment needs the payer's {needs.code.replace('_', ' and ')}."
        return Problem(Code.CONFIRMATION_FAILED, detail, extra={"needs": needs.code})
    return decide(
        batch,
        desk.catalogue,
        table,
        payment,
        command.confirmation,
        order.terms.expires_at,
        command.at,
        on,
    )


def _problem_of_new_day(batch: Batch, table: Table, command: Confirm, payment: Payment) -> Problem | None:
    """Why a payment is not let through at another price than that of the day on which what pays it was named: with the
    yes, or when the payment was made. What a family card pays from was agreed to when the card was given.
    """
    if payment.spender_id is not None:
        return None
    business_date = batch.book.business_date
    named_at = payment.created_at if command.funding is None else command.asked_at
    return problem_of_new_day(
        table,
        payment.payer_id,
        payment.funding,
        payment.amount_minor,
        business_date(named_at),
        business_date(command.at),
    )


def _settled(command: Confirm, outcome: Outcome, order: Order) -> Settled:
    payment = outcome.payment
    return Settled(
        payment=payment,
        reader=_reader(payment),
        language=command.language,
        on=outcome.on,
        draws=outcome.draws,
        order=None if payment.inline_order else order,
        kind=kind_of(payment, took_money=True),
    )


def _reader(payment: Payment) -> Reader:
    return Reader.PERSON if payment.spender_id is None else Reader.SPENDER


async def refuse(batch: Batch, desk: Desk, commands: Sequence[Refuse]) -> list[Answer | Problem]:
    """Decline payments that their payers refused, or could not prove. Nothing was held, and no order."""
    ids = {command.payment_id for command in commands}
    loaded = await store.load_payments(batch.db, batch.bucket, ids)
    answers: list[Answer | Problem | None] = []
    settled: list[Settled] = []
    for command in commands:
        payment = loaded.get(command.payment_id)
        if payment is None or payment.confirmer_id != command.payer_id:
            answers.append(not_found("payment"))
        elif (problem := problem_if_not_awaiting(payment)) is not None:
            answers.append(problem)
        else:
            declined = ended(payment, PaymentStatus.DECLINED, (Reason.CONFIRMATION_FAILED,))
            loaded[payment.id] = declined
            answers.append(None)
            settled.append(
                Settled(
                    payment=declined,
                    reader=_reader(declined),
                    language=command.language,
                    on=batch.book.business_date(command.at),
                    kind=kind_of(declined, took_money=False),
                )
            )
    if not settled:
        return [answer for answer in answers if answer is not None]
    declined_now = [one.payment for one in settled]
    await store.update_payments(batch.db, batch.bucket, declined_now)
    table = await load_table(
        batch,
        desk,
        Needs({p.payer_id for p in declined_now}, {p.merchant_id for p in declined_now}),
    )
    told = iter(tell_and_answer(batch, table, settled))
    return [answer if answer is not None else next(told) for answer in answers]
