"""Where losses are kept. Everything works inside the caller's transaction, in one bucket."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.charge_offs.rules import Lost

SQL = load(__file__)


async def lines_to_charge_off(db: Connection, bucket: int, on: date, at_most: int) -> dict[UUID, UUID]:
    """Lines, each with its person, whose loss is to be taken on a date."""
    rows = await db.fetch(SQL.lines_to_charge_off, bucket, on, at_most)
    return {row["id"]: row["person_id"] for row in rows}


async def insert_charge_offs(db: Connection, bucket: int, lost: Sequence[Lost], on: date) -> None:
    """Keep what was lost of each line."""
    await db.execute(
        SQL.insert_charge_offs,
        bucket,
        [one.debt.line.id for one in lost],
        [on] * len(lost),
        [one.principal_minor for one in lost],
        [one.interest_owed_minor for one in lost],
        [one.fee_owed_minor for one in lost],
    )
