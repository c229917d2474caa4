"""What the doctor asks the database."""

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.migrations import Applied
from wufeng.base.sql import load

SQL = load(__file__)


class ServerSettings(Struct, frozen=True):
    """The server's settings that matter, as it says them."""

    fsync: str
    full_page_writes: str
    synchronous_commit: str
    data_checksums: str
    max_connections: int
    version: str
    role_name: str


class Head(Struct, frozen=True):
    """How far a book's close has come in its slowest bucket."""

    book: int
    closed_through: date | None
    buckets: int


class Deliveries(Struct, frozen=True):
    """Webhooks given up, and those that failed more than three times."""

    dead: int
    failing: int


async def server_settings(db: Connection) -> ServerSettings:
    """The settings of the server."""
    row = await db.fetchrow(SQL.settings)
    assert row is not None
    return ServerSettings(**dict(row))


async def applied_migrations(db: Connection) -> list[Applied] | None:
    """The migrations of the database; None when it has never been migrated."""
    if not await db.fetchval(SQL.has_history):
        return None
    return [Applied(**dict(row)) for row in await db.fetch(SQL.applied)]


async def instant(db: Connection) -> datetime:
    """The instant on the database's clock."""
    found: datetime = await db.fetchval(SQL.instant)
    return found


async def wrong_rights(db: Connection, tables: Sequence[str]) -> list[str]:
    """Rights on these tables that this role should not have."""
    return [row["granted"] for row in await db.fetch(SQL.wrong_rights, list(tables))]


async def heads(db: Connection) -> list[Head]:
    """How far each book is closed."""
    return [Head(**dict(row)) for row in await db.fetch(SQL.heads)]


async def lags(db: Connection) -> dict[str, int]:
    """Numbers that followers have not handled, over all buckets; who has caught up is absent."""
    return {row["follower"]: row["lag"] for row in await db.fetch(SQL.lag)}


async def deliveries(db: Connection, buckets: Sequence[int], since: datetime) -> Deliveries:
    """Webhooks in trouble that were made since then."""
    row = await db.fetchrow(SQL.deliveries, list(buckets), since)
    assert row is not None
    return Deliveries(**dict(row))
