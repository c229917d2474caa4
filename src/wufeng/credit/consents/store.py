"""What people have taken back of their consents. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load

SQL = load(__file__)


async def insert_withdrawal(
    db: Connection,
    bucket: int,
    application_id: UUID,
    purpose: str,
    stops_line: UUID | None,
    at: datetime,
) -> None:
    """Keep that a consent was withdrawn; what was withdrawn before stays as it is.

    stops_line  the line that may not be drawn on without it; None: there is none
    """
    await db.execute(SQL.insert_withdrawal, bucket, application_id, purpose, stops_line, at)


async def withdrawn_of(
    db: Connection, bucket: int, applications: Collection[UUID]
) -> dict[UUID, dict[str, datetime]]:
    """When which purposes were withdrawn, by application; one of which none was is absent."""
    found: dict[UUID, dict[str, datetime]] = {}
    for row in await db.fetch(SQL.withdrawn_of, bucket, applications):
        found.setdefault(row["application_id"], {})[row["purpose"]] = row["withdrawn_at"]
    return found


async def stopped_lines(db: Connection, bucket: int, line_ids: Collection[UUID]) -> set[UUID]:
    """The lines among these that may not be drawn on any more, since a consent they need was withdrawn."""
    return {row["line_id"] for row in await db.fetch(SQL.stopped_lines, bucket, line_ids)}
