"""Sessions in the database, in the bucket of their person."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.sessions.model import Listed, Session

SQL = load(__file__)


class NewSession(Struct, frozen=True, kw_only=True):
    """A session about to be written."""

    id: UUID
    person_id: UUID
    secret_hash: bytes
    device: str
    created_at: datetime
    expires_at: datetime
    pin_at: datetime | None
    passkey_at: datetime | None
    device_id: UUID | None


class Rotated(Struct, frozen=True):
    """What a new session takes over from the one it replaces."""

    person_id: UUID
    device: str
    device_id: UUID | None
    expires_at: datetime
    pin_at: datetime | None
    passkey_at: datetime | None


async def insert_session(db: Connection, bucket: int, session: NewSession) -> None:
    """Write a session. The caller holds a share of the person's row, so that a freeze cannot overlook it."""
    await db.execute(
        SQL.insert_session,
        bucket,
        session.id,
        session.person_id,
        session.secret_hash,
        session.device,
        session.created_at,
        session.expires_at,
        session.pin_at,
        session.passkey_at,
        session.device_id,
    )


async def load_sessions(
    db: Connection, book: Book, bucket: int, ids: Collection[UUID]
) -> dict[UUID, tuple[Session, int]]:
    """Sessions of one bucket, each with its book's clock offset of this moment (microseconds)."""
    return {
        row["id"]: (
            Session(
                id=row["id"],
                person_id=row["person_id"],
                secret_hash=row["secret_hash"],
                expires_at=row["expires_at"],
                pin_at=row["pin_at"],
                passkey_at=row["passkey_at"],
                revoked_at=row["revoked_at"],
                device_id=row["device_id"],
                device_trusted=row["device_trusted"],
            ),
            row["clock_offset_us"],
        )
        for row in await db.fetch(SQL.load_sessions, bucket, list(ids), book.id)
    }


async def list_sessions(
    db: Connection, bucket: int, person_id: UUID, at: datetime, before: UUID | None, at_most: int
) -> list[Listed]:
    """The living sessions of a person, newest first, after one of them."""
    rows = await db.fetch(SQL.list_sessions, bucket, person_id, at, before, at_most)
    return [Listed(**dict(row)) for row in rows]


async def rotate_session(db: Connection, bucket: int, session_id: UUID, at: datetime) -> Rotated | None:
    """End a session so that another may take its place; None when it has ended before."""
    row = await db.fetchrow(SQL.rotate_session, bucket, session_id, at)
    return None if row is None else Rotated(**dict(row))


async def revoke_session(
    db: Connection, bucket: int, session_id: UUID, person_id: UUID, at: datetime
) -> Listed | None:
    """End a session of that person; None when there is no living one."""
    row = await db.fetchrow(SQL.revoke_session, bucket, session_id, person_id, at)
    return None if row is None else Listed(**dict(row))


async def revoke_of_person(
    db: Connection, bucket: int, person_id: UUID, at: datetime, keep_session: UUID | None = None
) -> list[Listed]:
    """End all sessions of a person but one; returns those that ended."""
    rows = await db.fetch(SQL.revoke_of_person, bucket, person_id, at, keep_session)
    return [Listed(**dict(row)) for row in rows]


async def revoke_of_device(db: Connection, bucket: int, device_id: UUID, at: datetime) -> None:
    """End all sessions that were opened on a device."""
    await db.execute(SQL.revoke_of_device, bucket, device_id, at)


async def forget_devices(db: Connection, bucket: int, person_id: UUID) -> None:
    """Blank the names of the devices of a person who is erased."""
    await db.execute(SQL.forget_devices, bucket, person_id)
