"""Connections to PostgreSQL: each in the application's role, named, with time-outs; the server checked at
start-up.

`read()` and `transaction()` borrow from a small pool; lanes and followers hold connections of their own
(`connect()`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeAlias

import asyncpg
from msgspec import Struct

from wufeng.base.config import Durability, Settings, mask_url
from wufeng.base.embedded import APP_ROLE, MAJOR_VERSION, OWNER_ROLE, PORT, SUPERUSER, EmbeddedServer
from wufeng.base.errors import ConfigurationError
from wufeng.base.sql import load

SQL = load(__file__)

Connection: TypeAlias = asyncpg.Connection
Watch: TypeAlias = Callable[[Any], None]
"""Is told of every statement that was run (asyncpg's query logger)."""

LOST = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
)
"""The server is not there or not there yet; a connection in use that raises one of these is gone.

InternalClientError: the server's farewell reached an idle connection, and it is used before its end is seen.
"""


def _array_type(name: str, oid: int, element: int) -> dict[str, object]:
    absent = dict.fromkeys(("basetype", "range_subtype", "attrtypoids", "attrnames"))
    known = {"oid": oid, "ns": "pg_catalog", "name": f"_{name}", "elemtype": element, "elemdelim": b","}
    return {**absent, **known, "kind": b"b"}


ARRAY_TYPES = (
    _array_type("bool", 1000, 16),
    _array_type("bytea", 1001, 17),
    _array_type("int2", 1005, 21),
    _array_type("int4", 1007, 23),
    _array_type("int8", 1016, 20),
    _array_type("date", 1182, 1082),
    _array_type("timestamptz", 1185, 1184),
    _array_type("numeric", 1231, 1700),
    _array_type("uuid", 2951, 2950),
)
"""What asyncpg would ask of the server at the first use of each kind of array on each connection, about 10 ms a kind.

The numbers are PostgreSQL's own, fixed in its pg_type.dat.
"""


class ServerFacts(Struct, frozen=True):
    """What the server says of itself and of the role that asks."""

    version_num: int
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    server_encoding: str
    role_name: str
    is_superuser: bool
    owns_something: bool


class Database:
    """The database of one process. Entering starts or joins the server and checks it; leaving closes
    everything.
    """

    def __init__(self, settings: Settings, *, watch: Watch | None = None) -> None:
        self._settings = settings
        self._watch = watch
        self._server = EmbeddedServer(settings) if settings.embedded else None
        self._idle: list[Connection] = []
        self._room = asyncio.Semaphore(settings.pool_size)
        self._dedicated: set[Connection] = set()

    @property
    def server(self) -> EmbeddedServer | None:
        """The embedded server, or None when the database is somebody else's."""
        return self._server

    async def __aenter__(self) -> Self:
        if self._server is not None:
            await asyncio.to_thread(self._server.join)
        try:
            first = await self._open("pool")
            self._idle.append(first)
            refuse_unfit(await server_facts(first), self._settings.durability)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connections = [*self._idle, *self._dedicated]
        self._idle, self._dedicated = [], set()
        await asyncio.gather(*(close(connection) for connection in connections))
        if self._server is not None:
            await asyncio.to_thread(self._server.leave)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection for queries, each statement its own transaction. Giving it back costs no round
        trip.
        """
        async with self._room:
            connection = await self._borrow()
            try:
                yield connection
            except (asyncio.CancelledError, TimeoutError):
                connection.terminate()  # its statement may still run: not for the next borrower
                raise
            finally:
                if not connection.is_closed():
                    if connection.is_in_transaction():
                        connection.terminate()
                    else:
                        self._idle.append(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: committed at the end of the block, rolled back when it
        raises.
        """
        async with self.read() as connection, connection.transaction():
            yield connection

    async def connect(self, part: str) -> Connection:
        """A connection of one's own. `part` says in pg_stat_activity who holds it: "lane 3", "follower
        fold".

        It is closed with the database at the latest; `close(connection)` gives it up before.
        """
        connection = await self._open(part)
        self._dedicated = {held for held in self._dedicated if not held.is_closed()} | {connection}
        return connection

    async def _borrow(self) -> Connection:
        while self._idle:
            connection = (
                self._idle.pop()
            )  # the last one used: its statements are prepared, the others may age
            if not connection.is_closed():
                return connection
        return await self._open("pool")

    async def _open(self, part: str) -> Connection:
        """Connect, waiting for a server that restarts. An embedded one that died is started again."""
        deadline = time.monotonic() + self._settings.connect_timeout_ms / 1000
        while True:
            try:
                connection = await open_connection(self._settings, self._server, APP_ROLE, part)
            except LOST as error:
                if time.monotonic() > deadline:
                    raise ConfigurationError(f"the database does not answer: {error}") from error
                if self._server is not None and not isinstance(error, asyncpg.PostgresError):
                    await asyncio.to_thread(self._server.ensure_running)
                await asyncio.sleep(0.05)
            else:
                if self._watch is not None:
                    connection.add_query_logger(self._watch)
                return connection


async def open_connection(
    settings: Settings, server: EmbeddedServer | None, role: str, part: str
) -> Connection:
    """Connect once, as one role. Raises ConfigurationError for what waiting does not mend."""
    server_settings = {
        "application_name": f"wufeng {part}",
        "statement_timeout": str(settings.statement_timeout_ms),
        "lock_timeout": str(settings.lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(2 * settings.statement_timeout_ms),
        "timezone": "UTC",
        "jit": "off",
        "search_path": "public",
    }
    if role != APP_ROLE:  # migrations and upkeep may take as long as they need
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            del server_settings[name]
    connection = await _connect(settings, server, role, server_settings)
    _tell_array_types(connection)
    return connection


def _tell_array_types(connection: Connection) -> None:
    """Tell the driver what it would ask of the server. The way is not documented: without it the driver asks."""
    with suppress(AttributeError, TypeError, LookupError):
        connection.get_settings().register_data_types(ARRAY_TYPES)


async def _connect(
    settings: Settings, server: EmbeddedServer | None, role: str, server_settings: dict[str, str]
) -> Connection:
    try:
        if server is not None:
            return await asyncpg.connect(
                host=str(server.socket_dir),
                port=PORT,
                user=role,
                database=settings.database_name,
                ssl=False,
                timeout=10,
                statement_cache_size=1_000,
                max_cached_statement_lifetime=0,
                max_cacheable_statement_size=0,
                server_settings=server_settings,
            )
        url = settings.database_url if role == APP_ROLE else settings.owner_database_url
        if url is None:
            raise ConfigurationError(
                "set WUFENG_OWNER_DATABASE_URL: the same database, as the role that owns it"
            )
        return await asyncpg.connect(
            url,
            timeout=10,
            statement_cache_size=1_000,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings=server_settings,
        )
    except asyncpg.InvalidCatalogNameError:
        name = settings.database_name if server is not None else mask_url(settings.database_url or "")
        raise ConfigurationError(f"there is no database {name} yet: run `wufeng init`") from None
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        if server is not None and "does not exist" in str(error):
            raise ConfigurationError("the embedded database is not set up: run `wufeng init`") from None
        raise ConfigurationError(f"the database refuses the role: {error}") from None
    except (ValueError, asyncpg.ClientConfigurationError) as error:
        raise ConfigurationError(f"WUFENG_DATABASE_URL is no database's address: {error}") from None


async def server_facts(connection: Connection) -> ServerFacts:
    """Ask the server about itself and about the connection's role."""
    row = await connection.fetchrow(SQL.server_facts)
    assert row is not None
    return ServerFacts(**dict(row))


def refuse_unfit(facts: ServerFacts, durability: Durability) -> None:
    """Raise ConfigurationError for a server that may lose what it acknowledged, or a role that could change
    history.
    """
    if facts.version_num < MAJOR_VERSION * 10_000:
        raise ConfigurationError(
            f"the database is PostgreSQL {facts.version_num // 10_000}, Wufeng needs {MAJOR_VERSION} or later"
        )
    if durability is Durability.SAFE:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            if getattr(facts, name) == "off":
                raise ConfigurationError(
                    f"the database runs with {name} = off and may lose payments it has confirmed: "
                    "switch it on"
                )
    if facts.server_encoding != "UTF8":
        raise ConfigurationError(f"the database's encoding is {facts.server_encoding}, it must be UTF8")
    if facts.is_superuser or facts.owns_something or facts.role_name in (SUPERUSER, OWNER_ROLE):
        raise ConfigurationError(
            f"the role {facts.role_name} could change the ledger's history (a superuser, or an owner "
            "of tables): "
            f"connect as {APP_ROLE}"
        )


async def close(connection: Connection) -> None:
    """Close a connection; one that does not answer is dropped."""
    with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.close(timeout=5)
