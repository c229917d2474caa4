"""Devices: known again by their own proof, trusted after a PIN or a passkey, and dead at once when revoked."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from wufeng.base.database import Connection
from wufeng.base.errors import Problem
from wufeng.identity.codes.model import SignUp
from wufeng.identity.devices import store
from wufeng.identity.devices.commands import revoke_device
from wufeng.identity.devices.model import DeviceView
from wufeng.identity.devices.queries import list_devices, living_devices
from wufeng.identity.people.commands import erase_person, freeze_person
from wufeng.identity.sessions.commands import sign_in, step_up
from wufeng.identity.sessions.model import Opened
from wufeng.identity.tokens import parse_credential, parse_device
from wufeng.identity.vault import Private

from .conftest import PHONE, PIN, World

OTHER_PHONE = "+8613900002222"


async def enter(world: World, proof: str | None, phone: str = PHONE, device: str = "a phone") -> Opened:
    code = Private(await world.code(phone))
    shown = Private(proof) if proof is not None else None
    return await sign_in(
        world.lanes, world.vault, world.book, Private(phone), code, device, SignUp.CLOSED, world.at, shown
    )


async def test_a_device_is_made_once_and_known_again(world: World) -> None:
    person_id = await world.person()
    first = await enter(world, None)
    assert first.device_proof is not None and first.device_proof.startswith("wfd_")
    again = await enter(world, first.device_proof, device="renamed by a thief")
    assert (again.device_id, again.device_proof, again.device_name) == (first.device_id, None, "a phone")
    world.later(timedelta(milliseconds=1))  # ids of one millisecond have no order among them
    other = await enter(world, None)
    assert other.device_id != first.device_id
    async with world.database.read() as db:
        found = await list_devices(db, world.book, person_id, first.device_id)
        (only,) = await list_devices(db, world.book, person_id, None, at_most=1)
    assert [device.is_current for device in found] == [False, True] and only.id == found[0].id


async def test_what_is_no_proof_makes_a_new_device_and_tells_nothing(world: World) -> None:
    await world.person()
    await world.person(OTHER_PHONE)
    mine, theirs = await enter(world, None), await enter(world, None, OTHER_PHONE)
    assert mine.device_proof is not None and theirs.device_proof is not None
    changed = mine.device_proof[:-1] + ("A" if mine.device_proof[-1] != "A" else "B")
    elsewhere = mine.device_proof.replace(f"wfd_{world.book.id}_", f"wfd_{world.live.id}_")
    world.later(timedelta(hours=1))  # codes may be sent again
    for proof in (theirs.device_proof, changed, elsewhere, "wfd_1_x", mine.token):
        opened = await enter(world, proof)
        assert opened.device_proof is not None, "a device of its own"
        assert opened.device_id not in (mine.device_id, theirs.device_id)


async def test_a_proof_is_no_credential(world: World) -> None:
    await world.person()
    opened = await enter(world, None)
    assert opened.device_proof is not None
    assert parse_device(opened.device_proof) is not None and parse_credential(opened.device_proof) is None
    assert opened.device_proof not in repr(opened) and "wfd_" not in repr(parse_device(opened.device_proof))
    with pytest.raises(Problem, match="unauthenticated"):
        await world.authenticator.authenticate(f"Bearer {opened.device_proof}")


async def test_a_device_is_trusted_after_a_step_up_on_it(world: World) -> None:
    person_id = await world.person()
    await world.set_pin(person_id)
    here, there = await enter(world, None), await enter(world, None)
    assert not (await world.authenticator.authenticate(f"Bearer {here.token}")).device_trusted
    raised = await step_up(
        world.database, world.vault, world.ids, world.book, here.session_id, person_id, Private(PIN), world.at
    )
    caller = await world.authenticator.authenticate(f"Bearer {raised.token}")
    assert caller.device_id == here.device_id and caller.device_trusted
    assert not (await world.authenticator.authenticate(f"Bearer {there.token}")).device_trusted
    later = await enter(world, here.device_proof)
    assert (await world.authenticator.authenticate(f"Bearer {later.token}")).device_trusted


async def test_a_revoked_device_is_dead_at_the_next_request(world: World) -> None:
    person_id, other_id = await world.person(), await world.person(OTHER_PHONE)
    here, there = await enter(world, None), await enter(world, None)
    twice = await enter(world, there.device_proof)
    assert there.device_id is not None and here.device_id is not None
    with pytest.raises(Problem, match="No such device"):
        await revoke_device(world.database, world.book, there.device_id, other_id, None, world.at)
    view = await revoke_device(
        world.database, world.book, there.device_id, person_id, here.device_id, world.at
    )
    assert view.revoked_at == world.at and not view.is_current
    for dead in (there, twice):
        with pytest.raises(Problem, match="unauthenticated"):
            await world.authenticator.authenticate(f"Bearer {dead.token}")
    await world.authenticator.authenticate(f"Bearer {here.token}")
    with pytest.raises(Problem, match="No such device"):
        await revoke_device(world.database, world.book, there.device_id, person_id, None, world.at)
    assert (await enter(world, there.device_proof)).device_id != there.device_id, "its proof is worth nothing"


async def test_a_device_is_revoked_while_a_step_up_on_it_is_under_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two take session and device in different order: one waits for the other, and never both."""
    person_id = await world.person()
    await world.set_pin(person_id)
    opened = await enter(world, None)
    device_id, trust = opened.device_id, store.trust_device
    assert device_id is not None
    revoking: list[asyncio.Task[DeviceView]] = []

    async def trust_late(db: Connection, bucket: int, trusted_id: UUID, at: datetime) -> None:
        revoke = revoke_device(world.database, world.book, device_id, person_id, None, world.at)
        revoking.append(asyncio.create_task(revoke))
        await asyncio.sleep(0.2)  # until it waits for the session, which has been rotated
        await trust(db, bucket, trusted_id, at)

    monkeypatch.setattr(store, "trust_device", trust_late)
    raised = await step_up(
        world.database,
        world.vault,
        world.ids,
        world.book,
        opened.session_id,
        person_id,
        Private(PIN),
        world.at,
    )
    assert (await revoking[0]).revoked_at == world.at
    with pytest.raises(Problem, match="unauthenticated"):
        await world.authenticator.authenticate(f"Bearer {raised.token}")


async def test_living_devices_are_a_set(world: World) -> None:
    person_id = await world.person()
    opened = [await enter(world, None) for _ in range(3)]
    ids = [one.device_id for one in opened if one.device_id is not None]
    await revoke_device(world.database, world.book, ids[1], person_id, None, world.at)
    async with world.database.read() as db:
        living = await living_devices(db, world.book.bucket_of(person_id), ids)
    assert set(living) == {ids[0], ids[2]} and living[ids[0]].person_id == person_id


async def test_a_freeze_revokes_all_and_an_erasure_forgets_their_names(world: World) -> None:
    person_id = await world.person()
    first = await enter(world, None)
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    async with world.database.read() as db:
        assert await list_devices(db, world.book, person_id, first.device_id) == []
    await erase_person(world.database, world.vault, world.book, world.ids, person_id, world.act(person_id))
    async with world.database.read() as db:
        assert await db.fetchval("select count(*) from device where name <> ''") == 0
