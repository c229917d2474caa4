"""Who pays a plan off on a bill day before its close has run, or while closes are late: what its days have earned."""

from datetime import date, timedelta

import pytest
from tests.credit.accruals.products import yearly_product
from tests.credit.conftest import House, Payer, make_house
from tests.credit.history.test_rewriting import assert_rows_are_the_fold

from wufeng.base.database import Database
from wufeng.credit.documents.queries import show_explained_repayment
from wufeng.credit.documents.steps import Explained, Why
from wufeng.credit.draws.model import draw_id
from wufeng.credit.repayments.model import Target
from wufeng.credit.repayments.store import load_repayments_of_line

ONE_DAY = timedelta(days=1)
BILL_ON = date(2026, 11, 1)


async def billed_once(database: Database) -> tuple[House, Payer, object]:
    """A plan of three parts whose first bill is paid, on the day before its second."""
    house = await make_house(database, date(2026, 9, 3), source=yearly_product())
    payer = await house.payer(wallet_minor=400_000)
    plan = draw_id(await house.buy(payer, 90_000, tenor=3))
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, Target.BILLED)
    await house.turn_to(BILL_ON - ONE_DAY)
    return house, payer, plan


async def explained(house: House, payer: Payer) -> list[Explained]:
    """Every step of the latest receipt, however deep."""
    assert payer.line_id is not None
    async with house.database.read() as db:
        *_, latest = await load_repayments_of_line(db, house.bucket, payer.line_id)
        whole = await show_explained_repayment(house.reading(db), latest)
    steps = list(whole.amounts)
    for step in steps:
        steps += step.steps
    return steps


@pytest.mark.parametrize("days_late", [0, 3, 12])
async def test_the_days_of_the_part_that_is_not_billed_yet_are_owed(
    database: Database, days_late: int
) -> None:
    house, payer, plan = await billed_once(database)
    (draw,) = (await house.debt(payer)).draws
    house.clock.turn_to(house.noon(BILL_ON + days_late * ONE_DAY))
    paid = await house.repay(payer, plan=plan)
    earned_days = min(
        31, 22 + days_late
    )  # from the due date of the first part, the 10th, to that of the second
    earned_minor = round(draw.interest_parts[1] * earned_days / 31)
    assert paid.amount_minor == draw.unbilled_minor + earned_minor
    days = {
        (abs(step.amount_minor), step.days, step.period_days)
        for step in await explained(house, payer)
        if step.code is Why.PLAN_DAYS
    }
    assert days == {(earned_minor, earned_days, 31)}, (
        "by its receipt: what was charged, and what was not saved"
    )
    await house.turn_to(BILL_ON + 13 * ONE_DAY)
    assert len(await house.bills(payer)) == 1, "nothing is left to be billed"
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
    await house.lanes.drain()


@pytest.mark.parametrize("days_late", [0, 3])
async def test_money_that_ends_a_plan_before_its_bill_leaves_what_its_days_have_earned(
    database: Database, days_late: int
) -> None:
    house, payer, _ = await billed_once(database)
    (draw,) = (await house.debt(payer)).draws
    house.clock.turn_to(house.noon(BILL_ON + days_late * ONE_DAY))
    await house.repay(payer, Target.ALL)
    (after,) = (await house.debt(payer)).draws
    earned_minor = round(draw.interest_parts[1] * (22 + days_late) / 31)
    assert after.interest_parts == (draw.interest_parts[0], earned_minor, 0)
    await house.turn_to(BILL_ON + 5 * ONE_DAY)
    assert [bill.total_minor for bill in await house.bills(payer)][1:] == [earned_minor]
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
    await house.lanes.drain()
