"""From an order's bucket to its payer's: the follower of `order.shipped`."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base import faults
from wufeng.base.books import Books
from wufeng.base.database import Connection
from wufeng.base.followers import EventRow, Follower, Stream, read_events
from wufeng.base.ids import Prefix, decode
from wufeng.base.lanes import Lanes
from wufeng.payments.events import Kind
from wufeng.payments.orders.model import Receipt
from wufeng.payments.shipments import store
from wufeng.payments.shipments.commands import TakeShipments
from wufeng.payments.shipments.model import Shipment

FOLLOWER = "shipments"


class _Order(Struct, frozen=True):
    """What an event about an order says of it, as far as it matters here."""

    payment: str
    receipt: Receipt
    shipped_at: datetime


class _Shipped(Struct, frozen=True):
    row: EventRow
    payment_id: UUID
    payer_id: UUID
    at: datetime


def shipments_follower(lanes: Lanes, books: Books) -> Follower:
    """Tells the payers' buckets what was shipped, and notes here when the receipt counts as confirmed.

    The payers' lanes commit before the cursor moves. Who dies between the two tells it again, which changes nothing
    there; the note is in the cursor's own transaction. So all of it happens once, whichever buckets are concerned.
    """

    async def handle(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        rows = await read_events(db, bucket, after_seq, through_seq, [Kind.ORDER_SHIPPED])
        shipped = [one for row in rows if (one := _shipped(row)) is not None]
        if not shipped:
            return
        book = books.book_of_bucket(bucket)
        groups: dict[tuple[int, datetime], list[_Shipped]] = {}
        for one in shipped:  # orders shipped at one instant came in one batch, mostly
            groups.setdefault((book.bucket_of(one.payer_id), one.at), []).append(one)
        waiting: list[Shipment] = []
        for (payers, at), group in groups.items():
            waiting += await _tell(lanes, payers, at, group)
        faults.point("shipments_told")
        if waiting:
            await store.insert_shipments(db, bucket, waiting)

    return Follower(FOLLOWER, Stream.EVENT, handle)


async def _tell(lanes: Lanes, bucket: int, at: datetime, group: list[_Shipped]) -> list[Shipment]:
    """Tell one payers' bucket; returns which orders wait for their receipt, and until when."""
    people = tuple(sorted({one.payer_id for one in group}))
    command = TakeShipments(at=at, people=people, payments=tuple(one.payment_id for one in group))
    answer = await lanes.submit(bucket, command)
    days = msgspec.json.decode(answer.body, type=list[int | None])
    return [
        Shipment(one.row.object_id, one.payer_id, one.row.business_on + timedelta(days=after))
        for one, after in zip(group, days, strict=True)
        if after is not None
    ]


def _shipped(row: EventRow) -> _Shipped | None:
    """A shipment that somebody's receipt follows; None for an order that asks for none: its draws wait for nothing."""
    order = msgspec.json.decode(row.data, type=_Order)
    if order.receipt is Receipt.NONE:
        return None
    assert row.person_id is not None, "a paid order has a payer"
    return _Shipped(row, decode(Prefix.PAYMENT, order.payment), row.person_id, order.shipped_at)
