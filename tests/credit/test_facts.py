"""H1 and H3 of PRODUCTS.md, to the fen: in the row, in the view and in the journal."""

from datetime import date

from tests.credit.conftest import House

from wufeng import ledger
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
    assert bill.parts[-1].explain == "Interest since the due date: 500.00 × 0.05 % × 5 day(s)"

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
