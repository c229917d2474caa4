"""The next bill of a line, as one step from debt to debt: the day close and a history folded again take it alike."""

from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.credit.bills.model import Bill, BillItems
from wufeng.credit.bills.rules import due_date, issue, take_items
from wufeng.credit.debts.rules import expected_bill_on, touched
from wufeng.credit.draws.model import Unearned
from wufeng.credit.lines.model import AboveLimit
from wufeng.credit.lines.rules import above_limit, after_bill
from wufeng.credit.products.model import Product
from wufeng.credit.products.versions import Versions
from wufeng.credit.repayments.model import Debt, Spread, Target
from wufeng.credit.repayments.rules import brought_up, owed, spread


class IssuedBill(Struct, frozen=True):
    """A debt with its new bill, what stands on the bill, and what the line's credit balance paid of it.

    bill            as it stands after that; None: there was nothing to bill
    owed_minor      principal the line owed before the credit balance paid
    applied         None: nothing stood in the person's favour
    unearned        merchants' part of fees, earned with it
    """

    debt: Debt
    bill: Bill | None
    items: BillItems
    owed_minor: int = 0
    applied: Spread | None = None
    unearned: tuple[Unearned, ...] = ()


class Known(Struct, frozen=True):
    """What a bill that was issued took from its line's terms of then: the due date, and the limit.

    over_limit_minor  what was above the limit where `above` is not known: with bills of earlier releases it stays
    above       None: no raise had been over, or the bill is of an earlier release
    keeps_used  whether it keeps of what it asks for a share, where it does: those of earlier releases do not
    keeps_above_used  whether it keeps of what it asks for what lies above the limit: those of earlier releases do not,
                and where they ask for a share of what is used they ask for no more
    """

    due_on: date
    over_limit_minor: int = 0
    keeps_used: bool = True
    above: AboveLimit | None = None
    keeps_above_used: bool = True

    def over_limit_of(self, used_minor: int) -> int:
        """What was above the limit, if so much was used."""
        return self.over_limit_minor if self.above is None else self.above.of(used_minor)

    def over_limit_used(self, used_minor: int) -> int | None:
        """What it keeps of it, if so much was used."""
        return used_minor if self.above is not None and self.keeps_above_used else None


def issue_bill(
    debt: Debt,
    credit_balance_minor: int,
    bill_id: UUID,
    issued_on: date,
    product: Product,
    known: Known | None = None,
) -> IssuedBill:
    """Issue the bill of one line on a date: what is due of its draws, and the interest of what was not paid.

    product  the version that the line was opened under: bills follow the contract
    known  of a bill in a history that is folded again; None: as the line is now
    """
    now = brought_up(debt, product, issued_on)
    limits = known or Known(issued_on, above=above_limit(now.line, issued_on))
    above_used_minor = limits.over_limit_used(now.principal_minor)
    above_minor = 0 if above_used_minor is None else limits.over_limit_of(above_used_minor)
    new_items, draws = take_items(now.draws, bill_id, issued_on, product.minimum, above_minor)
    terms = known or replace(limits, due_on=due_date(now.line, product.billing, issued_on, new_items.due_on))
    if not terms.keeps_used:
        new_items = replace(new_items, used_minor=None)
    issued = issue(
        bill_id,
        debt.line.id,
        issued_on,
        new_items,
        now.bills,
        product,
        terms.due_on,
        terms.over_limit_of(now.principal_minor),
        terms.above,
        above_used_minor,
    )
    if issued is None:
        return IssuedBill(_next_expected(now, issued_on), None, BillItems())  # not even a stretch has ended
    line = now.line if known is not None else after_bill(now.line, issued_on)
    after = touched(Debt(line, (*issued.earlier, issued.bill), draws), issued_on)
    items = BillItems(new_items.items, issued.interest)
    owed_minor = after.principal_minor
    applied = None
    if money_minor := min(credit_balance_minor, owed(after, Target.BILLED, issued_on)):
        # What stands in favour pays bills only, so no draw's own version is asked.
        applied = spread(after, money_minor, Versions(product), issued_on)
        assert applied.surplus_minor == 0, "no more is applied than bills owe and have earned"
        after = applied.debt
    bill = next(bill for bill in after.bills if bill.id == bill_id)
    return IssuedBill(_next_expected(after, issued_on), bill, items, owed_minor, applied, new_items.unearned)


def _next_expected(debt: Debt, issued_on: date) -> Debt:
    """The debt with the date of the bill that follows one of that date."""
    line = replace(debt.line, next_bill_on=None)
    expected_on = expected_bill_on(replace(debt, line=line), issued_on)
    return replace(debt, line=replace(line, next_bill_on=expected_on))
