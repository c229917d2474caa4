"""Passkeys and challenges in the database; a challenge that is nobody's yet is homed by its own id."""

from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.passkeys.model import CHALLENGE_LASTS, Ask, Passkey, PasskeyStatus

SQL = load(__file__)


class NewPasskey(Struct, frozen=True, kw_only=True):
    """A passkey about to be written."""

    id: UUID
    person_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    device_id: UUID | None
    created_at: datetime


async def insert_challenge(
    db: Connection, bucket: int, challenge_id: UUID, ask: Ask, challenge: bytes, at: datetime
) -> None:
    """Write what is asked; it is good for one answer within five minutes."""
    await db.execute(
        SQL.insert_challenge,
        bucket,
        challenge_id,
        ask.purpose.value,
        ask.person_id,
        ask.digest,
        challenge,
        at,
        at + CHALLENGE_LASTS,
    )


async def take_challenge(
    db: Connection, bucket: int, challenge_id: UUID, ask: Ask, challenge: bytes, at: datetime
) -> bool:
    """Use a challenge up; False for one that is unknown, used, too old or for something else."""
    values: tuple[Any, ...] = (challenge, ask.purpose.value, ask.person_id, ask.digest, at)
    return await db.fetchval(SQL.take_challenge, bucket, challenge_id, *values) is True


async def forget_challenges(db: Connection, bucket: int, before: datetime, at_most: int) -> int:
    """Delete challenges that nobody can answer any more; returns how many."""
    return len(await db.fetch(SQL.forget_challenges, bucket, before, at_most))


async def insert_passkey(db: Connection, bucket: int, passkey: NewPasskey) -> bool:
    """Write a passkey; False when the person has it already."""
    id_ = await db.fetchval(
        SQL.insert_passkey,
        bucket,
        passkey.id,
        passkey.person_id,
        passkey.credential_id,
        passkey.public_key,
        passkey.sign_count,
        passkey.name,
        passkey.device_id,
        passkey.created_at,
    )
    return id_ is not None


async def load_passkey(db: Connection, bucket: int, person_id: UUID, credential_id: bytes) -> Passkey | None:
    """An active passkey of that person; None for every other."""
    row = await db.fetchrow(SQL.load_passkey, bucket, person_id, credential_id)
    return None if row is None else _passkey(row)


async def list_passkeys(db: Connection, bucket: int, person_id: UUID) -> list[Passkey]:
    """The passkeys of a person, newest first, without the deleted ones: a few."""
    return [_passkey(row) for row in await db.fetch(SQL.list_passkeys, bucket, person_id)]


async def advance_count(db: Connection, bucket: int, passkey_id: UUID, count: int, at: datetime) -> bool:
    """Keep a counter that has grown; False when it has not, or the passkey is not active any more."""
    return await db.fetchval(SQL.advance_count, bucket, passkey_id, count, at) is not None


async def suspend_passkey(db: Connection, bucket: int, passkey_id: UUID, at: datetime) -> bool:
    """Stop an active passkey; False when it is none any more."""
    sources = [PasskeyStatus.ACTIVE.value]
    target = PasskeyStatus.SUSPENDED.value
    return await db.fetchval(SQL.move_status, bucket, passkey_id, sources, target, at) is not None


async def rename_passkey(
    db: Connection, bucket: int, passkey_id: UUID, person_id: UUID, name: str
) -> Passkey | None:
    """Give a passkey of that person another name; None when there is none."""
    row = await db.fetchrow(SQL.rename_passkey, bucket, passkey_id, person_id, name)
    return None if row is None else _passkey(row)


async def delete_passkey(
    db: Connection, bucket: int, passkey_id: UUID, person_id: UUID, at: datetime
) -> Passkey | None:
    """Delete a passkey of that person; None when there is none."""
    row = await db.fetchrow(SQL.delete_passkey, bucket, passkey_id, person_id, at)
    return None if row is None else _passkey(row)


async def delete_of_device(db: Connection, bucket: int, device_id: UUID, at: datetime) -> None:
    """Delete the passkeys that a device alone holds."""
    await db.execute(SQL.delete_of_device, bucket, device_id, at)


async def delete_on_devices(db: Connection, bucket: int, person_id: UUID, at: datetime) -> None:
    """Delete all passkeys of a person that single devices hold; synced ones stay."""
    await db.execute(SQL.delete_on_devices, bucket, person_id, at)


async def erase_of_person(db: Connection, bucket: int, person_id: UUID) -> None:
    """Remove all that is known of the passkeys of a person who is erased."""
    await db.execute(SQL.erase_of_person, bucket, person_id)


def _passkey(row: Record) -> Passkey:
    return Passkey(**{**dict(row), "status": PasskeyStatus(row["status"])})
