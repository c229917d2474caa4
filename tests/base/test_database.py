"""Connections: pooled and dedicated, in the application's role, to a server that keeps its promises."""

import asyncio
import os
import signal
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from wufeng.base import migrations
from wufeng.base.clock import SystemClock
from wufeng.base.config import Durability, Settings
from wufeng.base.database import ARRAY_TYPES, Connection, Database, ServerFacts, refuse_unfit
from wufeng.base.errors import ConfigurationError

FIT = ServerFacts(
    version_num=180_006,
    fsync="on",
    full_page_writes="on",
    synchronous_commit="on",
    server_encoding="UTF8",
    role_name="wufeng_app",
    is_superuser=False,
    owns_something=False,
)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (replace(FIT, version_num=170_009), "PostgreSQL 17, Wufeng needs 18"),
        (replace(FIT, fsync="off"), "fsync = off"),
        (replace(FIT, full_page_writes="off"), "full_page_writes = off"),
        (replace(FIT, synchronous_commit="off"), "synchronous_commit = off"),
        (replace(FIT, server_encoding="SQL_ASCII"), "it must be UTF8"),
        (replace(FIT, is_superuser=True), "could change the ledger's history"),
        (replace(FIT, owns_something=True), "could change the ledger's history"),
        (replace(FIT, role_name="wufeng_owner"), "connect as wufeng_app"),
    ],
)
def test_an_unfit_server_is_refused(facts: ServerFacts, message: str) -> None:
    refuse_unfit(FIT, Durability.SAFE)
    with pytest.raises(ConfigurationError, match=message):
        refuse_unfit(facts, Durability.SAFE)


async def test_start_up_refuses_a_server_without_fsync(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="fsync = off and may lose payments"):
        async with Database(replace(settings, durability=Durability.SAFE)):
            pass


async def test_a_missing_database_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="there is no database nowhere yet: run `wufeng init`"):
        async with Database(replace(settings, database_name="nowhere")):
            pass


@pytest.mark.parametrize("url", ["nonsense", "postgresql://127.0.0.1:1/x"])
async def test_an_address_that_leads_nowhere_is_a_clear_refusal(settings: Settings, url: str) -> None:
    with pytest.raises(ConfigurationError):
        async with Database(replace(settings, database_url=url, connect_timeout_ms=100)):
            pass


async def test_connections_carry_role_name_and_time_outs(settings: Settings) -> None:
    async with Database(replace(settings, statement_timeout_ms=200, lock_timeout_ms=100)) as database:
        connection = await database.connect("lane 3")
        assert await connection.fetchval("select current_user") == "wufeng_app"
        assert await connection.fetchval("show application_name") == "wufeng lane 3"
        assert await connection.fetchval("show lock_timeout") == "100ms"
        assert await connection.fetchval("show timezone") == "UTC"
        with pytest.raises(asyncpg.QueryCanceledError):
            await connection.execute("select pg_sleep(5)")


async def test_the_arrays_that_are_known_beforehand_are_what_the_server_says(database: Database) -> None:
    async with database.read() as db:
        rows = await db.fetch(
            "select oid::int, typname, typelem::int, typdelim from pg_type where oid::int = any($1::int[])",
            [known["oid"] for known in ARRAY_TYPES],
        )
    assert {tuple(row) for row in rows} == {
        tuple(known[name] for name in ("oid", "name", "elemtype", "elemdelim")) for known in ARRAY_TYPES
    }


async def test_a_new_connection_asks_nothing_about_arrays(db: Connection) -> None:
    ids, days = [UUID(int=n) for n in range(3)], [date(2026, 9, n) for n in (1, 2)]
    assert list(await db.fetchrow("select $1::uuid[], $2::date[], $3::bigint[]", ids, days, [1, None])) == [
        ids,
        days,
        [1, None],
    ]
    assert await db.fetchval("select count(*) from pg_prepared_statements where statement ~ 'pg_type'") == 1


@pytest.mark.parametrize(
    "error", [AttributeError("get_settings"), TypeError("one argument"), KeyError("oid")]
)
async def test_a_driver_that_is_told_of_types_in_another_way_asks_for_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The way is not documented: a release that renames it costs a question a kind of array, and no connection."""

    def gone(_: Connection) -> None:
        raise error

    monkeypatch.setattr(Connection, "get_settings", gone)
    async with Database(settings) as database, database.read() as db:
        assert await db.fetchval("select $1::uuid[]", [UUID(int=7)]) == [UUID(int=7)]
        asked = "select count(*) from pg_prepared_statements where statement like '%pg_catalog.pg_type%'"
        assert await db.fetchval(asked) > 0


async def test_giving_a_connection_back_costs_no_round_trip(database: Database) -> None:
    async with database.read() as connection:
        pid = await connection.fetchval("select pg_backend_pid()")
    async with database.read() as watcher, database.read() as other:
        assert await watcher.fetchval("select pg_backend_pid()") == pid
        last = await other.fetchval("select query from pg_stat_activity where pid = $1", pid)
        assert last == "select pg_backend_pid()"


async def test_the_pool_is_bounded_and_grows_on_use(settings: Settings) -> None:
    async with Database(replace(settings, pool_size=2)) as database:
        seen: set[int] = set()

        async def look() -> None:
            async with database.read() as connection:
                seen.add(await connection.fetchval("select pg_backend_pid() from pg_sleep(0.01)"))

        await asyncio.gather(*(look() for _ in range(10)))
        assert len(seen) == 2


async def test_a_transaction_is_whole_or_nothing(database: Database, owner: Connection) -> None:
    await owner.execute("create table scratch (n int); grant select, insert on scratch to wufeng_app")
    async with database.transaction() as connection:
        await connection.execute("insert into scratch values (1)")
    with pytest.raises(RuntimeError):
        async with database.transaction() as connection:
            await connection.execute("insert into scratch values (2)")
            raise RuntimeError
    async with database.read() as connection:
        assert await connection.fetchval("select sum(n) from scratch") == 1


async def test_a_borrower_that_is_cancelled_does_not_leave_its_statement_to_the_next(
    settings: Settings,
) -> None:
    async with Database(replace(settings, pool_size=1)) as database:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                async with database.read() as connection:
                    await connection.execute("select pg_sleep(5)")
        async with asyncio.timeout(2), database.read() as connection:
            assert await connection.fetchval("select 1") == 1


async def test_a_transaction_left_open_is_not_handed_on(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute("begin")
    async with database.read() as connection:
        assert not connection.is_in_transaction()


async def test_a_killed_server_is_found_again(made_server: Settings) -> None:
    async with Database(made_server) as database:
        async with database.read() as connection:
            assert await connection.fetchval("select 1") == 1
        assert database.server is not None
        running = database.server.running()
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        while not connection.is_closed():
            await asyncio.sleep(0.01)
        async with database.read() as connection:
            assert await connection.fetchval("select 1") == 1


@pytest.fixture
async def made_server(tmp_path: Path) -> Settings:
    """A server of this test's own, migrated: one that may be killed."""
    settings = Settings(
        data_dir=tmp_path, durability=Durability.UNSAFE_FOR_TESTS, postgres={"shared_buffers": "16MB"}
    )
    await migrations.migrate(settings, SystemClock())
    return settings


@pytest.mark.parametrize(
    "statement",
    [
        "create table mine (n int)",
        "create temporary table migration (n int)",
        "create schema mine",
        "create function f() returns int language sql as 'select 1'",
        "alter table migration disable trigger all",
        "set session_replication_role = replica",
        "update migration set name = 'x'",
        "delete from migration",
        "truncate migration",
        "drop table migration",
        "alter table migration owner to wufeng_app",
        "set role wufeng_owner",
        "set session authorization wufeng_owner",
        "copy migration to program 'true'",
        "select pg_read_file('PG_VERSION')",
        "alter system set fsync = off",
    ],
)
async def test_the_application_role_cannot(database: Database, statement: str) -> None:
    async with database.read() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
