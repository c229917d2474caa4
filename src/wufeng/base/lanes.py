"""Lanes: group commit, the heart of the system.

Each bucket has one lane in each process. A command that arrives while the lane's previous transaction is in flight
waits and goes with the others that wait, in one transaction: no timer, a batch of one when idle. In it

    lock the people, by id  >  claim the keys, sorted  >  each kind of command: load, decide, store
    >  lock the bucket's head, last, and number journals and events  >  answers to the claims  >  commit

One bad command fails alone: a batch that the database refuses is rolled back and tried again in halves. State is
loaded in every batch, so any process may commit any bucket: a second one is slower there, never wrong. What is unknown
after a lost commit is read from the database before it is answered, never guessed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from wufeng.base import claims as key_claims
from wufeng.base import faults
from wufeng.base.books import Book, Books
from wufeng.base.claims import Answer, KeyClaim
from wufeng.base.clock import Clock
from wufeng.base.database import LOST, Connection, Database, close
from wufeng.base.errors import Code, ConfigurationError, Problem
from wufeng.base.events import DayClosed, Event, take_numbers, write_events
from wufeng.base.ids import IdMaker
from wufeng.base.sql import load

SQL = load(__file__)


class Command(Struct, frozen=True, kw_only=True):
    """What every lane command carries.

    at          the instant on the book's clock, read once at the edge; a lane that finds its day closed moves it on
    moved_from  the first `at` of a command that was moved on; None: it never was
    people      whose rows are locked, in id order, before anything is decided
    claim       its Idempotency-Key; None for the system's own commands, which are safe to repeat by their state
    request_id  for problems that are stored with the key, and for the audit
    """

    at: datetime
    moved_from: datetime | None = None
    people: tuple[UUID, ...] = ()
    claim: KeyClaim | None = None
    request_id: str = ""

    @property
    def asked_at(self) -> datetime:
        """The instant of the request: what it names was priced and dated then, whenever it is carried out."""
        return self.moved_from or self.at

    def moved_on(self, at: datetime) -> Self:
        """The command as it is carried out at that instant, or its own if later; it keeps that of its request."""
        return msgspec.structs.replace(self, at=max(at, self.at), moved_from=self.asked_at)


Handler = Callable[["Batch", Sequence[Any]], Awaitable[Sequence[Answer | Problem]]]
"""Decides and stores the commands of one kind; its answers keep the order of the commands."""
LockPeople = Callable[[Connection, int, Sequence[UUID]], Awaitable[Mapping[UUID, Any]]]
WriteJournals = Callable[[Connection, int, int, datetime, Sequence[Any]], Awaitable[None]]


class Batch:
    """What a handler works in: one transaction of one bucket.

    people    the locked rows of the commands' people; an unknown id is absent
    events    facts to tell, numbered and written at the end
    journals  kept by `ledger.post` for the end; nobody else appends
    """

    def __init__(self, db: Connection, bucket: int, book: Book, ids: IdMaker) -> None:
        self.db = db
        self.bucket = bucket
        self.book = book
        self.ids = ids
        self.people: Mapping[UUID, Any] = {}
        self.events: list[Event] = []
        self.journals: list[Any] = []


class LaneSettings(Struct, frozen=True):
    """Bounds of a lane: commands a batch, commands waiting, and how long one may take before its caller hears 503.

    lock_timeout_s  how long a batch waits for a row of another process: well below the deadline, so that it is refused
                    for certain instead of left unknown
    """

    batch_max: int = 128
    queue_max: int = 2048
    deadline_s: float = 5.0
    lock_timeout_s: float = 1.0

    @property
    def statement_timeout_s(self) -> float:
        """After this the database ends a statement: nobody waits for its answer any more."""
        return 2 * self.deadline_s

    @property
    def attempt_timeout_s(self) -> float:
        """After this a transaction is given up with its connection: the server, or the way to it, is dead."""
        return 3 * self.deadline_s


class LaneStats(Struct):
    """Counters of this process's lanes, read by metrics and the bench."""

    commands: int = 0
    batches: int = 0
    splits: int = 0
    refused: int = 0
    unknown: int = 0


class _Entry:
    __slots__ = ("command", "deadline", "future")

    def __init__(self, command: Command, deadline: float, future: asyncio.Future[Answer]) -> None:
        self.command = command
        self.deadline = deadline
        self.future = future

    def settle(self, outcome: Answer | Problem) -> None:
        if self.future.done():
            return  # its caller has gone; the command was decided all the same
        if isinstance(outcome, Problem):
            self.future.set_exception(outcome)
            self.future.exception()  # seen: its caller may have stopped waiting
        else:
            self.future.set_result(outcome)


class Lanes:
    """The lanes of one process, one a bucket, made on first use."""

    def __init__(
        self,
        database: Database,
        books: Books,
        clock: Clock,
        handlers: Mapping[type[Command], Handler],
        *,
        lock_people: LockPeople,
        write_journals: WriteJournals,
        render_problem: Callable[[Problem, str], Answer],
        settings: LaneSettings | None = None,
        ids: IdMaker | None = None,
        on_commit: Callable[[int], None] = lambda _bucket: None,
    ) -> None:
        self.database = database
        self.books = books
        self.clock = clock
        self.handlers = dict(handlers)
        self.lock_people = lock_people
        self.write_journals = write_journals
        self.render_problem = render_problem
        self.settings = settings or LaneSettings()
        self.ids = ids or IdMaker()
        self.on_commit = on_commit
        self.stats = LaneStats()
        self.closing = False
        self._lanes: dict[int, _Lane] = {}

    async def submit(self, bucket: int, command: Command) -> Answer:
        """Run a command with the next batch of its bucket and wait for the commit.

        Raises the Problem it was refused with. `overloaded` means that nothing was done; `outcome_unknown` that the
        caller must ask again with the same key.
        """
        lane = self._lanes.get(bucket)
        if lane is None:
            lane = self._lanes[bucket] = _Lane(self, bucket)
        if self.closing or len(lane.waiting) >= self.settings.queue_max:
            self.stats.refused += 1
            raise _not_done("The queue is full.")
        loop = asyncio.get_running_loop()
        entry = _Entry(command, loop.time() + self.settings.deadline_s, loop.create_future())
        lane.add(entry)
        timer = loop.call_at(entry.deadline, lane.expire, entry)
        try:
            return await entry.future
        finally:
            timer.cancel()

    def waiting(self) -> dict[int, int]:
        """Commands in the queue now, by bucket; for metrics."""
        return {bucket: len(lane.waiting) for bucket, lane in self._lanes.items()}

    async def drain(self) -> None:
        """Refuse new commands, finish those accepted, close the connections."""
        self.closing = True
        await asyncio.gather(*(lane.drained() for lane in self._lanes.values()))


class _Lane:
    """One bucket's queue and its connection."""

    def __init__(self, lanes: Lanes, bucket: int) -> None:
        self.lanes = lanes
        self.bucket = bucket
        self.waiting: list[_Entry] = []
        self._runner: asyncio.Task[None] | None = None
        self._db: Connection | None = None

    def add(self, entry: _Entry) -> None:
        self.waiting.append(entry)
        if self._runner is None:
            self._start()

    def _start(self) -> None:
        self._runner = asyncio.get_running_loop().create_task(self._run())

    def expire(self, entry: _Entry) -> None:
        """Answer a caller whose deadline has come: whether a batch has taken the entry decides what is known."""
        if entry.future.done():
            return
        if entry in self.waiting:
            self.waiting.remove(entry)
            self.lanes.stats.refused += 1
            entry.settle(_not_done("It waited too long."))
            return
        self.lanes.stats.unknown += 1
        entry.settle(
            Problem(
                Code.OUTCOME_UNKNOWN,
                "The database has not answered yet. Ask again with the same key.",
                retry_after_s=2,
            )
        )

    async def drained(self) -> None:
        while self._runner is not None:
            await asyncio.wait([self._runner])
        if self._db is not None:
            await close(self._db)

    async def _run(self) -> None:
        try:
            while self.waiting:
                if not await self._connected():
                    continue
                entries = self.waiting[: self.lanes.settings.batch_max]
                del self.waiting[: len(entries)]
                try:
                    await self._commit_or_split(entries)
                except BaseException:
                    # A mistake of the lane itself: nobody may wait for ever on an answer that will not come.
                    for entry in entries:
                        entry.settle(Problem(Code.INTERNAL, "The lane failed."))
                    raise
        finally:
            self._runner = None
            task = asyncio.current_task()
            if self.waiting and task is not None and not task.cancelling():
                self._start()

    async def _connected(self) -> bool:
        """Connect before commands are taken: those that wait for a lost server can still be withdrawn for certain."""
        try:
            await self._connection()
        except _NOT_REACHED:
            refused, self.waiting = self.waiting, []
            for entry in refused:
                entry.settle(_not_done("The database does not answer."))
            return False
        return True

    async def _commit_or_split(self, entries: Sequence[_Entry]) -> None:
        """Answer the entries by one commit; a batch that the database refuses goes again in halves."""
        alive = self._not_expired(entries)
        if not alive:
            return
        commands = [entry.command for entry in alive]
        try:
            outcomes = await self._commit(alive)
        except _Lost as lost:
            self._drop_connection()
            outcomes = await self._after_lost(commands, committing=lost.committing)
        except _HeadBusy:
            outcomes = [_not_done("Another process holds the bucket.") for _ in commands]
        except DayClosed:
            await self._restamped(alive)
            return
        except Exception as error:
            if len(alive) > 1 and not faults.planted(faults.Plant.BATCH_FAILS_TOGETHER):
                self.lanes.stats.splits += 1
                middle = len(alive) // 2
                await self._commit_or_split(alive[:middle])
                await self._commit_or_split(alive[middle:])
                return
            outcomes = [_refusal(error) for _ in alive]
        else:
            self.lanes.stats.commands += len(commands)
            self.lanes.stats.batches += 1
        for entry, outcome in zip(alive, outcomes, strict=True):
            entry.settle(outcome)
        self.lanes.on_commit(self.bucket)

    def _not_expired(self, entries: Iterable[_Entry]) -> list[_Entry]:
        now, alive = asyncio.get_running_loop().time(), []
        for entry in entries:
            if entry.deadline > now:
                alive.append(entry)
            else:
                entry.settle(_not_done("It waited too long."))
        return alive

    async def _restamped(self, entries: Sequence[_Entry]) -> None:
        """Read the book's clock again for commands dated on a closed day, and run all once more.

        When the clock itself stands in the closed day, those dated on it are refused: each round moves all dates on
        to the clock's, or lets go of the earliest, so rounds end.
        """
        try:
            async with self.lanes.database.read() as db:
                await self.lanes.books.refresh(db)
        except _NOT_REACHED:
            for entry in entries:
                entry.settle(_not_done("The database does not answer."))
            return
        book = self.lanes.books.book_of_bucket(self.bucket)
        at = book.at(self.lanes.clock)
        dates = [book.business_date(entry.command.at) for entry in entries]
        closed_on = min(dates)
        if closed_on < book.business_date(at):
            for entry in entries:
                entry.command = entry.command.moved_on(at)
            await self._commit_or_split(entries)
            return
        for entry, on in zip(entries, dates, strict=True):
            if on == closed_on:
                entry.settle(
                    Problem(
                        Code.STATE_CONFLICT, "The business date is closed; the book's clock stands in it."
                    )
                )
        await self._commit_or_split([e for e, on in zip(entries, dates, strict=True) if on != closed_on])

    async def _connection(self) -> Connection:
        if self._db is None or self._db.is_closed():
            self._db = await self.lanes.database.connect(f"lane {self.bucket}")
            settings = self.lanes.settings
            timeouts = settings.lock_timeout_s, settings.statement_timeout_s
            await self._db.execute(SQL.set_timeouts, *(f"{seconds * 1000:.0f}" for seconds in timeouts))
        return self._db

    def _drop_connection(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.terminate()

    async def _commit(self, entries: Sequence[_Entry]) -> list[Answer | Problem]:
        """One attempt at one transaction. Any error but _Lost leaves it rolled back and is raised as it is."""
        committing = False
        try:
            async with asyncio.timeout(self.lanes.settings.attempt_timeout_s):
                db = await self._connection()
                await db.execute("begin")
                outcomes = await self._work(db, [entry.command for entry in entries])
                faults.point("before_commit")
                if faults.planted(faults.Plant.ACK_BEFORE_COMMIT):
                    for entry, outcome in zip(entries, outcomes, strict=True):
                        entry.settle(outcome)
                    await asyncio.sleep(0.1)
                committing = True
                ended = await db.execute("commit")
                assert ended == "COMMIT", "a handler went on after an error of the database"
                faults.point("after_commit")
                return outcomes
        except Exception as error:
            if await self._rolled_back(error, committing=committing):
                raise
            raise _Lost(committing=committing) from error
        except BaseException:
            self._drop_connection()
            raise

    async def _rolled_back(self, error: Exception, *, committing: bool) -> bool:
        """Whether a failed transaction has ended without effect for certain.

        Once COMMIT was sent only the database's own refusal says so: any other error may stand behind a commit.
        """
        db = self._db
        if db is None or db.is_closed() or isinstance(error, TimeoutError | ConnectionError):
            return False
        if isinstance(error, asyncpg.PostgresError) and isinstance(error, LOST):
            return False
        if committing:
            return isinstance(error, asyncpg.PostgresError)
        try:
            await db.execute("rollback")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self._drop_connection()  # what it has begun must not become part of the next transaction
        return True

    async def _work(self, db: Connection, commands: Sequence[Command]) -> list[Answer | Problem]:
        lanes = self.lanes
        batch = Batch(db, self.bucket, lanes.books.book_of_bucket(self.bucket), lanes.ids)
        people = sorted({person for command in commands for person in command.people})
        if people:
            batch.people = await lanes.lock_people(db, self.bucket, people)
        faults.point("people_locked")
        outcomes: list[Answer | Problem | None] = [None] * len(commands)
        await _recall(batch, commands, outcomes)
        fresh = _first_of_each_key(commands, outcomes)
        if fresh:
            await self._run_handlers(batch, commands, fresh, outcomes)
            await self._number(batch, [commands[n] for n in fresh])
            await self._answer_claims(batch, commands, fresh, outcomes)
        return _with_copies(commands, outcomes)

    async def _run_handlers(
        self,
        batch: Batch,
        commands: Sequence[Command],
        fresh: Sequence[int],
        outcomes: list[Answer | Problem | None],
    ) -> None:
        by_kind: dict[type[Command], list[int]] = {}
        for n in fresh:
            by_kind.setdefault(type(commands[n]), []).append(n)
        for kind, places in by_kind.items():
            answers = await self.lanes.handlers[kind](batch, [commands[n] for n in places])
            for n, answer in zip(places, answers, strict=True):
                outcomes[n] = answer
            faults.point("handled")

    async def _number(self, batch: Batch, commands: Sequence[Command]) -> None:
        """Lock the head, last of all rows, and write what it numbers: journals first, then events."""
        at = max(command.at for command in commands)
        earliest_on = batch.book.business_date(min(command.at for command in commands))
        if faults.planted(faults.Plant.FORGET_CUT_OFF):
            earliest_on = date.max
        journals, events = batch.journals, batch.events
        try:
            numbers = await take_numbers(batch.db, batch.bucket, len(journals) + len(events), at, earliest_on)
        except asyncpg.LockNotAvailableError as error:
            raise _HeadBusy from error  # no command's fault: going again in halves would only wait again
        if journals:
            await self.lanes.write_journals(
                batch.db, batch.bucket, numbers.first_seq, numbers.booked_at, journals
            )
        if events:
            first_event = numbers.first_seq + len(journals)
            await write_events(batch.db, batch.bucket, first_event, numbers.booked_at, events)
        faults.point("numbered")

    async def _answer_claims(
        self,
        batch: Batch,
        commands: Sequence[Command],
        fresh: Sequence[int],
        outcomes: list[Answer | Problem | None],
    ) -> None:
        answered: dict[UUID, Answer] = {}
        released: list[UUID] = []
        for n in fresh:
            claim, outcome = commands[n].claim, outcomes[n]
            if claim is None:
                continue
            if isinstance(outcome, Problem) and outcome.code is Code.STATE_CONFLICT:
                outcome = outcomes[n] = self.lanes.render_problem(outcome, commands[n].request_id)
            if isinstance(outcome, Answer):
                answered[claim.id] = outcome
            else:
                released.append(claim.id)
        if answered:
            await key_claims.answer_claims(batch.db, batch.book, answered)
        if released:
            await key_claims.release_claims(batch.db, batch.book, released)

    async def _after_lost(self, commands: Sequence[Command], *, committing: bool) -> list[Answer | Problem]:
        """Answer commands whose connection was lost: by what the database holds, or as unknown."""
        if not committing:
            return [_not_done("The database went away before the commit.") for _ in commands]
        try:
            async with asyncio.timeout(self.lanes.settings.deadline_s):
                return await self._read_outcomes(commands)
        except _NOT_REACHED:
            self.lanes.stats.unknown += len(commands)
            unknown = "The database went away during the commit. Ask again with the same key."
            return [Problem(Code.OUTCOME_UNKNOWN, unknown, retry_after_s=2) for _ in commands]

    async def _read_outcomes(self, commands: Sequence[Command]) -> list[Answer | Problem]:
        """Learn what became of a transaction whose commit was not answered.

        The head is locked first: the lost transaction held that lock, so it has ended by the time we have it.
        """
        db = await self._connection()
        book = self.lanes.books.book_of_bucket(self.bucket)
        claims = [command.claim for command in commands if command.claim is not None]
        async with db.transaction():
            await db.execute(SQL.lock_head, self.bucket)
            found = await key_claims.load_claims(db, book, [claim.id for claim in claims])
        return [_outcome_found(command, found) for command in commands]


class _Lost(Exception):
    """The connection is gone; `committing` tells whether COMMIT had been sent."""

    def __init__(self, *, committing: bool) -> None:
        super().__init__()
        self.committing = committing


class _HeadBusy(Exception):
    """Another process kept the bucket's head for longer than a batch waits."""


_NOT_REACHED = (ConfigurationError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""Why a connection cannot be had or used (OSError: a time-out is one); a statement of the lane's own has no others."""


def _not_done(why: str) -> Problem:
    return Problem(Code.OVERLOADED, f"{why} Nothing was done.", retry_after_s=1)


async def _recall(batch: Batch, commands: Sequence[Command], outcomes: list[Answer | Problem | None]) -> None:
    """Claim the keys of a batch; those claimed before get their stored answer, or the problem of another request."""
    claims: dict[UUID, KeyClaim] = {}
    for command in commands:
        if command.claim is not None:
            claims.setdefault(command.claim.id, command.claim)
    if not claims or faults.planted(faults.Plant.FORGET_CLAIM):
        return
    at = max(command.at for command in commands)
    try:
        known = await key_claims.insert_claims(batch.db, batch.book, list(claims.values()), at)
    except asyncpg.LockNotAvailableError as error:
        running = "Another request with this key is still running. Ask again."
        raise _ClaimBusy(Problem(Code.IDEMPOTENCY_IN_PROGRESS, running, retry_after_s=1)) from error
    faults.point("claimed")
    for n, command in enumerate(commands):
        if command.claim is not None and (claimed := known.get(command.claim.id)) is not None:
            outcomes[n] = _outcome_of_claim(command.claim, claimed)


class _ClaimBusy(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _outcome_of_claim(claim: KeyClaim, claimed: key_claims.Claimed) -> Answer | Problem:
    if (other := claim.problem_if_other(claimed.digest)) is not None:
        return other
    if claimed.answer is None:
        return Problem(
            Code.IDEMPOTENCY_IN_PROGRESS, "A request with this key is still running.", retry_after_s=1
        )
    return claimed.answer


def _outcome_found(command: Command, found: Mapping[UUID, key_claims.Claimed]) -> Answer | Problem:
    if command.claim is None:
        return Problem(Code.OUTCOME_UNKNOWN, "The database went away during the commit.", retry_after_s=2)
    claimed = found.get(command.claim.id)
    if claimed is None:
        return _not_done("The database went away.")
    return _outcome_of_claim(command.claim, claimed)


def _first_of_each_key(commands: Sequence[Command], outcomes: Sequence[Answer | Problem | None]) -> list[int]:
    """The places of the commands to run: those without an outcome, but not a second one with the same key."""
    seen: set[UUID] = set()
    places: list[int] = []
    for n, command in enumerate(commands):
        if outcomes[n] is None and (command.claim is None or command.claim.id not in seen):
            places.append(n)
        if command.claim is not None:
            seen.add(command.claim.id)
    return places


def _with_copies(
    commands: Sequence[Command], outcomes: Sequence[Answer | Problem | None]
) -> list[Answer | Problem]:
    """Give copies of one key in one batch what their first got, if they asked the same."""
    first: dict[UUID, tuple[KeyClaim, Answer | Problem]] = {}
    answers: list[Answer | Problem] = []
    for command, outcome in zip(commands, outcomes, strict=True):
        claim = command.claim
        if outcome is None:
            assert claim is not None, "only a copy of a key has no outcome of its own"
            original, outcome = first[claim.id]
            outcome = claim.problem_if_other(original.digest) or outcome
        elif claim is not None:
            first.setdefault(claim.id, (claim, outcome))
        answers.append(outcome)
    return answers


def _refusal(error: Exception) -> Problem:
    """The problem of a command that failed alone; its transaction is rolled back, so nothing was done."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, _ClaimBusy):
        return error.problem
    if isinstance(
        error, asyncpg.LockNotAvailableError | asyncpg.QueryCanceledError | asyncpg.DeadlockDetectedError
    ):
        return _not_done("A row it needs is held by another.")
    if isinstance(error, asyncpg.DiskFullError | asyncpg.OutOfMemoryError):
        return Problem(Code.STORAGE_FULL, "The database cannot write. Nothing was done.", retry_after_s=30)
    return CommandFailed(error)


class CommandFailed(Problem):
    """A bug or a refusal of the database that one command ran into; rolled back. The cause goes to the log."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(Code.INTERNAL, "This command failed and was rolled back. Nothing was done.")
        self.__cause__ = cause
