"""Due days moved before they were kept: the bills before each change tell them again."""

from datetime import date
from importlib.resources import files

from tests.credit.conftest import House
from tests.credit.history.test_rewriting import EXTERNAL, assert_rows_are_the_fold

from wufeng import credit
from wufeng.base.database import Connection
from wufeng.credit.repayments.model import Target

MIGRATION = files("wufeng.migrations") / "0032_histories.sql"
DAYS = "select due_day_was, due_after_days_was from line_change where kind = 'due_day_set' order by at"


async def test_bills_tell_the_due_days_that_were(house: House, owner: Connection) -> None:
    payer = await house.payer(wallet_minor=900_000)
    await house.buy(payer, 60_000, tenor=12)
    for month, due_day in ((11, 20), (12, 8)):
        await house.turn_to(date(2026, month, 3))
        await house.repay(payer, Target.BILLED)
        await house.do(house.change(credit.SetDueDay, payer, due_day=due_day))
    await house.turn_to(date(2027, 1, 5))
    kept = [tuple(row) for row in await owner.fetch(DAYS)]
    assert kept == [(10, None), (20, None)]
    await owner.execute("update line_change set due_day_was = null")
    await owner.execute(MIGRATION.read_text())
    assert [tuple(row) for row in await owner.fetch(DAYS)] == kept
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2027, 1, 2)))
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_days_after_the_bill_and_ends_of_months_are_told_too(house: House, owner: Connection) -> None:
    payer = await house.payer(wallet_minor=900_000)
    await house.buy(payer, 60_000, tenor=12)
    await house.turn_to(date(2027, 3, 2))
    await house.repay(payer, Target.BILLED)
    await house.do(house.change(credit.SetDueDay, payer, due_day=20))
    for due_on, told in (
        (
            "least((issued_on + 30), (date_trunc('month', issued_on) + interval '1 month')::date - 1)",
            (31, None),
        ),
        ("issued_on + 20", (21, None)),  # every bill is of a 1st
        ("issued_on + 30", (None, 30)),
        ("issued_on + 20 + extract(month from issued_on)::integer", (None, None)),
    ):
        await owner.execute(f"update bill set due_on = {due_on}")
        await owner.execute("update line_change set due_day_was = null, due_after_days_was = null")
        await owner.execute(MIGRATION.read_text())
        assert [tuple(row) for row in await owner.fetch(DAYS)] == [told], due_on
