"""What a whole debt means for its line: whether a bill is to come, and what must be told after a change."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from wufeng.base.calendar import add_months
from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import bill_wanted_on
from wufeng.credit.lines.model import Line
from wufeng.credit.repayments.model import Debt


def brings_a_bill(bill: Bill, on: date) -> bool:
    """Whether a bill will put interest on a later one: it is earning some, or has earned what was not billed."""
    earning = bill.daily_ppm > 0 and bill.bearing_minor > 0
    return earning or interest_to_bill(bill, on) > 0


def expected_bill_on(debt: Debt, on: date) -> date | None:
    """The date of the next bill that will have something on it; None when nothing would stand on any.

    on  the date it is asked on: a bill day comes after it
    """
    line = debt.line
    wanted = [bill_on for draw in debt.draws if (bill_on := bill_wanted_on(draw, line, on)) is not None]
    if bearing := [bill for bill in debt.bills if brings_a_bill(bill, on)]:
        wanted.append(_interest_bill_on(line, bearing, on))
    wanted += [bill_on for bill in debt.bills if (bill_on := _grace_bill_on(line, bill, on)) is not None]
    return min(wanted, default=None)


def _interest_bill_on(line: Line, bearing: Sequence[Bill], on: date) -> date:
    """When interest of earlier bills is billed: on the bill day, or where a line has none, every month from the day on
    which the oldest of them was late. Whoever asks, and however often, it is the same date."""
    if line.cycle is not None:
        return line.cycle.bill_on(on)
    late_on, months = min(bill.last_on for bill in bearing) + timedelta(days=1), 1
    while (bill_on := add_months(late_on, months)) <= on:
        months += 1
    return bill_on


def _grace_bill_on(line: Line, bill: Bill, on: date) -> date | None:
    """The bill day on which a bill that runs will be late, if nobody pays it: the bill of that very day takes the
    interest of the days of grace. None: it is late on no bill day.
    """
    late_on = bill.last_on + timedelta(days=1)
    if line.cycle is None or not bill.unpaid_minor or not bill.due_on < bill.last_on or on > bill.last_on:
        return None
    return late_on if line.cycle.bill_on(bill.last_on) == late_on else None


def with_next_bill(debt: Debt, on: date) -> Debt:
    """The debt with the date of its line's next bill: None when nothing would stand on it.

    A date that has come stays: its close is late. A bill of nothing is not issued.
    """
    line = debt.line
    expected_on = expected_bill_on(debt, on)
    if expected_on is not None and line.next_bill_on is not None and line.next_bill_on <= on:
        expected_on = min(expected_on, line.next_bill_on)
    return replace(debt, line=replace(line, next_bill_on=expected_on))


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
