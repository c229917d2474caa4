"""Payment PINs in the database."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.pins.model import TRIES_MAX

SQL = load(__file__)


class Try(Struct, frozen=True):
    """A try that has been taken: what to verify against, and the how-manieth it is."""

    hash: str
    number: int

    def __repr__(self) -> str:
        return f"Try({self.number})"


async def take_try(db: Connection, bucket: int, person_id: UUID, at: datetime) -> Try | None:
    """Take one of the five tries; None when they are used up or no PIN was ever set."""
    row = await db.fetchrow(SQL.take_try, bucket, person_id, at, TRIES_MAX)
    return None if row is None else Try(row["hash"], row["tries"])


async def forgive_tries(db: Connection, bucket: int, person_id: UUID, taken: Try) -> None:
    """After a right PIN: give back its own try and the wrong ones before it."""
    await db.execute(SQL.forgive_tries, bucket, person_id, taken.number, taken.hash)


async def replace_pin(db: Connection, bucket: int, person_id: UUID, new: str, old: str, at: datetime) -> bool:
    """Put a new hash in place of the old one; False when another change came first."""
    return await db.fetchval(SQL.replace_pin, bucket, person_id, new, old, at) is not None


async def reset_pin(db: Connection, bucket: int, person_id: UUID, new: str, at: datetime) -> None:
    """Set a PIN whatever stood there, and give all tries back."""
    await db.execute(SQL.reset_pin, bucket, person_id, new, at)


async def delete_pin(db: Connection, bucket: int, person_id: UUID) -> None:
    """Remove the PIN of a person who is erased."""
    await db.execute(SQL.delete_pin, bucket, person_id)


async def has_pin(db: Connection, bucket: int, person_id: UUID) -> bool:
    """Whether there is a PIN, locked or not."""
    return bool(await db.fetchval(SQL.has_pin, bucket, person_id))
