"""Events: numbered without holes in the order of commits, at instants that never go back, on open days only."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from wufeng.base.books import Book, Mode, create_book
from wufeng.base.database import Connection, Database
from wufeng.base.events import DayClosed, Event, Numbers, take_numbers, write_events

AT = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
ON = date(2026, 9, 3)


@pytest.fixture
async def bucket(db: Connection) -> int:
    book = await create_book(
        db, Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time(0), 0, (), ()), 2, AT
    )
    return book.buckets[0]


async def test_numbers_follow_each_other(db: Connection, bucket: int) -> None:
    assert await take_numbers(db, bucket, 3, AT, ON) == Numbers(1, AT)
    assert (await take_numbers(db, bucket, 1, AT, ON)).first_seq == 4
    assert (await take_numbers(db, bucket, 0, AT, ON)).first_seq == 5, "none taken, none lost"
    assert (await take_numbers(db, bucket, 1, AT, ON)).first_seq == 5


async def test_a_rolled_back_batch_gives_its_numbers_back(db: Connection, bucket: int) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await take_numbers(db, bucket, 7, AT, ON)
            raise ZeroDivisionError
    assert (await take_numbers(db, bucket, 1, AT, ON)).first_seq == 1


async def test_the_booking_instant_never_goes_back(db: Connection, bucket: int) -> None:
    later = AT + timedelta(seconds=5)
    assert (await take_numbers(db, bucket, 1, later, ON)).booked_at == later
    assert (await take_numbers(db, bucket, 1, AT, ON)).booked_at == later


async def test_a_closed_day_takes_nothing_more(db: Connection, bucket: int) -> None:
    await db.execute("update head set closed_through = $1 where bucket = $2", ON, bucket)
    for on in (ON, ON - timedelta(days=1)):
        with pytest.raises(DayClosed, match=f"has closed {on}"):
            await take_numbers(db, bucket, 1, AT, on)
    assert (await take_numbers(db, bucket, 1, AT, ON + timedelta(days=1))).first_seq == 1


async def test_events_are_kept_as_told(db: Connection, bucket: int) -> None:
    person, merchant = UUID(int=5), UUID(int=6)
    told = [
        Event("payment.captured", UUID(int=1), b'{"id": "pay_1", "x": "\xe8\x8c\xb6"}', ON, person, merchant),
        Event("order.paid", UUID(int=2), b"{}", ON + timedelta(days=1)),
    ]
    numbers = await take_numbers(db, bucket, 2, AT, ON)
    await write_events(db, bucket, numbers.first_seq, numbers.booked_at, told)
    rows = await db.fetch(
        "select seq, kind, object_id, data, business_on, person_id, merchant_id, at, bucket from event order by seq"
    )
    assert [tuple(row)[1:7] for row in rows] == [
        (e.kind, e.object_id, e.data, e.business_on, e.person_id, e.merchant_id) for e in told
    ]
    assert [row["seq"] for row in rows] == [1, 2]
    assert {(row["at"], row["bucket"]) for row in rows} == {(AT, bucket)}


async def test_racing_batches_are_numbered_in_the_order_of_their_commits(
    database: Database, bucket: int
) -> None:
    async def batch(n: int) -> None:
        async with database.transaction() as db:
            await asyncio.sleep(0.001 * (n % 3))
            numbers = await take_numbers(db, bucket, 2, AT + timedelta(seconds=n % 5), ON)
            await write_events(
                db, bucket, numbers.first_seq, numbers.booked_at, [Event("x", UUID(int=n), b"{}", ON)] * 2
            )

    await asyncio.gather(*(batch(n) for n in range(40)))
    async with database.read() as db:
        rows = await db.fetch("select seq, at from event where bucket = $1 order by seq", bucket)
        assert await db.fetchval("select seq from head where bucket = $1", bucket) == 80
    assert [row["seq"] for row in rows] == list(range(1, 81))
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
