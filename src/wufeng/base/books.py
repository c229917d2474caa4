"""Books and their buckets: which clock an object lives by, and which bucket holds it.

A book owns its buckets, so a bucket has one clock and one row of business dates. Ids carry a 16-bit slot; ranges of
slots map to buckets by a table, so a bucket can be split later and nobody's id changes.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base import calendar
from wufeng.base.clock import Clock, FixedClock
from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError
from wufeng.base.ids import SLOTS, slot_of
from wufeng.base.sql import load

SQL = load(__file__)


class Mode(StrEnum):
    """Test books have a clock that can be turned, a test bank and a message store; live books have none of them."""

    TEST = "test"
    LIVE = "live"


class Book(Struct, frozen=True):
    """One book: its calendar, its currency and the buckets of its people.

    cut_off          local time at which the next business date begins (00:00 is midnight)
    clock_offset_us  microseconds that its clock is ahead of the system clock; always 0 in a live book
    """

    id: int
    name: str
    mode: Mode
    currency: str
    time_zone: str
    cut_off: time
    clock_offset_us: int
    first_slots: tuple[int, ...]
    slot_buckets: tuple[int, ...]

    def at(self, clock: Clock) -> datetime:
        """The instant on the book's clock."""
        return clock.now() + timedelta(microseconds=self.clock_offset_us)

    def business_date(self, at: datetime) -> date:
        """The business date that an instant of this book falls on."""
        return calendar.business_date(at, self.time_zone, self.cut_off)

    def start_of(self, on: date) -> datetime:
        """The first instant of a business date."""
        return calendar.start_of_business_date(on, self.time_zone, self.cut_off)

    def bucket_of_slot(self, slot: int) -> int:
        """The bucket that holds a slot now."""
        return self.slot_buckets[bisect_right(self.first_slots, slot) - 1]

    def bucket_of(self, id_: UUID) -> int:
        """The bucket that holds an object of this book."""
        return self.bucket_of_slot(slot_of(id_))

    @property
    def buckets(self) -> list[int]:
        """All buckets of the book, each once."""
        return sorted(set(self.slot_buckets))


class Books(Mapping[int, Book]):
    """The books of an installation, by id. `refresh` reads turned clocks and new books."""

    def __init__(self, books: Mapping[int, Book]) -> None:
        self._books = dict(books)

    def __getitem__(self, book_id: int) -> Book:
        return self._books[book_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._books)

    def __len__(self) -> int:
        return len(self._books)

    def named(self, name: str) -> Book:
        """The book of that name. Raises ConfigurationError, naming those that exist."""
        for book in self._books.values():
            if book.name == name:
                return book
        known = ", ".join(sorted(book.name for book in self._books.values())) or "none"
        raise ConfigurationError(
            f"There is no book {name!r}; books here: {known}. `wufeng init` makes the first."
        )

    def book_of_bucket(self, bucket: int) -> Book:
        """The book that owns a bucket."""
        return next(book for book in self._books.values() if bucket in book.slot_buckets)

    async def refresh(self, db: Connection) -> None:
        """Read the books again: another process may have turned a clock or made a book."""
        self._books = await load_books(db)


async def load_books(db: Connection) -> dict[int, Book]:
    """All books with their slot ranges."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    for row in await db.fetch(SQL.load_slot_ranges):
        ranges.setdefault(row["book"], []).append((row["first_slot"], row["bucket"]))
    return {
        row["id"]: Book(
            id=row["id"],
            name=row["name"],
            mode=Mode(row["mode"]),
            currency=row["currency"],
            time_zone=row["time_zone"],
            cut_off=row["cut_off"],
            clock_offset_us=row["clock_offset_us"],
            first_slots=tuple(first for first, _ in ranges[row["id"]]),
            slot_buckets=tuple(bucket for _, bucket in ranges[row["id"]]),
        )
        for row in await db.fetch(SQL.load_books)
    }


async def create_book(db: Connection, draft: Book, buckets: int, at: datetime) -> Book:
    """Make a book with that many buckets (1..256 in the installation), inside the caller's transaction.

    Only the draft's name, mode, currency, time zone and cut-off count; number and slots are chosen here.
    Raises ConfigurationError when the name is taken or the bucket numbers are used up.
    """
    existing = await load_books(db)
    if any(book.name == draft.name for book in existing.values()):
        raise ConfigurationError(f"There is a book {draft.name!r} already.")
    taken = {bucket for book in existing.values() for bucket in book.buckets}
    free = [number for number in BUCKET_NUMBERS if number not in taken][:buckets]
    if len(free) < buckets:
        raise ConfigurationError(f"{buckets} buckets were asked for, {len(free)} of 256 are left.")
    book_id = max(existing, default=0) + 1
    firsts = [SLOTS * n // buckets for n in range(buckets)]
    lasts = [first - 1 for first in firsts[1:]] + [SLOTS - 1]
    await db.execute(
        SQL.insert_book,
        book_id,
        draft.name,
        draft.mode.value,
        draft.currency,
        draft.time_zone,
        draft.cut_off,
        draft.clock_offset_us,
        at,
    )
    await db.execute(SQL.insert_slot_ranges, book_id, firsts, lasts, free)
    await db.execute(SQL.insert_heads, book_id, free, draft.at(FixedClock(at)))
    return (await load_books(db))[book_id]


async def turn_clock(db: Connection, book: Book, offset_us: int) -> None:
    """Set how far a test book's clock is ahead; never less than it was (the statement's own condition)."""
    assert book.mode is Mode.TEST, "a live book's clock is the system's"
    await db.execute(SQL.turn_clock, book.id, offset_us)


def _numbers_one_a_shard() -> tuple[int, ...]:
    """Bucket numbers in the order in which they are given out."""
    return tuple(_BY_SHARD[int(f"{n:08b}"[::-1], 2)] for n in range(256))


# The smallest number whose hash (PostgreSQL's hashint2) falls into each of 256 equal ranges, in the ranges' order: on
# Citus with 256 shards every number has a shard of its own. Read in bit-reversed order, so that any first few of them
# lie far apart, on different nodes. Found by: select … (hashint2(x) + 2^31) / 2^24 … over 0..1600.
_BY_SHARD = (
    354, 298, 60, 146, 443, 8, 132, 20, 230, 303, 259, 82, 118, 205, 1, 15, 291, 155, 344, 31, 119, 88, 311, 458, 412,
    148, 79, 94, 26, 33, 340, 24, 520, 35, 157, 10, 115, 129, 598, 92, 104, 198, 579, 48, 109, 234, 466, 516, 5, 53,
    208, 652, 290, 323, 928, 112, 196, 50, 77, 200, 166, 178, 504, 632, 61, 912, 93, 4, 141, 7, 215, 228, 368, 17, 416,
    51, 729, 172, 689, 287, 133, 162, 16, 187, 111, 295, 747, 96, 564, 269, 170, 492, 217, 324, 375, 85, 302, 36, 202,
    191, 89, 1487, 271, 619, 110, 174, 453, 19, 106, 55, 64, 0, 37, 40, 262, 65, 45, 633, 264, 103, 656, 158, 101, 261,
    117, 121, 3, 439, 161, 293, 232, 113, 406, 366, 57, 52, 160, 62, 501, 353, 99, 422, 480, 367, 522, 165, 731, 136,
    525, 168, 645, 509, 102, 357, 413, 46, 140, 28, 186, 154, 86, 6, 73, 192, 144, 66, 71, 356, 1512, 335, 70, 184, 21,
    278, 477, 34, 749, 83, 194, 124, 49, 265, 39, 574, 43, 56, 167, 249, 454, 371, 126, 13, 387, 47, 308, 2, 426, 382,
    388, 351, 349, 27, 199, 846, 95, 300, 114, 552, 1101, 333, 134, 58, 314, 149, 481, 1004, 307, 41, 490, 219, 224,
    631, 179, 185, 479, 131, 30, 9, 116, 80, 81, 90, 59, 515, 72, 128, 260, 190, 22, 233, 381, 29, 517, 12, 275, 78,
    195, 11, 67, 726, 169, 44, 240, 107, 75, 18,
)  # fmt: skip
BUCKET_NUMBERS = _numbers_one_a_shard()
