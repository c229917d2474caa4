"""Captures: authorised amounts are taken, whole or in parts. A part of credit becomes a draw of its own."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng import credit, ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.lanes import Batch
from wufeng.credit.draws.model import CAPTURES_MAX
from wufeng.credit.products.model import Captures, Product
from wufeng.identity import PersonStatus
from wufeng.identity.policy import shipped_identity_policy
from wufeng.payments.events import Kind
from wufeng.payments.orders import store as orders
from wufeng.payments.orders.model import Order, Receipt
from wufeng.payments.pay import counted, family, store, subsidies
from wufeng.payments.pay.ends import CapturePlan, captured, held_of, plan_capture
from wufeng.payments.pay.model import CapturePayment, Payment, Reader
from wufeng.payments.pay.money import capture_journal, line_of
from wufeng.payments.pay.settle import Settled, taking_of, tell_and_answer
from wufeng.payments.pay.state import Desk, Needs, Table, load_table
from wufeng.payments.pay.views import DrawFacts, facts_of_approved, facts_of_draw
from wufeng.payments.turns import in_turns

LACKS_SUBSIDY = Problem(
    Code.STATE_CONFLICT,
    "The campaign's budget does not hold the merchant's share of this part: capture less of it.",
)
PAYER_FROZEN = Problem(
    Code.STATE_CONFLICT,
    "The payer is frozen, and the terms of what pays let nothing be captured meanwhile. It stays held.",
)
Draws = Mapping[UUID, Sequence[credit.Draw]]


class Part(Struct, frozen=True):
    """A part of a payment that is to be captured. `number`: how many draws the payment has made before."""

    payment: Payment
    plan: CapturePlan
    at: datetime
    number: int


class Taken(Struct, frozen=True):
    """A capture of one payment: before and after, and the draw that it makes."""

    before: Payment
    after: Payment
    plan: CapturePlan
    draw: credit.Approved | None
    on: date


async def capture(batch: Batch, desk: Desk, commands: Sequence[CapturePayment]) -> list[Answer | Problem]:
    """Take authorised amounts. Captures of one payment take turns."""
    return await in_turns(
        commands, lambda command: command.payment_id, lambda turn: _capture_distinct(batch, desk, turn)
    )


async def _capture_distinct(
    batch: Batch, desk: Desk, commands: Sequence[CapturePayment]
) -> list[Answer | Problem]:
    ids = [command.payment_id for command in commands]
    loaded = await store.load_payments(batch.db, batch.bucket, ids)
    earlier = await draws_by_payment(batch, loaded.values())
    answers: list[Answer | Problem | None] = []
    planned: list[tuple[CapturePayment, Payment, CapturePlan]] = []
    for command in commands:
        plan = _plan(command, loaded.get(command.payment_id), earlier)
        answers.append(plan if isinstance(plan, Problem) else None)
        if not isinstance(plan, Problem):
            planned.append((command, loaded[command.payment_id], plan))
    if not planned:
        return [answer for answer in answers if answer is not None]
    table = await load_for(batch, desk, [payment for _, payment, _ in planned])
    stopped = {payment.id for _, payment, _ in planned if _is_stopped(batch, table, payment)}
    answers = [
        PAYER_FROZEN if answer is None and command.payment_id in stopped else answer
        for command, answer in zip(commands, answers, strict=True)
    ]
    planned = [one for one in planned if one[1].id not in stopped]
    parts = [
        Part(payment, plan, command.at, len(earlier.get(payment.id, ())))
        for command, payment, plan in planned
    ]
    lacking = await take_excess(batch, table, parts)
    answers = [
        LACKS_SUBSIDY if answer is None and command.payment_id in lacking else answer
        for command, answer in zip(commands, answers, strict=True)
    ]
    planned = [one for one in planned if one[1].id not in lacking]
    taken = [take(batch, table, part) for part in parts if part.payment.id not in lacking]
    found = await carry_out_captures(batch, table, taken)
    settled = [
        settled_capture(table, one, earlier, found, Reader.MERCHANT, command.language)
        for one, (command, _, _) in zip(taken, planned, strict=True)
    ]
    told = iter(tell_and_answer(batch, table, settled))
    return [answer if answer is not None else next(told) for answer in answers]


def _plan(command: CapturePayment, payment: Payment | None, earlier: Draws) -> CapturePlan | Problem:
    if payment is None or payment.merchant_id != command.merchant_id:
        return not_found("payment")
    plan = plan_capture(payment, command.amount_minor, final=command.final)
    number = len(earlier.get(payment.id, ()))
    if isinstance(plan, CapturePlan) and plan.credit_minor and number >= CAPTURES_MAX:
        return Problem(Code.STATE_CONFLICT, f"A payment is captured {CAPTURES_MAX} times at most.")
    return plan


def _is_stopped(batch: Batch, table: Table, payment: Payment) -> bool:
    """Whether the payer is frozen, and what pays says that nothing is captured meanwhile."""
    if table.guard(payment.payer_id).status is not PersonStatus.FROZEN:
        return False
    if payment.wallet_minor and not shipped_identity_policy().freeze.wallet_captures:
        return True
    if not payment.credit_minor:
        return False
    return authorised_under(batch, table, payment).freeze.captures is Captures.REFUSE


def authorised_under(batch: Batch, table: Table, payment: Payment) -> Product:
    """The version that the credit of a held payment is drawn by, whenever it is captured: that of the date on which it
    was let through, which may be later than the one on which it began to wait for its payer.
    """
    line = table.states[payment.payer_id].lines[line_of(payment)].line
    return table.catalogue.drawn_under(line, batch.book.business_date(payment.held_at))


async def load_for(batch: Batch, desk: Desk, payments: Sequence[Payment]) -> Table:
    """The state of the payments' payers, merchants and lines; wallets' holds are the ledger's business."""
    return await load_table(
        batch,
        desk,
        Needs(
            payers={payment.payer_id for payment in payments},
            merchants={payment.merchant_id for payment in payments},
            drawing={payment.payer_id for payment in payments if payment.funding.line_id},
        ),
    )


async def draws_by_payment(batch: Batch, payments: Iterable[Payment]) -> Draws:
    """The draws that payments have made, by payment and in the order of their captures."""
    drawn: dict[UUID, list[credit.Draw]] = {}
    ids = [payment.id for payment in payments if payment.credit_minor]
    for draw in await credit.draws_of_payments(batch.db, batch.bucket, ids) if ids else ():
        assert draw.payment_id is not None, "a payment made it"
        drawn.setdefault(draw.payment_id, []).append(draw)
    return drawn


async def take_excess(batch: Batch, table: Table, parts: Sequence[Part]) -> set[UUID]:
    """Take of campaigns what parts cost them beyond what was kept at the authorisation; returns the payments whose
    campaign has no room for it.

    Parts round each for itself, and a price by the year follows the date: the excess is mostly nothing.
    """
    excess = {
        part.payment.id: (part.payment.funding.campaign_id, excess_minor)
        for part in parts
        if part.payment.funding.campaign_id is not None
        and part.plan.credit_minor
        and (excess_minor := _subsidy(batch, table, part) - part.payment.campaign_held_minor) > 0
    }
    return await subsidies.take_excess(batch, excess) if excess else set()


def _subsidy(batch: Batch, table: Table, part: Part) -> int:
    on = batch.book.business_date(part.at)
    draw = _draw(batch, table, part.payment, part.plan.credit_minor, on, part.number)
    return draw.plan.subsidy_minor


def take(batch: Batch, table: Table, part: Part) -> Taken:
    """Capture a planned part, and move the payer's state on."""
    payment, plan, at = part.payment, part.plan, part.at
    on = batch.book.business_date(at)
    draw: credit.Approved | None = None
    if plan.credit_minor:
        draw = _draw(batch, table, payment, plan.credit_minor, on, part.number)
        state = table.states[payment.payer_id]
        table.states[payment.payer_id] = replace(
            state, lines={**state.lines, draw.request.line_id: draw.after}
        )
    rate_ppm = table.given.merchants[payment.merchant_id].fee_plan.rate_ppm
    subsidy_minor = draw.plan.subsidy_minor if draw is not None and payment.funding.campaign_id else 0
    return Taken(payment, captured(payment, plan, rate_ppm, at, subsidy_minor), plan, draw, on)


def _draw(
    batch: Batch, table: Table, payment: Payment, credit_minor: int, on: date, number: int
) -> credit.Approved:
    line_id = line_of(payment)
    request = credit.DrawRequest(
        id=credit.draw_id(payment.id, number),
        line_id=line_id,
        payment_id=payment.id,
        merchant_id=payment.merchant_id,
        amount_minor=credit_minor,
        scene=payment.scene,
        tenor=payment.funding.tenor,
        merchant_share_ppm=payment.funding.merchant_share_ppm,
        awaits_receipt=payment.receipt is Receipt.CONFIRM,
    )
    state = table.states[payment.payer_id].lines[line_id]
    product = authorised_under(batch, table, payment)
    return credit.approve_captured_part(state, request, product, on, number)


async def carry_out_captures(batch: Batch, table: Table, taken: Sequence[Taken]) -> dict[UUID, Order]:
    """Move the money of captures: holds, draws, journals, orders. Returns the stored orders of those that end."""
    ending = [one for one in taken if one.plan.ends]
    found: dict[UUID, Order] = {}
    if ending:
        found = await orders.lock_orders(batch.db, batch.book, [one.after.order_id for one in ending])
    await store.update_payments(batch.db, batch.bucket, [one.after for one in taken])
    await subsidies.release(batch, [(one.before, one.after) for one in taken])
    await family.release(batch, [(one.before, one.after) for one in taken])
    await counted.release(batch, [(one.before, one.after) for one in taken])
    drawn: dict[date, list[credit.Approved]] = {}
    for one in taken:
        if one.draw is not None:
            drawn.setdefault(one.on, []).append(one.draw)
    for on, draws in drawn.items():
        await credit.post_draws(batch, table.catalogue.products, draws, on)
    await ledger.post_holds(batch, [part for one in taken for part in _posted_holds(one)])
    await ledger.void_holds(batch, [hold for one in ending for hold in open_holds(one.after)])
    await ledger.post(batch, [_journal(batch, table, one) for one in taken])
    if ending:
        fixes = {one.after.order_id: (one.after.id, taking_of(one.after)) for one in ending}
        at = max(one.after.captured_at for one in ending if one.after.captured_at is not None)
        await orders.settle_orders(batch.db, batch.book, fixes, at)
    return found


def _posted_holds(one: Taken) -> list[tuple[UUID, int]]:
    parts = (
        (one.before.wallet_hold_id, one.plan.wallet_minor),
        (one.before.line_hold_id, one.plan.credit_minor),
    )
    return [(hold, amount) for hold, amount in parts if hold is not None and amount]


def open_holds(payment: Payment) -> list[UUID]:
    """The holds of which something is still held."""
    wallet_left_minor, credit_left_minor = held_of(payment)
    pairs = ((payment.wallet_hold_id, wallet_left_minor), (payment.line_hold_id, credit_left_minor))
    return [hold for hold, left_minor in pairs if hold is not None and left_minor]


def _journal(batch: Batch, table: Table, one: Taken) -> ledger.Journal:
    payment = one.before
    return capture_journal(
        payment,
        batch.book.id,
        table.guard(payment.payer_id).wallet_id,
        one.plan.wallet_minor,
        one.draw,
        one.after.fee_minor - payment.fee_minor,
        one.on,
    )


def facts_of_draws(table: Table, payment: Payment, drawn: Draws) -> tuple[DrawFacts, ...]:
    """What a view tells of the draws that a payment has made."""
    lines, products = table.states[payment.payer_id].lines, table.catalogue.products
    return tuple(
        facts_of_draw(draw, lines[draw.line_id].line, products) for draw in drawn.get(payment.id, ())
    )


def settled_capture(
    table: Table,
    one: Taken,
    earlier: Draws,
    found: Mapping[UUID, Order],
    reader: Reader,
    language: str,
) -> Settled:
    """A capture as it is told: `payment.captured` each time money is taken, `order.paid` at the end."""
    before = facts_of_draws(table, one.before, earlier)
    now = (facts_of_approved(one.draw),) if one.draw is not None else ()
    return Settled(
        payment=one.after,
        reader=reader,
        language=language,
        on=one.on,
        draws=(*before, *now),
        order=None if one.after.inline_order else found.get(one.after.order_id),
        kind=Kind.PAYMENT_CAPTURED,
    )
