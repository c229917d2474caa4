"""Lanes: group commit, one effect a key, a bad command alone, unknown never guessed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from msgspec import json

from wufeng.base.books import Book, Books, Mode, create_book, load_books, turn_clock
from wufeng.base.claims import Answer, claim_key
from wufeng.base.clock import FixedClock
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem
from wufeng.base.events import Event
from wufeng.base.ids import IdMaker
from wufeng.base.lanes import Batch, Command, Lanes, LaneSettings
from wufeng.base.problems import render_problem

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
CALLER = UUID(int=7)
PEPPER = b"p" * 32


class Note(Command, frozen=True, kw_only=True):
    """A command of these tests: tells one event, or fails as its text says."""

    object_id: UUID
    text: str


async def write_notes(batch: Batch, commands: Sequence[Note]) -> list[Answer | Problem]:
    answers: list[Answer | Problem] = []
    for command in commands:
        if command.text == "problem":
            answers.append(Problem(Code.NOT_FOUND, "no such note"))
            continue
        if command.text == "conflict":
            answers.append(Problem(Code.STATE_CONFLICT, "already noted"))
            continue
        body = json.encode({"text": command.text, "batch_of": len(commands)})
        on = batch.book.business_date(command.at)
        batch.events.append(Event("note.taken", command.object_id, body, on))
        answers.append(Answer(201, body, command.object_id))
    if any(command.text == "poison" for command in commands):
        await batch.db.execute("select 1 / 0")
    if any(command.text == "bug" for command in commands):
        raise AssertionError("an invariant broke")
    if any(command.text == "slow" for command in commands):
        await batch.db.execute("select pg_sleep(0.4)")
    return answers


async def no_people(db: Connection, bucket: int, ids: Sequence[UUID]) -> dict[UUID, object]:
    return {}


async def no_journals(
    db: Connection, bucket: int, first_seq: int, booked_at: datetime, journals: Sequence[object]
) -> None:
    assert not journals


class House:
    """A book with two buckets and its lanes."""

    def __init__(self, database: Database, books: Books, settings: LaneSettings) -> None:
        self.database = database
        self.books = books
        self.book = books.named("main")
        self.bucket = self.book.buckets[0]
        self.clock = FixedClock(NOON)
        self.ids = IdMaker()
        self.lanes = self.more_lanes(settings)

    def more_lanes(self, settings: LaneSettings) -> Lanes:
        return Lanes(
            self.database,
            self.books,
            self.clock,
            {Note: write_notes},
            lock_people=no_people,
            write_journals=no_journals,
            render_problem=render_problem,
            settings=settings,
        )

    def note(self, text: str, key: str | None = None) -> Note:
        claim = claim_key(PEPPER, CALLER, key, "POST /notes", {"text": text}) if key else None
        object_id = self.ids.new(self.clock.now(), 1)
        return Note(
            at=self.book.at(self.clock), claim=claim, object_id=object_id, text=text, request_id="req_1"
        )

    async def say(self, text: str, key: str | None = None, lanes: Lanes | None = None) -> Answer | Problem:
        try:
            return await (lanes or self.lanes).submit(self.bucket, self.note(text, key))
        except Problem as problem:
            return problem

    async def events(self) -> list[str]:
        async with self.database.read() as db:
            rows = await db.fetch("select seq, data from event where bucket = $1 order by seq", self.bucket)
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1)), "numbers have no holes"
        return [json.decode(row["data"])["text"] for row in rows]


def draft_book(name: str = "main") -> Book:
    return Book(0, name, Mode.TEST, "CNY", "Asia/Shanghai", time(0), 0, (), ())


@pytest.fixture
async def house(database: Database, owner: Connection) -> AsyncIterator[House]:
    await create_book(owner, draft_book(), 2, NOON)
    async with database.read() as db:
        books = Books(await load_books(db))
    house = House(database, books, LaneSettings(batch_max=64, queue_max=400, deadline_s=5.0))
    yield house
    await house.lanes.drain()


async def test_concurrent_commands_commit_together(house: House) -> None:
    answers = await asyncio.gather(*(house.say(f"n{n}") for n in range(200)))
    assert all(isinstance(answer, Answer) and answer.status == 201 for answer in answers)
    assert sorted(await house.events()) == sorted(f"n{n}" for n in range(200))
    assert house.lanes.stats.batches <= 8, "commands that wait go together"


async def test_a_command_alone_does_not_wait_for_others(house: House) -> None:
    answer = await house.say("alone")
    assert isinstance(answer, Answer) and json.decode(answer.body)["batch_of"] == 1


@pytest.mark.parametrize("bad", ["poison", "bug"])
async def test_a_bad_command_fails_alone(house: House, bad: str) -> None:
    texts = [f"n{n}" for n in range(63)] + [bad]
    answers = dict(zip(texts, await asyncio.gather(*(house.say(text) for text in texts)), strict=True))
    failed = answers.pop(bad)
    assert isinstance(failed, Problem) and failed.code is Code.INTERNAL
    assert all(isinstance(answer, Answer) for answer in answers.values())
    assert sorted(await house.events()) == sorted(answers)
    assert house.lanes.stats.splits <= 7, "the batch is halved, not tried again one by one"


async def test_a_problem_changes_nothing_for_the_others_and_frees_its_key(house: House) -> None:
    refused, told = await asyncio.gather(house.say("problem", key="k1"), house.say("fine", key="k2"))
    assert isinstance(refused, Problem) and refused.code is Code.NOT_FOUND
    assert isinstance(told, Answer)
    assert isinstance(await house.say("fine", key="k1"), Answer), (
        "a key that was not answered may be used again"
    )


async def test_one_key_has_one_effect_and_one_answer(house: House) -> None:
    other = house.more_lanes(LaneSettings())
    sends = [house.say("once", key="k", lanes=house.lanes if n % 2 else other) for n in range(100)]
    answers = await asyncio.gather(*sends)
    await other.drain()
    assert await house.events() == ["once"]
    assert len({answer.body for answer in answers if isinstance(answer, Answer)}) == 1
    assert all(isinstance(answer, Answer) for answer in answers)


async def test_a_key_used_for_another_request_names_the_field(house: House) -> None:
    await house.say("first", key="k")
    reused = await house.say("second", key="k")
    assert isinstance(reused, Problem) and reused.code is Code.IDEMPOTENCY_KEY_REUSED
    assert "/text" in reused.detail
    together = await asyncio.gather(house.say("a", key="k3"), house.say("b", key="k3"))
    assert [type(outcome) for outcome in together] == [Answer, Problem]
    assert await house.events() == ["first", "a"]


async def test_a_state_conflict_is_stored_with_its_key(house: House) -> None:
    first, again = await house.say("conflict", key="k"), await house.say("conflict", key="k")
    assert isinstance(first, Answer) and first.status == 409
    assert first == again


async def test_a_command_dated_on_a_closed_day_is_dated_again(house: House) -> None:
    stale = house.note("late")
    async with house.database.transaction() as db:
        await turn_clock(db, house.book, int(timedelta(days=7).total_seconds() * 1e6))
        await db.execute("update head set closed_through = $1", date(2026, 9, 9))
    answer = await house.lanes.submit(house.bucket, stale)
    assert answer.status == 201
    async with house.database.read() as db:
        assert await db.fetchval("select business_on from event") == date(2026, 9, 10)


def test_a_command_that_is_moved_on_keeps_the_instant_of_its_request() -> None:
    command = Note(at=NOON, object_id=UUID(int=1), text="late")
    assert command.asked_at == NOON
    later = NOON + timedelta(days=1)
    moved = command.moved_on(later).moved_on(NOON).moved_on(later + timedelta(days=1))
    assert (moved.at, moved.asked_at) == (later + timedelta(days=1), NOON)


async def test_a_full_lane_refuses_at_once(house: House) -> None:
    lanes = house.more_lanes(LaneSettings(queue_max=10))
    first = asyncio.create_task(house.say("slow", lanes=lanes))
    await asyncio.sleep(0.05)
    answers = await asyncio.gather(*(house.say(f"n{n}", lanes=lanes) for n in range(40)))
    refused = [answer for answer in answers if isinstance(answer, Problem)]
    assert len(refused) == 30 and {problem.code for problem in refused} == {Code.OVERLOADED}
    assert all(problem.retry_after_s for problem in refused)
    await first
    await lanes.drain()
    assert len(await house.events()) == 11


async def test_what_waits_too_long_is_not_done_and_what_runs_too_long_is_unknown(house: House) -> None:
    lanes = house.more_lanes(LaneSettings(deadline_s=0.2))
    running = asyncio.create_task(house.say("slow", key="r", lanes=lanes))
    await asyncio.sleep(0.05)
    waiting = await house.say("waits", key="w", lanes=lanes)
    assert isinstance(waiting, Problem) and waiting.code is Code.OVERLOADED
    ran = await running
    assert isinstance(ran, Problem) and ran.code is Code.OUTCOME_UNKNOWN
    await lanes.drain()
    again = await house.say("slow", key="r")
    assert isinstance(again, Answer), "the same key learns the truth"
    assert await house.events() == ["slow"]


async def test_a_connection_lost_before_commit_means_nothing_was_done(house: House, db: Connection) -> None:
    doomed = asyncio.create_task(house.say("slow", key="k"))
    await asyncio.sleep(0.1)
    await db.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where application_name like '%lane%' and datname = current_database()"
    )
    lost = await doomed
    assert isinstance(lost, Problem) and lost.code is Code.OVERLOADED
    assert await house.events() == []
    assert isinstance(await house.say("fine", key="k2"), Answer), "the lane connects again"


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_that_is_not_answered_is_read_before_it_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    lane_module = "wufeng.base.faults.point"

    def cut(name: str) -> None:
        if name == "after_commit" and committed:
            raise ConnectionResetError("the answer to COMMIT is lost")
        if name == "before_commit" and not committed:
            raise ConnectionResetError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(lane_module, cut)
        outcome = await house.say("unsure", key="k")
    if committed:
        assert isinstance(outcome, Answer) and await house.events() == ["unsure"]
    else:
        assert isinstance(outcome, Problem) and outcome.code is Code.OVERLOADED and await house.events() == []


async def test_draining_finishes_what_was_accepted(house: House) -> None:
    accepted = [asyncio.create_task(house.say(f"n{n}")) for n in range(100)]
    await asyncio.sleep(0)
    await house.lanes.drain()
    assert all(isinstance(answer, Answer) for answer in await asyncio.gather(*accepted))
    late = await house.say("late")
    assert isinstance(late, Problem) and late.code is Code.OVERLOADED
