"""The bank's work list in its table."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.bank.model import Claimed, Direction, Kind, NewInstruction

SQL = load(__file__)


class Open(Struct, frozen=True):
    """How many instructions of a kind have no definite answer, and since when the oldest waits."""

    kind: Kind
    count: int
    oldest_at: datetime


async def insert_instructions(
    db: Connection, bucket: int, instructions: Sequence[NewInstruction], at: datetime
) -> None:
    """Put instructions on the list, due at once. One that is there stays as it is."""
    await db.execute(
        SQL.insert_instructions,
        bucket,
        [i.id for i in instructions],
        [i.kind.value for i in instructions],
        [i.direction.value for i in instructions],
        [i.owner_id for i in instructions],
        [i.bank_account_id for i in instructions],
        [i.amount_minor for i in instructions],
        [i.currency for i in instructions],
        at,
    )


async def claim_instructions(
    db: Connection, bucket: int, at: datetime, lease_until: datetime, kinds: Collection[Kind], at_most: int
) -> list[Claimed]:
    """Take due instructions of those kinds under a lease, those that have waited longest first."""
    rows = await db.fetch(
        SQL.claim_instructions, bucket, at, lease_until, [kind.value for kind in kinds], at_most
    )
    return [_claimed(row) for row in rows]


async def load_open(db: Connection, bucket: int, id_: UUID) -> Claimed | None:
    """An instruction that was sent and has no definite answer yet, without a lease."""
    row = await db.fetchrow(SQL.load_open, bucket, id_)
    return None if row is None else _claimed(row)


async def postpone(db: Connection, bucket: int, claimed: Claimed, next_at: datetime) -> None:
    """End our lease without a definite answer. Nothing happens when the lease is another's by now."""
    await db.execute(SQL.postpone, bucket, claimed.id, claimed.tries, next_at)


async def end_instruction(
    db: Connection, bucket: int, id_: UUID, status: str, code: str, at: datetime
) -> None:
    """Record the definite answer, after its object has taken it. One that has ended stays as it is."""
    await db.execute(SQL.end_instruction, bucket, id_, status, code, at)


async def open_counts(db: Connection, buckets: Sequence[int]) -> list[Open]:
    """What waits for the bank, by kind; for health checks and metrics."""
    rows = await db.fetch(SQL.open_counts, list(buckets))
    return [Open(Kind(row["kind"]), row["open"], row["oldest_at"]) for row in rows]


def _claimed(row: asyncpg.Record) -> Claimed:
    return Claimed(
        id=row["id"],
        kind=Kind(row["kind"]),
        direction=Direction(row["direction"]),
        owner_id=row["owner_id"],
        bank_account_id=row["bank_account_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        tries=row["tries"],
    )
