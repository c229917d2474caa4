"""The audit: an entry commits with its deed, tells who, what and why, and cannot be changed."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.identity.audit.commands import audit
from wufeng.identity.audit.model import act_of
from wufeng.identity.audit.queries import list_audit_entries
from wufeng.identity.audit.rules import check_reason
from wufeng.identity.callers import CallerKind
from wufeng.identity.people.commands import freeze_person, unfreeze_person

from .conftest import World


async def test_a_freeze_leaves_its_entry(world: World) -> None:
    person_id = await world.person()
    await freeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    world.later(timedelta(seconds=1))
    await unfreeze_person(
        world.database, world.book, world.ids, person_id, world.act(person_id, "unfreeze_person")
    )
    async with world.database.read() as db:
        entries = await list_audit_entries(db, world.book, person_id)
        older = await list_audit_entries(db, world.book, person_id, decode(Prefix.AUDIT_ENTRY, entries[0].id))
        assert await list_audit_entries(db, world.book, UUID(int=7)) == []
    assert [entry.operation for entry in entries] == ["unfreeze_person", "freeze_person"]
    assert older == entries[1:]
    entry = entries[1]
    assert (entry.by_kind, entry.by, entry.credential) == (
        CallerKind.STAFF,
        encode(Prefix.STAFF, UUID(int=1)),
        encode(Prefix.SESSION, UUID(int=2)),
    )
    assert (entry.of, entry.reason, entry.request_id) == (
        encode(Prefix.PERSON, person_id),
        "lost phone",
        "req_test",
    )


async def test_a_deed_that_fails_leaves_none(world: World) -> None:
    person_id = await world.person()
    with pytest.raises(Problem, match="not frozen"):
        await unfreeze_person(world.database, world.book, world.ids, person_id, world.act(person_id))
    async with world.database.read() as db:
        assert await list_audit_entries(db, world.book, person_id) == []


async def test_an_entry_that_fails_undoes_the_deed(world: World) -> None:
    person_id = await world.person()
    broken = replace(world.act(person_id), reason="\x00")
    with pytest.raises(asyncpg.CharacterNotInRepertoireError):
        await freeze_person(world.database, world.book, world.ids, person_id, broken)
    async with world.database.read() as db:
        assert await db.fetchval("select status from person") == "active"


async def test_many_acts_in_one_statement(world: World) -> None:
    caller = await world.authenticator.authenticate(f"Bearer {(await world.platform_key()).text}")
    objects = [world.ids.new_anywhere(world.at) for _ in range(20)]
    acts = [
        act_of(caller, "open_line", Prefix.LINE, object_id, world.at, "req_1", "tests")
        for object_id in objects
    ]
    async with world.database.transaction() as db:
        await audit(db, world.book, world.ids, acts)
        await audit(db, world.book, world.ids, [])
        for object_id in objects:
            (entry,) = await list_audit_entries(db, world.book, object_id)
            assert (entry.by_kind, entry.by, entry.of) == (
                CallerKind.PLATFORM,
                None,
                encode(Prefix.LINE, object_id),
            )
            assert entry.credential.startswith("key_")


@pytest.mark.parametrize(
    "deed", ["update audit_entry set reason = ''", "delete from audit_entry", "truncate audit_entry"]
)
async def test_entries_are_never_changed(world: World, db: Connection, deed: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute(deed)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x00b", "a\nb", "\u202eabc"])
def test_a_reason_is_words(reason: str) -> None:
    with pytest.raises(Problem) as refused:
        check_reason(reason)
    assert (refused.value.code, refused.value.errors[0].pointer) == (Code.INVALID_FIELD, "/reason")
    assert check_reason(" called in, 电话报失 ") == "called in, 电话报失"
