"""When a bill is reminded of."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.products.files import shipped_products
from wufeng.credit.products.model import Arrears
from wufeng.credit.reminders.rules import is_wanted, remindings

DUE = date(2026, 10, 10)
TERMS = Arrears(suspend_after_days=1)


def bill(status: BillStatus, issued_on: date = date(2026, 10, 1)) -> Bill:
    return Bill(
        id=UUID(int=1), line_id=UUID(int=2), issued_on=issued_on, due_on=DUE, status=status, accrued_on=DUE
    )


@pytest.mark.parametrize(
    ("status", "days"),
    [
        (BillStatus.OPEN, [-3, -1, 0]),
        (BillStatus.MINIMUM_PAID, [-3, -1, 0]),
        (BillStatus.OVERDUE, [1, 3, 7, 15, 30, 60, 90]),
        (BillStatus.PAID, []),
    ],
)
def test_the_days_of_a_bill(status: BillStatus, days: list[int]) -> None:
    found = [n for n in range(-9, 120) if is_wanted(bill(status), TERMS, DUE + timedelta(days=n))]
    assert found == days


def test_days_of_grace_are_not_overdue_and_all_reminders_come_after_them() -> None:
    terms, graced = replace(TERMS, remind_after=(1, 3)), replace(bill(BillStatus.OPEN), grace_days=5)
    days = range(-9, 30)
    assert [n for n in days if is_wanted(graced, terms, DUE + timedelta(days=n))] == [-3, -1, 0]
    overdue = replace(graced, status=BillStatus.OVERDUE)
    assert [n for n in days if is_wanted(overdue, terms, DUE + timedelta(days=n))] == [6, 8]


def test_the_date_of_the_bill_itself_reminds_of_nothing() -> None:
    issued_on = DUE - timedelta(days=3)
    assert not is_wanted(bill(BillStatus.OPEN, issued_on), TERMS, issued_on)
    assert is_wanted(bill(BillStatus.OPEN, issued_on - timedelta(days=1)), TERMS, issued_on)


def test_the_due_dates_that_a_date_reminds_of() -> None:
    products = [one.product for one in shipped_products() if one.product.id == "monthly_bill"]
    found = remindings(products, DUE)
    assert {(DUE - one.due_on).days for one in found} == {-3, -1, 0, 1, 3, 7, 15, 30, 60, 90}
    assert {(one.product, one.version) for one in found} == {("monthly_bill", 1)}
