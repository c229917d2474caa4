"""Top-ups and withdrawals in their table."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.wallets.model import Movement, MovementKind, MovementStatus, Usage

SQL = load(__file__)


async def insert_movements(db: Connection, bucket: int, movements: Sequence[Movement]) -> None:
    """Append pending movements."""
    await db.execute(
        SQL.insert_movements,
        bucket,
        [m.id for m in movements],
        [m.kind.value for m in movements],
        [m.person_id for m in movements],
        [m.wallet_id for m in movements],
        [m.bank_account_id for m in movements],
        [m.amount_minor for m in movements],
        [m.currency for m in movements],
        [m.asked_on for m in movements],
        [m.created_at for m in movements],
    )


async def end_movements(db: Connection, bucket: int, movements: Sequence[Movement]) -> None:
    """Write how pending movements ended. Asserts that each was pending: their people are locked."""
    moved = await db.fetch(
        SQL.end_movements,
        bucket,
        [m.id for m in movements],
        [m.status.value for m in movements],
        [m.posted_on for m in movements],
        [m.failure for m in movements],
    )
    assert len(moved) == len(movements), "a movement ends once"


async def load_movements(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Movement]:
    """Movements by id; an unknown id is absent."""
    return {row["id"]: _movement(row) for row in await db.fetch(SQL.load_movements, bucket, list(ids))}


async def list_movements(
    db: Connection, bucket: int, wallet_id: UUID, kind: MovementKind | None, before: UUID | None, limit: int
) -> list[Movement]:
    """A wallet's movements, newest first; `before` is the last id of the page before."""
    wanted = kind.value if kind else None
    rows = await db.fetch(SQL.list_movements, bucket, wallet_id, wanted, before, limit)
    return [_movement(row) for row in rows]


async def load_usage(db: Connection, bucket: int, wallets: Collection[UUID], on: date) -> dict[UUID, Usage]:
    """What wallets have asked for on a business date, and what is under way; a wallet without either is absent."""
    return {
        row["wallet_id"]: Usage(
            row["top_ups_today_minor"], row["withdrawals_today_minor"], row["top_ups_pending_minor"]
        )
        for row in await db.fetch(SQL.load_usage, bucket, list(wallets), on)
    }


def _movement(row: asyncpg.Record) -> Movement:
    return Movement(
        id=row["id"],
        kind=MovementKind(row["kind"]),
        status=MovementStatus(row["status"]),
        person_id=row["person_id"],
        wallet_id=row["wallet_id"],
        bank_account_id=row["bank_account_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        asked_on=row["asked_on"],
        posted_on=row["posted_on"],
        failure=row["failure"],
        created_at=row["created_at"],
    )
