"""When a bill is reminded of. Pure.

Source: PRODUCTS.md 2.3: three days and one day before, on the day; overdue day 1, 3, 7, 15, 30, 60, 90.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.products.model import Arrears, Product
from wufeng.credit.reminders.model import Reminding


def remindings(products: Iterable[Product], on: date) -> list[Reminding]:
    """The due dates of bills that a date reminds of, by product version."""
    return [
        Reminding(product.id, product.version, on + timedelta(days=days))
        for product in products
        for days in sorted({*product.arrears.remind_before, *(-n for n in product.arrears.remind_after)})
    ]


def is_wanted(bill: Bill, terms: Arrears, on: date) -> bool:
    """Whether a date reminds of a bill: paid ones never, after the due date overdue ones only.

    The date on which a bill is issued reminds of nothing: the bill itself has just been told.
    """
    days = (on - bill.due_on).days
    if bill.issued_on >= on:
        return False
    if days > 0:
        return bill.status is BillStatus.OVERDUE and days in terms.remind_after
    return bill.status in (BillStatus.OPEN, BillStatus.MINIMUM_PAID) and -days in terms.remind_before
