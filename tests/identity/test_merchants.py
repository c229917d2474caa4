"""Merchants: made whole in one transaction, remembered for five seconds, closed for good."""

import asyncio
from uuid import UUID

import pytest

from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix
from wufeng.identity.audit.queries import list_audit_entries
from wufeng.identity.merchants import directory
from wufeng.identity.merchants.commands import close_merchant, create_merchant
from wufeng.identity.merchants.directory import FRESH_FOR_S, Merchants
from wufeng.identity.merchants.model import NEVER_CREDITABLE, FeePlan, Merchant, MerchantStatus, Scene
from wufeng.identity.merchants.queries import load_merchant

from .conftest import World


async def found(world: World, name: str = "Shop", rate_ppm: int = 6000) -> Merchant:
    merchant, _ = await create_merchant(
        world.database, world.ids, world.book, name, Scene.RETAIL, FeePlan(rate_ppm), world.at
    )
    return merchant


async def close(world: World, merchants: Merchants, merchant_id: UUID) -> None:
    act = world.act(merchant_id, "close_merchant", "asked for it")
    await close_merchant(world.database, merchants, world.book, world.ids, merchant_id, act)


async def test_a_merchant_is_made_with_accounts_and_key(world: World) -> None:
    merchant = await found(world, " 无缝小店 ")
    assert merchant.name == "无缝小店"
    async with world.database.read() as db:
        assert await load_merchant(db, world.book, merchant.id) == merchant
        assert await db.fetchval("select count(*) from api_key where owner_id = $1", merchant.id) == 1
        assert await db.fetchval("select count(*) from folded_account where owner = $1", merchant.id) >= 1
        with pytest.raises(Problem, match="No such merchant"):
            await load_merchant(db, world.live, merchant.id)


@pytest.mark.parametrize(
    ("name", "rate_ppm", "pointer"),
    [
        ("", 0, "/name"),
        ("x" * 101, 0, "/name"),
        ("a\x07b", 0, "/name"),
        ("Shop", -1, "/fee_plan/rate_ppm"),
        ("Shop", 1_000_000, "/fee_plan/rate_ppm"),
    ],
)
async def test_unusable_merchants_are_refused(world: World, name: str, rate_ppm: int, pointer: str) -> None:
    with pytest.raises(Problem) as refused:
        await found(world, name, rate_ppm)
    assert refused.value.errors[0].pointer == pointer
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from merchant") == 0


async def test_a_closed_merchant_stays_readable(world: World) -> None:
    merchant, merchants = await found(world), Merchants()
    async with world.database.read() as db:
        assert (await merchants.load(db, [merchant.id]))[merchant.id].status is MerchantStatus.ACTIVE
        await close(world, merchants, merchant.id)
        closed = (await merchants.load(db, [merchant.id]))[merchant.id]
        assert (closed.status, closed.closed_at) == (MerchantStatus.CLOSED, world.at), "told here at once"
        entries = await list_audit_entries(db, world.book, merchant.id)
    assert [(entry.operation, entry.reason) for entry in entries] == [("close_merchant", "asked for it")]
    with pytest.raises(Problem) as refused:
        await close(world, merchants, merchant.id)
    assert refused.value.code is Code.STATE_CONFLICT
    with pytest.raises(Problem, match="No such merchant"):
        await close(world, merchants, world.ids.new_anywhere(world.at))


async def test_another_process_sees_it_after_five_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant, here, there = await found(world), Merchants(), Merchants()
    loop, ahead = asyncio.get_running_loop(), 0.0
    now = loop.time

    monkeypatch.setattr(loop, "time", lambda: now() + ahead)
    async with world.database.read() as db:
        await there.load(db, [merchant.id])
        await close(world, here, merchant.id)
        assert (await there.load(db, [merchant.id]))[merchant.id].status is MerchantStatus.ACTIVE
        ahead = FRESH_FOR_S + 1
        assert (await there.load(db, [merchant.id]))[merchant.id].status is MerchantStatus.CLOSED


async def test_an_unknown_merchant_is_never_remembered(world: World) -> None:
    merchants, unknown = Merchants(), UUID(int=5)
    async with world.database.read() as db:
        assert await merchants.load(db, [unknown]) == {}
        assert await merchants.load(db, []) == {}
    assert merchants._entries == {}


async def test_the_directory_has_bounds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_ROOM", 2)
    merchants = Merchants()
    made = [await found(world, f"Shop {n}") for n in range(6)]
    async with world.database.read() as db:
        for merchant in made:
            assert merchant.id in await merchants.load(db, [merchant.id])
    assert len(merchants._entries) <= 3
    assert {Scene.TRANSFER, Scene.LOTTERY} < NEVER_CREDITABLE and Scene.RETAIL not in NEVER_CREDITABLE
    assert Prefix.MERCHANT.value == "mer"
