"""The follower that makes deliveries: each event, for each endpoint that asked for it."""

from collections.abc import Sequence

from wufeng.base.books import Books
from wufeng.base.clock import Clock
from wufeng.base.database import Connection
from wufeng.base.followers import EventRow, Follower, Stream, read_events
from wufeng.base.webhooks import rules, store
from wufeng.base.webhooks.model import Audience, Endpoint, Expand, PublicEvent
from wufeng.base.webhooks.sender import Sender
from wufeng.base.webhooks.store import NewDelivery

FOLLOWER = "webhooks"


def deliveries_follower(books: Books, expand: Expand, clock: Clock, sender: Sender | None = None) -> Follower:
    """The follower that makes a delivery of each event for each endpoint that asked for it.

    clock   the machine's: deliveries live in the receivers' time, not on a book's clock
    sender  woken when there is something to send; None: another process sends
    """

    async def handle(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        endpoints = await store.load_enabled_endpoints(db, books.book_of_bucket(bucket).id)
        if not endpoints:
            return
        rows = await read_events(db, bucket, after_seq, through_seq)
        new = [delivery for row in rows for delivery in _deliveries(row, endpoints, expand)]
        if new:
            await store.insert_deliveries(db, bucket, clock.now(), new)

    def after(bucket: int) -> None:
        if sender is not None:
            sender.wake(bucket)

    return Follower(FOLLOWER, Stream.EVENT, handle, after)


def _deliveries(row: EventRow, endpoints: Sequence[Endpoint], expand: Expand) -> list[NewDelivery]:
    told: dict[Audience, Sequence[PublicEvent]] = {}
    found = []
    for endpoint in endpoints:
        if endpoint.merchant_id not in (None, row.merchant_id):
            continue
        audience = endpoint.audience
        if audience not in told:
            told[audience] = expand(row, audience)
        for event in told[audience]:
            if rules.wanted(endpoint, row, event):
                id_ = rules.delivery_id(endpoint.id, row.bucket, row.seq, event.index)
                found.append(NewDelivery(id_, endpoint.id, row.seq, event.index, event.type, event.object_id))
    return found
