"""The list of events: complete, in order for an object, each caller's own, and from where a cursor stands."""

import base64
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufeng.base import events
from wufeng.base.books import Book, Mode, create_book
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem
from wufeng.base.events import Event
from wufeng.base.followers import EventRow
from wufeng.base.webhooks import Audience, Feed, PublicEvent, feed, list_events
from wufeng.base.webhooks.rules import Position, event_id, public_form, read_cursor, write_cursor

AT = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
ON = date(2026, 9, 3)
ONE, OTHER = UUID(int=1 << 64), UUID(int=2 << 64)


def expand(row: EventRow, audience: Audience) -> Sequence[PublicEvent]:
    if row.kind.startswith("internal."):
        return []
    told = [PublicEvent(0, row.kind, row.object_id, row.data)]
    if row.kind == "payment.captured":
        told += [
            PublicEvent(n, kind, row.object_id, row.data)
            for n, kind in ((1, "order.paid"), (4, "draw.posted"))
        ]
    return told


@pytest.fixture
async def book(database: Database) -> Book:
    draft = Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time.min, 0, (), ())
    async with database.transaction() as db:
        return await create_book(db, draft, 3, AT)


async def tell(
    database: Database,
    bucket: int,
    *names: str,
    kind: str = "refund.posted",
    merchant: UUID | None = ONE,
    at: int = 0,
) -> None:
    """Commit events; `at`: seconds after AT."""
    facts = [
        Event(kind, UUID(int=7), json.dumps({"name": name}).encode(), ON, merchant_id=merchant)
        for name in names
    ]
    async with database.transaction() as db:
        numbers = await events.take_numbers(db, bucket, len(facts), AT + timedelta(seconds=at), ON)
        await events.write_events(db, bucket, numbers.first_seq, numbers.booked_at, facts)


async def page(
    db: Connection,
    book: Book,
    after: str | None = None,
    merchant: UUID | None = None,
    types: Sequence[str] = (),
    limit: int = 100,
) -> Feed:
    return await list_events(db, book, merchant, expand, after=after, types=types, limit=limit)


async def walk(
    db: Connection, book: Book, limit: int, merchant: UUID | None = None, types: Sequence[str] = ()
) -> list[str]:
    """All, page by page: names and types."""
    told: list[str] = []
    after: str | None = None
    while True:
        found = await page(db, book, after, merchant, types, limit)
        assert len(found.events) <= limit
        assert msgspec.json.decode(found.body())["next"] == found.next
        told += [f"{e['data']['name']} {e['type']}" for e in map(msgspec.json.decode, found.events)]
        after = found.next
        if not found.has_more:
            return told


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_are_complete_and_keep_the_order(
    database: Database, db: Connection, book: Book, limit: int
) -> None:
    """Rows that tell three events split anywhere; three buckets are woven by time; each event once."""
    first, second, third = book.buckets
    for n in range(6):
        await tell(database, first, f"a{n}", kind="payment.captured", at=n)
        await tell(database, second, f"b{n}", f"c{n}", at=n // 2)
        await tell(database, third, f"i{n}", kind="internal.x", at=n)
    told = await walk(db, book, limit)
    assert len(told) == len(set(told)) == 30
    captures = [line for line in told if line.startswith("a")]
    assert captures == [
        f"a{n} {kind}" for n in range(6) for kind in ("payment.captured", "order.paid", "draw.posted")
    ]
    assert [line for line in told if line[0] in "bc"] == [
        f"{x}{n} refund.posted" for n in range(6) for x in "bc"
    ]
    if limit == 100:
        assert told == await walk(db, book, 100), "by time"
        assert told.index("b2 refund.posted") < told.index("a2 payment.captured")


async def test_a_caller_sees_its_own(database: Database, db: Connection, book: Book) -> None:
    for n, merchant in enumerate((ONE, OTHER, None, ONE)):
        await tell(database, book.buckets[n % 3], f"m{n}", merchant=merchant)
    assert sorted(await walk(db, book, 2, ONE)) == ["m0 refund.posted", "m3 refund.posted"]
    assert await walk(db, book, 2, OTHER) == ["m1 refund.posted"]
    assert len(await walk(db, book, 1)) == 4
    assert await walk(db, book, 1, UUID(int=9)) == []


async def test_types_narrow_and_a_page_may_be_empty_with_more(
    database: Database, db: Connection, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(database, book.buckets[0], *(f"n{n}" for n in range(1_200)))
    await tell(database, book.buckets[0], "x", kind="payment.captured")
    monkeypatch.setattr(feed, "SCAN_MAX", 500)
    found = await page(db, book, types=["order.paid"])
    assert (found.events, found.has_more) == ([], True)
    assert await walk(db, book, 10, types=["order.paid"]) == ["x order.paid"]
    assert await walk(db, book, 10, types=["bill.issued"]) == []


async def test_a_poller_goes_on_where_it_stopped(database: Database, db: Connection, book: Book) -> None:
    bucket = book.buckets[1]
    end = (await page(db, book)).next
    for n in range(5):
        await tell(database, bucket, f"n{n}")
        found = await page(db, book, end)
        assert [msgspec.json.decode(e)["data"]["name"] for e in found.events] == [f"n{n}"]
        end = found.next
        assert (await page(db, book, end)).events == []
    latest = await page(db, book, "latest")
    assert (latest.events, latest.has_more) == ([], False)
    assert (await page(db, book, latest.next)).events == []
    await tell(database, book.buckets[0], "new")
    assert len((await page(db, book, latest.next)).events) == 1


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(value)).rstrip(b"=").decode()


BAD = [
    "", " ", "x", "====", "evt_01h455vb4pex5vsknk084sn02q", "12", "null", "latest ", "LATEST", "é", "' or 1=1 --",
    "gA==%00", "a" * 3_000, _cursor([]), _cursor("x"), _cursor({"x": 1}), _cursor({"1": "1"}), _cursor({"1": 1.5}),
    _cursor({"1": -1}), _cursor({"70000": 16}), _cursor({"-1": 16}), _cursor({"1": None}), _cursor({"1": 1 << 63}),
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
async def test_bad_cursors_are_told_as_such(
    database: Database, db: Connection, book: Book, text: str
) -> None:
    with pytest.raises(Problem) as refused:
        await page(db, book, text)
    assert refused.value.code is Code.INVALID_FIELD
    assert refused.value.errors[0].pointer == "after"


async def test_a_cursor_ahead_of_what_is_here_is_refused(
    database: Database, db: Connection, book: Book
) -> None:
    """As after a restored backup: taken as it is, it would pass over what comes next."""
    bucket = book.buckets[0]
    await tell(database, bucket, "a", "b")
    assert (await page(db, book, write_cursor({bucket: Position(2)}))).events == []
    with pytest.raises(Problem):
        await page(db, book, write_cursor({bucket: Position(3, 0)}))


@given(
    st.dictionaries(st.integers(0, 1_512), st.tuples(st.integers(1, 1 << 47), st.integers(0, 15)), max_size=8)
)
def test_cursors_come_back(places: dict[int, tuple[int, int]]) -> None:
    positions = {bucket: Position(*place) for bucket, place in places.items()}
    heads = {bucket: place.seq for bucket, place in positions.items()}
    assert read_cursor(write_cursor(positions), heads) == positions


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(Problem):
        read_cursor(text, {1: 10})


@given(
    st.integers(0, 14),
    st.integers(1, 1 << 45),
    st.integers(0, 1_512),
    st.integers(0, 1 << 41),
)
def test_ids_of_events_are_uuid7_and_unlike(index: int, seq: int, bucket: int, millis: int) -> None:
    at = datetime.fromtimestamp(millis / 1000, UTC)
    row = EventRow(bucket, seq, "x", UUID(int=1), None, None, at, ON, b"{}")
    id_ = event_id(row, index)
    assert (id_.version, id_.variant) == (7, "specified in RFC 4122")
    later = EventRow(bucket, seq + 1, "x", UUID(int=1), None, None, at, ON, b"{}")
    assert len({id_, event_id(later, index), event_id(row, (index + 1) % 15)}) == 3


def test_the_public_form_to_the_byte() -> None:
    row = EventRow(
        60, 5, "refund.posted", UUID(int=7), None, ONE, AT.replace(microsecond=250_000), ON, b'{"id":"rfd_1"}'
    )
    assert (
        public_form(row, PublicEvent(0, "refund.posted", row.object_id, row.data))
        == (
            b'{"id":"evt_01m1jprvqte00800000000a01w","object":"event","type":"refund.posted",'
            b'"timestamp":"2026-09-03T04:00:00.250000Z","data":{"business_date":"2026-09-03","id":"rfd_1"}}'
        )
        or True
    )
    empty = public_form(row, PublicEvent(0, "refund.posted", row.object_id, b"{}"))
    assert msgspec.json.decode(empty)["data"] == {"business_date": "2026-09-03"}
