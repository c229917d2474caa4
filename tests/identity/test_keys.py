"""API keys: stored as a hash under a shown prefix, rotated with two alive, dead once revoked."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from asyncpg import Connection as Link
from msgspec import UNSET, json

from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, encode
from wufeng.identity.audit.queries import list_audit_entries
from wufeng.identity.callers import Caller, CallerKind
from wufeng.identity.keys import rules
from wufeng.identity.keys.commands import create_key, issue_key, revoke_key, withdraw_key
from wufeng.identity.keys.model import SCOPES, KeyKind, NewKey, Scope
from wufeng.identity.keys.queries import list_keys
from wufeng.identity.keys.rules import platform_id, scopes_to_give
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene

from .conftest import World


async def caller_of(world: World, key: NewKey) -> Caller:
    return await world.authenticator.authenticate(f"Bearer {key.text}")


async def merchant_key(world: World, name: str = "Shop") -> tuple[UUID, NewKey]:
    merchant, key = await create_merchant(
        world.database, world.ids, world.book, name, Scene.RETAIL, FeePlan(6000), world.at
    )
    return merchant.id, key


async def issue(
    world: World, by: NewKey, merchant_id: UUID | None = None, scopes: list[Scope] | None = None
) -> NewKey:
    caller = await caller_of(world, by)
    return await issue_key(world.database, world.ids, caller, merchant_id, "next", scopes, world.at, "req_1")


async def test_a_platform_key_and_a_merchant_key(world: World) -> None:
    platform, (merchant_id, merchant) = await world.platform_key(), await merchant_key(world)
    assert platform.text.startswith("wf_test_") and len(platform.text) == 8 + 32 + 1 + 43
    assert await caller_of(world, platform) == Caller(
        kind=CallerKind.PLATFORM,
        id=platform_id(world.book.id),
        credential_id=platform.key.id,
        book=world.book,
        scopes=SCOPES[KeyKind.PLATFORM],
    )
    assert await caller_of(world, merchant) == Caller(
        kind=CallerKind.MERCHANT,
        id=merchant_id,
        credential_id=merchant.key.id,
        book=world.book,
        merchant_id=merchant_id,
        scopes=SCOPES[KeyKind.MERCHANT],
    )
    live = await world.platform_key(book=world.live)
    assert live.text.startswith("wf_live_") and (await caller_of(world, live)).book == world.live


async def test_only_a_hash_and_the_prefix_are_kept(world: World) -> None:
    key = await world.platform_key()
    async with world.database.read() as db:
        row = await db.fetchrow("select * from api_key where id = $1", key.key.id)
    assert row is not None
    assert key.text[41:] not in repr(dict(row)) and key.text[:40] == row["prefix"]
    assert len(row["secret_hash"]) == 32


@pytest.mark.parametrize("change", ["mode", "secret", "id", "cut", "more"])
async def test_a_changed_key_is_no_key(world: World, change: str) -> None:
    key = await world.platform_key()
    changed = {
        "mode": key.text.replace("wf_test_", "wf_live_"),
        "secret": key.text[:-1] + ("A" if key.text[-1] != "A" else "B"),
        "id": key.text.replace(key.key.id.hex, UUID(int=key.key.id.int ^ 1).hex),
        "cut": key.text[:-1],
        "more": key.text + "A",
    }[change]
    with pytest.raises(Problem, match="unauthenticated"):
        await world.authenticator.authenticate(f"Bearer {changed}")


async def test_rotation_two_alive_then_one(world: World) -> None:
    old = await world.platform_key()
    new = await issue(world, old)
    assert (await caller_of(world, old)).id == (await caller_of(world, new)).id, "idempotency keys go on"
    await withdraw_key(world.database, world.ids, await caller_of(world, new), old.key.id, world.at, "req_2")
    with pytest.raises(Problem, match="unauthenticated"):
        await caller_of(world, old)
    assert (await caller_of(world, new)).kind is CallerKind.PLATFORM
    with pytest.raises(Problem, match="No such API key"):
        await withdraw_key(
            world.database, world.ids, await caller_of(world, new), old.key.id, world.at, "req_3"
        )
    async with world.database.read() as db:
        shown = await list_keys(db, world.book, platform_id(world.book.id))
        entries = await list_audit_entries(db, world.book, old.key.id)
    assert {view.prefix: view.revoked_at for view in shown} == {
        old.key.prefix: world.at,
        new.key.prefix: None,
    }
    assert {view.secret for view in shown} == {UNSET} and b"secret" not in json.encode(shown)
    assert [(entry.operation, entry.credential) for entry in entries] == [
        ("revoke_api_key", encode(Prefix.API_KEY, new.key.id))
    ]


async def test_a_key_gives_no_scope_that_it_lacks(world: World) -> None:
    weak = await world.platform_key(Scope.KEYS, Scope.READ)
    assert (await issue(world, weak)).key.scopes == {Scope.KEYS, Scope.READ}, (
        "unless told fewer: all it may give"
    )
    assert (await issue(world, weak, scopes=[Scope.READ])).key.scopes == {Scope.READ}
    with pytest.raises(Problem, match="cannot give what it lacks: payments"):
        await issue(world, weak, scopes=[Scope.READ, Scope.PAYMENTS])
    merchant_id, _ = await merchant_key(world)
    assert (await issue(world, weak, merchant_id)).key.scopes == SCOPES[KeyKind.MERCHANT], (
        "a merchant's own are others"
    )


@pytest.mark.parametrize(
    ("kind", "wanted", "giver", "given"),
    [
        (KeyKind.MERCHANT, None, None, SCOPES[KeyKind.MERCHANT]),
        (KeyKind.MERCHANT, None, frozenset({Scope.READ, Scope.CLOCK}), frozenset({Scope.READ})),
        (KeyKind.MERCHANT, [Scope.READ], frozenset({Scope.READ}), frozenset({Scope.READ})),
        (KeyKind.MERCHANT, [Scope.READ], frozenset({Scope.KEYS}), Code.FORBIDDEN),
        (KeyKind.MERCHANT, [Scope.CLOCK], None, Code.INVALID_FIELD),
        (KeyKind.PLATFORM, [Scope.REFUNDS], None, Code.INVALID_FIELD),
        (KeyKind.PLATFORM, [], None, Code.INVALID_FIELD),
    ],
)
def test_scopes_to_give(
    kind: KeyKind, wanted: list[Scope] | None, giver: frozenset[Scope] | None, given: object
) -> None:
    if isinstance(given, Code):
        with pytest.raises(Problem) as refused:
            scopes_to_give(kind, wanted, giver)
        assert refused.value.code is given
    else:
        assert scopes_to_give(kind, wanted, giver) == given


async def test_a_merchant_withdraws_only_its_own(world: World) -> None:
    (_, ours), (_, theirs) = await merchant_key(world), await merchant_key(world, "Other")
    platform = await world.platform_key()
    caller = await caller_of(world, ours)
    for key in (theirs, platform):
        with pytest.raises(Problem, match="No such API key"):
            await withdraw_key(world.database, world.ids, caller, key.key.id, world.at, "req_1")
    live = await caller_of(world, await world.platform_key(book=world.live))
    with pytest.raises(Problem, match="No such API key"):
        await withdraw_key(world.database, world.ids, live, theirs.key.id, world.at, "req_1")
    operator = await caller_of(world, platform)
    await withdraw_key(world.database, world.ids, operator, theirs.key.id, world.at, "req_1")
    with pytest.raises(Problem, match="unauthenticated"):
        await caller_of(world, theirs)


async def test_revoking_asks_for_the_owner(world: World) -> None:
    merchant_id, key = await merchant_key(world)
    async with world.database.read() as db:
        with pytest.raises(Problem, match="No such API key"):
            await revoke_key(db, world.book, UUID(int=1), key.key.id, world.at)
        await revoke_key(db, world.book, merchant_id, key.key.id, world.at)


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb"])
async def test_a_key_needs_a_name(world: World, name: str) -> None:
    async with world.database.read() as db:
        with pytest.raises(Problem) as refused:
            await create_key(db, world.ids, world.book, KeyKind.PLATFORM, platform_id(1), name, world.at)
    assert refused.value.errors[0].pointer == "/name"


async def test_the_day_of_the_last_use_is_noted_behind_the_request(world: World, owner: Link) -> None:
    """The request does not wait for the note, even when the key's row is locked; the next day is noted again."""
    key = await world.platform_key()

    async def last_used() -> object:
        await world.authenticator.drain()
        async with world.database.read() as db:
            return (await list_keys(db, world.book, platform_id(world.book.id)))[0].last_used_on

    assert await last_used() is None
    async with owner.transaction():
        await owner.execute("select 1 from api_key for update")
        async with asyncio.timeout(2):
            await asyncio.gather(*(caller_of(world, key) for _ in range(20)))
    first = await last_used()
    assert first == world.book.business_date(world.at)
    world.later(timedelta(days=1))
    await caller_of(world, key)
    assert await last_used() == world.book.business_date(world.at) != first


async def test_a_note_that_fails_harms_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from wufeng.identity.keys import store

    async def broken(db: object, ids: object, on: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(store, "mark_used", broken)
    key = await world.platform_key()
    await caller_of(world, key)
    await world.authenticator.drain()
    assert [record.message for record in caplog.records] == ["the use of a key was not noted: OSError"]
    assert key.text not in caplog.text


def test_every_scope_belongs_to_some_kind() -> None:
    assert frozenset().union(*SCOPES.values()) == frozenset(Scope)
    assert rules.platform_id(1) != rules.platform_id(2)
