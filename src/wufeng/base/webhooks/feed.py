"""The list of events: what a caller may see, after a cursor, in the order of each bucket."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import merge
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.followers import EventRow
from wufeng.base.webhooks import rules, store
from wufeng.base.webhooks.model import Audience, Expand
from wufeng.base.webhooks.rules import Position

LIMIT_MAX = 100
LATEST = "latest"
SCAN_MAX = 5_000


class Feed(Struct, frozen=True):
    """One page. `next` is the cursor after it, also when there is no more: a poller goes on from it later."""

    events: list[bytes]
    next: str
    has_more: bool

    def body(self) -> bytes:
        """The page as the API answers it; each event in the very bytes that webhooks send."""
        more = "true" if self.has_more else "false"
        return b'{"data":[' + b",".join(self.events) + f'],"next":"{self.next}","has_more":{more}}}'.encode()


async def list_events(
    db: Connection,
    book: Book,
    merchant_id: UUID | None,
    expand: Expand,
    *,
    after: str | None,
    types: Collection[str],
    limit: int,
) -> Feed:
    """Events of a merchant, or of the whole book for the platform (None), after an opaque cursor.

    after  None: from the first event; `latest`: none, but the cursor of this moment
    types  only these; none: all
    limit  1..100. A page may be empty and still have more: one call looks through a bounded number of events.
    Raises Problem for an `after` that was never given here.
    Order holds in a bucket, hence for an object; buckets are woven together by time.
    """
    assert 1 <= limit <= LIMIT_MAX
    buckets = book.buckets
    heads = await store.read_heads(db, buckets)
    if after == LATEST:
        latest = {bucket: Position(seq) for bucket, seq in heads.items()}
        return Feed([], rules.write_cursor(latest), has_more=False)
    positions = rules.read_cursor(after, heads)
    reader = _Reader(merchant_id, expand, frozenset(types), limit, positions)
    chunk = limit + 1 if not types else 500
    more = await _fill(db, reader, buckets, chunk)
    return Feed(reader.events, rules.write_cursor(reader.positions), has_more=more)


class _Reader:
    """Takes rows until the page is full; its positions stand behind the last event taken or passed over."""

    def __init__(
        self,
        merchant_id: UUID | None,
        expand: Expand,
        types: frozenset[str],
        limit: int,
        positions: Mapping[int, Position],
    ) -> None:
        self.merchant_id = merchant_id
        self.positions = dict(positions)
        self.events: list[bytes] = []
        self._audience = Audience.PLATFORM if merchant_id is None else Audience.MERCHANT
        self._expand = expand
        self._types = types
        self._limit = limit

    def take(self, row: EventRow) -> bool:
        """Take a row's events; False if one of them has no room: the page ends before it."""
        for event in self._expand(row, self._audience):
            place = Position(row.seq, event.index)
            if place <= self.positions[row.bucket] or (self._types and event.type not in self._types):
                continue
            if len(self.events) == self._limit:
                return False
            self.events.append(rules.public_form(row, event))
            self.positions[row.bucket] = place
        self.positions[row.bucket] = Position(row.seq)
        return True


async def _fill(db: Connection, reader: _Reader, buckets: Sequence[int], chunk: int) -> bool:
    """Read chunks of all buckets until the page is full, all is read or enough was seen; is there more?"""
    scanned = 0
    while scanned < SCAN_MAX:
        rows = [
            await store.read_events_from(db, bucket, reader.positions[bucket], reader.merchant_id, chunk)
            for bucket in buckets
        ]
        for row in _known_order(rows, chunk):
            if not reader.take(row):
                return True
            scanned += 1
        if all(len(of_bucket) < chunk for of_bucket in rows):
            return False
    return True


def _known_order(rows: Sequence[Sequence[EventRow]], chunk: int) -> Iterator[EventRow]:
    """Weave the buckets by time, up to where a bucket's chunk ends: what follows there is not read yet."""
    left = [len(of_bucket) for of_bucket in rows]
    places = {of_bucket[0].bucket: place for place, of_bucket in enumerate(rows) if of_bucket}
    for row in merge(*rows, key=lambda row: (row.at, row.bucket, row.seq)):
        yield row
        place = places[row.bucket]
        left[place] -= 1
        if left[place] == 0 and len(rows[place]) == chunk:
            return
