"""What a debt has earned that no bill holds, and what of its interest was billed: the gathering of bills and draws."""

from datetime import date

from wufeng.credit.accruals.model import MICRO
from wufeng.credit.accruals.sums import Course, Delta, evenly, together, unbilled
from wufeng.credit.draws.model import Draw
from wufeng.credit.lines.model import Line
from wufeng.credit.repayments.model import Debt
from wufeng.credit.repayments.rules import running_period


def earned(debt: Debt, on: date) -> Course:
    """What a debt's bills and draws have earned by the end of a date that is not billed, how that goes on, and what was
    billed of it until now.
    """
    parts = [unbilled(bill, on) for bill in debt.bills]
    parts += [earned_of_draw(draw, debt.line, on) for draw in debt.draws]
    return together((*parts, {on: Delta(billed_minor=billed_interest(debt))}))


def earned_of_draw(draw: Draw, line: Line, on: date) -> Course:
    """The same of one draw: of its days, or of the running part of a plan by a yearly rate.

    The person's interest alone: the merchant's share was paid ahead and stands as a liability (`UNEARNED_SUBSIDY`) that
    bills release, so nobody owes it.
    """
    return unbilled(draw, on) if draw.daily_ppm or draw.segments else _of_plan(draw, line, on)


def billed_interest(debt: Debt) -> int:
    """All the interest of a debt's bills and draws that became owed so far, by their own rows and by no journal."""
    return sum(bill.interest_billed_minor for bill in debt.bills) + sum(
        draw.interest_billed_minor + sum(draw.interest_parts[: draw.billed_parts]) for draw in debt.draws
    )


def _of_plan(draw: Draw, line: Line, on: date) -> Course:
    """A plan earns its running part's interest from due date to due date. Once no principal is to come, what is still
    to be billed is earned whole: no day adds to it or takes from it any more.
    """
    parts = draw.unbilled_parts
    if draw.billable_on is None or not draw.interest_parts or not parts:
        return {}
    if not draw.unbilled_minor:
        return together([{on: Delta(MICRO * sum(draw.interest_of(part) for part in parts))}])
    period = running_period(draw, line.cycle, line.next_bill_on)
    interest_minor = draw.interest_of(parts[0])
    return evenly(interest_minor, *period, on) if period is not None and interest_minor else {}
