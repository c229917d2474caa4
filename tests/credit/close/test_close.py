"""The day close: killed anywhere and run again, run twice at once, or late by days, it comes out the same."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest
from tests.credit.conftest import House, Payer, make_house

from wufeng import credit
from wufeng.base.database import Database
from wufeng.base.events import close_date
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.credit.close.store import load_runs
from wufeng.credit.repayments.model import Target
from wufeng.ledger import AccountKind

ONE_DAY = timedelta(days=1)
BILL_DAY = date(2026, 10, 1)


async def busy(house: House, count: int = 5) -> list[Payer]:
    """People with every kind of thing to close: single draws, plans, a subsidised plan, late and part payers."""
    payers = [await house.payer(wallet_minor=1_000_000) for _ in range(count)]
    for n, payer in enumerate(payers):
        await house.buy(payer, 30_000 + n)
        if n % 2:
            await house.buy(payer, 90_000, tenor=3)
        if n % 3 == 1:
            await house.buy(payer, 60_000, tenor=6, merchant_share_ppm=1_000_000)
    return payers


async def state(house: House) -> list[tuple[object, ...]]:
    """All that a close leaves behind, without what chance decides (ids) and when it was written."""
    async with house.database.read() as db:
        bills = await db.fetch(
            "select line_id, issued_on, due_on, status, single_minor, instalment_minor, fee_minor, interest_minor,"
            " minimum_minor, daily_ppm, wake_on, settled, interest_billed_minor, cardinality(item_draws) as items"
            " from bill where bucket = $1 order by line_id, issued_on",
            house.bucket,
        )
        lines = await db.fetch(
            "select id, status, next_bill_on, past_due_since, suspend_on from line where bucket = $1 order by id",
            house.bucket,
        )
        draws = await db.fetch(
            "select id, billed_parts, unbilled_minor, prepaid_minor from draw where bucket = $1 order by id",
            house.bucket,
        )
        accounts = await db.fetch(
            "select id, balance_minor, held_minor from account where bucket = $1 order by id", house.bucket
        )
        events = await db.fetch(
            "select kind, person_id, business_on from event where bucket = $1 order by kind, person_id, business_on",
            house.bucket,
        )
        changes = await db.fetch(
            "select line_id, kind from line_change where bucket = $1 order by line_id, kind", house.bucket
        )
    return [tuple(row.values()) for rows in (bills, lines, draws, accounts, events, changes) for row in rows]


def run_to(house: House, on: date) -> None:
    house.clock.turn_to(house.noon(on))


class Killed(Exception):
    """The process is gone."""


def comparable(row: tuple[object, ...]) -> str:
    """A row without its ids: they differ between two books."""
    return str([value for value in row if not isinstance(value, UUID)])


async def test_a_close_killed_before_it_was_noted_is_run_again(house: House) -> None:
    payers = await busy(house)
    run_to(house, BILL_DAY)

    async def die(close: DayClose) -> StepResult:
        raise Killed

    with pytest.raises(Killed):
        await credit.close_day(
            house.lanes, house.book, house.bucket, BILL_DAY - ONE_DAY, [*house.steps, CloseStep("last", die)]
        )
    (day,) = await house.close(BILL_DAY - ONE_DAY)
    assert day.steps["bills"] == len(payers), "rows are counted once, by whoever did them"
    await house.prove(*payers)


async def test_two_closers_at_once_do_it_once(house: House) -> None:
    payers = await busy(house)
    other = house.new_lanes()
    run_to(house, BILL_DAY)
    through = BILL_DAY - ONE_DAY
    await asyncio.gather(
        *(
            credit.close_through(lanes, house.book, house.bucket, through, house.steps)
            for lanes in (house.lanes, other)
        )
    )
    for payer in payers:
        assert len(await house.bills(payer)) == 1
    assert len(await house.events("bill.issued")) == len(payers)
    async with house.database.read() as db:
        runs = await load_runs(db, [house.bucket], through, through)
    assert {step: rows for step, rows in runs[through].items() if rows} == {"bills": len(payers)}
    await house.prove(*payers)
    await other.drain()


async def test_days_skipped_are_closed_in_their_order_with_the_same_result(database: Database) -> None:
    results = []
    for name, stops in (
        ("daily", [date(2026, 9, 3) + timedelta(days=n) for n in range(1, 75)]),
        ("late", [date(2026, 10, 4), date(2026, 10, 14), date(2026, 11, 16)]),
    ):
        house = await make_house(database, date(2026, 9, 3), name)
        payers = await busy(house)
        for stop in stops:
            await house.turn_to(stop)
        await house.prove(*payers)
        results.append(sorted(map(comparable, await state(house))))
        await house.lanes.drain()
    assert results[0] == results[1]


async def test_nothing_is_booked_on_a_closed_date(house: House) -> None:
    payer = await house.payer()
    old = house.buying(payer, 1_000)
    await house.turn_to(date(2026, 9, 4))
    await house.do(old)  # its clock was read too early: the lane reads it again
    (draw,) = (await house.debt(payer)).draws
    assert draw.billable_on == date(2026, 9, 4)


async def test_what_a_close_tells(house: House) -> None:
    payer = await house.payer(wallet_minor=100_000)
    await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 11, 1))
    assert await house.events() == [
        "line.opened 2026-09-03",
        "bill.issued 2026-10-01",
        "bill.due 2026-10-10",
        "bill.overdue 2026-10-11",
        "line.suspended 2026-10-11",
        "bill.issued 2026-11-01",
    ]
    bills = await house.bills(payer)
    assert [(bill.total_minor, bill.minimum_minor) for bill in bills] == [(50_000, 5_000), (525, 50_525)]
    await house.repay(payer)
    assert (await house.events())[-3:] == [
        "repayment.posted 2026-11-01",
        "bill.paid 2026-11-01",
        "bill.paid 2026-11-01",
    ]
    await house.prove(payer)


async def test_a_bill_that_is_due_on_its_own_date_is_told_as_due(house: House) -> None:
    payer = await house.payer(wallet_minor=100_000, product="pay_in_four", limit_minor=100_000)
    await house.buy(payer, 40_000, tenor=4)
    await house.turn_to(date(2026, 9, 4))
    assert (await house.events())[1:] == ["bill.issued 2026-09-04", "bill.due 2026-09-04"]
    await house.repay(payer, 10_000)
    await house.turn_to(date(2026, 9, 20))
    assert (await house.events("bill.issued", "bill.due", "bill.paid", "bill.overdue"))[2:] == [
        "bill.paid 2026-09-04",
        "bill.issued 2026-09-18",
        "bill.due 2026-09-18",
        "bill.overdue 2026-09-19",
    ]
    await house.prove(payer)


async def test_every_bill_is_told_as_due_once_also_by_a_late_close(house: House) -> None:
    payers = [await house.payer(product="pay_in_four", limit_minor=100_000), await house.payer()]
    await house.buy(payers[0], 40_000, tenor=4)
    await house.buy(payers[1], 40_000)
    for until, version in ((date(2026, 9, 5), 99), (date(2026, 10, 9), 1), (date(2026, 10, 11), 99)):
        async with house.database.transaction() as db:  # the line cannot be closed until it is mended
            await db.execute("update line set product_version = $2 where bucket = $1", house.bucket, version)
        run_to(house, until)
        await credit.close_through(house.lanes, house.book, house.bucket, until - ONE_DAY, house.steps)
    async with house.database.transaction() as db:
        await db.execute("update line set product_version = 1 where bucket = $1", house.bucket)
    await house.turn_to(date(2026, 11, 12))
    bills = [bill for payer in payers for bill in await house.bills(payer)]
    assert len(bills) >= 6
    assert len(await house.events("bill.due")) == len(await house.events("bill.issued")) == len(bills)
    await house.prove(*payers)


async def test_a_bill_that_adds_no_interest_or_fee_posts_no_journal(house: House) -> None:
    payer = await house.payer()
    await house.buy(payer, 50_000)
    async with house.database.read() as db:
        before = await db.fetchval("select count(*) from journal where bucket = $1", house.bucket)
        await house.turn_to(date(2026, 10, 2))
        assert await db.fetchval("select count(*) from journal where bucket = $1", house.bucket) == before
    assert len(await house.bills(payer)) == 1
    await house.prove(payer)


async def test_instalments_are_billed_month_by_month_with_their_fees(house: House) -> None:
    payer = await house.payer(wallet_minor=1_000_000)
    await house.buy(payer, 120_000, tenor=3)
    for month in (10, 11, 12):
        await house.turn_to(date(2026, month, 3))
        await house.repay(payer, Target.BILLED)
    assert [bill.total_minor for bill in await house.bills(payer)] == [41_000, 41_000, 41_000]
    (first, *_) = await house.bills(payer)
    assert [(part.kind, part.amount_minor) for part in first.parts] == [
        ("instalments", 40_000),
        ("instalment_fees", 1_000),
    ]
    assert first.minimum_minor == 41_000, "instalments are due whole"
    assert await house.balance(payer.line_id, AccountKind.LINE_FEE) == 0
    await house.prove(payer)


async def test_a_line_that_cannot_be_closed_is_named_and_the_others_are_done(house: House) -> None:
    payers = await busy(house, 3)
    async with house.database.transaction() as db:
        broken = payers[1].line_id
        await db.execute(
            "update line set product_version = 99 where bucket = $1 and id = $2", house.bucket, broken
        )
    run_to(house, BILL_DAY)
    closed = await credit.close_through(
        house.lanes, house.book, house.bucket, BILL_DAY - ONE_DAY, house.steps
    )
    assert [len(day.errors) for day in closed[-1:]] == [1]
    assert str(broken) in closed[-1].errors[0]
    async with house.database.transaction() as db:
        assert await db.fetchval("select count(*) from bill where bucket = $1", house.bucket) == 2
        await db.execute(
            "update line set product_version = 1 where bucket = $1 and id = $2", house.bucket, broken
        )
    await house.turn_to(date(2026, 10, 3))
    bill = (await house.bills(payers[1]))[0]
    assert bill.issued_on == BILL_DAY, "mended, it gets the bill of its own date"
    await house.prove(*payers)


async def test_an_account_with_nothing_due_is_not_touched(house: House) -> None:
    payer = await house.payer()
    closed = await house.turn_to(date(2027, 1, 2))
    assert sum(day.rows for day in closed) == 0
    assert (await house.line(payer)).next_bill_on is None


async def test_a_date_is_closed_once_and_never_opened_again(house: House) -> None:
    async with house.database.transaction() as db:
        for on in (date(2026, 9, 5), date(2026, 9, 4)):
            await close_date(db, house.bucket, on)
        through = await db.fetchval("select closed_through from head where bucket = $1", house.bucket)
    assert through == date(2026, 9, 5)


async def test_what_is_bought_on_the_bill_day_before_its_close_has_run_waits_for_the_next_bill(
    house: House,
) -> None:
    payer = await house.payer()
    await house.buy(payer, 10_000)
    run_to(house, BILL_DAY)
    await house.buy(payer, 2_000)
    await house.close(BILL_DAY - ONE_DAY)
    assert [bill.total_minor for bill in await house.bills(payer)] == [10_000]
    assert (await house.line(payer)).unbilled_minor == 2_000
    await house.turn_to(date(2026, 11, 1))
    assert [item.principal_minor for item in (await house.bills(payer))[-1].items] == [2_000]
    await house.prove(payer)
