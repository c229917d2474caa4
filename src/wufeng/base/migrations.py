"""Migrations: numbered SQL files, applied in order, one transaction each, as the role that owns the schema.

Safe to run twice, at the same time, and to be killed half-way: a file is applied whole or not at all.
An applied file never changes (its digest is kept), and a database newer than the code is refused.
"""

import hashlib
import re
from collections.abc import Sequence
from importlib import resources

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.clock import Clock
from wufeng.base.config import Settings
from wufeng.base.database import LOST, Connection, close, open_connection
from wufeng.base.embedded import OWNER_ROLE, SUPERUSER, EmbeddedServer
from wufeng.base.errors import ConfigurationError
from wufeng.base.sql import load

SQL = load(__file__)
_FILE = re.compile(r"(\d{4})_([a-z][a-z0-9_]*)\.sql")


class Migration(Struct, frozen=True):
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text; line ends do not count."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()


class Applied(Struct, frozen=True):
    """A migration as the database remembers it."""

    number: int
    name: str
    digest: str


def shipped_migrations() -> list[Migration]:
    """The migrations of this release, in order. Two files with one number are refused."""
    found: dict[int, Migration] = {}
    for file in sorted(resources.files("wufeng.migrations").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        match = _FILE.fullmatch(file.name)
        if match is None:
            raise ConfigurationError(f"migrations/{file.name} is not named like 0001_base.sql")
        number = int(match[1])
        if number in found:
            raise ConfigurationError(
                f"two migrations have the number {number:04d}: {found[number].name}, {match[2]}"
            )
        found[number] = Migration(number, match[2], file.read_text(encoding="utf-8"))
    return list(found.values())


def pending(migrations: Sequence[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """The migrations still to apply. Refuses a changed file, a newer database, and a number inserted before
    an applied one.
    """
    by_number = {migration.number: migration for migration in migrations}
    for row in applied:
        migration = by_number.get(row.number)
        if migration is None:
            raise ConfigurationError(
                f"the database has migration {row.number:04d}_{row.name}, which this release does not know: "
                "it was made by a newer Wufeng"
            )
        if migration.digest != row.digest:
            raise ConfigurationError(
                f"migration {row.number:04d}_{row.name} was applied with another text: an applied "
                "file never changes, "
                "write a new one"
            )
    done = {row.number for row in applied}
    waiting = [migration for migration in migrations if migration.number not in done]
    if waiting and done and waiting[0].number < max(done):
        raise ConfigurationError(
            f"migration {waiting[0].number:04d}_{waiting[0].name} comes before {max(done):04d}, which "
            "is applied already"
        )
    return waiting


async def apply(db: Connection, migrations: Sequence[Migration], clock: Clock) -> list[Migration]:
    """Apply what is pending on a connection of the owner; returns what was applied. An error names the
    file.
    """
    await db.fetchval(SQL.take_lock)
    try:
        await db.execute(SQL.create_history)
        waiting = pending(migrations, await applied_migrations(db))
        for migration in waiting:
            await _apply_one(db, migration, clock)
        return waiting
    finally:
        if not db.is_closed():
            await db.fetchval(SQL.release_lock)


async def _apply_one(db: Connection, migration: Migration, clock: Clock) -> None:
    name = f"migration {migration.number:04d}_{migration.name}"
    transaction = db.transaction()
    await transaction.start()
    try:
        await db.execute(migration.text)
        await db.execute(SQL.record, migration.number, migration.name, migration.digest, clock.now())
    except asyncpg.PostgresError as error:
        if not db.is_closed():
            await transaction.rollback()
        raise ConfigurationError(f"{name} failed, nothing of it was kept: {error}") from error
    try:
        await transaction.commit()
    except LOST as error:
        raise ConfigurationError(
            f"{name}: the database went away during its commit; run `wufeng migrate` again"
        ) from error


async def applied_migrations(db: Connection) -> list[Applied]:
    """The migrations that the database remembers, in order."""
    return [Applied(**dict(row)) for row in await db.fetch(SQL.applied)]


async def migrate(settings: Settings, clock: Clock) -> list[Migration]:
    """Bring the database of an installation to this release; an embedded one is made when missing. Returns
    what was applied.
    """
    if not settings.embedded:
        db = await open_connection(settings, None, OWNER_ROLE, "migrate")
        try:
            return await apply(db, shipped_migrations(), clock)
        finally:
            await close(db)
    with EmbeddedServer(settings) as server:
        await create_database(server, settings, "template0")
        db = await open_connection(settings, server, OWNER_ROLE, "migrate")
        try:
            return await apply(db, shipped_migrations(), clock)
        finally:
            await close(db)


async def create_database(server: EmbeddedServer, settings: Settings, template: str) -> None:
    """Make the two roles and the database `settings.database_name` in an embedded server, as far as they
    are missing.
    """
    db = await connect_as_superuser(server, settings)
    try:
        for row in await db.fetch(SQL.roles_missing):
            await db.execute(await db.fetchval(SQL.create_role, row["name"]))
        if not await db.fetchval(SQL.database_exists, settings.database_name):
            await copy_database(db, settings.database_name, template)
    finally:
        await close(db)


async def copy_database(db: Connection, name: str, template: str) -> None:
    """Make a database from a template, over a superuser's connection. The two roles are there already."""
    await db.execute(await db.fetchval(SQL.create_database, name, template))
    for row in await db.fetch(SQL.close_database, name):
        await db.execute(row["format"])


async def drop_database(server: EmbeddedServer, settings: Settings) -> None:
    """Remove the database `settings.database_name` of an embedded server, whoever is connected to it."""
    db = await connect_as_superuser(server, settings)
    try:
        await remove_database(db, settings.database_name)
    finally:
        await close(db)


async def remove_database(db: Connection, name: str) -> None:
    """Remove a database over a superuser's connection, whoever is connected to it."""
    await db.execute(await db.fetchval(SQL.drop_database, name))


async def connect_as_superuser(server: EmbeddedServer, settings: Settings) -> Connection:
    """A connection to the database `postgres` of an embedded server, for what no other role may do."""
    return await open_connection(replace(settings, database_name="postgres"), server, SUPERUSER, "upkeep")
