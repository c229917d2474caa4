"""A changed number: both numbers prove themselves, and what looks like a takeover starts a cooling period."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from wufeng.base.errors import Code, Problem
from wufeng.identity.codes.commands import send_code_to_new_phone
from wufeng.identity.codes.model import CodePurpose
from wufeng.identity.codes.queries import list_messages
from wufeng.identity.codes.store import MessageTable
from wufeng.identity.people.commands import freeze_person, unfreeze_person
from wufeng.identity.people.model import Outcome
from wufeng.identity.people.phones import PhoneChange, PhoneProof, change_phone
from wufeng.identity.people.queries import person_of_phone, phone_of_person
from wufeng.identity.people.rules import looks_taken_over
from wufeng.identity.people.store import lock_people
from wufeng.identity.places import NOWHERE
from wufeng.identity.sessions.model import Opened
from wufeng.identity.vault import Private

from .conftest import NOON, PHONE, PIN, World, gathered
from .test_documents import number_of

NEW = "+8613900002222"
WEEK = timedelta(days=7)


async def new_code(world: World, phone: str = NEW) -> Private:
    await send_code_to_new_phone(
        world.database, world.vault, MessageTable(), world.ids, world.book, Private(phone), world.at
    )
    return Private((await world.messages(phone))[0])


async def device_of(world: World, opened: Opened) -> UUID:
    async with world.database.read() as db:
        return await db.fetchval("select device_id from session where id = $1", opened.session_id)  # type: ignore[no-any-return]


async def change(
    world: World,
    person_id: UUID,
    how: PhoneProof = PhoneProof.SESSION,
    proof: str = "",
    *,
    phone: str = NEW,
    code: Private | None = None,
    device_id: UUID | None = None,
    keep: UUID | None = None,
) -> Code | None:
    wanted = PhoneChange(
        phone=Private(phone),
        code=code or await new_code(world, phone),
        how=how,
        proof=Private(proof),
        device_id=device_id,
        keep_session=keep,
    )
    try:
        await change_phone(
            world.database, world.vault, MessageTable(), world.ids, world.book, person_id, wanted,
            world.act(person_id, "change_phone", ""), NOWHERE,
        )  # fmt: skip
    except Problem as problem:
        return problem.code
    return None


async def cooling_of(world: World, person_id: UUID) -> datetime | None:
    async with world.database.transaction() as db:
        return (await lock_people(db, world.book.bucket_of(person_id), [person_id]))[person_id].cooling_until


async def notices(world: World, phone: str) -> list[str]:
    async with world.database.read() as db:
        found = await list_messages(db, world.vault, world.book, Private(phone))
    return [one.text for one in found if one.purpose == "notice"]


async def test_a_number_is_changed_by_both_codes(world: World) -> None:
    person_id = await world.person()
    before = await world.sign_in()
    world.later(timedelta(days=8))
    keep, other = await world.sign_in(), await world.sign_in()
    old = await world.code(PHONE, CodePurpose.PHONE)
    device_id = await device_of(world, before)
    assert (
        await change(world, person_id, PhoneProof.OLD_CODE, old, device_id=device_id, keep=keep.session_id)
        is None
    )
    async with world.database.read() as db:
        phone = await phone_of_person(db, world.vault, world.book, person_id)
        assert phone is not None and phone.text == NEW
        assert await person_of_phone(db, world.vault, world.book, Private(NEW)) == person_id
        assert await person_of_phone(db, world.vault, world.book, Private(PHONE)) is None
    [told] = await notices(world, PHONE)
    assert NEW not in told and "/app/lost" in told and await notices(world, NEW) == []
    assert await cooling_of(world, person_id) is None, "on a device that was known for long"
    assert (await world.authenticator.authenticate(f"Bearer {keep.token}")).id == person_id
    with pytest.raises(Problem):
        await world.authenticator.authenticate(f"Bearer {other.token}")
    assert await world.person(PHONE) != person_id, "the old number is free for others"


async def test_a_new_device_and_a_changed_number_cool_down(world: World) -> None:
    person_id = await world.person()
    opened = await world.sign_in()
    assert await change(world, person_id, device_id=await device_of(world, opened)) is None
    assert await cooling_of(world, person_id) == world.at + WEEK


async def test_a_changed_number_and_then_a_new_device_cool_down(world: World) -> None:
    person_id = await world.person()
    opened = await world.sign_in()
    world.later(timedelta(days=8))
    assert await change(world, person_id, device_id=await device_of(world, opened)) is None
    assert await cooling_of(world, person_id) is None
    world.later(timedelta(days=6))
    await world.sign_in(NEW)
    assert await cooling_of(world, person_id) == world.at + WEEK
    assert await cooling_of(world, await person_after(world, timedelta(days=7))) is None


async def person_after(world: World, wait: timedelta) -> UUID:
    """Somebody whose number was changed so long before a new device."""
    person_id = await world.person("+8613900007777")
    opened = await world.sign_in("+8613900007777")
    world.later(timedelta(days=8))
    device_id = await device_of(world, opened)
    assert await change(world, person_id, phone="+8613900008888", device_id=device_id) is None
    world.later(wait)
    await world.sign_in("+8613900008888")
    return person_id


async def test_new_devices_at_once_do_not_wait_in_a_circle(world: World) -> None:
    person_id = await world.person()
    assert await change(world, person_id) is None
    told = await gathered(*(world.sign_in(NEW) for _ in range(2)))
    assert any(isinstance(one, Opened) for one in told)
    assert not [one for one in told if not isinstance(one, Opened | Problem)], told


async def test_staff_change_it_by_the_document(world: World) -> None:
    created = await world.create(PHONE, "u1", "张三", number_of())
    assert isinstance(created, tuple)
    async with world.database.read() as db:
        person_id = await person_of_phone(db, world.vault, world.book, Private(PHONE))
    assert person_id is not None
    opened = await world.sign_in()
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    assert await change(world, person_id, PhoneProof.DOCUMENT, number_of("004")) is Code.CONFIRMATION_FAILED
    assert await change(world, person_id, PhoneProof.DOCUMENT, number_of().lower()) is None
    assert await cooling_of(world, person_id) == world.at + WEEK
    with pytest.raises(Problem):
        await world.authenticator.authenticate(f"Bearer {opened.token}")


async def test_unfreezing_cools_down(world: World) -> None:
    person_id = await world.person()
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    await unfreeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    assert await cooling_of(world, person_id) == world.at + timedelta(days=3)


async def test_people_with_known_outcomes(world: World) -> None:
    cooling = await world.person("+8613800007001")
    assert await cooling_of(world, cooling) == world.at + WEEK
    suspected = await world.person("+8613800008001")
    opened = await world.sign_in("+8613800008001")
    world.later(timedelta(days=30))
    assert await change(world, suspected, device_id=await device_of(world, opened)) is None
    assert await cooling_of(world, suspected) == world.at + WEEK


async def test_refusals(world: World) -> None:
    person_id, other = await world.person(), await world.person("+8613900003333")
    await world.set_pin(person_id)
    assert await change(world, person_id, phone=PHONE, code=Private("000000")) is Code.INVALID_FIELD
    assert await change(world, person_id, code=Private("000000")) is Code.CONFIRMATION_FAILED
    assert await change(world, person_id, PhoneProof.PIN, "558813") is Code.CONFIRMATION_FAILED
    assert await change(world, person_id, PhoneProof.OLD_CODE, "000000") is Code.CONFIRMATION_FAILED
    assert await change(world, person_id, PhoneProof.DOCUMENT, "E1") is Code.CONFIRMATION_FAILED
    assert await change(world, person_id, phone="+8613900003333") is Code.STATE_CONFLICT, "another's number"
    assert await change(world, UUID(int=5), code=Private("000000")) is Code.NOT_FOUND
    signed_in = await world.code(PHONE, CodePurpose.SIGN_IN)
    assert await change(world, person_id, PhoneProof.OLD_CODE, signed_in) is Code.CONFIRMATION_FAILED
    async with world.database.read() as db:
        phone = await phone_of_person(db, world.vault, world.book, person_id)
        assert phone is not None and phone.text == PHONE
        assert await person_of_phone(db, world.vault, world.book, Private("+8613900003333")) == other
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    assert await change(world, person_id, PhoneProof.PIN, PIN) is Code.FORBIDDEN


async def test_one_number_is_changed_to_by_one(world: World) -> None:
    people = [await world.person(f"+861390001{n:04d}") for n in range(4)]
    codes = [await new_code(world)]
    told = await gathered(*(change(world, one, code=codes[0]) for one in people))
    assert told.count(None) == 1
    async with world.database.read() as db:
        assert await db.fetchval("select count(distinct phone_name) from personal_data") == 4


@pytest.mark.parametrize(
    ("outcome", "made", "by_staff", "taken"),
    [
        (Outcome.NONE, NOON - WEEK, False, False),
        (Outcome.NONE, NOON - WEEK + timedelta(seconds=1), False, True),
        (Outcome.NONE, None, False, True),
        (Outcome.NONE, NOON - 2 * WEEK, True, True),
        (Outcome.TAKEOVER, NOON - 2 * WEEK, False, True),
    ],
)
def test_what_looks_like_a_takeover(outcome, made, by_staff, taken) -> None:
    assert looks_taken_over(outcome, made, NOON, WEEK, by_staff=by_staff) is taken
