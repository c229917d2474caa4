"""API keys in the database: a reference table."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from asyncpg import Record

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.keys.model import ApiKey, KeyKind, Scope

SQL = load(__file__)


async def insert_key(db: Connection, key: ApiKey) -> None:
    """Write a new key."""
    await db.execute(
        SQL.insert_key,
        key.id,
        key.book_id,
        key.kind.value,
        key.owner_id,
        key.name,
        key.prefix,
        key.secret_hash,
        sorted(scope.value for scope in key.scopes),
        key.created_at,
        list(key.addresses),
    )


async def load_keys(db: Connection, ids: Collection[UUID]) -> dict[UUID, tuple[ApiKey, int]]:
    """Keys, revoked ones too, each with its book's clock offset of this moment (microseconds)."""
    return {
        row["id"]: (_key(row), row["clock_offset_us"]) for row in await db.fetch(SQL.load_keys, list(ids))
    }


async def load_key(db: Connection, book_id: int, key_id: UUID) -> ApiKey | None:
    """One key of a book, a revoked one too."""
    found = (await load_keys(db, [key_id])).get(key_id)
    return found[0] if found is not None and found[0].book_id == book_id else None


async def list_keys(db: Connection, book_id: int, owner_id: UUID, after: UUID, at_most: int) -> list[ApiKey]:
    """Keys of one owner, oldest first, after one of them."""
    return [_key(row) for row in await db.fetch(SQL.list_keys, book_id, owner_id, after, at_most)]


async def revoke_key(db: Connection, book_id: int, owner_id: UUID, key_id: UUID, at: datetime) -> bool:
    """End a key of that owner; False when there is no living one."""
    return await db.fetchval(SQL.revoke_key, key_id, book_id, owner_id, at) is not None


async def mark_used(db: Connection, ids: Collection[UUID], on: date) -> None:
    """Remember that keys were used on a date."""
    await db.execute(SQL.mark_used, list(ids), on)


def _key(row: Record) -> ApiKey:
    return ApiKey(
        id=row["id"],
        book_id=row["book"],
        kind=KeyKind(row["kind"]),
        owner_id=row["owner_id"],
        name=row["name"],
        prefix=row["prefix"],
        secret_hash=row["secret_hash"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        last_used_on=row["last_used_on"],
        addresses=tuple(row["addresses"]),
    )
