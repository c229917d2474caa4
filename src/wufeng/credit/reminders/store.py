"""Where it is kept of which bills somebody was reminded. Everything works in one bucket."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.close.sweep import Due
from wufeng.credit.reminders.model import Reminding

SQL = load(__file__)


async def lines_to_remind(
    db: Connection,
    bucket: int,
    remindings: Sequence[Reminding],
    on: date,
    after: tuple[date, UUID],
    at_most: int,
) -> list[Due]:
    """Lines with a bill of which a date reminds, and nobody has been reminded on it yet."""
    rows = await db.fetch(
        SQL.lines_to_remind,
        bucket,
        on,
        sorted({one.due_on for one in remindings}),
        [one.product for one in remindings],
        [one.version for one in remindings],
        [one.due_on for one in remindings],
        *after,
        at_most,
    )
    return [Due(**dict(row)) for row in rows]


async def load_reminded(db: Connection, bucket: int, bill_ids: Collection[UUID]) -> dict[UUID, date]:
    """The last date on which somebody was reminded of some bills; one of which nobody was is absent."""
    rows = await db.fetch(SQL.load_reminded, bucket, bill_ids)
    return {row["bill_id"]: row["reminded_on"] for row in rows}


async def mark_reminded(db: Connection, bucket: int, bill_ids: Collection[UUID], on: date) -> None:
    """Note that a date has reminded of some bills."""
    await db.execute(SQL.mark_reminded, bucket, bill_ids, on)
