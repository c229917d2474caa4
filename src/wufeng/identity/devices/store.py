"""Devices in the database, in the bucket of their person."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.devices.model import Device

SQL = load(__file__)


async def insert_device(
    db: Connection, bucket: int, device_id: UUID, person_id: UUID, name: str, secret_hash: bytes, at: datetime
) -> None:
    """Write a device that was not known. The caller holds a share of the person's row."""
    await db.execute(SQL.insert_device, bucket, device_id, person_id, name, secret_hash, at)


async def see_device(
    db: Connection, bucket: int, device_id: UUID, person_id: UUID, secret_hash: bytes, at: datetime
) -> str | None:
    """The name of a living device of that person that shows its own secret; None for every other."""
    name: str | None = await db.fetchval(SQL.see_device, bucket, device_id, person_id, secret_hash, at)
    return name


async def load_living(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Device]:
    """Devices that have not been revoked. An unknown and a revoked one are absent."""
    rows = await db.fetch(SQL.load_living, bucket, list(ids))
    return {row["id"]: Device(**dict(row)) for row in rows}


async def list_devices(
    db: Connection, bucket: int, person_id: UUID, before: UUID | None, at_most: int
) -> list[Device]:
    """The living devices of a person, newest first, after one of them."""
    rows = await db.fetch(SQL.list_devices, bucket, person_id, before, at_most)
    return [Device(**dict(row)) for row in rows]


async def trust_device(db: Connection, bucket: int, device_id: UUID, at: datetime) -> None:
    """Note that the person has proved a PIN or a passkey on a device; the first time counts."""
    await db.execute(SQL.trust_device, bucket, device_id, at)


async def revoke_device(
    db: Connection, bucket: int, device_id: UUID, person_id: UUID, at: datetime
) -> Device | None:
    """Revoke a device of that person; None when there is no living one."""
    row = await db.fetchrow(SQL.revoke_device, bucket, device_id, person_id, at)
    return None if row is None else Device(**dict(row))


async def revoke_of_person(db: Connection, bucket: int, person_id: UUID, at: datetime) -> None:
    """Revoke all devices of a person: one of them is lost."""
    await db.execute(SQL.revoke_of_person, bucket, person_id, at)


async def forget_names(db: Connection, bucket: int, person_id: UUID) -> None:
    """Blank the names of the devices of a person who is erased."""
    await db.execute(SQL.forget_names, bucket, person_id)
