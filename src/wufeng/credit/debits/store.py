"""Where tries are kept, and how lines to be tried are found. Everything works in one bucket."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.close.sweep import Due
from wufeng.credit.debits.model import Asked, Tried

SQL = load(__file__)

ACCOUNT_CLOSED = "account_closed"
"""What a bank says of an account that no longer exists; it is not asked about it again."""


async def load_tries(db: Connection, bucket: int, line_ids: Collection[UUID]) -> dict[UUID, Tried]:
    """The last tries of some lines; one that was never tried is absent."""
    rows = await db.fetch(SQL.load_tries, bucket, line_ids)
    return {row["line_id"]: Tried(row["tried_on"], row["tries"]) for row in rows}


async def mark_tried(db: Connection, bucket: int, line_ids: Collection[UUID], on: date, number: int) -> None:
    """Note that a try (0-based) of a date was made, whatever came of it."""
    await db.execute(SQL.mark_tried, bucket, line_ids, on, number + 1)


async def lines_of_date(
    db: Connection, bucket: int, on: date, after: tuple[date, UUID], at_most: int
) -> list[Due]:
    """Lines that are debited, with bills due by a date, and were not tried on it yet."""
    rows = await db.fetch(SQL.lines_of_date, bucket, on, *after, at_most)
    return [Due(**dict(row)) for row in rows]


async def lines_of_hour(
    db: Connection,
    bucket: int,
    on: date,
    products: Mapping[str, tuple[int, ...]],
    number: int,
    after: UUID,
    at_most: int,
) -> list[Due]:
    """Lines of some versions of products that are debited, with a bill due on that very date, and had fewer tries."""
    versions = [(product, version) for product, found in products.items() for version in found]
    rows = await db.fetch(
        SQL.lines_of_hour,
        bucket,
        on,
        after,
        [product for product, _ in versions],
        [version for _, version in versions],
        number + 1,
        at_most,
    )
    return [Due(**dict(row)) for row in rows]


async def load_pending(db: Connection, bucket: int, line_ids: Collection[UUID]) -> dict[UUID, int]:
    """What is on its way to some lines, by line: repayments that no rail has answered yet. None: absent."""
    rows = await db.fetch(SQL.pending_minor, bucket, line_ids)
    return {row["line_id"]: row["amount_minor"] for row in rows}


async def insert_debits(
    db: Connection, bucket: int, asked: Mapping[UUID, UUID], on: date, number: int
) -> None:
    """Keep which repayments a try has asked outside rails for: line by repayment."""
    await db.execute(SQL.insert_debits, bucket, list(asked), list(asked.values()), on, number)


async def load_debits(db: Connection, bucket: int, repayment_ids: Sequence[UUID]) -> list[Asked]:
    """The tries behind some repayments; one that nobody but a person asked for is absent."""
    rows = await db.fetch(SQL.load_debits, bucket, repayment_ids)
    return [Asked(row["repayment_id"], row["line_id"], row["tried_on"], row["number"]) for row in rows]


async def refused_sources(
    db: Connection, bucket: int, line_ids: Collection[UUID], on: date, number: int
) -> dict[UUID, set[UUID]]:
    """Sources that are not to be asked in a try, by line: they have refused it already, or are closed."""
    refused: dict[UUID, set[UUID]] = {}
    for row in await db.fetch(SQL.refused_sources, bucket, line_ids, on, number, ACCOUNT_CLOSED):
        refused.setdefault(row["line_id"], set()).add(row["source_id"])
    return refused


async def people_of_lines(db: Connection, bucket: int, line_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The person of each line."""
    return {row["id"]: row["person_id"] for row in await db.fetch(SQL.people_of_lines, bucket, line_ids)}
