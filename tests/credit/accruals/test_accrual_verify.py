"""The proof of the sums of earned interest: clean on what was lived, and every tampering is found."""

from datetime import date, timedelta
from importlib.resources import files

import pytest
from tests.credit.accruals.products import yearly_product
from tests.credit.conftest import House, make_house

from wufeng import ledger
from wufeng.base.database import Connection, Database
from wufeng.credit import accrual_breaks
from wufeng.credit.accruals.verify import AccrualBreak
from wufeng.credit.draws.model import draw_id
from wufeng.credit.repayments.model import Target
from wufeng.identity.merchants.model import Scene

MIGRATION = files("wufeng.migrations") / "0031_accrual_identity.sql"

TAMPERINGS = {
    "update accrual set micro = micro + 1 where bucket = $1": {AccrualBreak.ACCRUED},
    "update accrual set daily_micro = daily_micro - 1 where bucket = $1": {AccrualBreak.ACCRUED},
    "update accrual set billed_minor = billed_minor + 1 where bucket = $1": {AccrualBreak.BILLED},
    "delete from accrual where bucket = $1": {AccrualBreak.ACCRUED, AccrualBreak.BILLED},
    "update draw set interest_billed_minor = interest_billed_minor + 1 where bucket = $1 and daily_ppm > 0": {
        AccrualBreak.ACCRUED,
        AccrualBreak.BILLED,
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


ODD_TAMPERINGS = {
    "update bill set most_minor = most_minor + 1 where bucket = $1": {AccrualBreak.ACCRUED},
    "update bill set accrued_on = accrued_on - 1 where bucket = $1 and most_minor is not null": {
        AccrualBreak.ACCRUED
    },
    "update draw set interest_parts[2] = interest_parts[2] + 1 where bucket = $1": {AccrualBreak.ACCRUED},
    "update draw set interest_parts[1] = interest_parts[1] + 1 where bucket = $1": {AccrualBreak.BILLED},
    "update line set due_day = 20 where bucket = $1": {AccrualBreak.ACCRUED},
    "delete from accrual where bucket = $1 and business_on > '2026-10-20'": {AccrualBreak.ACCRUED},
}


async def test_plans_and_capped_bills_are_proved_too(database: Database, owner: Connection) -> None:
    house = await make_house(database, date(2026, 9, 3), source=yearly_product())
    late, planning = await house.payer(), await house.payer(wallet_minor=100_000)
    await house.buy(late, 86_457)
    await house.buy(planning, 90_000, tenor=3)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(planning, Target.BILLED)
    await house.turn_to(date(2026, 10, 16))
    await house.prove(late, planning)
    for statement, kinds in ODD_TAMPERINGS.items():
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute(statement, house.bucket)
        found = {one.kind for one in await accrual_breaks(owner, house.bucket)}
        await transaction.rollback()
        assert found == kinds, statement
    await house.lanes.drain()


async def test_data_of_an_earlier_release_joins_the_sums(database: Database, owner: Connection) -> None:
    house = await make_house(database, date(2026, 9, 3), source=yearly_product())
    late, planning, paid = [await house.payer(wallet_minor=200_000) for _ in range(3)]
    await house.buy(late, 86_457)
    await house.buy(planning, 90_000, tenor=3)
    await house.buy(paid, 90_000, tenor=6)
    student = await house.payer(product="study_now")
    await house.buy(student, 120_000, tenor=6, scene=Scene.EDUCATION)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(planning, Target.BILLED)
    await house.repay(paid, Target.ALL)
    await house.turn_to(date(2026, 10, 16))
    await house.buy(planning, 50_000, tenor=6)
    await house.prove(late, planning, paid, student)
    await owner.execute("delete from accrual")
    await owner.execute(MIGRATION.read_text())
    assert await accrual_breaks(owner, house.bucket) == []
    assert await owner.fetchval("select count(*) from accrual where business_on > '2026-10-16'") >= 3
    await house.lanes.drain()


async def test_a_bucket_that_never_closed_joins_the_sums_from_its_own_dates(
    database: Database, owner: Connection
) -> None:
    house = await make_house(database, date(2026, 9, 3), source=yearly_product())
    planning = await house.payer(wallet_minor=200_000)
    await house.buy(planning, 90_000, tenor=3)
    assert await owner.fetchval("select closed_through from head where bucket = $1", house.bucket) is None
    await owner.execute("delete from accrual")
    await owner.execute(MIGRATION.read_text())
    assert await accrual_breaks(owner, house.bucket) == []
    await house.turn_to(date(2026, 10, 5))
    await house.prove(planning)
    await house.lanes.drain()


async def test_a_plan_is_charged_what_was_paid_for_itself_alone(
    database: Database, owner: Connection
) -> None:
    house = await make_house(database, date(2026, 9, 3), source=yearly_product())
    payer = await house.payer(wallet_minor=400_000)
    plans = [draw_id(await house.buy(payer, amount_minor, tenor=3)) for amount_minor in (90_000, 60_000)]
    await house.turn_to(date(2026, 9, 20))
    await house.repay(payer, plan=plans[0])
    charged = "select id, interest_billed_minor from draw order by amount_minor desc"
    before = await owner.fetch(charged)
    assert [row["interest_billed_minor"] > 0 for row in before] == [True, False]
    # As if the money had found another plan's days to pay as well, and nothing of it stood on the draws.
    await owner.execute(
        "update repayment set allocation = (select json_agg(piece) from (select piece from"
        " json_array_elements(allocation) as piece union all select json_build_object('part', 'daily_interest',"
        " 'amount_minor', 7, 'draw', $1::uuid)) as pieces)",
        plans[1],
    )
    await owner.execute("update draw set interest_billed_minor = 0")
    await owner.execute("delete from accrual")
    await owner.execute(MIGRATION.read_text())
    assert await owner.fetch(charged) == before
    await house.lanes.drain()
