"""A database that serves many tests is to each of them as a fresh copy of its template."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, time

import asyncpg
import pytest
from msgspec.structs import replace
from tests.conftest import Upkeep
from tests.kept import USES_MAX, Keeper, Kept

from wufeng.base.books import Book, Mode, create_book
from wufeng.base.config import Settings
from wufeng.base.database import Connection, Database, open_connection
from wufeng.base.embedded import OWNER_ROLE, SUPERUSER, EmbeddedServer

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
BOOK = Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time(0), 0, (), ())
WRITTEN = """
select (select array_agg(name) from book) as books, (select count(*) from head) as heads,
       (select jsonb_agg(k order by k.number) from journal_kind as k) as kinds
"""


class Test:
    """One test after another on one kept database: what they do there, and whether it is kept afterwards."""

    __test__ = False

    def __init__(self, keeper: Keeper, kept: Kept, settings: Settings) -> None:
        self.keeper = keeper
        self.kept = kept
        self.settings = settings

    def does(self, what: Callable[[Database], Awaitable[object]]) -> object:
        """A part of a test, with a database that it enters and leaves."""

        async def done() -> object:
            async with Database(self.settings) as database:
                return await what(database)

        return self.kept.loop.run_until_complete(done())

    def ends(self) -> bool:
        """Whether the database is kept; if so, the next test begins with it."""
        stays = self.keeper.give_back(self.kept)
        if stays:
            self.keeper.take(self.kept.template)
        return stays


@pytest.fixture
def test(
    server: EmbeddedServer,
    server_settings: Settings,
    upkeep: Upkeep,
    migrated: str,
    loop: asyncio.AbstractEventLoop,
) -> Iterator[Test]:
    """Tests on a database that is kept for them alone."""
    keeper = Keeper(server, server_settings, loop, upkeep.create, upkeep.drop)
    undo = keeper.hand_out()
    kept = keeper.take(migrated)
    yield Test(keeper, kept, replace(server_settings, database_name=kept.name))
    undo()
    keeper.close()


async def written(database: Database) -> dict[str, object]:
    async with database.read() as db:
        return dict(await db.fetchrow(WRITTEN))


async def open_a_book(database: Database) -> None:
    async with database.transaction() as db:
        await create_book(db, BOOK, 2, NOON)


def as_role(role: str, test: Test, server: EmbeddedServer, statement: str) -> None:
    async def run() -> None:
        connection = await open_connection(test.settings, server, role, "test")
        await connection.execute(statement)
        await connection.close()

    test.kept.loop.run_until_complete(run())


def test_what_a_test_wrote_is_gone(test: Test) -> None:
    before = test.does(written)
    for _ in range(3):
        test.does(open_a_book)
        assert test.does(written) != before
        assert test.ends()
        assert test.does(written) == before


@pytest.mark.parametrize(
    "statement",
    [
        "delete from journal_kind where number = (select min(number) from journal_kind)",
        "update journal_kind set name = name || '?' where number = (select max(number) from journal_kind)",
    ],
)
def test_what_a_test_took_or_changed_is_back(test: Test, server: EmbeddedServer, statement: str) -> None:
    before = test.does(written)
    as_role(SUPERUSER, test, server, "set session_replication_role = replica;" + statement)
    assert test.does(written) != before
    test.ends()
    assert test.does(written) == before


def test_the_next_test_has_the_same_connections(test: Test) -> None:
    async def backend(database: Database) -> tuple[int, str, str]:
        async with database.read() as db:
            pid = await db.fetchval("select pg_backend_pid()")
            names = await db.fetchval("select current_setting('application_name')")
            limit = await db.fetchval("select current_setting('statement_timeout')")
            await db.execute("set statement_timeout = 7; set application_name = 'changed'")
            return pid, names, limit

    first = test.does(backend)
    assert test.ends()
    assert test.does(backend) == first


@pytest.mark.parametrize(
    "statement",
    [
        "create table further (id int)",
        "alter table head add column further int",
        "alter table journal disable trigger all",
        "alter table head drop constraint head_pkey cascade",
        "alter table head alter column seq set default 7",
        "alter table head alter column seq drop not null",
        "revoke select on head from wufeng_app",
        "create or replace view signed_in_device as select bucket, device_id, person_id, expires_at from session",
        "drop view signed_in_device cascade",
        "create function further() returns int return 1",
        "analyze journal_kind",
    ],
)
def test_a_changed_schema_is_not_kept(test: Test, server: EmbeddedServer, statement: str) -> None:
    as_role(OWNER_ROLE, test, server, statement)
    assert not test.ends()


def test_a_connection_left_open_is_ended_with_its_database(test: Test) -> None:
    left: list[Connection] = []

    async def leave_open() -> None:
        database = await Database(test.settings).__aenter__()
        left.append(await database.connect("left"))

    test.kept.loop.run_until_complete(leave_open())
    assert not test.ends()
    assert left[0].is_closed()


def test_a_connection_in_the_midst_of_something_is_not_handed_on(test: Test) -> None:
    async def begin(database: Database) -> None:
        await (await database.connect("midst")).execute("begin")

    test.does(begin)
    assert test.kept.connections == 1


def test_many_uses_end_a_database(test: Test) -> None:
    test.kept.uses = USES_MAX - 2
    assert test.ends()
    assert not test.ends()


def test_who_closed_a_connection_cannot_use_it(test: Test) -> None:
    async def use_closed(database: Database) -> None:
        connection = await database.connect("closed")
        await connection.close()
        await connection.close()
        connection.terminate()
        assert connection.is_closed()
        with pytest.raises(asyncpg.InterfaceError):
            await connection.fetchval("select 1")

    test.does(use_closed)
    assert test.ends()
