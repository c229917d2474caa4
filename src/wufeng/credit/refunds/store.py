"""Where refunds of draws are kept, so that a line's history can be folded again."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.history.model import Refunded as RefundEvent
from wufeng.credit.lines.store import array_literal
from wufeng.credit.refunds.model import Refunded, RefundRequest, Returned

SQL = load(__file__)

_RETURNED = msgspec.json.Decoder(tuple[Returned, ...])


async def insert_refunds(
    db: Connection, bucket: int, refunds: Sequence[tuple[RefundRequest, Refunded]]
) -> None:
    """Keep refunds with the money that they gave back."""
    await db.execute(
        SQL.insert_refunds,
        bucket,
        [request.id for request, _ in refunds],
        [request.line_id for request, _ in refunds],
        [array_literal(request.draw_ids) for request, _ in refunds],
        [request.amount_minor for request, _ in refunds],
        [request.on for request, _ in refunds],
        [msgspec.json.encode(done.returned).decode() for _, done in refunds],
        [request.merchants_fault for request, _ in refunds],
        [done.subsidy_returned_minor for _, done in refunds],
    )


async def load_returned(
    db: Connection, bucket: int, refund_ids: Collection[UUID]
) -> dict[UUID, tuple[Returned, ...]]:
    """By refund: the money that it gave back, in its order."""
    rows = await db.fetch(SQL.load_returned, bucket, refund_ids)
    return {row["id"]: _RETURNED.decode(row["returned"]) for row in rows}


async def load_refunds_of_line(db: Connection, bucket: int, line_id: UUID) -> list[RefundEvent]:
    """All the refunds that a line ever had, the oldest first."""
    return [
        RefundEvent(
            row["value_on"],
            row["id"],
            tuple(row["draws"]),
            row["amount_minor"],
            _RETURNED.decode(row["returned"]),
            row["merchants_fault"],
            row["subsidy_returned_minor"],
        )
        for row in await db.fetch(SQL.load_refunds_of_line, bucket, line_id)
    ]
