"""Where refunds of draws are kept, so that a line's history can be folded again."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.history.model import Refunded as RefundEvent
from wufeng.credit.lines.store import array_literal
from wufeng.credit.refunds.model import RefundRequest, Returned

SQL = load(__file__)

_RETURNED = msgspec.json.Decoder(tuple[Returned, ...])


class NewRefund(Struct, frozen=True):
    """A refund with what it gave back: money to sources of repayments, and a merchant's share of fees."""

    request: RefundRequest
    returned: tuple[Returned, ...]
    subsidy_returned_minor: int


async def insert_refunds(db: Connection, bucket: int, refunds: Sequence[NewRefund]) -> None:
    """Keep refunds with what they gave back."""
    requests = [new.request for new in refunds]
    await db.execute(
        SQL.insert_refunds,
        bucket,
        [request.id for request in requests],
        [request.line_id for request in requests],
        [array_literal(request.draw_ids) for request in requests],
        [request.amount_minor for request in requests],
        [request.value_on or request.on for request in requests],
        [msgspec.json.encode(new.returned).decode() for new in refunds],
        [request.merchants_fault for request in requests],
        [new.subsidy_returned_minor for new in refunds],
        [request.on for request in requests],
        [request.undone for request in requests],
    )


async def is_refunded_since(db: Connection, bucket: int, line_id: UUID, seq: int) -> bool:
    """Whether a refund of a line was booked after a number of the bucket."""
    return bool(await db.fetchval(SQL.is_refunded_since, bucket, line_id, seq))


async def load_returned(
    db: Connection, bucket: int, refund_ids: Collection[UUID]
) -> dict[UUID, tuple[Returned, ...]]:
    """By refund: the money that it gave back, in its order."""
    rows = await db.fetch(SQL.load_returned, bucket, refund_ids)
    return {row["id"]: _RETURNED.decode(row["returned"]) for row in rows}


async def update_returned(db: Connection, bucket: int, returned: Mapping[UUID, tuple[Returned, ...]]) -> None:
    """Keep all the money that refunds have given back by now."""
    texts = [msgspec.json.encode(one).decode() for one in returned.values()]
    await db.execute(SQL.update_returned, bucket, list(returned), texts)


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
            row["undone"],
            made_on=row["posted_on"],
        )
        for row in await db.fetch(SQL.load_refunds_of_line, bucket, line_id)
    ]
