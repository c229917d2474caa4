"""What the API shows of credit."""

from datetime import date

from tests.credit.conftest import House

from wufeng.base.calendar import is_bank_day
from wufeng.credit.draws.model import draw_id
from wufeng.credit.queries import load_draw, show_plan
from wufeng.credit.repayments.model import Target
from wufeng.identity.merchants.model import Scene


async def due_dates(house: House, payment_id: object) -> list[date | None]:
    async with house.database.read() as db:
        read = house.reading(db)
        plan = await show_plan(read, *await load_draw(read, draw_id(payment_id)))  # type: ignore[arg-type]
    return [part.due_on for part in plan.instalments]


async def test_a_plan_shows_the_days_on_which_its_bills_are_really_due(house: House) -> None:
    """Nominal days are the 3rd of each month from March on; banks rest on some of them."""
    payer = await house.payer(wallet_minor=500_000, product="study_now")
    payment_id = await house.buy(payer, 120_000, tenor=6, scene=Scene.EDUCATION)
    shown = await due_dates(house, payment_id)
    nominal = [date(2027, month, 3) for month in range(3, 9)]
    assert all(day is not None and is_bank_day(day) for day in shown)
    assert [day for day in shown if day in nominal] == [day for day in nominal if is_bank_day(day)]
    assert shown != nominal
    for on in (date(2027, month, 1) for month in range(3, 7)):
        await house.turn_to(on)
        await house.repay(payer, Target.BILLED)
    assert await due_dates(house, payment_id) == shown, "bills have come, and no day has moved"
    assert sorted(bill.due_on for bill in await house.bills(payer)) == shown[:4]
