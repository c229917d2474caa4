"""The waterfall and its properties, without a database."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credit.conftest import shipped

from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.bills.model import Bill, BillStatus
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.products.versions import Versions
from wufeng.credit.repayments.model import Debt, Target
from wufeng.credit.repayments.rules import brought_up, owed, spread, waterfall_of
from wufeng.credit.waterfall.model import Age, Component, Due
from wufeng.credit.waterfall.rules import allocate

PRODUCT = shipped("monthly_bill").product
VERSIONS = Versions(PRODUCT)
WATERFALL = waterfall_of(PRODUCT.repayment)
DUE_ON = date(2026, 10, 10)
LINE = Line(
    id=UUID(int=9), person_id=UUID(int=8), product="monthly_bill", product_version=1, currency="CNY",
    lenders=((UUID(int=7), 1_000_000),), limit_minor=10_000_000, status=LineStatus.OPEN, bill_day=1, due_day=10,
    opened_on=date(2026, 9, 1),
)  # fmt: skip


def due(number: int = 0, age: int = 0, fee: int = 0, interest: int = 0, principal: int = 0) -> Due:
    parts = {Component.FEE: fee, Component.INTEREST: interest, Component.PRINCIPAL: principal}
    return Due(number, Age.PAST_DUE if age else Age.DUE, parts, age)


@pytest.mark.parametrize(
    ("dues", "money_minor", "pieces", "left_minor"),
    [
        ([due(fee=1, interest=2, principal=3)], 6, [("fee", 1), ("interest", 2), ("principal", 3)], 0),
        ([due(fee=1, interest=2, principal=3)], 2, [("fee", 1), ("interest", 1)], 0),
        ([due(fee=1, interest=2, principal=3)], 7, [("fee", 1), ("interest", 2), ("principal", 3)], 1),
        ([due(fee=1, interest=2, principal=3)], 0, [], 0),
        # 90 days past due: fees first; 91: principal first
        ([due(age=90, fee=1, interest=2, principal=3)], 3, [("fee", 1), ("interest", 2)], 0),
        ([due(age=91, fee=1, interest=2, principal=3)], 4, [("principal", 3), ("interest", 1)], 0),
        # the oldest period whole before the next
        ([due(principal=3), due(1, fee=1)], 3, [("principal", 3)], 0),
        ([due(principal=3), due(1, fee=1)], 4, [("principal", 3), ("fee", 1)], 0),
    ],
)
def test_allocate(dues: list[Due], money_minor: int, pieces: list[tuple[str, int]], left_minor: int) -> None:
    paid = allocate(dues, money_minor, WATERFALL)
    assert [(piece.component.value, piece.amount_minor) for piece in paid.pieces] == pieces
    assert paid.surplus_minor == left_minor


amounts = st.integers(0, 1_000_000)
bills = st.lists(
    st.builds(
        lambda n, principal, fee, interest, minimum: (n, principal, fee, interest, minimum),
        st.integers(0, 6), amounts, amounts, amounts, amounts,
    ),
    max_size=5,
    unique_by=lambda bill: bill[0],
)  # fmt: skip


def debt_of(parts: list[tuple[int, int, int, int, int]]) -> Debt:
    made = []
    for month, principal, fee, interest, minimum in sorted(parts):
        due_on = DUE_ON + timedelta(days=31 * month)
        made.append(
            Bill(
                id=UUID(int=100 + month),
                line_id=LINE.id,
                issued_on=due_on - timedelta(days=9),
                due_on=due_on,
                status=BillStatus.OPEN,
                single_minor=principal,
                fee_minor=fee,
                interest_minor=interest,
                minimum_minor=min(minimum, principal + fee + interest),
                accrued_on=due_on,
                wake_on=due_on,
            )
        )
    return Debt(LINE, tuple(made))


@given(bills, st.lists(amounts, min_size=1, max_size=4), st.integers(0, 300))
def test_money_is_conserved_and_parts_sum_up(
    parts: list[tuple[int, int, int, int, int]], monies: list[int], days: int
) -> None:
    on = DUE_ON + timedelta(days=days)
    debt = brought_up(debt_of(parts), PRODUCT, on)
    for money_minor in monies:
        before = owed(debt, Target.BILLED, on)
        paid = spread(debt, money_minor, VERSIONS, on)
        assert sum(piece.amount_minor for piece in paid.allocation) + paid.surplus_minor == money_minor
        assert owed(paid.debt, Target.BILLED, on) == before - paid.paid_minor
        assert paid.surplus_minor == max(0, money_minor - before)
        for bill in paid.debt.bills:
            parts_minor = (bill.unpaid_fee_minor, bill.unpaid_interest_minor, bill.unpaid_principal_minor)
            assert min(parts_minor) >= 0
            assert (bill.status is BillStatus.PAID) is (sum(parts_minor) == 0)
        debt = paid.debt


@given(bills, amounts, amounts, st.integers(0, 300))
def test_two_repayments_of_a_day_do_what_one_does_and_their_order_does_not_matter(
    parts: list[tuple[int, int, int, int, int]], one: int, two: int, days: int
) -> None:
    on = DUE_ON + timedelta(days=days)
    debt = brought_up(debt_of(parts), PRODUCT, on)

    def after(*monies: int) -> tuple[Debt, int]:
        now, surplus = debt, 0
        for money in monies:
            paid = spread(now, money, VERSIONS, on)
            now, surplus = paid.debt, surplus + paid.surplus_minor
        return now, surplus

    assert after(one, two) == after(two, one) == after(one + two)


@given(bills, st.integers(1, 400))
def test_interest_is_the_same_however_often_one_looks(
    parts: list[tuple[int, int, int, int, int]], days: int
) -> None:
    on = DUE_ON + timedelta(days=days)
    debt = brought_up(debt_of(parts), PRODUCT, on)
    looked = debt
    for day in range(0, days, 7):
        looked = spread(looked, 0, VERSIONS, DUE_ON + timedelta(days=day)).debt if day else looked
        looked = brought_up(looked, PRODUCT, on)
    for bill, other in zip(debt.bills, looked.bills, strict=True):
        assert interest_to_bill(bill, on) == interest_to_bill(other, on)
