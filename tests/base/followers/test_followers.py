"""Followers neither skip nor repeat: with late commits, and when processes share, fail or are killed."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from uuid import UUID

import pytest

from wufeng.base import events
from wufeng.base.books import Book, Mode, create_book
from wufeng.base.config import Settings
from wufeng.base.database import Connection, Database
from wufeng.base.events import Event
from wufeng.base.followers import Follower, Followers, FollowerSettings, Stream, read_events, step

AT = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
ON = date(2026, 9, 3)
OBJECT = UUID(int=7)


@pytest.fixture
async def book(database: Database) -> Book:
    draft = Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time.min, 0, (), ())
    async with database.transaction() as db:
        return await create_book(db, draft, 2, AT)


@pytest.fixture
async def seen(owner: Connection, book: Book) -> None:
    """Where the followers of these tests leave their effect. No key: a repeated effect shows."""
    await owner.execute(
        "create table seen (bucket smallint, seq bigint, n bigint generated always as identity)"
    )
    await owner.execute("grant all on seen to wufeng_app")


async def tell(db: Connection, bucket: int, count: int) -> int:
    """Take numbers and write events, inside the caller's transaction."""
    numbers = await events.take_numbers(db, bucket, count, AT, ON)
    facts = [Event("payment.captured", OBJECT, b'{"n":1}', ON) for _ in range(count)]
    await events.write_events(db, bucket, numbers.first_seq, numbers.booked_at, facts)
    return numbers.first_seq


async def note(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
    """Effect: one row an event."""
    rows = await read_events(db, bucket, after_seq, through_seq)
    await db.executemany("insert into seen (bucket, seq) values ($1, $2)", [(r.bucket, r.seq) for r in rows])


NOTE = Follower("note", Stream.EVENT, note)


async def seqs_seen(database: Database, bucket: int) -> list[int]:
    async with database.read() as db:
        return [
            row["seq"] for row in await db.fetch("select seq from seen where bucket = $1 order by n", bucket)
        ]


async def seqs_told(database: Database, bucket: int) -> list[int]:
    async with database.read() as db:
        return [
            row["seq"]
            for row in await db.fetch("select seq from event where bucket = $1 order by seq", bucket)
        ]


async def test_every_event_once_and_in_order(database: Database, book: Book, seen: None) -> None:
    bucket = book.buckets[0]
    async with database.transaction() as db:
        await tell(db, bucket, 2_500)  # more than one span
    followers = Followers(database, [NOTE])
    await followers.catch_up()
    await followers.catch_up()
    assert await seqs_seen(database, bucket) == list(range(1, 2_501))
    assert await followers.lags() == []


async def test_a_late_commit_is_not_skipped(database: Database, book: Book, seen: None) -> None:
    """A transaction begun early and committed late: its numbers come after those committed before it."""
    bucket = book.buckets[0]
    early, late = await database.connect("early"), await database.connect("late")
    slow = late.transaction()
    await slow.start()
    await late.fetchval("select txid_current()")  # it has an id below all that follow
    async with early.transaction():
        await tell(early, bucket, 3)
    followers = Followers(database, [NOTE])
    await followers.catch_up()
    assert await seqs_seen(database, bucket) == [1, 2, 3]
    await tell(late, bucket, 2)
    follower = await database.connect("follower")
    assert await step(follower, NOTE, bucket) == 0, "numbers that are not committed are not passed over"
    await slow.commit()
    await followers.catch_up()
    assert await seqs_seen(database, bucket) == [1, 2, 3, 4, 5]


async def test_a_rolled_back_batch_leaves_no_hole(database: Database, book: Book, seen: None) -> None:
    bucket = book.buckets[0]
    db = await database.connect("writer")
    lost = db.transaction()
    await lost.start()
    await tell(db, bucket, 5)
    await lost.rollback()
    async with db.transaction():
        assert await tell(db, bucket, 1) == 1


@pytest.mark.parametrize("processes", [1, 3])
async def test_racing_writers_and_sharing_followers(
    database: Database, settings: Settings, book: Book, seen: None, processes: int
) -> None:
    """Writers commit in any order with holds of the head of any length; several runners share the work."""
    quick = FollowerSettings(poll_s=0.02, gather_s=0.0)
    runners = [Followers(database, [NOTE], settings=quick) for _ in range(processes)]
    for runner in runners:
        await runner.start()

    async def write(number: int) -> None:
        db = await database.connect(f"writer {number}")
        for turn in range(25):
            transaction = db.transaction()
            await transaction.start()
            await asyncio.sleep((number * 7 + turn * 3) % 5 / 1000)
            await tell(db, book.buckets[(number + turn) % 2], turn % 4 + 1)
            await asyncio.sleep((number * 5 + turn) % 4 / 1000)
            if (number + turn) % 6 == 0:
                await transaction.rollback()
            else:
                await transaction.commit()
            runners[0].wake(book.buckets[(number + turn) % 2])

    await asyncio.gather(*(write(number) for number in range(6)))
    await runners[0].catch_up()
    for runner in runners:
        await runner.stop()
    for bucket in book.buckets:
        told = await seqs_told(database, bucket)
        assert len(told) > 100
        assert await seqs_seen(database, bucket) == told


async def test_a_held_cursor_is_left_to_its_holder(database: Database, book: Book, seen: None) -> None:
    bucket = book.buckets[0]
    async with database.transaction() as db:
        await tell(db, bucket, 4)
    one, other = await database.connect("one"), await database.connect("other")
    await Followers(database, [NOTE]).catch_up()
    async with database.transaction() as db:
        await tell(db, bucket, 4)
    go = asyncio.Event()

    async def slowly(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        await note(db, bucket, after_seq, through_seq)
        await go.wait()

    first = asyncio.create_task(step(one, Follower("note", Stream.EVENT, slowly), bucket))
    await asyncio.sleep(0.05)
    assert await step(other, NOTE, bucket) == 0
    go.set()
    assert await first == 4
    assert await step(other, NOTE, bucket) == 0
    assert await seqs_seen(database, bucket) == list(range(1, 9))


async def test_a_poisoned_row_stops_one_follower_of_one_bucket(
    database: Database, book: Book, seen: None
) -> None:
    async def choke(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        if bucket == book.buckets[0] and after_seq < 137 <= through_seq:
            raise ValueError("cannot digest 137")
        await db.execute("insert into seen (bucket, seq) select -1, s from generate_series($1::bigint, $2) s",
                         after_seq + 1, through_seq)  # fmt: skip

    failures: list[tuple[str, int]] = []
    quick = FollowerSettings(poll_s=0.01, gather_s=0.0, first_pause_s=0.001, longest_pause_s=0.01)
    followers = Followers(
        database,
        [Follower("choke", Stream.EVENT, choke), NOTE],
        settings=quick,
        on_failure=lambda follower, bucket: failures.append((follower, bucket)),
    )
    for bucket in book.buckets:
        async with database.transaction() as db:
            await tell(db, bucket, 300)
    await followers.start()
    try:
        async with asyncio.timeout(10):
            while not any(trouble.after_seq == 136 and trouble.span == 1 for trouble in followers.troubles):
                await asyncio.sleep(0.01)
            while len(await followers.lags()) > 1:
                await asyncio.sleep(0.01)
    finally:
        await followers.stop()
    (lag,) = await followers.lags()
    assert (lag.follower, lag.bucket, lag.cursor_seq, lag.lag) == ("choke", book.buckets[0], 136, 164)
    assert set(failures) == {("choke", book.buckets[0])}
    (trouble,) = followers.troubles
    assert "cannot digest 137" in trouble.error
    assert await seqs_seen(database, book.buckets[0]) == list(range(1, 301)), "the other follower went on"
    assert sorted(await seqs_seen(database, -1)) == sorted([*range(1, 137), *range(1, 301)]), (
        "nothing half done"
    )


async def test_it_goes_on_once_the_cause_is_mended(database: Database, book: Book, seen: None) -> None:
    broken = True

    async def sometimes(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        if broken:
            raise RuntimeError("not now")
        await note(db, bucket, after_seq, through_seq)

    quick = FollowerSettings(poll_s=0.01, gather_s=0.0, first_pause_s=0.001, longest_pause_s=0.01)
    followers = Followers(database, [Follower("note", Stream.EVENT, sometimes)], settings=quick)
    async with database.transaction() as db:
        await tell(db, book.buckets[0], 50)
    await followers.start()
    async with asyncio.timeout(10):
        while not followers.troubles:
            await asyncio.sleep(0.01)
        broken = False
        while followers.troubles or await followers.lags():
            await asyncio.sleep(0.01)
    await followers.stop()
    assert await seqs_seen(database, book.buckets[0]) == list(range(1, 51))


async def test_a_lost_connection_is_replaced(
    database: Database, owner: Connection, book: Book, seen: None
) -> None:
    followers = Followers(database, [NOTE], settings=FollowerSettings(poll_s=0.02))
    await followers.start()
    for turn in range(5):
        async with database.transaction() as db:
            await tell(db, book.buckets[0], 10)
        await asyncio.sleep(0.01 * turn)
        db = await database.connect("killer")
        await db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'wufeng followers' and datname = current_database()"
        )
    await followers.catch_up()
    await followers.stop()
    assert await seqs_seen(database, book.buckets[0]) == list(range(1, 51))


CHILD = """
import asyncio, sys
from pathlib import Path
from wufeng.base.config import Durability, Settings
from wufeng.base.database import Database
from wufeng.base.followers import Follower, Followers, FollowerSettings, Stream, read_events

async def note(db, bucket, after_seq, through_seq):
    rows = await read_events(db, bucket, after_seq, through_seq)
    await db.executemany("insert into seen (bucket, seq) values ($1, $2)", [(r.bucket, r.seq) for r in rows])

async def main():
    unsafe = Durability.UNSAFE_FOR_TESTS
    settings = Settings(data_dir=Path(sys.argv[1]), durability=unsafe, database_name=sys.argv[2])
    async with Database(settings) as database:
        quick = FollowerSettings(poll_s=0.01)
        followers = Followers(database, [Follower("note", Stream.EVENT, note)], settings=quick)
        await followers.start()
        print("up", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def _child(settings: Settings, faults: str) -> subprocess.Popen[str]:
    environment = os.environ | {"WUFENG_FAULTS": faults, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), str(settings.data_dir), settings.database_name],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("point", ["follower_acted", "follower_moved"])
@pytest.mark.parametrize("nth", [1, 2, 4])
async def test_killed_between_doing_and_recording(
    database: Database, settings: Settings, book: Book, seen: None, point: str, nth: int
) -> None:
    """The process dies after the effect, before or after the cursor moved, always before the commit."""
    child = _child(settings, f"{point}:exit:{nth}")
    assert child.stdout is not None
    assert await asyncio.to_thread(child.stdout.readline) == "up\n"
    for _ in range(200):
        async with database.transaction() as db:
            await tell(db, book.buckets[0], 3)
        if child.poll() is not None:
            break
        await asyncio.sleep(0.02)
    assert await asyncio.to_thread(child.wait, 20) == -signal.SIGKILL
    told = await seqs_told(database, book.buckets[0])
    before = await seqs_seen(database, book.buckets[0])
    assert before == told[: len(before)]
    assert len(before) < len(told), "what it was doing is not done"
    await Followers(database, [NOTE]).catch_up()
    assert await seqs_seen(database, book.buckets[0]) == told


async def test_stop_lets_the_step_end(database: Database, book: Book, seen: None) -> None:
    begun = asyncio.Event()

    async def slowly(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        begun.set()
        await asyncio.sleep(0.1)
        await note(db, bucket, after_seq, through_seq)

    followers = Followers(database, [Follower("note", Stream.EVENT, slowly)])
    async with database.transaction() as db:
        await tell(db, book.buckets[0], 2)
    await followers.start()
    followers.wake(book.buckets[0])
    await begun.wait()
    await followers.stop()
    assert await seqs_seen(database, book.buckets[0]) == [1, 2]


async def test_after_is_called_once_the_effect_is_committed(
    database: Database, book: Book, seen: None
) -> None:
    counts: list[int] = []
    other = await database.connect("other")

    def after(bucket: int) -> None:
        counts.append(bucket)

    async with database.transaction() as db:
        await tell(db, book.buckets[1], 2)
    await Followers(database, [Follower("note", Stream.EVENT, note, after)]).catch_up()
    assert counts == [book.buckets[1]]
    assert await other.fetchval("select count(*) from seen") == 2


async def test_kinds_narrow_what_is_read(database: Database, book: Book) -> None:
    async with database.transaction() as db:
        await tell(db, book.buckets[0], 2)

    async def kinds(wanted: Sequence[str] | None) -> int:
        async with database.read() as db:
            return len(await read_events(db, book.buckets[0], 0, 10, wanted))

    assert [await kinds(None), await kinds(["payment.captured"]), await kinds(["bill.issued"])] == [2, 2, 0]
