"""Where lenders are kept: a small reference table."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.lenders.model import Lender

SQL = load(__file__)


async def insert_lenders(db: Connection, book_id: int, lenders: Sequence[Lender], at: datetime) -> list[UUID]:
    """Keep the lenders of a book that are not there yet; returns the ids of the new ones."""
    rows = await db.fetch(
        SQL.insert_lenders,
        book_id,
        [lender.id for lender in lenders],
        [lender.code for lender in lenders],
        [lender.name_zh for lender in lenders],
        [lender.name_en for lender in lenders],
        at,
    )
    return [row["id"] for row in rows]


async def load_lenders(db: Connection) -> dict[UUID, Lender]:
    """All lenders of all books."""
    return {row["id"]: Lender(**row) for row in await db.fetch(SQL.load_lenders)}
