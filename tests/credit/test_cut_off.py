"""A book whose business date ends before midnight: what is bought after the cut-off is of the next date."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.credit.conftest import House, Payer, make_house

from wufeng import ledger
from wufeng.base.database import Database
from wufeng.credit.draws.store import load_draws_of_line

CUT_OFF = time(22, 30)
SHANGHAI = ZoneInfo("Asia/Shanghai")
SEPTEMBER_30, OCTOBER_1 = date(2026, 9, 30), date(2026, 10, 1)


@pytest.fixture
async def house(database: Database, opened_on: date) -> AsyncIterator[House]:
    made = await make_house(database, opened_on, cut_off=CUT_OFF)
    yield made
    await made.lanes.drain()


async def turn(house: House, on: date, local: time) -> None:
    """Turn the clock to a local time, and close the business dates that are over then."""
    house.clock.turn_to(datetime.combine(on, local, SHANGHAI))
    await house.close(house.on - timedelta(days=1))


async def bought_around_the_cut_off(house: House, on: date, payer: Payer) -> None:
    """300.00 in the last second before the cut-off, 500.00 at it."""
    await turn(house, on, time(22, 29, 59))
    await house.buy(payer, 300_00)
    await turn(house, on, CUT_OFF)
    await house.buy(payer, 500_00)


async def test_what_is_bought_after_the_cut_off_stands_on_the_bill_of_the_month_after(house: House) -> None:
    payer = await house.payer()
    await bought_around_the_cut_off(house, SEPTEMBER_30, payer)
    async with house.database.read() as db:
        draws = sorted(
            await load_draws_of_line(db, house.bucket, payer.line_id), key=lambda draw: draw.amount_minor
        )
        booked = [await ledger.journals_of(db, house.bucket, draw.payment_id) for draw in draws]
    assert [draw.posted_on for draw in draws] == [SEPTEMBER_30, OCTOBER_1]
    assert [one.journal.business_on for (one,) in booked] == [SEPTEMBER_30, OCTOBER_1]
    (bill,) = await house.bills(payer)
    assert (bill.issued_on, bill.due_on, bill.total_minor) == (OCTOBER_1, date(2026, 10, 10), 300_00)
    await turn(house, date(2026, 10, 31), CUT_OFF)
    assert [(bill.issued_on, bill.due_on) for bill in await house.bills(payer)][1:] == [
        (date(2026, 11, 1), date(2026, 11, 10))
    ]
    await house.prove(payer)


async def test_the_first_day_of_interest_is_that_of_the_next_date(house: House) -> None:
    payer = await house.payer(wallet_minor=1_000_00, product="daily_interest")
    await bought_around_the_cut_off(house, date(2026, 9, 10), payer)
    assert (await house.line(payer)).accrued_minor == 12, "a day of 300.00 at 0.04 %"
    await turn(house, date(2026, 9, 11), time(22, 29, 59))
    assert (await house.line(payer)).accrued_minor == 12
    await turn(house, date(2026, 9, 11), CUT_OFF)
    assert (await house.line(payer)).accrued_minor == 24 + 20
    await house.prove(payer)
