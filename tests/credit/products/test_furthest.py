"""The furthest days and the highest rates that `check` lets through: a line lives by them."""

from datetime import date

from tests.credit.conftest import make_house, shipped

from wufeng import credit
from wufeng.base.database import Database
from wufeng.base.errors import Problem
from wufeng.credit.products.rules import MOST_DAYS, MOST_PPM

START = date(2026, 9, 3)

FURTHEST = {
    "suspend_after_days = 1": f"suspend_after_days = {MOST_DAYS - 1}\ncharge_off_after_days = {MOST_DAYS}",
    "annualised_max_ppm = 240_000": f"annualised_max_ppm = {MOST_PPM}",
    "late_daily_ppm = 500": f"late_daily_ppm = {MOST_PPM // 365}",
}


async def test_a_late_line_lives_by_the_furthest_days_and_the_highest_rate(database: Database) -> None:
    source = shipped("monthly_bill").source
    for old, new in FURTHEST.items():
        assert old in source, old
        source = source.replace(f"\n{old}", f"\n{new}", 1)
    house = await make_house(database, START, "furthest", source)
    payer = await house.payer(wallet_minor=500_000, limit_minor=100_000)
    await house.buy(payer, 50_000)
    house.clock.turn_to(house.noon(date(2026, 10, 20)))
    closed = await credit.close_through(
        house.lanes, house.book, house.bucket, date(2026, 10, 19), house.steps
    )
    assert [day.errors for day in closed if day.errors] == []
    (bill,) = await house.bills(payer)
    assert bill.status == "overdue" and bill.accrued_minor > 0
    repaid = await house.send(house.repaying(payer, 1_000))
    assert not isinstance(repaid, Problem), repaid
