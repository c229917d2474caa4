"""Bank accounts: sealed, shown masked, once a person, verified by the bank alone."""

from uuid import UUID

import pytest
from msgspec import json

from wufeng.base.errors import Code, Problem
from wufeng.identity.bank_accounts.commands import (
    add_bank_account,
    delete_bank_account,
    mark_refused,
    mark_verified,
)
from wufeng.identity.bank_accounts.model import BankAccount, BankAccountStatus
from wufeng.identity.bank_accounts.queries import (
    bank_instructions,
    list_bank_accounts,
    unverified_bank_accounts,
)
from wufeng.identity.bank_accounts.rules import check_bank, normalise_number
from wufeng.identity.people.commands import erase_person, freeze_person
from wufeng.identity.vault import Private

from .conftest import World

NUMBER = "6222 0212 3456 7890 123"


async def add(world: World, person_id: UUID, number: str = NUMBER, bank: str = "icbc") -> BankAccount:
    return await add_bank_account(
        world.database, world.vault, world.ids, world.book, person_id, bank, Private(number), world.at
    )


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("6222 0212 3456 7890 123", "6222021234567890123"),
        ("6222-0212-3456-7890", "6222021234567890"),
        ("1234567890", "1234567890"),
        ("123456789", None),
        ("1" * 21, None),
        ("62220212345678x0", None),
        ("６２２２０２１２３４５６７８９０", None),
        ("", None),
    ],
)
def test_normalise_number(text: str, digits: str | None) -> None:
    if digits:
        assert normalise_number(text) == Private(digits)
        return
    with pytest.raises(Problem) as refused:
        normalise_number(text)
    assert refused.value.errors[0].pointer == "/number" and (not text or text not in str(refused.value))


@pytest.mark.parametrize("bank", ["", "I", "x" * 17, "工商银行", "IC BC", "ICBC;"])
def test_a_bank_has_a_short_code(bank: str) -> None:
    with pytest.raises(Problem, match="short code"):
        check_bank(bank)


async def test_it_is_shown_masked_and_kept_sealed(world: World) -> None:
    person_id = await world.person()
    account = await add(world, person_id)
    async with world.database.read() as db:
        views = await list_bank_accounts(db, world.vault, world.book, person_id)
        row = dict(await db.fetchrow("select * from bank_account"))
        bucket = world.book.bucket_of(account.id)
        told = await bank_instructions(db, world.vault, bucket, [account.id])
    assert [(view.number, view.bank, view.status) for view in views] == [("**** 0123", "ICBC", "unverified")]
    assert "7890" not in json.encode(views).decode() and "7890123" not in repr(row)
    assert told[account.id].number.text == "6222021234567890123" and "6222" not in repr(told)


async def test_once_a_person_until_it_is_deleted(world: World) -> None:
    anna, bo = await world.person(), await world.person("+8613900002222")
    account = await add(world, anna)
    with pytest.raises(Problem) as refused:
        await add(world, anna, "6222-0212-3456-7890-123")
    assert refused.value.code is Code.STATE_CONFLICT
    await add(world, bo)
    async with world.database.read() as db:
        assert await db.fetchval("select count(distinct number_name) from bank_account") == 2, "unlinkable"
    with pytest.raises(Problem, match="No such bank account"):
        await delete_bank_account(world.database, world.vault, world.book, bo, account.id, world.at)
    await delete_bank_account(world.database, world.vault, world.book, anna, account.id, world.at)
    with pytest.raises(Problem, match="No such bank account"):
        await delete_bank_account(world.database, world.vault, world.book, anna, account.id, world.at)
    assert (await add(world, anna)).id != account.id


async def test_the_bank_says_once(world: World) -> None:
    person_id = await world.person()
    account = await add(world, person_id)
    bucket = world.book.bucket_of(account.id)
    async with world.database.read() as db:
        assert await unverified_bank_accounts(db, bucket, 10) == [account.id]
        assert await mark_verified(db, bucket, account.id, world.at)
        assert not await mark_refused(db, bucket, account.id, world.at)
        assert not await mark_verified(db, bucket, account.id, world.at)
        assert await unverified_bank_accounts(db, bucket, 10) == []
        views = await list_bank_accounts(db, world.vault, world.book, person_id)
    assert [view.status for view in views] == [BankAccountStatus.VERIFIED]


async def test_a_frozen_person_adds_none(world: World) -> None:
    person_id = await world.person()
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    with pytest.raises(Problem, match="frozen"):
        await add(world, person_id)
    with pytest.raises(Problem, match="forbidden"):
        await add(world, world.ids.new_anywhere(world.at))


async def test_erasure_leaves_no_account_to_ask_about(world: World) -> None:
    person_id = await world.person()
    account = await add(world, person_id)
    bucket = world.book.bucket_of(account.id)
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    await erase_person(world.database, world.vault, world.book, world.ids, person_id, world.act(person_id))
    async with world.database.read() as db:
        assert await unverified_bank_accounts(db, bucket, 10) == []
        assert await bank_instructions(db, world.vault, bucket, [account.id]) == {}
        assert await list_bank_accounts(db, world.vault, world.book, person_id) == []
