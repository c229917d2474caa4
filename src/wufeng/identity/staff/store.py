"""Staff and their sessions in the database: reference tables."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.staff.model import LOCKED_FOR, TRIES_MAX, Role, Staff, StaffSession, StaffStatus

SQL = load(__file__)


async def insert_staff(db: Connection, staff: Staff, password_hash: str) -> bool:
    """Write a new member of staff; False when the log-in name is taken."""
    id_ = await db.fetchval(
        SQL.insert_staff,
        staff.id,
        staff.login,
        staff.name,
        password_hash,
        staff.role.value,
        list(staff.book_ids),
        staff.created_at,
    )
    return id_ is not None


async def list_staff(db: Connection) -> list[Staff]:
    """All members of staff, by log-in name."""
    return [_staff(row) for row in await db.fetch(SQL.list_staff)]


async def load_staff(db: Connection, login: str) -> Staff | None:
    """One member of staff by log-in name."""
    row = await db.fetchrow(SQL.load_staff, login)
    return None if row is None else _staff(row)


async def take_try(db: Connection, login: str, at: datetime) -> tuple[Staff, str] | None:
    """Take a try of a log-in: who it is, and the stored hash; None for an unknown, closed or locked one."""
    row = await db.fetchrow(SQL.take_try, login, at, TRIES_MAX, at - LOCKED_FOR)
    return None if row is None else (_staff(row), row["password_hash"])


async def forgive_tries(db: Connection, staff_id: UUID) -> None:
    """After a right password: all tries are there again."""
    await db.execute(SQL.forgive_tries, staff_id)


async def set_password(db: Connection, login: str, password_hash: str) -> UUID | None:
    """Replace a password; None when there is no active member of staff by that name."""
    id_: UUID | None = await db.fetchval(SQL.set_password, login, password_hash)
    return id_


async def set_role(db: Connection, login: str, role: Role) -> UUID | None:
    """Change a role; None when there is no active member of staff by that name."""
    id_: UUID | None = await db.fetchval(SQL.set_role, login, role.value)
    return id_


async def close_staff(db: Connection, login: str) -> UUID | None:
    """Close a member of staff; None when there is no active one by that name."""
    id_: UUID | None = await db.fetchval(SQL.close_staff, login)
    return id_


async def insert_session(
    db: Connection,
    id_: UUID,
    staff_id: UUID,
    book_id: int,
    secret_hash: bytes,
    at: datetime,
    expires_at: datetime,
    password_hash: str,
) -> bool:
    """Write a staff session; False when the password that was proved has been changed, or its owner closed."""
    found = await db.fetchval(
        SQL.insert_session, id_, staff_id, book_id, secret_hash, at, expires_at, password_hash
    )
    return found is not None


async def load_sessions(db: Connection, ids: Collection[UUID]) -> dict[UUID, tuple[StaffSession, int]]:
    """Staff sessions, each with its book's clock offset of this moment (microseconds)."""
    return {
        row["id"]: (
            StaffSession(
                id=row["id"],
                staff_id=row["staff_id"],
                book_id=row["book"],
                role=Role(row["role"]),
                status=StaffStatus(row["status"]),
                secret_hash=row["secret_hash"],
                expires_at=row["expires_at"],
                revoked_at=row["revoked_at"],
            ),
            row["clock_offset_us"],
        )
        for row in await db.fetch(SQL.load_sessions, list(ids))
    }


async def revoke_session(db: Connection, session_id: UUID, at: datetime) -> None:
    """End one staff session."""
    await db.execute(SQL.revoke_session, session_id, at)


async def revoke_of_staff(db: Connection, staff_id: UUID, at: datetime) -> None:
    """End all sessions of a member of staff."""
    await db.execute(SQL.revoke_of_staff, staff_id, at)


def _staff(row: Record) -> Staff:
    return Staff(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        role=Role(row["role"]),
        book_ids=tuple(row["books"]),
        status=StaffStatus(row["status"]),
        created_at=row["created_at"],
    )
