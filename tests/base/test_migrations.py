"""Migrations: whole or not at all, once, in order; and the schema that they build is the one that is
shown.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from wufeng.base import migrations, schema
from wufeng.base.clock import SystemClock
from wufeng.base.config import Settings
from wufeng.base.database import Connection, close, open_connection
from wufeng.base.embedded import OWNER_ROLE, EmbeddedServer
from wufeng.base.errors import ConfigurationError
from wufeng.base.migrations import Applied, Migration, applied_migrations, apply, pending

CLOCK = SystemClock()
ONE = Migration(1, "one", "create table one (n int primary key); insert into one values (1);")
TWO = Migration(2, "two", "alter table one add column m int not null default 7;")
BROKEN = Migration(2, "two", "create table two (n int); select 1 / 0;")
SLEEPING = "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and query like '%sleep(30)%'"
END_SLEEPING = SLEEPING.replace("count(*)", "pg_terminate_backend(pid)")
RELEASES = sorted((Path(__file__).parent / "releases").glob("*.sql"))


def applied(*done: Migration) -> list[Applied]:
    return [Applied(row.number, row.name, row.digest) for row in done]


@pytest.mark.parametrize(
    ("shipped", "done", "waiting"),
    [
        ([], [], []),
        ([ONE, TWO], [], [ONE, TWO]),
        ([ONE, TWO], [ONE], [TWO]),
        ([ONE, TWO], [ONE, TWO], []),
        ([ONE, TWO], [replace(ONE, text=ONE.text.replace("; ", ";\r\n"))], None),
        ([replace(ONE, text=ONE.text + "\n"), TWO], [replace(ONE, text=ONE.text + "\r\n")], [TWO]),
    ],
)
def test_pending(shipped: list[Migration], done: list[Migration], waiting: list[Migration] | None) -> None:
    if waiting is None:
        with pytest.raises(ConfigurationError):
            pending(shipped, applied(*done))
    else:
        assert pending(shipped, applied(*done)) == waiting


@pytest.mark.parametrize(
    ("shipped", "done", "message"),
    [
        ([ONE], [ONE, TWO], "0002_two, which this release does not know: it was made by a newer Wufeng"),
        ([replace(ONE, text="select 1"), TWO], [ONE], "0001_one was applied with another text"),
        ([ONE, TWO], [TWO], "0001_one comes before 0002, which is applied already"),
    ],
)
def test_what_cannot_be_migrated_is_refused(
    shipped: list[Migration], done: list[Migration], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        pending(shipped, applied(*done))


@pytest.fixture
async def empty(server: EmbeddedServer, settings: Settings) -> AsyncIterator[Settings]:
    """A database without a schema."""
    own = replace(settings, database_name=settings.database_name.replace("test_", "test_e"))
    await migrations.create_database(server, own, "template0")
    yield own
    await migrations.drop_database(server, own)


@pytest.fixture
async def empty_db(server: EmbeddedServer, empty: Settings) -> AsyncIterator[Connection]:
    connection = await open_connection(empty, server, OWNER_ROLE, "test")
    yield connection
    await close(connection)


async def test_twice_is_once(empty_db: Connection) -> None:
    assert await apply(empty_db, [ONE], CLOCK) == [ONE]
    assert await apply(empty_db, [ONE, TWO], CLOCK) == [TWO]
    assert await apply(empty_db, [ONE, TWO], CLOCK) == []
    assert await empty_db.fetchrow("select n, m from one") == (1, 7)
    assert await applied_migrations(empty_db) == applied(ONE, TWO)


async def test_a_broken_file_leaves_nothing_of_itself(empty_db: Connection) -> None:
    with pytest.raises(ConfigurationError, match="0002_two failed, nothing of it was kept: division by zero"):
        await apply(empty_db, [ONE, BROKEN], CLOCK)
    assert await empty_db.fetchval("select to_regclass('two')") is None
    assert await applied_migrations(empty_db) == applied(ONE)
    assert await apply(empty_db, [ONE, TWO], CLOCK) == [TWO]


async def test_killed_half_way_is_nothing(
    empty_db: Connection, server: EmbeddedServer, empty: Settings
) -> None:
    slow = Migration(2, "two", "create table two (n int); select pg_sleep(30);")
    running = asyncio.create_task(apply(empty_db, [ONE, slow], CLOCK))
    other = await open_connection(empty, server, OWNER_ROLE, "test")
    while not await other.fetchval(SLEEPING):
        await asyncio.sleep(0.01)
    await other.execute(END_SLEEPING)
    with pytest.raises(ConfigurationError, match="nothing of it was kept"):
        await running
    assert await applied_migrations(other) == applied(ONE)
    assert await apply(other, [ONE, TWO], CLOCK) == [TWO]
    await close(other)


async def test_two_at_once_do_it_once(server: EmbeddedServer, empty: Settings) -> None:
    connections = [await open_connection(empty, server, OWNER_ROLE, "test") for _ in range(3)]
    slow = Migration(1, "one", ONE.text + "select pg_sleep(0.1);")
    results = await asyncio.gather(*(apply(connection, [slow, TWO], CLOCK) for connection in connections))
    assert sorted(map(len, results)) == [0, 0, 2]
    for connection in connections:
        await close(connection)


async def test_migrations_and_schema_sql_say_the_same(server: EmbeddedServer, settings: Settings) -> None:
    built = schema.dump_schema(server, settings)
    assert built == schema.SCHEMA_FILE.read_text(encoding="utf-8"), "run `wufeng migrate --write-schema`"


async def test_the_schema_from_nothing_is_the_template(server: EmbeddedServer, settings: Settings) -> None:
    built = await schema.schema_of_migrations(server, settings, CLOCK)
    assert built == schema.dump_schema(server, settings)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
async def test_from_a_release_with_data_in_place(
    release: Path, server: EmbeddedServer, empty: Settings, empty_db: Connection
) -> None:
    """Each release leaves `releases/<version>.sql` (`wufeng migrate --write-release`): no row of it is
    lost.
    """
    schema.restore_release(server, empty, release)
    before = await counts(empty_db)
    await apply(empty_db, migrations.shipped_migrations(), CLOCK)
    after = await counts(empty_db)
    assert {table: after.get(table) for table in before} == before
    assert schema.dump_schema(server, empty) == schema.SCHEMA_FILE.read_text(encoding="utf-8")


async def test_a_release_that_is_written_can_be_migrated_from(
    server: EmbeddedServer, empty: Settings, empty_db: Connection, tmp_path: Path, settings: Settings
) -> None:
    await apply(empty_db, [ONE], CLOCK)
    dump = tmp_path / "1.sql"
    dump.write_text(schema.dump_release(server, empty))
    later = replace(settings, database_name=empty.database_name.replace("test_e", "test_l"))
    await migrations.create_database(server, later, "template0")
    try:
        schema.restore_release(server, later, dump)
        db = await open_connection(later, server, OWNER_ROLE, "test")
        assert await apply(db, [ONE, TWO], CLOCK) == [TWO]
        assert await db.fetchrow("select n, m from one") == (1, 7)
        await close(db)
    finally:
        await migrations.drop_database(server, later)


async def counts(db: Connection) -> dict[str, int]:
    """Rows of each table but `migration`, which grows by itself."""
    found = await db.fetch(
        "select tablename from pg_tables where schemaname = 'public' and tablename <> 'migration'"
    )
    return {row[0]: await db.fetchval(f'select count(*) from "{row[0]}"') for row in found}
