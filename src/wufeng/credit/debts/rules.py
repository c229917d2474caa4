"""What a whole debt means for its line: whether a bill is to come, and what must be told after a change."""

from datetime import date

from msgspec.structs import replace

from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.bills.rules import interest_to_bill
from wufeng.credit.draws.model import Draw
from wufeng.credit.repayments.model import Debt


def brings_a_bill(bill: Bill, on: date) -> bool:
    """Whether a bill will put interest on a later one: it is earning some, or has earned what was not billed."""
    earning = bill.daily_ppm > 0 and bill.unpaid_principal_minor > 0
    return earning or interest_to_bill(bill, on) > 0


def is_to_be_billed(draw: Draw) -> bool:
    """Whether a bill will take something of a draw."""
    return draw.unbilled_minor > 0 and draw.billable_on is not None


def with_next_bill(debt: Debt, on: date) -> Debt:
    """The debt with the date of its line's next bill: None when nothing would stand on it.

    A date that is set already stays: its close may be late, and a bill of nothing is not issued.
    """
    line = debt.line
    to_come = any(map(is_to_be_billed, debt.draws)) or any(brings_a_bill(bill, on) for bill in debt.bills)
    next_bill_on = (line.next_bill_on or line.cycle.bill_on(on)) if to_come else None
    return replace(debt, line=replace(line, next_bill_on=next_bill_on))


def touched(debt: Debt, on: date) -> Debt:
    """The debt after an event of that value date: none may be dated before it any more."""
    latest = on if debt.line.touched_on is None else max(on, debt.line.touched_on)
    return replace(debt, line=replace(debt.line, touched_on=latest))


def newly(status: BillStatus, before: Debt, after: Debt) -> list[Bill]:
    """The bills that reached a status between two states of a debt."""
    was = {bill.id: bill.status for bill in before.bills}
    return [bill for bill in after.bills if bill.status is status and was.get(bill.id) is not status]


def changed_bills(before: Debt, after: Debt) -> list[Bill]:
    """Bills of `before` that are not as they were."""
    was = {bill.id: bill for bill in before.bills}
    return [bill for bill in after.bills if bill.id in was and bill != was[bill.id]]


def changed_draws(before: Debt, after: Debt) -> list[Draw]:
    """Draws that are not as they were."""
    was = {draw.id: draw for draw in before.draws}
    return [draw for draw in after.draws if draw != was[draw.id]]


def next_due_on(bills: tuple[Bill, ...], on: date) -> date | None:
    """The due date that comes next among bills that are not paid; None when none runs."""
    return min((bill.due_on for bill in bills if bill.unpaid_minor and bill.due_on >= on), default=None)
