"""What every test may ask for: a real PostgreSQL, and in it a database of the test's own.

One embedded server serves all test processes of this checkout, xdist's included; the last to leave stops
it. Its directory stays between runs. Migrations run once a version of their files, into a template; each
test gets a copy. A folder whose tests all begin with the same book furnishes a template of its own, once a
test process, by a fixture `template` that asks for `furnish`.
"""

import asyncio
import contextlib
import fcntl
import gc
import getpass
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import psutil
import pytest
import structlog
import uvloop
from argon2 import PasswordHasher
from msgspec.structs import replace
from tests.kept import Keeper
from tests.thorough import examples

from wufeng.base import migrations
from wufeng.base.clock import SystemClock
from wufeng.base.config import Durability, Settings
from wufeng.base.database import Connection, Database, close, open_connection
from wufeng.base.embedded import OWNER_ROLE, EmbeddedServer
from wufeng.identity import hashing

hypothesis.settings.register_profile("wufeng", max_examples=examples(30, 1_000), deadline=None)
hypothesis.settings.load_profile("wufeng")

SHIPPED_HASHER = hashing.HASHER
PROJECT = Path(__file__).resolve().parents[1]
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30


def _files_in_memory() -> None:
    """Let all that tests leave behind lie in memory, where there is room: a database of a test's own is made twenty
    times as fast there. A TMPDIR that somebody has set stays.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return
    if min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) >= ROOM_BYTES:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


_files_in_memory()
gc.disable()  # until the tests are collected: all that is made by then stays


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One test process more than processors, for `-n auto`: each waits a fifth of its time for a browser, a server that
    starts, or a bank that takes its time.
    """
    return (yield) + 1


def pytest_collection_finish() -> None:
    """What all tests and their modules are made of stays to the end: no collection of garbage looks at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that servers run on; for proofs, which kill servers, that of `wufeng prove`: with uvloop anyio falls
    over a connection that dies as it is made.
    """
    if item.path.is_relative_to(PROJECT / "tests" / "prove"):
        return {"asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


def _plain_tracebacks() -> None:
    """Errors that a test provokes are logged as text: a drawn box around every frame takes longer than the test."""
    structlog.configure(
        processors=[
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
            if isinstance(processor, structlog.dev.ConsoleRenderer)
            else processor
            for processor in structlog.get_config()["processors"]
        ]
    )


_plain_tracebacks()


def _remember_row_types() -> None:
    """Let connections tell each other what a table's rows are made of: the tables of all copies of a template have the
    same numbers, and no others have on their server.
    """
    ask = asyncpg.Connection._introspect_types
    known: dict[tuple[Any, ...], Any] = {}

    async def remembered(connection: Connection, typeoids: set[int], timeout: float | None) -> Any:
        key = (connection._addr, *sorted(typeoids))
        if key not in known:
            known[key] = await ask(connection, typeoids, timeout)
        return known[key]

    asyncpg.Connection._introspect_types = remembered


_remember_row_types()


def _scratch() -> Path:
    mark = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"wufeng-tests-{getpass.getuser()}-{mark}"


_SERVER = {
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    "max_connections": "300",
    "plan_cache_mode": "force_generic_plan",
}
"""A log as small as the databases; room for many test processes and what each of them opens. A statement is planned
once a connection, not for each of its first five runs: most tests run it no oftener.
"""


@pytest.fixture(scope="session")
def server_settings() -> Settings:
    """Settings of the tests' server; fsync is off there, by the one setting that allows it."""
    return Settings(
        data_dir=_scratch(), durability=Durability.UNSAFE_FOR_TESTS, pool_size=4, postgres=_SERVER
    )


@pytest.fixture(scope="session")
def server(server_settings: Settings) -> Iterator[EmbeddedServer]:
    """The server that all tests share."""
    joined = EmbeddedServer(server_settings)
    try:
        joined.join()
    except (
        Exception
    ):  # fsync is off: a machine that crashed leaves files that nothing can mend, and nobody misses
        shutil.rmtree(server_settings.data_dir, ignore_errors=True)
        joined = EmbeddedServer(server_settings)
        joined.join()
    yield joined
    joined.leave()


@pytest.fixture(scope="session")
def template(migrated: str) -> str:
    """Name of the database that a test's own is a copy of."""
    return migrated


@pytest.fixture(scope="session")
def migrated(server: EmbeddedServer, server_settings: Settings) -> str:
    """Name of a database that has been migrated; made by the first test process that needs it."""
    files = migrations.shipped_migrations()
    digest = hashlib.sha256(" ".join(f"{file.number} {file.digest}" for file in files).encode()).hexdigest()[
        :12
    ]
    settings = replace(server_settings, database_name=f"template_{digest}")
    with (server_settings.data_dir / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(_make_template(server, settings))
    return settings.database_name


async def _make_template(server: EmbeddedServer, settings: Settings) -> None:
    upkeep = await migrations.connect_as_superuser(server, settings)
    ready = await upkeep.fetchval(
        "select true from pg_database where datname = $1 and shobj_description(oid, 'pg_database') = 'ready'",
        settings.database_name,
    )
    if not ready:
        await _drop_leftovers(upkeep)
        await migrations.drop_database(server, settings)
        await migrations.create_database(server, settings, "template0")
        owner = await open_connection(settings, server, OWNER_ROLE, "tests")
        await migrations.apply(owner, migrations.shipped_migrations(), SystemClock())
        await owner.execute("analyze")
        await close(owner)
        await upkeep.execute(f"comment on database {settings.database_name} is 'ready'")
        await upkeep.execute("checkpoint")
    await close(upkeep)


async def _drop_leftovers(upkeep: Connection) -> None:
    """Remove what killed runs and older schemas left; a database that is in use, or an hour young, stays."""
    for row in await upkeep.fetch(
        "select datname from pg_database where datname ~ '^(test|template)_' "
        "and (pg_stat_file('base/' || oid || '/PG_VERSION')).modification < now() - interval '1 hour'"
    ):
        with contextlib.suppress(asyncpg.ObjectInUseError):
            await upkeep.execute(f"drop database if exists {row['datname']}")


Furnish = Callable[[Callable[[Settings], Awaitable[Any]]], tuple[str, Any]]


@pytest.fixture(scope="session")
def furnish(server: EmbeddedServer, server_settings: Settings, migrated: str) -> Iterator[Furnish]:
    """Makes a template: a migrated database to which something is done. Its name, and what doing that returned."""
    made: list[Settings] = []

    async def make(do: Callable[[Settings], Awaitable[Any]]) -> tuple[str, Any]:
        made.append(replace(server_settings, database_name=_new_name()))
        await migrations.create_database(server, made[-1], migrated)
        return made[-1].database_name, await do(made[-1])

    yield lambda do: asyncio.run(make(do))
    for one in made:
        asyncio.run(migrations.drop_database(server, one))


def _new_name() -> str:
    return f"test_{uuid.uuid4().hex[:16]}"


class Upkeep:
    """Makes and drops the databases of tests over one connection, which lives in a loop of its own."""

    def __init__(self, server: EmbeddedServer, settings: Settings) -> None:
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(migrations.connect_as_superuser(server, settings))

    def create(self, name: str, template: str) -> None:
        """Copy a database; only the roles that have a right to it may come in."""
        self._runner.run(migrations.copy_database(self._connection, name, template))

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._runner.run(migrations.remove_database(self._connection, name))

    def close(self) -> None:
        self._runner.run(close(self._connection))
        self._runner.close()


@pytest.fixture(scope="session")
def upkeep(server: EmbeddedServer, server_settings: Settings) -> Iterator[Upkeep]:
    """The superuser's connection of this test process."""
    made = Upkeep(server, server_settings)
    yield made
    made.close()


@pytest.fixture(scope="session", autouse=True)
async def loop() -> asyncio.AbstractEventLoop:
    """The loop in which all tests of this process run."""
    return asyncio.get_running_loop()


@pytest.fixture(autouse=True)
def nothing_goes_on(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """No task outlives its test, unless it was there before: a browser serves many."""
    before = asyncio.all_tasks(loop)
    yield
    if left := asyncio.all_tasks(loop) - before:
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.wait(left, timeout=10))


@pytest.fixture(scope="session")
def keeper(
    server: EmbeddedServer, server_settings: Settings, upkeep: Upkeep, loop: asyncio.AbstractEventLoop
) -> Iterator[Keeper]:
    """The databases that this test process keeps from one test to the next."""
    made = Keeper(server, server_settings, loop, upkeep.create, upkeep.drop)
    undo = made.hand_out()
    yield made
    undo()
    made.close()


@pytest.fixture
def settings(keeper: Keeper, server_settings: Settings, template: str) -> Iterator[Settings]:
    """Settings of a migrated, empty database that is this test's alone as long as it runs."""
    kept = keeper.take(template)
    yield replace(server_settings, database_name=kept.name)
    keeper.give_back(kept)


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """PINs and passwords hashed by argon2id with little memory: what ships takes 20 ms, a hundred times a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def shipped_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """PINs and passwords hashed as slowly as in an installation."""
    monkeypatch.setattr(hashing, "HASHER", SHIPPED_HASHER)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The test's database, started, in the application's role."""
    async with Database(settings) as started:
        yield started


@pytest.fixture
async def db(database: Database) -> Connection:
    """One connection in the application's role."""
    return await database.connect("test")


@pytest.fixture
async def owner(settings: Settings, server: EmbeddedServer) -> AsyncIterator[Connection]:
    """One connection in the role that owns the schema: for what the application may not do."""
    connection = await open_connection(settings, server, OWNER_ROLE, "test owner")
    yield connection
    await close(connection)
