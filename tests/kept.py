"""Databases that serve one test after another, each of which finds them as it would find a copy of its own.

A copy of a template costs thirty milliseconds, and every connection to it has all to learn and to plan anew: a hundred
more for an application that is opened, asked once and proved. So a database stays, and with it the server's side of
its connections. After a test one call takes out all that was written, and puts back what the template holds. What that
call cannot undo is not kept: a schema that changed, a connection that is still open, many rows, an error. Then the
database is dropped, and the next test gets a copy.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from typing import Any

import asyncpg
from msgspec.structs import replace

from wufeng.base import database
from wufeng.base.config import Settings
from wufeng.base.database import Connection, close, open_connection
from wufeng.base.embedded import APP_ROLE, SUPERUSER, EmbeddedServer

USES_MAX = 60
"""Tests that a database serves: dead rows gather in it, and plans in its connections."""
TEMPLATES_MAX = 2
"""Databases that wait for a test, each a copy of another template: folders come one after another."""
ROWS_MAX = 5_000
"""Rows that are worth deleting: with more, a new copy is quicker."""

TABLES = """
select table_.oid::regclass::text as name,
       (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
         where attrelid = table_.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns
  from pg_class as table_
 where table_.relkind = 'r' and table_.relnamespace = 'public'::regnamespace
 order by 1
"""
CATALOGUES = {
    "pg_class": "oid",
    "pg_attribute": "attrelid",
    "pg_attrdef": "oid",
    "pg_constraint": "oid",
    "pg_trigger": "oid",
    "pg_proc": "oid",
    "pg_rewrite": "oid",
    "pg_statistic": "starelid",
}
"""Where the schema is written down, and what is known of the rows, by which statements are planned. Numbers above 16383
are not PostgreSQL's own.
"""
SCHEMA = "select array[{}]".format(
    ", ".join(
        f"(select count(*) from {table} where {number} > 16383),"
        f" (select max(xmin::text::bigint) from {table} where {number} > 16383)"
        for table, number in CATALOGUES.items()
    )
)
"""How many of each there are, and which transaction was the last to change one."""
BACKENDS = "select count(*) from pg_stat_activity where datname = current_database()"
SEQUENCES = (
    "select format('%I.%I', schemaname, sequencename) as name, last_value, start_value from pg_sequences"
)

RESTORE = """
create function pg_temp.restore(since bigint, out gone bigint, out at bigint, out schema bigint[])
as $restore$
declare
    n bigint;
    newest bigint;
begin
    gone := 0;
    {statements}
    at := pg_current_xact_id()::text::bigint;
    schema := ({schema});
end $restore$ language plpgsql
"""


class Closed:
    """What a connection is to whoever has closed it."""

    def is_closed(self) -> bool:
        return True

    def terminate(self) -> None:
        """There is nothing left to end."""

    async def close(self, *, timeout: float | None = None) -> None:
        """There is nothing left to close."""

    def __getattr__(self, name: str) -> Any:
        raise asyncpg.InterfaceError("connection is closed")


class Lease:
    """A connection to a kept database, until its holder closes it: then the next one gets it, and this is closed."""

    def __init__(self, connection: Connection, give_back: Callable[["Lease", Connection], None]) -> None:
        self._connection: Any = connection
        self._give_back = give_back

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def close(self, *, timeout: float | None = None) -> None:
        """Give it back."""
        connection, self._connection = self._connection, Closed()
        if not connection.is_closed():
            self._give_back(self, connection)

    def terminate(self) -> None:
        """End it at once, whatever it is doing."""
        connection, self._connection = self._connection, Closed()
        connection.terminate()


class Kept:
    """One database that is used again and again, with the connections of the application's role to it."""

    def __init__(self, name: str, template: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.template = template
        self.loop = loop
        self.uses = 0
        self.restorer: Connection | None = None
        self.since = 0
        self.schema: list[int] = []
        self._idle: dict[tuple[Any, ...], list[Connection]] = {}
        self._leases: dict[Lease, tuple[Any, ...]] = {}

    @property
    def connections(self) -> int:
        """How many connections wait for the next test."""
        return sum(len(waiting) for waiting in self._idle.values())

    async def connect(self, settings: dict[str, str], open_: Callable[[], Any]) -> Lease:
        """A connection with these settings, as if it had just been opened."""
        key = tuple(sorted((name, value) for name, value in settings.items() if name != "application_name"))
        waiting = self._idle.setdefault(key, [])
        while waiting:
            connection = waiting.pop()
            with contextlib.suppress(*database.LOST, asyncpg.InterfaceError):
                await connection.execute(
                    f"reset all; set application_name to '{settings['application_name']}'"
                )
                break
            connection.terminate()
        else:
            connection = await open_()
        lease = Lease(connection, self._take)
        self._leases[lease] = key
        return lease

    def _take(self, lease: Lease, connection: Connection) -> None:
        key = self._leases.pop(lease)
        if connection.is_in_transaction():
            connection.terminate()
            return
        connection._query_loggers.clear()
        self._idle[key].append(connection)

    def left_open(self) -> bool:
        """Whether somebody still holds a connection. It is ended."""
        held = [lease for lease in self._leases if not lease.is_closed()]
        for lease in held:
            lease.terminate()
        self._leases.clear()
        return bool(held)

    def end(self) -> None:
        """End all its connections."""
        self.left_open()
        for waiting in self._idle.values():
            for connection in waiting:
                connection.terminate()
        self._idle.clear()


class Keeper:
    """The kept databases of this test process.

    create, drop  make a database of a name from a template, and remove one
    """

    def __init__(
        self,
        server: EmbeddedServer,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        create: Callable[[str, str], None],
        drop: Callable[[str], None],
    ) -> None:
        self._server = server
        self._settings = settings
        self._loop = loop
        self._create = create
        self._drop = drop
        self._runner = asyncio.Runner()
        self._free: dict[str, Kept] = {}
        self._used: dict[str, Kept] = {}

    def take(self, template: str) -> Kept:
        """A database like a fresh copy of the template, if it is none."""
        kept = self._free.pop(template, None)
        if kept is None:
            kept = Kept(f"test_{uuid.uuid4().hex[:16]}", template, self._loop)
            self._create(kept.name, template)
            self._runner.run(self._remember(kept))
        self._used[kept.name] = kept
        return kept

    def give_back(self, kept: Kept) -> bool:
        """The test is over. Whether the database is kept for the next one."""
        del self._used[kept.name]
        kept.uses += 1
        stays = not kept.left_open() and kept.uses < USES_MAX and self._runner.run(self._restored(kept))
        if stays:
            self._free[kept.template] = kept
        else:
            self._end(kept)
        if len(self._free) > TEMPLATES_MAX:
            self._end(self._free.pop(next(iter(self._free))))
        return stays

    def close(self) -> None:
        """End all."""
        for kept in [*self._free.values(), *self._used.values()]:
            self._end(kept)
        self._runner.close()

    def hand_out(self) -> Callable[[], None]:
        """From now on connections in the application's role to kept databases are leases. Undone by the result."""
        connect = database._connect

        async def leased(settings: Settings, server: Any, role: str, wanted: dict[str, str]) -> Any:
            kept = self._used.get(settings.database_name)
            is_ours = role == APP_ROLE and settings.database_url is None
            if kept is None or not is_ours or asyncio.get_running_loop() is not kept.loop:
                return await connect(settings, server, role, wanted)
            return await kept.connect(wanted, lambda: connect(settings, server, role, wanted))

        database._connect = leased
        return lambda: setattr(database, "_connect", connect)

    def _end(self, kept: Kept) -> None:
        kept.end()
        if kept.restorer is not None:
            self._runner.run(close(kept.restorer))
        self._drop(kept.name)

    async def _remember(self, kept: Kept) -> None:
        """Remember what a new database holds."""
        own = replace(self._settings, database_name=kept.name)
        kept.restorer = db = await open_connection(own, self._server, SUPERUSER, "tests")
        await db.execute("set session_replication_role = replica; set lock_timeout = '2s'")
        statements = []
        tables = await db.fetch(TABLES)
        filled = await db.fetch(
            " union all ".join(
                f"select '{t['name']}' as name where exists (select from {t['name']})" for t in tables
            )
        )
        names = {row["name"] for row in filled}
        for number, table in enumerate(tables):
            name, columns = table["name"], table["columns"]
            if name not in names:
                statements.append(f"delete from {name}; get diagnostics n = row_count; gone := gone + n;")
                continue
            await db.execute(f"create temp table was_{number} as table {name}")
            count = await db.fetchval(f"select count(*) from {name}")
            statements.append(
                f"select count(*), max(xmin::text::bigint) into n, newest from {name};\n"
                f"if n <> {count} or newest > since then\n"
                f"  delete from {name}; gone := gone + n;\n"
                f"  insert into {name} ({columns}) overriding system value select {columns} from was_{number};\n"
                f"end if;"
            )
        for sequence in await db.fetch(SEQUENCES):
            value, is_used = sequence["last_value"], sequence["last_value"] is not None
            statements.append(
                f"perform setval('{sequence['name']}', {value if is_used else sequence['start_value']}, {is_used});"
            )
        await db.execute(RESTORE.format(statements="\n".join(statements), schema=SCHEMA))
        kept.schema = await db.fetchval(SCHEMA)
        kept.since = await db.fetchval("select pg_current_xact_id()::text::bigint")

    async def _restored(self, kept: Kept) -> bool:
        try:
            if kept.restorer is None:
                return False
            row = await kept.restorer.fetchrow("select * from pg_temp.restore($1)", kept.since)
            alone = await _alone(kept.restorer, kept.connections + 1)
        except (asyncpg.PostgresError, *database.LOST):
            return False
        kept.since = row["at"]
        return alone and row["schema"] == kept.schema and row["gone"] <= ROWS_MAX


async def _alone(db: Connection, expected: int) -> bool:
    """Whether nobody else is connected; who has just left may take a moment."""
    for _ in range(10):
        if await db.fetchval(BACKENDS) <= expected:
            return True
        await asyncio.sleep(0.003)
    return False
