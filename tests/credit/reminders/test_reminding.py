"""Reminders of bills: each of its dates once, whatever becomes of the close, and none of what is paid."""

import asyncio
from datetime import date, timedelta

import pytest
from tests.credit.conftest import House, make_house, shared_product

from wufeng import credit
from wufeng.base import faults
from wufeng.base.database import Database
from wufeng.base.ids import Prefix, encode
from wufeng.credit.close.sweep import FIRST
from wufeng.credit.lines.model import Actor
from wufeng.credit.reminders.commands import REMINDER, RemindLines
from wufeng.credit.reminders.rules import remindings
from wufeng.credit.reminders.store import SQL

DUE = date(2026, 10, 10)


@pytest.fixture
def reminding(house: House) -> House:
    """The house, with the step that reminds."""
    house.steps = [*credit.close_steps(), *credit.reminder_steps(house.products)]
    return house


async def reminded(house: House) -> list[int]:
    """Days from the due date on which somebody was reminded."""
    return [(date.fromisoformat(event.split()[1]) - DUE).days for event in await house.events(REMINDER)]


async def test_an_unpaid_bill_is_reminded_of_before_and_after_its_due_date(reminding: House) -> None:
    payer = await reminding.payer()
    await reminding.buy(payer, 50_000)
    await reminding.turn_to(DUE + timedelta(days=10))
    assert await reminded(reminding) == [-3, -1, 0, 1, 3, 7]


async def test_a_paid_bill_is_not(reminding: House) -> None:
    payer, slow = await reminding.payer(wallet_minor=100_000), await reminding.payer()
    await reminding.buy(payer, 50_000)
    await reminding.buy(slow, 50_000)
    await reminding.turn_to(DUE - timedelta(days=2))
    assert await reminded(reminding) == [-3, -3]
    await reminding.repay(payer)
    await reminding.turn_to(DUE + timedelta(days=2))
    assert await reminded(reminding) == [-3, -3, -1, 0, 1]


async def test_a_bill_whose_minimum_was_paid_is_not_overdue(reminding: House) -> None:
    payer = await reminding.payer(wallet_minor=100_000)
    await reminding.buy(payer, 50_000)
    await reminding.turn_to(DUE - timedelta(days=2))
    await reminding.repay(payer, 5_000)
    await reminding.turn_to(DUE + timedelta(days=8))
    assert await reminded(reminding) == [-3, -1, 0]


async def test_what_is_debited_on_the_due_date_is_not_reminded_of_on_it(reminding: House) -> None:
    payer = await reminding.payer(wallet_minor=100_000)
    chosen = (encode(Prefix.WALLET, payer.wallet_id),)
    await reminding.do(reminding.change(credit.SetAutoDebit, payer, Actor.PERSON, sources=chosen))
    await reminding.buy(payer, 50_000)
    await reminding.turn_to(DUE + timedelta(days=2))
    assert await reminded(reminding) == [-3, -1]


async def test_a_close_killed_after_it_reminded_reminds_once(
    reminding: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await reminding.buy(await reminding.payer(), 50_000)
    await reminding.turn_to(DUE - timedelta(days=4))
    reminding.clock.turn_to(reminding.noon(DUE - timedelta(days=3)))
    dead: list[str] = []

    def die(name: str) -> None:
        if dead or name == "close_reminders":
            dead.append(name)
            raise faults.FaultInjected(name)

    with monkeypatch.context() as patch:
        patch.setattr(faults, "point", die)
        with pytest.raises(AssertionError, match="FaultInjected"):
            await reminding.close(DUE - timedelta(days=4))
    assert dead and await reminded(reminding) == []
    (step,) = credit.reminder_steps(reminding.products)
    close = credit.DayClose(reminding.lanes, reminding.book, reminding.bucket, DUE - timedelta(days=4))
    first, second = await asyncio.gather(step.run(close), step.run(close))
    assert first.rows + second.rows == 2
    assert (await step.run(close)).rows == 0
    assert await reminded(reminding) == [-3, -3]


async def test_two_closers_who_found_the_same_line_remind_once(reminding: House) -> None:
    payer = await reminding.payer()
    await reminding.buy(payer, 50_000)
    await reminding.turn_to(DUE - timedelta(days=4))
    assert payer.line_id is not None
    closed_on = DUE - timedelta(days=4)
    command = RemindLines(
        at=reminding.book.start_of(DUE - timedelta(days=3)),
        people=(payer.id,),
        closed_on=closed_on,
        lines=(payer.line_id,),
    )
    answers = [await reminding.do(command) for _ in range(2)]
    assert [answer.body for answer in answers] == [b"1", b"0"]
    assert await reminded(reminding) == [-3]


async def test_a_line_that_cannot_be_read_is_named_and_the_others_are_reminded(reminding: House) -> None:
    payers = [await reminding.payer() for _ in range(3)]
    for payer in payers:
        await reminding.buy(payer, 50_000)
    await reminding.turn_to(DUE - timedelta(days=4))
    async with reminding.database.transaction() as db:
        await db.execute(
            "update bill set segments = '[1]' where bucket = $1 and line_id = $2",
            reminding.bucket,
            payers[1].line_id,
        )
    (step,) = credit.reminder_steps(reminding.products)
    close = credit.DayClose(reminding.lanes, reminding.book, reminding.bucket, DUE - timedelta(days=4))
    done = await step.run(close)
    assert done.rows == 2
    assert [str(payers[1].line_id) in error for error in done.errors] == [True]
    async with reminding.database.transaction() as db:
        await db.execute("update bill set segments = null where bucket = $1", reminding.bucket)


async def test_the_product_says_when(reminding: House) -> None:
    assert "remind_before" not in shared_product(), "the defaults are PRODUCTS.md's"
    product = reminding.products.version("monthly_bill", 1)
    assert product.arrears.remind_before == (3, 1, 0)
    assert product.arrears.remind_after == (1, 3, 7, 15, 30, 60, 90)


async def test_bills_are_found_by_an_index(reminding: House) -> None:
    """The plan of the search reads bills by their due dates, and none by its line or all of them."""

    of = remindings([reminding.products.version("monthly_bill", 1)], DUE)
    dates = [one.due_on for one in of]
    keys = [one.product for one in of], [one.version for one in of], dates
    async with reminding.database.transaction() as db:
        await db.execute("set local enable_seqscan = off")
        plan = await db.fetch(
            f"explain {SQL.lines_to_remind}", reminding.bucket, DUE, dates, *keys, *FIRST, 100
        )
    assert "bill_due" in "\n".join(row[0] for row in plan)


async def test_with_days_of_grace_all_reminders_come_after_them(database: Database) -> None:
    graced = shared_product().replace("[due_days]", "[billing]\ngrace_days = 5\n\n[due_days]")
    house = await make_house(database, date(2026, 9, 3), source=graced)
    house.steps = [*credit.close_steps(), *credit.reminder_steps(house.products)]
    await house.buy(await house.payer(), 50_000)
    await house.turn_to(DUE + timedelta(days=13))
    assert await reminded(house) == [-3, -1, 0, 6, 8, 12]
    await house.lanes.drain()
