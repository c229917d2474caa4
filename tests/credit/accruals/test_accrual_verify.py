"""The proof of the sums of earned interest: clean on what was lived, and every tampering is found."""

from datetime import date, timedelta

import pytest
from tests.credit.conftest import House

from wufeng import ledger
from wufeng.base.database import Connection
from wufeng.credit import accrual_breaks
from wufeng.credit.accruals.verify import AccrualBreak

TAMPERINGS = {
    "update accrual set micro = micro + 1 where bucket = $1": {AccrualBreak.ACCRUED},
    "update accrual set daily_micro = daily_micro - 1 where bucket = $1": {AccrualBreak.ACCRUED},
    "delete from accrual where bucket = $1": {AccrualBreak.ACCRUED},
    "update draw set interest_billed_minor = interest_billed_minor + 1 where bucket = $1 and daily_ppm > 0": {
        AccrualBreak.ACCRUED
    },
    "update draw set accrued_on = accrued_on - 1 where bucket = $1 and daily_ppm > 0": {AccrualBreak.ACCRUED},
    "update draw set unbilled_minor = unbilled_minor - 1 where bucket = $1 and daily_ppm > 0": {
        AccrualBreak.ACCRUED
    },
    "update accrual_close set accrued_minor = accrued_minor + 1 where bucket = $1": {
        AccrualBreak.ACCRUAL_BOOKED
    },
    "delete from accrual_close where bucket = $1": {AccrualBreak.ACCRUAL_BOOKED},
}


async def lived(house: House) -> None:
    """A bill that is overdue, a draw with daily interest, a part of it repaid: stretches that are over, and running."""
    late = await house.payer(product="monthly_bill")
    daily = await house.payer(wallet_minor=100_000, product="daily_interest")
    await house.buy(late, 86_457)
    await house.buy(daily, 43_333)
    await house.turn_to(house.on + timedelta(days=4))
    await house.repay(daily, 9_999)
    await house.buy(daily, 20_001)
    await house.turn_to(date(2026, 10, 20))


async def test_what_was_lived_is_proved_and_every_tampering_found(house: House, owner: Connection) -> None:
    await lived(house)
    await house.followers.catch_up()
    assert (await ledger.verify(house.database, [house.bucket], [accrual_breaks])).breaks == ()
    assert await owner.fetchval("select count(*) from accrual where micro > 0 and bucket = $1", house.bucket)
    for statement, kinds in TAMPERINGS.items():
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute(statement, house.bucket)
        found = {one.kind for one in await accrual_breaks(owner, house.bucket)}
        await transaction.rollback()
        assert found == kinds, statement


@pytest.mark.parametrize("opened_on", [date(2026, 9, 3)])
async def test_a_book_without_interest_has_nothing_to_prove(house: House) -> None:
    async with house.database.read() as db:
        assert await accrual_breaks(db, house.bucket) == []
