"""Sessions: opened by a code, raised by the PIN under another token, over when they are over."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import UNSET

from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import slot_of
from wufeng.identity.callers import Caller, CallerKind
from wufeng.identity.codes.model import SignUp
from wufeng.identity.people import store as people
from wufeng.identity.people.commands import freeze_person
from wufeng.identity.sessions.commands import (
    open_session,
    revoke_others,
    revoke_session,
    sign_in,
    step_up,
)
from wufeng.identity.sessions.model import PROOF_LASTS, SESSION_LASTS, AuthLevel, Opened
from wufeng.identity.sessions.queries import list_sessions
from wufeng.identity.vault import Private

from .conftest import PHONE, PIN, World
from .test_phones import change, cooling_of, new_code


async def caller_of(world: World, opened: Opened) -> Caller:
    return await world.authenticator.authenticate(f"Bearer {opened.token}")


async def is_dead(world: World, opened: Opened) -> bool:
    try:
        await caller_of(world, opened)
    except Problem as problem:
        return problem.code is Code.UNAUTHENTICATED
    return False


async def raise_level(world: World, opened: Opened, pin: str = PIN) -> Opened:
    return await step_up(
        world.database, world.vault, world.ids, world.book, opened.session_id, opened.person_id,
        Private(pin), world.at,
    )  # fmt: skip


async def test_a_session_knows_its_person_book_and_level(world: World) -> None:
    person_id = await world.person()
    opened = await world.sign_in()
    caller = await caller_of(world, opened)
    assert caller == Caller(
        kind=CallerKind.PERSON,
        id=person_id,
        credential_id=opened.session_id,
        book=world.book,
        person_id=person_id,
        auth_level=AuthLevel.CODE,
        device_id=opened.device_id,
    )
    assert caller.device_id is not None
    assert caller.session_id == opened.session_id
    assert opened.expires_at == world.at + SESSION_LASTS
    assert slot_of(opened.session_id) == slot_of(person_id), "the token tells the bucket"


async def test_the_step_up_kills_the_old_token_at_once(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    before = await world.sign_in()
    world.later(timedelta(days=1))
    after = await raise_level(world, before)
    assert await is_dead(world, before)
    assert after.token != before.token and after.session_id != before.session_id
    assert after.expires_at == before.expires_at, "rotation prolongs nothing"
    assert (await caller_of(world, after)).auth_level is AuthLevel.PIN
    with pytest.raises(Problem, match="has ended"):
        await raise_level(world, before)


async def test_of_two_step_ups_at_once_one_goes_on(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    before = await world.sign_in()
    outcomes = await asyncio.gather(*(raise_level(world, before) for _ in range(3)), return_exceptions=True)
    assert [isinstance(outcome, Opened) for outcome in outcomes].count(True) == 1
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from session where revoked_at is null") == 1


async def test_the_pins_proof_wears_off(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    opened = await raise_level(world, await world.sign_in())
    world.later(PROOF_LASTS - timedelta(microseconds=1))
    assert (await caller_of(world, opened)).auth_level is AuthLevel.PIN
    world.later(timedelta(microseconds=1))
    assert (await caller_of(world, opened)).auth_level is AuthLevel.CODE


async def test_a_wrong_pin_leaves_the_session_as_it_is(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    opened = await world.sign_in()
    with pytest.raises(Problem) as refused:
        await raise_level(world, opened, "461937")
    assert (refused.value.code, refused.value.extra) == (Code.CONFIRMATION_FAILED, {"tries_left": 4})
    assert (await caller_of(world, opened)).auth_level is AuthLevel.CODE


async def test_a_session_ends_after_ninety_days(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    opened = await world.sign_in()
    world.later(SESSION_LASTS - timedelta(microseconds=1))
    assert not await is_dead(world, opened)
    world.later(timedelta(microseconds=1))
    assert await is_dead(world, opened)
    with pytest.raises(Problem, match="has ended"):
        await raise_level(world, opened)


async def test_sign_out_ends_one_session(world: World) -> None:
    await world.person()
    here, there = await world.sign_in(), await world.sign_in()
    with pytest.raises(Problem, match="No such session"):
        await revoke_session(world.database, world.book, here.session_id, UUID(int=5), world.at)
    ended = await revoke_session(world.database, world.book, here.session_id, here.person_id, world.at)
    assert ended.revoked_at == world.at and ended.token is UNSET
    with pytest.raises(Problem, match="No such session"):
        await revoke_session(world.database, world.book, here.session_id, here.person_id, world.at)
    assert await is_dead(world, here)
    assert not await is_dead(world, there)


async def test_a_freeze_ends_all_sessions_also_those_being_opened(world: World) -> None:
    """Sign-ins race with the freeze: whichever comes first, no session outlives it."""
    person_id = await world.person()
    opened = await world.sign_in()

    async def enter() -> Opened:
        async with world.database.transaction() as db:
            return await open_session(db, world.ids, world.book, person_id, "", world.at)

    freezing = freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    await asyncio.gather(
        *(enter() for _ in range(5)), freezing, *(enter() for _ in range(15)), return_exceptions=True
    )
    assert await is_dead(world, opened)
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from session where revoked_at is null") == 0


async def test_sign_up_makes_a_person_where_the_operator_allows_it(world: World) -> None:
    opened = await world.sign_in(PHONE, SignUp.OPEN)
    again = await world.sign_in(PHONE, SignUp.OPEN)
    assert opened.person_id == again.person_id
    assert (await world.create(PHONE))[0] == 200  # type: ignore[index]


async def test_without_sign_up_even_the_right_code_makes_nobody(world: World) -> None:
    code = await world.code(PHONE, sign_up=SignUp.OPEN)  # sent while sign-up was open
    with pytest.raises(Problem, match="no account"):
        await sign_in(
            world.lanes, world.vault, world.book, Private(PHONE), Private(code), "", SignUp.CLOSED, world.at
        )
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from person") == 0


@pytest.mark.parametrize("device", ["x" * 101, "a\x00b", "a\nb"])
async def test_an_unusable_device_name_costs_no_try(world: World, device: str) -> None:
    await world.person()
    code = await world.code()

    async def enter(name: str) -> Opened:
        return await sign_in(
            world.lanes, world.vault, world.book, Private(PHONE), Private(code), name, SignUp.CLOSED, world.at
        )

    with pytest.raises(Problem) as refused:
        await enter(device)
    assert refused.value.errors[0].pointer == "/device"
    await enter("ok")


async def test_a_session_of_nobody_is_refused(world: World) -> None:
    with pytest.raises(Problem, match="forbidden"):
        async with world.database.transaction() as db:
            await open_session(db, world.ids, world.book, UUID(int=5), "", world.at)


async def test_a_code_of_a_number_that_is_changed_meanwhile_opens_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old number's code is right, and its owner found, when the number is changed: whoever has it is nobody."""
    person_id = await world.person()
    code, new = await world.code(), await new_code(world)
    find_owner = people.find_owner

    async def find_then_change(db: Connection, name: people.Name) -> UUID | None:
        owner_id = await find_owner(db, name)
        assert await change(world, person_id, code=new) is None
        return owner_id

    monkeypatch.setattr(people, "find_owner", find_then_change)
    with pytest.raises(Problem, match="confirmation_failed"):
        await sign_in(
            world.lanes, world.vault, world.book, Private(PHONE), Private(code), "", SignUp.CLOSED, world.at
        )
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from session") == 0


async def test_a_new_device_is_watched_though_the_number_changes_at_the_same_time(world: World) -> None:
    person_id = await world.person()
    bucket = world.book.bucket_of(person_id)

    async def enter() -> Opened:
        async with world.database.transaction() as db:
            return await open_session(db, world.ids, world.book, person_id, "", world.at)

    async with world.database.transaction() as db:
        await people.lock_people(db, bucket, [person_id])
        await db.execute("update personal_data set phone_changed_at = $1", world.at)
        entering = asyncio.create_task(enter())
        await asyncio.sleep(0.2)  # until it waits for the person
    await entering
    assert await cooling_of(world, person_id) is not None


async def test_sign_out_everywhere_but_here(world: World) -> None:
    await world.person()
    here, *others = [await world.sign_in() for _ in range(3)]
    stranger = await world.sign_in("+8613900002222", SignUp.OPEN)
    ended = await revoke_others(world.database, world.book, here.person_id, here.session_id, world.at)
    assert len(ended) == 2 and all(view.revoked_at == world.at for view in ended)
    assert [await is_dead(world, one) for one in others] == [True, True]
    assert not await is_dead(world, here) and not await is_dead(world, stranger)
    assert await revoke_others(world.database, world.book, here.person_id, here.session_id, world.at) == []


async def test_sessions_are_listed_with_level_and_device_and_nothing_secret(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    old = await world.sign_in(device="tablet")
    world.later(timedelta(seconds=1))  # ids of one millisecond have no order
    here = await raise_level(world, await world.sign_in(device="phone"))
    async with world.database.read() as db:
        found = await list_sessions(db, world.book, person_id, here.session_id, world.at)
        (second,) = await list_sessions(
            db, world.book, person_id, here.session_id, world.at, before=here.session_id
        )
    assert [(one.device_name, one.auth_level, one.is_current) for one in found] == [
        ("phone", AuthLevel.PIN, True),
        ("tablet", AuthLevel.CODE, False),
    ], "the rotated one is gone"
    assert second.id == found[1].id and found[0].token is UNSET and found[0].device_proof is UNSET
    world.later(SESSION_LASTS)
    async with world.database.read() as db:
        assert await list_sessions(db, world.book, person_id, old.session_id, world.at) == []


async def test_a_new_pin_ends_every_other_session(world: World) -> None:
    """S8: whoever knew the old PIN, or sits in a session that was stolen, is out."""
    person_id = await world.person()
    await world.set_pin(person_id)
    here, thief = await world.sign_in(), await raise_level(world, await world.sign_in())
    world.later(timedelta(seconds=1))
    await world.set_pin(person_id, "571394", keep=here.session_id)
    assert await is_dead(world, thief) and not await is_dead(world, here)


async def test_a_token_is_never_the_one_that_was_brought(world: World) -> None:
    """S8, fixation: what somebody holds before a sign-in is worth nothing after it."""
    person_id = await world.person()
    planted = f"wfs_{world.book.id}_{UUID(int=9).hex}_{'A' * 43}"
    opened = await world.sign_in(device=planted[:100])
    assert opened.token != planted and opened.device_proof != planted
    with pytest.raises(Problem, match="unauthenticated"):
        await world.authenticator.authenticate(f"Bearer {planted}")
    swapped = opened.token.replace(opened.session_id.hex, (await world.sign_in()).session_id.hex)
    with pytest.raises(Problem, match="unauthenticated"):
        await world.authenticator.authenticate(f"Bearer {swapped}")
    assert (await caller_of(world, opened)).person_id == person_id


async def test_a_session_older_than_devices_goes_on(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    opened = await world.sign_in()
    async with world.database.read() as db:
        await db.execute("update session set device_id = null")
    caller = await caller_of(world, opened)
    assert caller.device_id is None and not caller.device_trusted
    assert (await caller_of(world, await raise_level(world, opened))).auth_level is AuthLevel.PIN
