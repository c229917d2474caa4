"""When a bill is reminded of. Pure.

Source: PRODUCTS.md 2.3: three days and one day before, on the day; overdue day 1, 3, 7, 15, 30, 60, 90. A bill with
days of grace is overdue after the last of them, so these days are counted from it.
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
        for days in sorted(_days_to_due_dates(product))
    ]


def _days_to_due_dates(product: Product) -> set[int]:
    """How far due dates lie ahead of a date that reminds of them: with grace, and without it as a loss's last bill."""
    terms = product.arrears
    late = (-n - grace for n in terms.remind_after for grace in {0, product.billing.grace_days})
    return {*terms.remind_before, *late}


def is_wanted(bill: Bill, terms: Arrears, on: date) -> bool:
    """Whether a date reminds of a bill: paid ones never, after the last day to pay overdue ones only.

    The date on which a bill is issued reminds of nothing: the bill itself has just been told.
    """
    if bill.issued_on >= on:
        return False
    if on > bill.last_on:
        return bill.status is BillStatus.OVERDUE and (on - bill.last_on).days in terms.remind_after
    is_running = bill.status in (BillStatus.OPEN, BillStatus.MINIMUM_PAID)
    return is_running and (bill.due_on - on).days in terms.remind_before
