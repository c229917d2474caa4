"""A scratch installation: a directory, its own embedded PostgreSQL with durability on, a server as child processes."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from wufeng import risk
from wufeng.base import faults, migrations
from wufeng.base.clock import Clock, SystemClock
from wufeng.base.config import PREFIX, Durability, Settings
from wufeng.base.database import Database
from wufeng.base.embedded import EmbeddedServer
from wufeng.prove.engine import Engine, Tools
from wufeng.prove.server import Server

BOOK = "prove"
BUCKETS = 2
WORKERS = 2
KEPT = ("WUFENG_PLANT", "WUFENG_FAULTS")
"""What a child process is told of our own environment, among the names of Wufeng."""


class Scratch:
    """One scratch installation.

    settings        of its installation: everything is inside `directory`
    postgres        its database server, which stays up while the processes under test die
    quick_settings  of a second one without durability, for proofs in which nothing is killed
    """

    def __init__(self, directory: Path, tools: Tools, postgres: EmbeddedServer, settings: Settings) -> None:
        self.directory = directory
        self.tools = tools
        self.postgres = postgres
        self.settings = settings
        self.is_kept = False
        self.quick_settings = replace(
            settings, data_dir=directory / "quick", durability=Durability.UNSAFE_FOR_TESTS
        )
        self._quick: EmbeddedServer | None = None
        self._server: Server | None = None
        self._databases = 0

    async def server(self) -> Server:
        """The server under test, started by the first proof that needs it."""
        if self._server is None:
            environment = child_environment(self.settings)
            log_file = self.directory / "server.log"
            self._server = Server(self.tools.command, environment, WORKERS, log_file)
            await self._server.start()
        return self._server

    @contextlib.asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        """An engine of this process on the installation that the server serves."""
        with faults.unplanted():
            async with self.tools.opened(self.settings, SystemClock()) as engine:
                yield engine

    @contextlib.asynccontextmanager
    async def engine_of_its_own(self, clock: Clock) -> AsyncIterator[Engine]:
        """An engine of this process on a fresh database, which no server knows."""
        self._databases += 1
        own = replace(self.quick_settings, database_name=f"own_{self._databases}")
        postgres = await self.quick_postgres()
        await found(self.tools, own, clock)
        async with self.tools.opened(own, clock) as engine:
            yield engine
        await migrations.drop_database(postgres, own)

    async def quick_postgres(self) -> EmbeddedServer:
        """The database server of `quick_settings`, started by the first proof that needs it."""
        if self._quick is None:
            self._quick = EmbeddedServer(self.quick_settings)
            await asyncio.to_thread(self._quick.join)
        return self._quick

    async def stop(self) -> None:
        """End what was started; the directory goes with it, unless it is kept."""
        if self._server is not None:
            await self._server.stop()
        for postgres in (self._quick, self.postgres):
            if postgres is not None:
                await asyncio.to_thread(postgres.leave)
        if not self.is_kept:
            shutil.rmtree(self.directory, ignore_errors=True)


@contextlib.asynccontextmanager
async def scratch(tools: Tools) -> AsyncIterator[Scratch]:
    """Make a scratch installation and take it away again."""
    directory = Path(tempfile.mkdtemp(prefix="wf-"))
    settings = Settings(data_dir=directory / "data", pool_size=4)
    postgres = EmbeddedServer(settings)
    made: Scratch | None = None
    try:
        postgres.join()
        made = Scratch(directory, tools, postgres, settings)
        await found(tools, settings, SystemClock())
        yield made
    finally:
        if made is not None:
            await made.stop()
        else:
            postgres.leave()
            shutil.rmtree(directory, ignore_errors=True)


async def found(tools: Tools, settings: Settings, clock: Clock) -> None:
    """Make the installation with its book, under the proofs' own policy: no rule of theirs may hide a fault."""
    await tools.found(settings, BOOK, BUCKETS, clock)
    text = (Path(__file__).parent / "policy.toml").read_text(encoding="utf-8")
    policy = risk.read_policy(text, "policy.toml")
    async with Database(settings) as database, database.transaction() as db:
        await risk.publish(db, [policy], clock.now())


def child_environment(settings: Settings) -> Mapping[str, str]:
    """The environment of a process under test: ours without our own Wufeng, and the scratch installation."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX) or name in KEPT}
    return {
        **ours,
        "WUFENG_DATA_DIR": str(settings.data_dir),
        "WUFENG_DATABASE_NAME": settings.database_name,
        "WUFENG_DURABILITY": settings.durability.value,
        "WUFENG_LOG_LEVEL": "warning",
        "PYTHONUNBUFFERED": "1",
    }
