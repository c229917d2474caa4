"""Staff: by password, in one role, locked for a while after five tries; a change ends what was open."""

import asyncio
from datetime import timedelta

import pytest

from wufeng.base.books import Book
from wufeng.base.errors import Code, Problem
from wufeng.identity.callers import Caller, CallerKind
from wufeng.identity.hashing import proves_slowly
from wufeng.identity.staff import commands
from wufeng.identity.staff.commands import (
    change_password,
    change_role,
    close_staff,
    create_staff,
    sign_in_staff,
    sign_out_staff,
)
from wufeng.identity.staff.model import LOCKED_FOR, STAFF_SESSION_LASTS, Role, Staff, StaffOpened, StaffStatus
from wufeng.identity.staff.queries import list_staff
from wufeng.identity.vault import Private

from .conftest import World

PASSWORD = "correct horse battery"
OTHER = "a staple of the stable"


async def hire(
    world: World, login: str = "mei", role: Role = Role.OPERATOR, books: list[Book] | None = None
) -> Staff:
    async with world.database.read() as db:
        return await create_staff(
            db, world.vault, world.ids, login, "Mei", Private(PASSWORD), role, books or [world.book], world.at
        )


async def enter(
    world: World, login: str = "mei", password: str = PASSWORD, book: str | None = None
) -> StaffOpened:
    return await sign_in_staff(
        world.database, world.vault, world.ids, world.books, login, Private(password), book, world.clock.now()
    )


async def refusal(
    world: World, login: str = "mei", password: str = OTHER, book: str | None = None
) -> Problem:
    with pytest.raises(Problem) as refused:
        await enter(world, login, password, book)
    return refused.value


async def is_dead(world: World, opened: StaffOpened) -> bool:
    try:
        await world.authenticator.authenticate(f"Bearer {opened.token}")
    except Problem as problem:
        return problem.code is Code.UNAUTHENTICATED
    return False


async def test_a_member_of_staff_signs_in(world: World) -> None:
    staff = await hire(world, " Mei.Li@ops ")
    opened = await enter(world, "MEI.LI@ops")
    assert staff.login == "mei.li@ops" and opened.staff == staff
    assert await world.authenticator.authenticate(f"bearer {opened.token}") == Caller(
        kind=CallerKind.STAFF,
        id=staff.id,
        credential_id=opened.session_id,
        book=world.book,
        role=Role.OPERATOR,
    )
    async with world.database.read() as db:
        row = await db.fetchrow("select * from staff_session, staff")
    assert opened.token[45:] not in repr(row) and PASSWORD not in repr(row)


async def test_sessions_end_by_the_systems_clock(world: World) -> None:
    await hire(world)
    opened = await enter(world)
    world.later(STAFF_SESSION_LASTS - timedelta(microseconds=1))
    assert not await is_dead(world, opened)
    world.later(timedelta(microseconds=1))
    assert await is_dead(world, opened)


async def test_sign_out(world: World) -> None:
    await hire(world)
    here, there = await enter(world), await enter(world)
    await sign_out_staff(world.database, here.session_id, world.at)
    assert (await is_dead(world, here), await is_dead(world, there)) == (True, False)


async def test_wrong_unknown_closed_and_locked_sound_the_same(world: World) -> None:
    await hire(world)
    await hire(world, "gone")
    await close_staff(world.database, "Gone", world.at)
    wrong = await refusal(world)
    unknown = await refusal(world, "nobody")
    closed = await refusal(world, "gone", PASSWORD)
    for _ in range(4):
        await refusal(world)
    locked = await refusal(world, password=PASSWORD)
    assert {(p.code, p.detail) for p in (wrong, unknown, closed, locked)} == {
        (Code.UNAUTHENTICATED, "Log-in or password is wrong, or there were too many tries.")
    }


@pytest.mark.usefixtures("shipped_hashes")
async def test_every_refusal_costs_a_hash(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is unknown or locked is verified against nothing, so that time tells nothing either."""
    await hire(world)
    hashes: list[str] = []

    async def counted(stored: str, peppered: bytes) -> bool:
        hashes.append(stored)
        return await proves_slowly(stored, peppered)

    monkeypatch.setattr(commands, "proves_slowly", counted)
    for login in ["mei"] * 6 + ["nobody", "", "' or 1=1"]:
        await refusal(world, login)
    assert len(hashes) == 9
    assert len(set(hashes)) == 2 and all(
        stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for stored in hashes
    )


async def test_a_lock_ends_after_a_while(world: World) -> None:
    await hire(world)
    for _ in range(5):
        await refusal(world)
    world.later(LOCKED_FOR - timedelta(microseconds=1))
    await refusal(world, password=PASSWORD)
    world.later(timedelta(microseconds=1))
    assert (await enter(world)).staff.login == "mei"


async def test_of_parallel_guesses_five_are_verified(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    staff = await hire(world)
    async with world.database.read() as db:
        stored_hash = await db.fetchval("select password_hash from staff where id = $1", staff.id)
    against_mei: list[str] = []

    async def counted(stored: str, peppered: bytes) -> bool:
        against_mei.extend([stored] if stored == stored_hash else [])
        return await proves_slowly(stored, peppered)

    monkeypatch.setattr(commands, "proves_slowly", counted)
    await asyncio.gather(*(refusal(world) for _ in range(20)))
    assert len(against_mei) == 5


async def test_a_right_password_gives_tries_back(world: World) -> None:
    await hire(world)
    for _ in range(2):
        for _ in range(4):
            await refusal(world)
        await enter(world)


async def test_a_new_password_ends_sessions_and_unlocks(world: World) -> None:
    await hire(world)
    opened = await enter(world)
    for _ in range(5):
        await refusal(world)
    await change_password(world.database, world.vault, "MEI", Private(OTHER), world.at)
    assert await is_dead(world, opened)
    await refusal(world, password=PASSWORD)
    assert not await is_dead(world, await enter(world, password=OTHER))


async def test_a_sign_in_under_way_does_not_outlive_the_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old password was verified; before its session is written the password changes."""
    await hire(world)

    async def late(stored: str, peppered: bytes) -> bool:
        right = await proves_slowly(stored, peppered)
        await change_password(world.database, world.vault, "mei", Private(OTHER), world.at)
        return right

    monkeypatch.setattr(commands, "proves_slowly", late)
    await refusal(world, password=PASSWORD)
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from staff_session") == 0


async def test_another_role_is_another_session(world: World) -> None:
    await hire(world)
    opened = await enter(world)
    await change_role(world.database, "Mei", Role.ANALYST, world.at)
    assert await is_dead(world, opened)
    caller = await world.authenticator.authenticate(f"Bearer {(await enter(world)).token}")
    assert caller.role is Role.ANALYST


async def test_who_is_closed_is_out_at_once(world: World) -> None:
    await hire(world)
    opened = await enter(world)
    await close_staff(world.database, "mei", world.at)
    assert await is_dead(world, opened)
    await refusal(world, password=PASSWORD)
    async with world.database.read() as db:
        assert [staff.status for staff in await list_staff(db)] == [StaffStatus.CLOSED]
    for deed in (
        close_staff(world.database, "mei", world.at),
        change_role(world.database, "mei", Role.ADMIN, world.at),
        change_password(world.database, world.vault, "mei", Private(OTHER), world.at),
        change_password(world.database, world.vault, "nobody", Private(OTHER), world.at),
    ):
        with pytest.raises(Problem, match="No such staff"):
            await deed
    with pytest.raises(Problem, match="is taken"):
        await hire(world, "MEI")


async def test_the_book_is_named_where_there_are_several(world: World) -> None:
    await hire(world, books=[world.book, world.live])
    several = await refusal(world, password=PASSWORD)
    assert several.errors[0].pointer == "/book" and "live, main" in several.detail
    await refusal(world, password=PASSWORD, book="other")
    caller = await world.authenticator.authenticate(f"Bearer {(await enter(world, book='live')).token}")
    assert caller.book == world.live
    for _ in range(6):
        await refusal(world, password=PASSWORD)
    await enter(world, book="main")  # a right password without a book is no wrong try


async def test_nobody_enters_another_book(world: World) -> None:
    await hire(world)
    await refusal(world, password=PASSWORD, book="live")


@pytest.mark.parametrize(
    ("login", "password", "pointer"),
    [
        ("m", PASSWORD, "/login"),
        ("-mei", PASSWORD, "/login"),
        ("mei li", PASSWORD, "/login"),
        ("x" * 65, PASSWORD, "/login"),
        ("梅", PASSWORD, "/login"),
        ("mei", "short", "/password"),
        ("mei", "aaaabbbbccccdddd", "/password"),
        ("mei", "xxMEIxxyyzz123", "/password"),
        ("mei", "long" * 80 + "12345", "/password"),
    ],
)
async def test_unusable_log_ins_are_refused(world: World, login: str, password: str, pointer: str) -> None:
    async with world.database.read() as db:
        with pytest.raises(Problem) as refused:
            await create_staff(
                db,
                world.vault,
                world.ids,
                login,
                "Mei",
                Private(password),
                Role.ADMIN,
                [world.book],
                world.at,
            )
    assert refused.value.errors[0].pointer == pointer
    assert password not in str(refused.value)
