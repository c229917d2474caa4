"""Books: their buckets, the slots that map to them, their clocks."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.base.books import BUCKET_NUMBERS, Book, Books, Mode, create_book, load_books, turn_clock
from wufeng.base.clock import FixedClock
from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError
from wufeng.base.ids import SLOTS

AT = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
CLOCK = FixedClock(AT)
DRAFT = Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time(0), 0, (), ())


def book_of(buckets: int) -> Book:
    firsts = tuple(SLOTS * n // buckets for n in range(buckets))
    return replace(DRAFT, id=1, first_slots=firsts, slot_buckets=BUCKET_NUMBERS[:buckets])


def test_bucket_numbers_are_256_smallints_each_once() -> None:
    assert len(BUCKET_NUMBERS) == len(set(BUCKET_NUMBERS)) == 256
    assert min(BUCKET_NUMBERS) == 0 and max(BUCKET_NUMBERS) == 1512


async def test_each_bucket_number_falls_into_a_shard_of_its_own(db: Connection) -> None:
    """Citus hashes the column and cuts 2^32 into equal ranges: any first 2^n numbers lie in 2^n of them."""
    shards = [
        row["shard"]
        for row in await db.fetch(
            "select ((hashint2(b.n) + 2147483648) >> 24)::int as shard "
            "from unnest($1::smallint[]) with ordinality as b (n, place) order by place",
            list(BUCKET_NUMBERS),
        )
    ]
    assert sorted(shards) == list(range(256))
    for bits in range(9):
        assert len({shard >> (8 - bits) for shard in shards[: 1 << bits]}) == 1 << bits


@given(st.integers(1, 256), st.integers(0, SLOTS - 1))
def test_every_slot_has_its_bucket(buckets: int, slot: int) -> None:
    book = book_of(buckets)
    place = max(n for n, first in enumerate(book.first_slots) if first <= slot)
    assert book.bucket_of_slot(slot) == book.slot_buckets[place]
    assert book.bucket_of(UUID(int=7 << 100 | slot)) == book.bucket_of_slot(slot)


@pytest.mark.parametrize("buckets", [1, 2, 3, 7, 256])
def test_slots_spread_evenly(buckets: int) -> None:
    book = book_of(buckets)
    counts = dict.fromkeys(book.buckets, 0)
    for slot in range(SLOTS):
        counts[book.bucket_of_slot(slot)] += 1
    assert len(counts) == buckets and max(counts.values()) - min(counts.values()) <= 1


async def test_a_book_is_made_and_read_again(db: Connection) -> None:
    made = await create_book(db, DRAFT, 3, AT)
    assert made == replace(book_of(3), id=1)
    assert await load_books(db) == {1: made}
    rows = await db.fetch("select first_slot, last_slot, bucket from slot_range order by first_slot")
    assert [row["first_slot"] for row in rows] == [0, *(row["last_slot"] + 1 for row in rows[:-1])]
    assert rows[-1]["last_slot"] == SLOTS - 1
    heads = await db.fetch("select bucket, book, seq, booked_at, closed_through from head")
    assert {row["bucket"] for row in heads} == set(made.buckets)
    assert all(tuple(row)[1:] == (1, 0, AT, None) for row in heads)


async def test_books_do_not_share_buckets(db: Connection) -> None:
    one = await create_book(db, DRAFT, 2, AT)
    other = await create_book(db, replace(DRAFT, name="live", mode=Mode.LIVE, cut_off=time(23)), 2, AT)
    assert not set(one.buckets) & set(other.buckets)
    books = Books(await load_books(db))
    assert books.named("live") == other and books[1] == one and len(books) == 2
    assert all(books.book_of_bucket(bucket) == other for bucket in other.buckets)
    with pytest.raises(ConfigurationError, match="books here: live, main"):
        books.named("prod")


async def test_what_books_refuse(db: Connection) -> None:
    await create_book(db, DRAFT, 2, AT)
    with pytest.raises(ConfigurationError, match="There is a book 'main' already"):
        await create_book(db, DRAFT, 1, AT)
    with pytest.raises(ConfigurationError, match="255 buckets were asked for, 254 of 256 are left"):
        await create_book(db, replace(DRAFT, name="big"), 255, AT)
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute("update book set mode = 'live', clock_offset_us = 1")


async def test_a_clock_is_only_turned_forward(db: Connection) -> None:
    book = await create_book(db, DRAFT, 1, AT)
    day_us = 86_400_000_000
    for offset_us, expected in (
        (day_us, day_us),
        (day_us - 1, day_us),
        (0, day_us),
        (2 * day_us, 2 * day_us),
    ):
        await turn_clock(db, book, offset_us)
        assert (await load_books(db))[1].clock_offset_us == expected
    books = Books({1: book})
    await books.refresh(db)
    assert books[1].at(CLOCK) == AT + timedelta(days=2)
    assert books[1].business_date(books[1].at(CLOCK)) == date(2026, 9, 5)
    assert books[1].start_of(date(2026, 9, 5)) == datetime(2026, 9, 4, 16, tzinfo=UTC)


async def test_a_live_books_clock_is_the_systems(db: Connection) -> None:
    live = await create_book(db, replace(DRAFT, mode=Mode.LIVE), 1, AT)
    with pytest.raises(AssertionError, match="a live book's clock"):
        await turn_clock(db, live, 1)
    await turn_clock(db, replace(live, mode=Mode.TEST), 1)  # the statement has the same condition
    assert (await load_books(db))[1].clock_offset_us == 0
