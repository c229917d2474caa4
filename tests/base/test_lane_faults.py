"""Lanes under what goes wrong around them: cancelled callers, locks that others hold, broken handlers, lost servers."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from wufeng.base import events as base_events
from wufeng.base import faults
from wufeng.base.books import Book, Books, Mode, create_book, load_books
from wufeng.base.claims import Answer, claim_key, insert_claims
from wufeng.base.clock import FixedClock
from wufeng.base.config import Settings
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem
from wufeng.base.events import Event
from wufeng.base.ids import IdMaker
from wufeng.base.lanes import Batch, Command, Lanes, LaneSettings
from wufeng.base.problems import render_problem

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
PEPPER = b"p" * 32


class Tell(Command, frozen=True, kw_only=True):
    """Tell one event; `trouble` says what else the handler does."""

    name: str
    trouble: str = ""


class Other(Tell, frozen=True, kw_only=True):
    """The same by another handler."""


async def tell(batch: Batch, commands: Sequence[Tell]) -> list[Answer | Problem]:
    troubles = {command.trouble for command in commands}
    for command in commands:
        on = batch.book.business_date(command.at)
        batch.events.append(Event("note.taken", UUID(int=1), command.name.encode(), on))
    if "gone file" in troubles:
        raise FileNotFoundError("a handler's own mistake")
    if "cancelled" in troubles:
        raise asyncio.CancelledError
    if "two at once" in troubles:
        await asyncio.gather(*(batch.db.execute("select pg_sleep(0.05)") for _ in range(2)))
    if "swallows" in troubles:
        with contextlib.suppress(asyncpg.PostgresError):
            await batch.db.execute("select 1 / 0")
    if "one answer short" in troubles:
        return []
    if "slow" in troubles:
        await batch.db.execute("select pg_sleep(0.3)")
    if "too slow" in troubles:
        await batch.db.execute("select pg_sleep(30)")
    return [Answer(201, command.name.encode()) for command in commands]


async def lock_people(db: Connection, bucket: int, ids: Sequence[UUID]) -> dict[UUID, Any]:
    rows = await db.fetch("select id from somebody where id = any($1) order by id for update", ids)
    return {row["id"]: row["id"] for row in rows}


async def no_journals(
    db: Connection, bucket: int, first_seq: int, booked_at: datetime, journals: Sequence[object]
) -> None:
    assert not journals


class House:
    """A book of one bucket, its lanes, and what was told in it."""

    def __init__(self, database: Database, books: Books) -> None:
        self.database, self.books = database, books
        self.book = books.named("main")
        self.bucket = self.book.buckets[0]
        self.clock = FixedClock(NOON)
        self.woken: list[int] = []
        self.lanes = self.more_lanes()

    def more_lanes(self, **settings: Any) -> Lanes:
        return Lanes(
            self.database,
            self.books,
            self.clock,
            {Tell: tell, Other: tell},
            lock_people=lock_people,
            write_journals=no_journals,
            render_problem=render_problem,
            settings=LaneSettings(**settings),
            ids=IdMaker(),
            on_commit=self.woken.append,
        )

    def command(
        self,
        name: str,
        *,
        kind: type[Tell] = Tell,
        trouble: str = "",
        key: str = "",
        people: Sequence[UUID] = (),
    ) -> Tell:
        claim = claim_key(PEPPER, UUID(int=7), key, "POST /notes", {"name": name}) if key else None
        return kind(
            at=self.book.at(self.clock), name=name, trouble=trouble, claim=claim, people=tuple(people)
        )

    async def say(self, name: str, lanes: Lanes | None = None, **what: Any) -> int | Code:
        """The status of the answer, or the code of the problem."""
        try:
            return (await (lanes or self.lanes).submit(self.bucket, self.command(name, **what))).status
        except Problem as problem:
            return problem.code

    async def told(self) -> list[str]:
        async with self.database.read() as db:
            rows = await db.fetch("select seq, data from event where bucket = $1 order by seq", self.bucket)
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1)), "numbers have no holes"
        return [row["data"].decode() for row in rows]


@pytest.fixture
async def house(database: Database, owner: Connection) -> AsyncIterator[House]:
    await create_book(owner, Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time(0), 0, (), ()), 1, NOON)
    await owner.execute(
        "create table somebody (id uuid primary key); insert into somebody values (gen_random_uuid())"
    )
    await owner.execute("grant select, update on somebody to wufeng_app")
    async with database.read() as db:
        made = House(database, Books(await load_books(db)))
    yield made
    await made.lanes.drain()


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ("gone file", Code.INTERNAL),  # an OSError that is not the connection's
        ("two at once", Code.INTERNAL),  # its rollback finds the connection busy
        ("swallows", Code.INTERNAL),  # the transaction is dead, and the handler went on
        ("one answer short", Code.INTERNAL),
    ],
)
async def test_a_broken_handler_takes_nobody_with_it(house: House, trouble: str, code: Code) -> None:
    names = [f"n{n}" for n in range(15)]
    answers = await asyncio.gather(
        *(house.say(name) for name in names[:8]),
        house.say("bad", trouble=trouble),
        *(house.say(name) for name in names[8:]),
    )
    assert answers[8] == code
    assert answers[:8] + answers[9:] == [201] * 15
    assert sorted(await house.told()) == sorted(names), "nothing of the bad one came in with a later commit"


async def test_a_bad_command_of_one_kind_fails_alone_among_other_kinds(house: House) -> None:
    answers = await asyncio.gather(
        *(house.say(f"a{n}") for n in range(5)),
        house.say("bad", kind=Other, trouble="gone file"),
        *(house.say(f"b{n}", kind=Other) for n in range(5)),
    )
    assert answers == [201] * 5 + [Code.INTERNAL] + [201] * 5
    assert sorted(await house.told()) == sorted([f"{kind}{n}" for kind in "ab" for n in range(5)])


async def test_a_cancelled_handler_leaves_nobody_waiting(house: House) -> None:
    first = asyncio.create_task(house.say("first", trouble="slow"))
    await asyncio.sleep(0.05)
    bad = asyncio.create_task(house.say("bad", trouble="cancelled"))
    assert await first == 201
    assert await bad is Code.INTERNAL
    assert await house.say("after") == 201
    assert await house.told() == ["first", "after"]


async def test_a_caller_who_leaves_is_decided_all_the_same(house: House) -> None:
    running = asyncio.create_task(house.say("running", trouble="slow"))
    await asyncio.sleep(0.05)
    queued = asyncio.create_task(house.say("queued", key="q"))
    await asyncio.sleep(0.05)
    running.cancel()
    queued.cancel()
    await asyncio.gather(running, queued, return_exceptions=True)
    assert await house.say("after") == 201
    assert await house.told() == ["running", "queued", "after"]
    assert await house.say("queued", key="q") == 201, "the stored answer"
    assert len(await house.told()) == 3


async def test_a_problem_for_a_caller_who_has_gone_is_no_alarm(house: House) -> None:
    alarms: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: alarms.append(context))
    leaving = asyncio.create_task(house.say("bad", trouble="slow"))
    broken = asyncio.create_task(house.say("bad", trouble="one answer short"))
    await asyncio.sleep(0.05)
    leaving.cancel()
    broken.cancel()
    await house.lanes.drain()
    await asyncio.gather(leaving, broken, return_exceptions=True)
    gc.collect()
    await asyncio.sleep(0)
    assert alarms == []


async def test_a_head_that_another_holds_is_refused_at_once_and_not_tried_in_halves(
    house: House, db: Connection
) -> None:
    lanes = house.more_lanes(lock_timeout_s=0.2)
    held = db.transaction()
    await held.start()
    await db.execute("select from head where bucket = $1 for update", house.bucket)
    began = asyncio.get_running_loop().time()
    answers = await asyncio.gather(*(house.say(f"n{n}", lanes) for n in range(64)))
    assert answers == [Code.OVERLOADED] * 64 and lanes.stats.splits == 0
    assert asyncio.get_running_loop().time() - began < 1.0
    await held.rollback()
    assert await house.say("after", lanes) == 201
    await lanes.drain()
    assert await house.told() == ["after"]


async def test_a_person_whom_another_holds_costs_only_who_needs_them(house: House, db: Connection) -> None:
    lanes = house.more_lanes(lock_timeout_s=0.1)
    held = db.transaction()
    await held.start()
    somebody = await db.fetchval("select id from somebody for update")
    answers = await asyncio.gather(
        *(house.say(f"n{n}", lanes) for n in range(7)), house.say("blocked", lanes, people=[somebody])
    )
    assert answers == [201] * 7 + [Code.OVERLOADED]
    await held.rollback()
    await lanes.drain()


async def test_a_key_that_another_transaction_is_claiming_is_in_progress(
    house: House, db: Connection
) -> None:
    lanes = house.more_lanes(lock_timeout_s=0.1)
    claim = house.command("n", key="k").claim
    assert claim is not None
    held = db.transaction()
    await held.start()
    assert await insert_claims(db, house.book, [claim], NOON) == {}
    assert await asyncio.gather(house.say("n", lanes, key="k"), house.say("m", lanes)) == [
        Code.IDEMPOTENCY_IN_PROGRESS,
        201,
    ]
    await held.rollback()  # the other has failed: the key is free
    assert await house.say("n", lanes, key="k") == 201
    await lanes.drain()


async def test_the_lane_waits_for_locks_for_less_than_its_deadline(house: House, settings: Settings) -> None:
    assert LaneSettings().lock_timeout_s < LaneSettings().deadline_s
    assert await house.say("n") == 201
    lane = house.lanes._lanes[house.bucket]
    assert lane._db is not None
    assert await lane._db.fetchval("show lock_timeout") == "1s"
    assert await lane._db.fetchval("show statement_timeout") == "10s"


async def test_a_database_that_never_answers_does_not_keep_the_lane(house: House) -> None:
    """The statement ends by the server's time-out; nobody else has to wait longer than that."""
    lanes = house.more_lanes(deadline_s=0.2)
    assert await house.say("hangs", lanes, trouble="too slow") is Code.OUTCOME_UNKNOWN
    await asyncio.sleep(0.4)
    assert await house.say("after", lanes) == 201
    await lanes.drain()
    assert await house.told() == ["after"]


@pytest.mark.parametrize(
    "error", [faults.FaultInjected("after_commit"), TimeoutError(), RuntimeError("ours")]
)
async def test_an_error_after_commit_is_never_a_second_effect(
    house: House, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(name: str) -> None:
        if name == "after_commit":
            raise error

    with monkeypatch.context() as patch:
        patch.setattr("wufeng.base.faults.point", fail)
        answers = await asyncio.gather(house.say("a", key="a"), house.say("b", key="b"), house.say("c"))
    assert answers == [201, 201, Code.OUTCOME_UNKNOWN], "read from their claims; without a key nobody knows"
    assert sorted(await house.told()) == ["a", "b", "c"]


async def test_an_alarm_that_fails_after_commit_is_never_a_second_effect(house: House) -> None:
    def broken(bucket: int) -> None:
        raise RuntimeError("whoever is woken")

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    house.lanes.on_commit = broken
    assert await asyncio.gather(house.say("a"), house.say("b")) == [201, 201]
    assert sorted(await house.told()) == ["a", "b"]
    house.lanes.on_commit = house.woken.append
    assert await house.say("c") == 201, "the lane goes on"


async def test_a_deferred_refusal_of_the_commit_is_a_refusal(house: House, owner: Connection) -> None:
    await owner.execute(
        "create table once (name bytea unique deferrable initially deferred); grant insert on once to wufeng_app;"
        "create function note_once() returns trigger language plpgsql security definer as "
        "$$ begin insert into once values (new.data); return new; end $$;"
        "create trigger note_once after insert on event for each row execute function note_once()"
    )
    assert await house.say("a") == 201
    assert await asyncio.gather(house.say("b"), house.say("a"), house.say("c")) == [201, Code.INTERNAL, 201]
    assert await house.told() == ["a", "b", "c"]


async def test_a_server_that_is_away_refuses_for_certain(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the lane waits for a connection its commands wait too, and can still be withdrawn."""
    gate = asyncio.Event()
    connect = house.database.connect

    async def away(part: str) -> Connection:
        await gate.wait()
        return await connect(part)

    monkeypatch.setattr(house.database, "connect", away)
    lanes = house.more_lanes(deadline_s=0.2)
    assert await asyncio.gather(*(house.say(f"n{n}", lanes) for n in range(3))) == [Code.OVERLOADED] * 3
    waiting = asyncio.create_task(house.say("back", lanes))
    await asyncio.sleep(0.01)
    gate.set()
    assert await waiting == 201
    await lanes.drain()
    assert await house.told() == ["back"]


async def test_a_stale_command_is_dated_again_and_the_fresh_beside_it_are_not_lost(
    house: House, db: Connection
) -> None:
    stale = house.command("stale")
    house.clock.turn_to(NOON + timedelta(days=1))
    await db.execute("update head set closed_through = $1", date(2026, 9, 3))
    outcomes = await asyncio.gather(
        house.say("fresh"), house.lanes.submit(house.bucket, stale), house.say("fresher")
    )
    assert outcomes[0] == outcomes[2] == 201
    rows = await db.fetch("select business_on from event")
    assert {row["business_on"] for row in rows} == {date(2026, 9, 4)} and len(rows) == 3


async def test_a_clock_that_stands_in_a_closed_day_is_refused_and_does_not_spin(
    house: House, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has closed today already. A running clock must not make the lane try for ever."""
    await db.execute("update head set closed_through = $1", date(2026, 9, 3))
    attempts = 0
    take = base_events.take_numbers

    async def counted(*arguments: Any) -> Any:
        nonlocal attempts
        attempts += 1
        house.clock.turn_to(house.clock.now() + timedelta(milliseconds=1))  # it runs while the lane works
        return await take(*arguments)

    monkeypatch.setattr("wufeng.base.lanes.take_numbers", counted)
    tomorrow = Tell(at=NOON + timedelta(days=1), name="tomorrow")  # from a process whose clock is ahead
    refused, taken = await asyncio.gather(house.say("today"), house.lanes.submit(house.bucket, tomorrow))
    assert refused is Code.STATE_CONFLICT and taken.status == 201
    assert attempts <= 3
    assert await house.told() == ["tomorrow"]


async def test_draining_outlives_a_lane_that_failed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    lanes = house.more_lanes(batch_max=1)

    async def wrong(self: object, entries: object) -> None:
        raise RuntimeError("a mistake of the lane")

    with monkeypatch.context() as patch:
        patch.setattr("wufeng.base.lanes._Lane._commit_or_split", wrong)
        assert await house.say("lost", lanes) is Code.INTERNAL
    accepted = [asyncio.create_task(house.say(f"n{n}", lanes)) for n in range(3)]
    await asyncio.sleep(0)
    await lanes.drain()
    assert await asyncio.gather(*accepted) == [201] * 3
