"""A line's debt as a fold of its events, by the very rules that the single steps use."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from uuid import UUID

from msgspec.structs import replace

from wufeng.base.errors import Code, Problem
from wufeng.credit.bill_plans.rules import off_bill
from wufeng.credit.bills.model import Bill, BillItems, BillStatus
from wufeng.credit.bills.rules import is_settled
from wufeng.credit.debts.issuing import issue_bill
from wufeng.credit.debts.rules import touched, with_next_bill
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import billable, calendar_of, charges_open
from wufeng.credit.history.model import (
    BillSplit,
    Charged,
    Delivered,
    Drawn,
    Event,
    Issued,
    Refunded,
    Repaid,
    Standing,
)
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.products.model import Product
from wufeng.credit.refunds.model import Returnable
from wufeng.credit.refunds.rules import refund
from wufeng.credit.repayments.model import Allocation, Debt, Paid, Spread
from wufeng.credit.repayments.rules import brought_up, repaid, with_line_state


def fold(line: Line, events: Sequence[Event], product: Product, on: date) -> Standing:
    """All that a line's events have made of it by a date.

    line    with the terms it has today; what events make of it (arrears, the next bill) is taken from them alone, but
            for a bill whose close is late: no bill is made for a date that has been closed
    events  in their order (`in_order`)
    """
    fresh = replace(
        line, next_bill_on=None, past_due_since=None, suspend_on=None, charge_off_on=None, touched_on=None
    )
    if fresh.status is LineStatus.SUSPENDED:
        fresh = replace(fresh, status=LineStatus.OPEN)
    standing = Standing(fresh, {}, {}, {}, {})
    for event in events:
        standing = apply(standing, event, product)
    late_on = line.next_bill_on if line.next_bill_on is not None and line.next_bill_on <= on else None
    expecting = replace(standing, line=replace(standing.line, next_bill_on=late_on))
    return _as_of(expecting, product, on)


def apply(standing: Standing, event: Event, product: Product) -> Standing:
    """What one event makes of a standing."""
    match event:
        case Drawn():
            return _expecting(
                replace(standing, draws={**standing.draws, event.draw.id: event.draw}), event.on
            )
        case BillSplit():
            return _split(standing, event, product)
        case Delivered():
            return _delivered(standing, event, product)
        case Issued():
            return _issued(standing, event, product)
        case Repaid():
            return _repaid(standing, event, product)
        case Refunded():
            return _refunded(standing, event, product)


def _split(standing: Standing, event: BillSplit, product: Product) -> Standing:
    debt = brought_up(_open(standing), product, event.on)
    bill = next((bill for bill in debt.bills if bill.id == event.bill_id), None)
    if bill is None or min(bill.single_minor, bill.unpaid_principal_minor) < event.draw.amount_minor:
        detail = (
            f"A plan was made of the bill on {event.on}; what would have paid it cannot be dated before that."
        )
        raise Problem(Code.STATE_CONFLICT, detail)
    bills = tuple(off_bill(bill, event.draw, product, event.on) if one is bill else one for one in debt.bills)
    after = touched(replace(debt, bills=bills, draws=(*debt.draws, event.draw)), event.on)
    return _with(standing, with_next_bill(with_line_state(after, product, event.on), event.on))


def _delivered(standing: Standing, event: Delivered, product: Product) -> Standing:
    draw = standing.draws[event.draw_id]
    after = billable(draw, calendar_of(standing.line, product), event.on)
    return _expecting(replace(standing, draws={**standing.draws, draw.id: after}), event.on)


def _issued(standing: Standing, event: Issued, product: Product) -> Standing:
    issued = issue_bill(
        _open(standing), standing.credit_balance_minor, event.bill_id, event.on, product, event.known
    )
    after = _with(standing, with_next_bill(issued.debt, event.on))
    if issued.bill is None:  # it was issued all the same: nothing is left of it
        empty = _empty_bill(event, standing.line.id)
        return replace(
            after,
            bills={**after.bills, empty.id: empty},
            items={**after.items, empty.id: BillItems()},
            line=touched(Debt(after.line), event.on).line,
        )
    after = _charging(
        replace(after, items={**after.items, event.bill_id: issued.items}),
        interest_minor=issued.bill.interest_minor,
        fee_minor=issued.bill.fee_minor,
        subsidy_minor=issued.subsidy_minor,
    )
    if issued.applied is None:
        return after
    applied = issued.applied
    left_minor = after.credit_balance_minor - applied.paid_minor
    return _charged_by(replace(after, credit_balance_minor=left_minor), applied)


def _empty_bill(event: Issued, line_id: UUID) -> Bill:
    return Bill(
        id=event.bill_id,
        line_id=line_id,
        issued_on=event.on,
        due_on=event.known.due_on,
        status=BillStatus.PAID,
        accrued_on=event.known.due_on,
    )


def _repaid(standing: Standing, event: Repaid, product: Product) -> Standing:
    debt = _open(standing, [event.plan] if event.plan is not None else ())
    spread = repaid(debt, event.amount_minor, event.plan, product, event.on)
    after = _with(standing, with_next_bill(touched(spread.debt, event.on), event.on))
    after = replace(
        after,
        allocations={**after.allocations, event.repayment_id: with_surplus(spread)},
        credit_balance_minor=after.credit_balance_minor + spread.surplus_minor,
    )
    return _charged_by(after, spread)


def _refunded(standing: Standing, event: Refunded, product: Product) -> Standing:
    debt = brought_up(_open(standing, event.draw_ids), product, event.on)
    returnable = [Returnable(back.repayment_id, back.source, back.amount_minor) for back in event.returned]
    done = refund(debt, event.draw_ids, event.amount_minor, returnable, product, event.on)
    after = _with(standing, with_next_bill(touched(done.debt, event.on), event.on))
    after = replace(after, credit_balance_minor=after.credit_balance_minor + done.kept_minor)
    charged = after.charged
    after = replace(
        after,
        charged=replace(
            charged,
            fee_minor=charged.fee_minor - done.fee_cancelled_minor,
            subsidy_returned_minor=charged.subsidy_returned_minor + done.subsidy_returned_minor,
        ),
    )
    return after if done.applied is None else _charged_by(after, done.applied)


def _as_of(standing: Standing, product: Product, on: date) -> Standing:
    """The standing as the day closes before a date leave it."""
    debt = with_line_state(brought_up(_open(standing), product, on), product, on)
    after = _with(standing, with_next_bill(debt, on))
    return replace(after, bills={id_: _awake(bill, on) for id_, bill in after.bills.items()})


def _awake(bill: Bill, on: date) -> Bill:
    """A bill that was told as due on its due date is looked at again when its days of grace are over."""
    if bill.wake_on is None or bill.wake_on > on:
        return bill
    return replace(bill, wake_on=bill.last_on + timedelta(days=1))


def _open(standing: Standing, draw_ids: Collection[UUID] = ()) -> Debt:
    """What single steps load of a line: bills not settled, draws not wholly billed, and those that are named."""
    named = {bill for id_ in draw_ids for bill in standing.draws[id_].bills}
    bills = [bill for bill in standing.bills.values() if bill.id in named or not is_settled(bill)]
    draws = [draw for draw in standing.draws.values() if draw.id in draw_ids or _is_open(draw)]
    return Debt(
        standing.line,
        tuple(sorted(bills, key=lambda bill: (bill.issued_on, bill.id))),
        tuple(sorted(draws, key=lambda draw: draw.id)),
    )


def _is_open(draw: Draw) -> bool:
    return draw.unbilled_minor > 0 or charges_open(draw)


def _with(standing: Standing, debt: Debt) -> Standing:
    return replace(
        standing,
        line=debt.line,
        bills={**standing.bills, **{bill.id: bill for bill in debt.bills}},
        draws={**standing.draws, **{draw.id: draw for draw in debt.draws}},
    )


def _expecting(standing: Standing, on: date) -> Standing:
    return replace(standing, line=with_next_bill(_open(standing), on).line)


def _charging(standing: Standing, interest_minor: int, fee_minor: int, subsidy_minor: int) -> Standing:
    charged = standing.charged
    return replace(
        standing,
        charged=Charged(
            charged.interest_minor + interest_minor,
            charged.fee_minor + fee_minor,
            charged.subsidy_minor + subsidy_minor,
            charged.subsidy_returned_minor,
        ),
    )


def _charged_by(standing: Standing, spread: Spread) -> Standing:
    return _charging(standing, spread.charged_minor, 0, spread.subsidy_earned_minor)


def with_surplus(spread: Spread) -> tuple[Allocation, ...]:
    """The pieces of a repayment, with what stays in the person's favour as one of them."""
    if not spread.surplus_minor:
        return spread.allocation
    return (*spread.allocation, Allocation(Paid.CREDIT_BALANCE, spread.surplus_minor))
