"""The rows of PRODUCTS.md part 2, to the fen: in the row, in the view and in the journal."""

from datetime import date

import pytest
from tests.credit.conftest import House, shipped

from wufeng import ledger
from wufeng.credit.plans.rules import annualised_rate_ppm, schedule, terms_of
from wufeng.credit.products.model import Mode, Remainder
from wufeng.ledger import AccountKind, JournalKind


async def test_h1_half_paid_on_the_due_day_and_the_rest_on_the_15th_costs_exactly_1_25(house: House) -> None:
    payer = await house.payer(wallet_minor=200_000)
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 1))
    (bill,) = await house.bills(payer)
    assert (bill.issued_on, bill.due_on, bill.total_minor) == (date(2026, 10, 1), date(2026, 10, 10), 100_000)
    assert bill.minimum_minor == 10_000

    await house.turn_to(date(2026, 10, 10))
    await house.repay(payer, 50_000)
    await house.turn_to(date(2026, 10, 15))
    line = await house.line(payer)
    assert (line.status, line.billed_minor, line.accrued_minor) == ("open", 50_000, 125)

    paid = await house.repay(payer)
    assert paid.amount_minor == 50_125
    assert [(one.part, one.amount_minor) for one in paid.allocation] == [
        ("principal", 50_000),
        ("late_interest", 125),
    ]
    (bill,) = await house.bills(payer)
    assert (bill.status, bill.total_minor, bill.unpaid_minor, bill.accrued_minor) == ("paid", 100_125, 0, 0)
    assert bill.parts[-1].kind == "late_interest"
    assert bill.parts[-1].explain == "Interest since the due date: 500.00 × 0.05% × 5 days"

    repayment = (await house.repayments(payer))[-1]
    assert repayment.id == paid.id
    async with house.database.read() as db:
        rows = await db.fetch("select id from repayment where bucket = $1 order by id", house.bucket)
        charged, repaid = await ledger.journals_of(db, house.bucket, rows[-1]["id"])
    assert charged.journal.kind is JournalKind.CHARGES_BILLED
    assert sum(amount for amount in charged.journal.amounts if amount > 0) == 125
    assert repaid.journal.amounts[0] == 50_125
    assert await house.wallet(payer) == 200_000 - 100_125
    line = await house.line(payer)
    assert (line.used_minor, line.billed_minor, line.next_bill_on) == (0, 0, None)
    assert await house.balance(payer.line_id, AccountKind.LINE_INTEREST) == 0
    await house.prove(payer)


async def test_h3_bought_on_the_1st_is_due_on_the_10th_of_the_next_month(house: House) -> None:
    payer = await house.payer()
    await house.turn_to(date(2026, 10, 1))
    await house.buy(payer, 1)
    await house.turn_to(date(2026, 10, 31))
    assert await house.bills(payer) == []
    await house.turn_to(date(2026, 11, 1))
    (bill,) = await house.bills(payer)
    assert bill.due_on == date(2026, 11, 10)
    await house.prove(payer)


@pytest.mark.parametrize(
    ("tenor", "fee_ppm", "percent"),
    [(3, 25_000, "14.94"), (6, 45_000, "15.27"), (9, 65_000, "15.34"), (12, 88_000, "15.86")],
)
def test_h2_the_prices_of_instalments_are_these_yearly_rates(tenor: int, fee_ppm: int, percent: str) -> None:
    product = shipped("monthly_bill").product
    assert product.cycle is not None
    terms = terms_of(product, product.cycle, tenor)
    assert terms is not None and terms.fee_ppm == fee_ppm
    rate_ppm = annualised_rate_ppm(schedule(terms, 100_000_000, date(2026, 9, 3)))
    assert f"{round(rate_ppm / 100) / 100:.2f}" == percent


async def test_f1_a_thousand_for_seven_days_costs_2_80_and_for_the_same_day_nothing(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000, product="daily_interest")
    await house.buy(payer, 100_000)
    same_day = await house.repay(payer)
    assert (same_day.amount_minor, (await house.line(payer)).used_minor) == (100_000, 0)

    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 9, 10))
    assert (await house.line(payer)).accrued_minor == 280
    paid = await house.repay(payer)
    assert paid.amount_minor == 100_280
    assert [(one.part, one.amount_minor) for one in paid.allocation] == [
        ("daily_interest", 280),
        ("unbilled", 100_000),
    ]
    line = await house.line(payer)
    assert (line.used_minor, line.accrued_minor, line.next_bill_on) == (0, 0, None)
    await house.prove(payer)


@pytest.mark.parametrize(("used_minor", "due_minor"), [(10_000, 10_000), (10_001, 1_001)])
async def test_f2_at_the_months_end_up_to_a_hundred_is_due_whole_and_above_it_a_tenth(
    house: House, used_minor: int, due_minor: int
) -> None:
    payer = await house.payer(wallet_minor=200_000, product="daily_interest")
    await house.buy(payer, used_minor)
    await house.turn_to(date(2026, 10, 1))
    (bill,) = await house.bills(payer)
    interest_minor = round(used_minor * 0.0004 * 27)  # 4 to 30 September
    assert bill.total_minor == bill.minimum_minor == due_minor + interest_minor
    line = await house.line(payer)
    assert (line.billed_minor, line.unbilled_minor) == (bill.total_minor, used_minor - due_minor)
    await house.prove(payer)


async def test_f3_late_principal_bears_one_and_a_half_times_the_rate(house: House) -> None:
    payer = await house.payer(wallet_minor=200_000, product="daily_interest")
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 13))
    # 100.00 of the bill: 10 days (1 to 10 October) at 0.04 %, 3 at 0.06 %; 900.00 with the draw: 13 at 0.04 %.
    (bill,) = await house.bills(payer)
    assert (bill.status, bill.accrued_minor) == ("overdue", 40 + 18)
    assert (await house.line(payer)).accrued_minor == 58 + 468
    await house.prove(payer)


@pytest.mark.parametrize(
    ("bought_on", "tenor", "due"),
    [
        (date(2027, 3, 31), 1, [date(2027, 4, 10)]),
        (date(2027, 4, 3), 1, [date(2027, 5, 10)]),
        (date(2027, 4, 5), 3, [date(2027, 5, 10), date(2027, 6, 10), date(2027, 7, 10)]),
    ],
)
async def test_b1_bill_mode_bills_on_the_1st_and_is_due_nine_days_later(
    house: House, bought_on: date, tenor: int, due: list[date]
) -> None:
    house.clock.turn_to(
        house.noon(bought_on.replace(day=1))
    )  # bills come on the day on which the line was opened
    payer = await house.payer(product="order_instalments", mode=Mode.BILL)
    house.clock.turn_to(house.noon(bought_on))
    await house.buy(payer, 90_000, tenor=tenor)
    await house.turn_to(due[-1])
    assert [bill.due_on for bill in await house.bills(payer)] == due
    await house.prove(payer)


@pytest.mark.parametrize(("year", "february"), [(2027, 28), (2028, 29)])
async def test_b2_order_mode_keeps_to_the_last_day_of_a_shorter_month(
    house: House, year: int, february: int
) -> None:
    house.clock.turn_to(house.noon(date(year, 1, 31)))
    payer = await house.payer(product="order_instalments", wallet_minor=1_000_000)
    await house.buy(payer, 90_000, tenor=3)
    due = [date(year, 2, february), date(year, 3, 31), date(year, 4, 30)]
    for n, due_on in enumerate(due):
        await house.turn_to(due_on)
        assert [bill.due_on for bill in await house.bills(payer)] == due[: n + 1]
        await house.repay(payer, (await house.line(payer)).billed_minor)
    assert (await house.line(payer)).used_minor == 0
    await house.prove(payer)


async def test_b2_an_order_that_is_not_split_is_due_after_thirty_days(house: House) -> None:
    payer = await house.payer(product="order_instalments")
    await house.buy(payer, 5_000)
    await house.turn_to(date(2026, 9, 24))
    (bill,) = await house.bills(payer)
    assert (bill.issued_on, bill.due_on) == (date(2026, 9, 24), date(2026, 10, 3))
    await house.prove(payer)


async def test_b3_the_rest_of_a_paid_minimum_bears_a_two_thousandth_a_day(house: House) -> None:
    """1,000.00 due on the 4th, 100.00 paid by then, on the 6th: 900.00 × 0.05% × 2 = 0.90."""
    house.clock.turn_to(house.noon(date(2026, 9, 4)))
    payer = await house.payer(product="order_instalments", wallet_minor=200_000)
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 4))
    (bill,) = await house.bills(payer)
    assert (bill.due_on, bill.minimum_minor) == (date(2026, 10, 4), 10_000)
    await house.repay(payer, 10_000)
    await house.turn_to(date(2026, 10, 6))
    (bill,) = await house.bills(payer)
    assert (bill.status, bill.accrued_minor) == ("minimum_paid", 90)
    assert (await house.repay(payer)).amount_minor == 90_090
    await house.prove(payer)


def test_b4_a_thousand_in_three_at_0_7_percent() -> None:
    product = shipped("order_instalments").product
    assert product.cycle is not None and product.instalments.remainder is Remainder.LAST
    terms = terms_of(product, product.cycle.of(date(2026, 9, 1)), 3)
    assert terms is not None
    plan = schedule(terms, 100_000, date(2026, 9, 3))
    assert plan.instalments_minor == (34_033, 34_033, 34_034)
    assert plan.fee_parts == (700, 700, 700)
