"""Pay codes in their tables: codes and handles are homed by their own hashes, choices with their person."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.pay.model import Funding
from wufeng.payments.pay_codes.model import Choice, Handle, Made, Standing

SQL = load(__file__)


def _funding(row: asyncpg.Record) -> Funding:
    return Funding(use_wallet=row["use_wallet"], line_id=row["line_id"], tenor=row["tenor"])


async def choose(
    db: Connection, bucket: int, device_id: UUID, person_id: UUID, funding: Funding | None, at: datetime
) -> Choice:
    """Keep what a device's codes pay with, and lock it; None keeps what was chosen before, at first the wallet."""
    row = await db.fetchrow(
        SQL.choose,
        bucket,
        device_id,
        person_id,
        funding is not None,
        funding.use_wallet if funding is not None else True,
        funding.line_id if funding is not None else None,
        funding.tenor if funding is not None else 1,
        at,
    )
    assert row is not None, "a device is one person's for ever"
    return Choice(_funding(row), row["handle_name"])


async def load_choice(db: Connection, bucket: int, device_id: UUID) -> Choice | None:
    """What a device's codes pay with; None: it never showed one."""
    row = await db.fetchrow(SQL.load_choice, bucket, device_id)
    return None if row is None else Choice(_funding(row), row["handle_name"])


async def set_handle(db: Connection, bucket: int, device_id: UUID, name: UUID) -> None:
    """Make this the one handle of a device."""
    await db.execute(SQL.set_handle, bucket, device_id, name)


async def stop(
    db: Connection, bucket: int, device_id: UUID, person_id: UUID, at: datetime
) -> tuple[bool, UUID | None]:
    """End all codes of a device made so far: whether it ever had any, and the handle that it had."""
    row = await db.fetchrow(SQL.stop, bucket, device_id, person_id, at)
    return (False, None) if row is None else (True, row["handle_name"])


async def insert_handle(
    db: Connection,
    bucket: int,
    name: UUID,
    person_id: UUID,
    device_id: UUID,
    secret: bytes,
    at: datetime,
) -> bool:
    """Keep a new handle; False when another has it."""
    return (await db.fetchval(SQL.insert_handle, bucket, name, person_id, device_id, secret, at)) is not None


async def delete_handle(db: Connection, bucket: int, name: UUID) -> None:
    """Let a handle go."""
    await db.execute(SQL.delete_handle, bucket, name)


async def load_handles(db: Connection, bucket: int, names: Sequence[UUID]) -> dict[UUID, Handle]:
    """Handles by their names; an unknown one is absent."""
    return {
        row["name"]: Handle(row["person_id"], row["device_id"], row["secret"], row["tries"])
        for row in await db.fetch(SQL.load_handles, bucket, list(names))
    }


async def spend_try(db: Connection, bucket: int, name: UUID, at_most: int) -> None:
    """Count a wrong password of a handle."""
    await db.execute(SQL.spend_try, bucket, name, at_most)


async def forgive_tries(db: Connection, bucket: int, name: UUID, tries: int) -> None:
    """Forget wrong passwords after a right one, unless another wrong one came meanwhile."""
    await db.execute(SQL.forgive_tries, bucket, name, tries)


async def insert_code(
    db: Connection,
    bucket: int,
    name: UUID,
    person_id: UUID,
    device_id: UUID,
    at: datetime,
    expires_at: datetime,
) -> None:
    """Keep a code that was made here."""
    await db.execute(SQL.insert_code, bucket, name, person_id, device_id, at, expires_at)


async def load_codes(db: Connection, bucket: int, names: Sequence[UUID]) -> dict[UUID, Made]:
    """Codes made here, by their names; an unknown one is absent."""
    return {
        row["name"]: Made(row["person_id"], row["device_id"], row["created_at"], row["expires_at"])
        for row in await db.fetch(SQL.load_codes, bucket, list(names))
    }


async def load_standings(
    db: Connection, bucket: int, wanted: Sequence[tuple[UUID, UUID]], at: datetime
) -> dict[tuple[UUID, UUID], Standing]:
    """How (device, code) pairs stand; a device that never showed a code is absent."""
    rows = await db.fetch(
        SQL.load_standings, bucket, [device for device, _ in wanted], [code for _, code in wanted], at
    )
    return {
        (row["device_id"], row["code_id"]): Standing(
            row["person_id"],
            row["handle_name"],
            row["stopped_at"],
            _funding(row),
            row["is_live"],
            row["is_used"],
        )
        for row in rows
    }


async def count_miss(
    db: Connection, bucket: int, name: UUID, at: datetime, since: datetime
) -> tuple[int, datetime]:
    """Count a code that was not accepted from somebody: how many in the window, and when that began."""
    row = await db.fetchrow(SQL.count_miss, bucket, name, at, since)
    assert row is not None
    return row["misses"], row["window_at"]


async def forget_codes(db: Connection, bucket: int, before: datetime, at_most: int) -> int:
    """Delete codes that play no part any more; returns how many."""
    return len(await db.fetch(SQL.forget_codes, bucket, before, at_most))


async def forget_misses(db: Connection, bucket: int, before: datetime, at_most: int) -> int:
    """Delete counts whose window is over; returns how many."""
    return len(await db.fetch(SQL.forget_misses, bucket, before, at_most))
