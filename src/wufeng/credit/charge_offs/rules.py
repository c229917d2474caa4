"""Taking the loss of a line: all of it falls due, interest stops, and the debt stands beside the books from then on."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.ids import id_of
from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.bills.model import Bill, BillItem, BillItems, BillStatus, InterestBilled
from wufeng.credit.bills.rules import accrue
from wufeng.credit.draws.model import Draw, Unearned
from wufeng.credit.draws.rules import accrue_draw, unearned_of
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.products.model import Product
from wufeng.credit.repayments.model import Debt
from wufeng.credit.repayments.rules import (
    brought_up,
    end_plan,
    with_line_state,
    without_subsidy_to_come,
)


class Lost(Struct, frozen=True):
    """A line charged off.

    bill            what was not billed yet, due at once; None: everything was
    interest_minor  charged with it: earned to the day and on no bill before
    unearned        merchants' part of fees of plans that end: earned at once, no bill will take it
    """

    debt: Debt
    bill: Bill | None
    items: BillItems
    interest_minor: int
    unearned: tuple[Unearned, ...] = ()

    @property
    def principal_minor(self) -> int:
        """Principal that is lost."""
        return sum(bill.unpaid_principal_minor for bill in self.debt.bills)

    @property
    def interest_owed_minor(self) -> int:
        """Interest that is lost."""
        return sum(bill.unpaid_interest_minor for bill in self.debt.bills)

    @property
    def fee_owed_minor(self) -> int:
        """Fees that are lost."""
        return sum(bill.unpaid_fee_minor for bill in self.debt.bills)


def is_due(line: Line, on: date) -> bool:
    """Whether a line's loss is to be taken on a date: its oldest arrears have come of age."""
    return line.charge_off_on is not None and line.charge_off_on <= on


def last_bill_id(line_id: UUID) -> UUID:
    """The id of a charged-off line's last bill where its charge-off made none and its history, rewritten, has one."""
    return id_of(line_id.int ^ 1 << 64)


def charge_off(debt: Debt, bill_id: UUID, product: Product, on: date) -> Lost:
    """Take the loss of a line on a date. Its lenders bear it, the person owes what they owed and no more interest.

    bill_id  for the bill of what was not billed yet. Fees of instalments to come are not charged
    """
    now = brought_up(debt, product, on)
    bills, charged_minor = _at_rest(now.bills, on)
    bill, items, draws = _last_bill(now, bill_id, on)
    line = replace(
        now.line,
        status=LineStatus.CLOSING,
        charged_off_on=on,
        charge_off_on=None,
        suspend_on=None,
        next_bill_on=None,
    )
    if bill is not None:
        bills = (*bills, bill)
        charged_minor += bill.interest_minor
    after = with_line_state(Debt(line, bills, draws), product, on)  # bills that were in order are overdue now
    return Lost(after, bill, items, charged_minor, unearned_of(now.draws, draws))


def _at_rest(bills: Sequence[Bill], on: date) -> tuple[tuple[Bill, ...], int]:
    """Bills that bear nothing any more, with what they had earned charged."""
    after, charged_minor = [], 0
    for bill in bills:
        bill = accrue(bill, on)
        earned_minor = interest_to_bill(bill, on)
        charged_minor += earned_minor
        after.append(
            replace(
                bill,
                daily_ppm=0,
                wake_on=None,
                status=BillStatus.OVERDUE if bill.unpaid_minor + earned_minor else BillStatus.PAID,
                late_interest_minor=bill.late_interest_minor + earned_minor,
                interest_billed_minor=bill.interest_billed_minor + earned_minor,
            )
        )
    return tuple(after), charged_minor


def _last_bill(debt: Debt, bill_id: UUID, on: date) -> tuple[Bill | None, BillItems, tuple[Draw, ...]]:
    """A bill of everything that was not billed, due at once; None when everything was, or was paid before."""
    items: list[BillItem] = []
    interest: list[InterestBilled] = []
    accrued: list[Draw] = []
    for draw in debt.draws:
        draw = accrue_draw(draw, on)
        if earned_minor := interest_to_bill(draw, on):
            interest.append(InterestBilled(draw.id, earned_minor, is_draw=True))
            draw = replace(draw, interest_billed_minor=draw.interest_billed_minor + earned_minor)
        items += [
            BillItem(draw.id, part, draw.tenor, owed_minor, 0)
            for part, owed_minor in draw.unpaid_of_unbilled_parts().items()
            if owed_minor
        ]
        accrued.append(draw)
    if not items and not interest:
        draws = tuple(without_subsidy_to_come(end_plan(draw)[0]) for draw in accrued)
        return None, BillItems(), draws
    single_minor = sum(item.principal_minor for item in items if item.tenor == 1)
    instalment_minor = sum(item.principal_minor for item in items) - single_minor
    interest_minor = sum(billed.amount_minor for billed in interest)
    bill = Bill(
        id=bill_id,
        line_id=debt.line.id,
        issued_on=on,
        due_on=on,
        status=BillStatus.OVERDUE,
        single_minor=single_minor,
        instalment_minor=instalment_minor,
        interest_minor=interest_minor,
        minimum_minor=single_minor + instalment_minor + interest_minor,
        accrued_on=on,
    )
    draws = tuple(_billed_whole(draw, bill_id) for draw in accrued)
    return bill, BillItems(tuple(items), tuple(interest)), draws


def _billed_whole(draw: Draw, bill_id: UUID) -> Draw:
    """A draw of which the last bill has taken everything; fees and interest of its months to come are not charged."""
    to_come = len(draw.unbilled_parts)
    ended, _ = end_plan(replace(draw, unbilled_minor=0, prepaid_minor=0))
    return replace(
        without_subsidy_to_come(ended),
        billed_parts=len(ended.principal_parts),
        bills=(*ended.bills, *[bill_id] * to_come),
    )
