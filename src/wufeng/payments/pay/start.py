"""New payments: the hot path. A batch of them is loaded, decided and stored in a fixed number of statements."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, invalid_field
from wufeng.base.lanes import Batch
from wufeng.payments.orders import rules as order_rules
from wufeng.payments.orders import store as orders
from wufeng.payments.orders.model import Channel, Order, OrderState, OrderTerms, Taking
from wufeng.payments.pay import family, store, subsidies
from wufeng.payments.pay.deciding import Outcome, awaiting, carry_out, decide
from wufeng.payments.pay.ends import ended
from wufeng.payments.pay.model import Capture, Pay, Payment, PaymentStatus
from wufeng.payments.pay.repricing import problem_of_new_day
from wufeng.payments.pay.rules import counts, least_confirmation, never_pays
from wufeng.payments.pay.settle import Settled, kind_of, taking_of, tell_and_answer
from wufeng.payments.pay.state import Desk, Needs, Table, count_also, load_table
from wufeng.payments.turns import in_turns
from wufeng.risk import lacks_confirmation
from wufeng.risk.model import Confirmation, Reason


def code_refused() -> Problem:
    """The answer to a pay code that is guessed, altered, used, old or revoked: whoever shows one learns no more."""
    return Problem(Code.CONFIRMATION_FAILED, "This pay code is not valid, or not any more: scan a fresh one.")


async def pay(batch: Batch, desk: Desk, commands: Sequence[Pay]) -> list[Answer | Problem]:
    """Start payments. Several of one order in one batch take turns: the second sees what the first did."""
    return await in_turns(
        commands, lambda command: command.order.id, lambda turn: _pay_distinct(batch, desk, turn)
    )


async def _pay_distinct(batch: Batch, desk: Desk, commands: Sequence[Pay]) -> list[Answer | Problem]:
    table = await load_table(
        batch,
        desk,
        Needs(
            payers={command.payer_id for command in commands},
            merchants={command.order.merchant_id for command in commands},
            drawing={command.payer_id for command in commands if command.funding.line_id},
            wallets={command.payer_id for command in commands if command.funding.use_wallet},
            counted={c.payer_id for c in commands if counts(_channel(c, c.order), c.funding)},
        ),
    )
    await family.load_cards(batch, table, {c.payment_id: c.spend for c in commands if c.spend is not None})
    answers: list[Answer | Problem | None] = [_problem(batch, table, command) for command in commands]
    await _use_codes(batch, commands, answers)
    asked = [(n, command) for n, command in enumerate(commands) if answers[n] is None]
    expected = [_expected_taking(batch, table, command) for _, command in asked]
    existing = await orders.insert_orders(
        batch.db,
        batch.book,
        [command.order for _, command in asked],
        expected,
        max(command.at for command in commands),
    )
    # An inline order may name one that is stored already, and that is offered by a code.
    await count_also(
        batch,
        table,
        {
            c.payer_id
            for _, c in asked
            if (order := existing.get(c.order.id)) is not None and counts(_channel(c, order.terms), c.funding)
        },
    )
    await subsidies.take_rooms(
        batch, table, [subsidies.Wanted(c.payer_id, c.funding, c.order.amount_minor, c.at) for _, c in asked]
    )
    places: list[int] = []
    outcomes: list[Outcome] = []
    fixes: dict[UUID, tuple[UUID, Taking | None]] = {}
    for (n, command), written in zip(asked, expected, strict=True):
        order = existing.get(command.order.id)
        outcome = _decide(batch, desk, table, command, order)
        if isinstance(outcome, Problem):
            answers[n] = outcome
            continue
        places.append(n)
        outcomes.append(outcome)
        wanted = taking_of(outcome.payment)
        if wanted != (written if order is None else None):
            fixes[command.order.id] = outcome.payment.id, wanted
    await subsidies.return_rooms(batch, table)
    if outcomes:
        await store.insert_payments(batch.db, batch.bucket, [outcome.payment for outcome in outcomes])
        await carry_out(batch, table, outcomes)
    if fixes:
        await orders.settle_orders(
            batch.db, batch.book, fixes, max(outcome.payment.created_at for outcome in outcomes)
        )
    settled = [
        _settled(commands[n], outcome, existing.get(outcome.payment.order_id))
        for n, outcome in zip(places, outcomes, strict=True)
    ]
    for n, answer in zip(places, tell_and_answer(batch, table, settled), strict=True):
        answers[n] = answer
    return [answer for answer in answers if answer is not None]


def _problem(batch: Batch, table: Table, command: Pay) -> Problem | None:
    """What makes a request unanswerable before anything is decided."""
    if command.payer_id not in table.states:
        return invalid_field("/payer", "There is no such person.")
    if command.order.merchant_id not in table.given.merchants:
        return invalid_field("/order/merchant", "There is no such merchant.")
    if command.order.currency != batch.book.currency:
        return invalid_field("/order/currency", f"This book pays in {batch.book.currency}.")
    return _problem_of_new_day(batch, table, command)


def _problem_of_new_day(batch: Batch, table: Table, command: Pay) -> Problem | None:
    """Why a payment that was asked for before midnight, and came to its lane when that day was closed, is not made.

    By a code or a family card one agrees to a source beforehand and is shown no price: it is that of the day.
    """
    if command.presented is not None or command.spend is not None:
        return None
    business_date = batch.book.business_date
    return problem_of_new_day(
        table,
        command.payer_id,
        command.funding,
        command.order.amount_minor,
        business_date(command.asked_at),
        business_date(command.at),
    )


async def _use_codes(batch: Batch, commands: Sequence[Pay], answers: list[Answer | Problem | None]) -> None:
    """Take the pay codes that commands were brought by. Each pays once, whatever becomes of the payment."""
    shown = {
        command.payment_id: command.presented
        for command, answer in zip(commands, answers, strict=True)
        if command.presented is not None and answer is None
    }
    if not shown:
        return
    at = max(command.at for command in commands)
    first = await store.use_codes(batch.db, batch.bucket, shown, at)
    for place, command in enumerate(commands):
        if command.payment_id in shown and command.payment_id not in first:
            answers[place] = code_refused()


def _channel(command: Pay, order: OrderTerms) -> Channel:
    if command.presented is None:
        return order.channel
    return Channel.OFFLINE_CODE if command.presented.offline else Channel.PAY_CODE


def _expected_taking(batch: Batch, table: Table, command: Pay) -> Taking | None:
    """How a new order will most probably be taken, so that it is written once; what came otherwise is put right."""
    if _lacks(batch, table, command) is not None:
        return None
    state = OrderState.PAID if command.capture is Capture.NOW else OrderState.OPEN
    return Taking(command.payment_id, command.payer_id, state)


def _lacks(batch: Batch, table: Table, command: Pay) -> Confirmation | None:
    """What the payer still has to prove."""
    return lacks_confirmation(
        command.confirmation,
        command.order.amount_minor,
        table.states[command.payer_id].features,
        batch.book.business_date(command.at).toordinal(),
        table.given.policy,
        least_confirmation(table.guard(command.payer_id).outcome, spends=command.spend is not None),
    )


def _decide(batch: Batch, desk: Desk, table: Table, command: Pay, order: Order | None) -> Outcome | Problem:
    if order is not None:
        problem = order_rules.problem_if_other_terms(order.terms, command.order)
        problem = problem or order_rules.problem_if_not_payable(order)
        if problem is not None:
            return problem
    terms = order.terms if order is not None else command.order
    payment = _new_payment(command, terms, stored=order is not None)
    on = batch.book.business_date(command.at)
    expired = terms.expires_at is not None and command.at >= terms.expires_at
    needs = _lacks(batch, table, command)
    if (
        needs is not None
        and not expired
        and not never_pays(payment.channel, payment.amount_minor, table.given.limits)
    ):
        waiting = awaiting(payment, desk.catalogue, terms.expires_at, command.at, needs)
        return _attended(Outcome(waiting, None, on))
    return _attended(
        decide(batch, desk.catalogue, table, payment, command.confirmation, terms.expires_at, command.at, on)
    )


def _attended(outcome: Outcome) -> Outcome:
    """An outcome that does not wait for somebody who is not there: fares are charged after the ride."""
    payment = outcome.payment
    if payment.channel is not Channel.RIDE or payment.status is not PaymentStatus.REQUIRES_ACTION:
        return outcome
    reasons = payment.reasons or (Reason.CONFIRMATION_FAILED,)
    return replace(outcome, payment=ended(payment, PaymentStatus.DECLINED, reasons))


def _new_payment(command: Pay, order: OrderTerms, *, stored: bool) -> Payment:
    """The payment before it is decided, with the terms as they are stored: a request cannot give them another scene.

    An inline order with an expiry or metadata has more to tell than its payment shows.
    """
    return Payment(
        id=command.payment_id,
        payer_id=command.payer_id,
        merchant_id=order.merchant_id,
        order_id=order.id,
        order_no=order.order_no,
        amount_minor=order.amount_minor,
        currency=order.currency,
        scene=order.scene,
        subject=order.subject,
        receipt=order.receipt,
        inline_order=not stored and order.expires_at is None and order.metadata is None,
        status=PaymentStatus.REQUIRES_ACTION,
        capture=command.capture,
        funding=command.funding,
        caller_id=command.caller_id,
        confirmed_by=command.confirmation.code if command.confirmation > Confirmation.NONE else None,
        channel=_channel(command, order),
        spender_id=command.spend.spender_id if command.spend is not None else None,
        created_at=command.at,
    )


def _settled(command: Pay, outcome: Outcome, order: Order | None) -> Settled:
    payment = outcome.payment
    if order is None and not payment.inline_order:
        order = Order.new(command.order, command.at)
    return Settled(
        payment=payment,
        reader=command.reader,
        language=command.language,
        on=outcome.on,
        draws=outcome.draws,
        order=order,
        kind=kind_of(payment, took_money=True),
        created=201,
    )
