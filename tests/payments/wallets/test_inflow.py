"""Inflow, which credit is decided from: what came into a wallet from its person's bank and stayed."""

from typing import Any

from wufeng.payments.spending.queries import gather_facts

ACCOUNT = "62220000000012"


async def inflow_minor(house: Any, owner: Any, days: int = 90) -> int:
    async with house.database.read() as db:
        facts = await gather_facts(db, owner.bucket, [owner.id], house.at, days)
    return facts[owner.id].habits.inflow_minor


async def test_money_that_goes_round_is_no_inflow(house: Any) -> None:
    owner = await house.owner()
    for _ in range(3):
        await house.top_up(owner, 100_00)
        await house.work()
        assert await inflow_minor(house, owner) == 100_00
        await house.withdraw(owner, 100_00)
        assert await inflow_minor(house, owner) == 0, "it is on its way out"
        await house.work()
        assert await inflow_minor(house, owner) == 0
    await house.top_up(owner, 100_00)
    assert await inflow_minor(house, owner) == 0, "the bank has not answered"
    await house.work()
    await house.withdraw(owner, 30_00)
    assert await inflow_minor(house, owner) == 70_00


async def test_what_the_bank_refuses_to_take_back_is_still_there(house: Any) -> None:
    owner = await house.owner(ACCOUNT + "01")
    good = await house.account(owner.id, ACCOUNT + "00")
    await house.runner.verify_due(owner.bucket)
    await house.submit(owner.bucket, house.top_up_command(owner, 50_00, bank_account_id=good))
    await house.work()
    withdrawal = await house.withdraw(owner, 50_00)
    await house.work()
    assert (await house.status(withdrawal))[0] == "failed"
    assert await inflow_minor(house, owner) == 50_00


async def test_money_from_before_the_window_makes_no_inflow_negative(house: Any) -> None:
    owner = await house.owner()
    await house.top_up(owner, 100_00)
    await house.work()
    house.later(days=30)
    await house.withdraw(owner, 60_00)
    assert await inflow_minor(house, owner, days=20) == 0
    assert await inflow_minor(house, owner, days=90) == 40_00
