"""What `wufeng init` makes once: a platform key a book and an administrator, however often it is run."""

from wufeng.identity.bootstrap import bootstrap
from wufeng.identity.callers import CallerKind
from wufeng.identity.staff.commands import sign_in_staff
from wufeng.identity.staff.model import Role
from wufeng.identity.vault import Private

from .conftest import World


async def test_the_first_secrets_work_and_are_shown_once(world: World) -> None:
    books = [world.book, world.live]
    async with world.database.transaction() as db:
        first = await bootstrap(db, world.vault, world.ids, books[:1], world.at)
    async with world.database.transaction() as db:
        second = await bootstrap(db, world.vault, world.ids, books, world.at)
    async with world.database.transaction() as db:
        third = await bootstrap(db, world.vault, world.ids, books, world.at)
    assert (list(first.platform_keys), first.staff_login) == (["main"], "admin")
    assert (list(second.platform_keys), second.staff_login, second.staff_password) == (["live"], None, None)
    assert (third.platform_keys, third.staff_login) == ({}, None)

    caller = await world.authenticator.authenticate(f"Bearer {first.platform_keys['main']}")
    assert (caller.kind, caller.book) == (CallerKind.PLATFORM, world.book)
    assert first.staff_password is not None
    opened = await sign_in_staff(
        world.database,
        world.vault,
        world.ids,
        world.books,
        "admin",
        Private(first.staff_password),
        None,
        world.at,
    )
    assert opened.staff.role is Role.ADMIN
    for secret in (first.platform_keys["main"], first.staff_password):
        assert secret not in repr(first) and secret not in str(first)


async def test_a_failed_init_leaves_nothing(world: World) -> None:
    try:
        async with world.database.transaction() as db:
            await bootstrap(db, world.vault, world.ids, [world.book], world.at)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    async with world.database.read() as db:
        assert await db.fetchval("select (select count(*) from api_key) + (select count(*) from staff)") == 0
