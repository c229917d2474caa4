"""The bank runner: sends the work list to the bank, asks until the bank knows, and tells the objects.

Nothing here runs inside a lane or while a lock is held. A process that dies while it waits for the bank leaves a lease
that ends; the next one asks before it sends. An object takes its answer first, then the list forgets the instruction:
dying between the two means the same answer twice, and an object takes only the first. What the bank does not say stays
unknown: no number of tries turns it into a failure.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from wufeng.base import faults
from wufeng.base.books import Book, Books
from wufeng.base.clock import Clock
from wufeng.base.database import LOST, Connection, Database
from wufeng.base.errors import ConfigurationError, Problem
from wufeng.base.followers import Follower, Stream, read_events
from wufeng.base.lanes import Command, Lanes
from wufeng.identity.bank_accounts import commands as bank_accounts
from wufeng.identity.bank_accounts import queries as accounts
from wufeng.identity.vault import Vault
from wufeng.payments.bank import events, rules, store
from wufeng.payments.bank.model import (
    UNKNOWN,
    Answered,
    Bank,
    BankAnswer,
    Claimed,
    Instruction,
    Kind,
    Outcome,
    Verification,
)

log = structlog.get_logger("wufeng.bank")

T = TypeVar("T")

FOLLOWER = "bank"

BankOf = Callable[[Book], Bank | None]
"""The bank that a book's money moves through; None: no bank is connected, and nothing of the book is sent."""
MakeCommand = Callable[[Answered], Command]
"""Makes the lane command by which an object takes the bank's answer. The command must be safe to repeat."""


def _nobody_counts(outcome: str) -> None:
    """Nobody counts what the bank said."""


class BankRunnerSettings(Struct, frozen=True):
    """How the bank is spoken to in one process.

    poll_s           how often to look for what is due
    answer_within_s  how long one call of the bank may take; after that its outcome is unknown
    lease_s          how long a claimed instruction is ours: longer than a call, and the command after it, may take
    first_pause_s    pause before an instruction without an answer is asked about; it doubles up to
    longest_pause_s
    at_a_time        calls of the bank under way
    grace_s          how long calls under way may go on when the process stops
    """

    poll_s: float = 0.5
    answer_within_s: float = 15.0
    lease_s: float = 60.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 300.0
    at_a_time: int = 8
    grace_s: float = 5.0


class _Unverified(Struct, frozen=True):
    """A bank account about which this process has asked in vain."""

    tries: int
    next_at: datetime


def bank_follower(clock: Clock, runner: "BankRunner | None" = None) -> Follower:
    """The follower that puts pending objects on the bank's work list, in the transaction of its cursor."""

    async def handle(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        rows = await read_events(db, bucket, after_seq, through_seq, events.KINDS)
        if rows:
            new = [events.instruction_of(row) for row in rows]
            await store.insert_instructions(db, bucket, new, clock.now())

    def after(bucket: int) -> None:
        if runner is not None:
            runner.wake(bucket)

    return Follower(FOLLOWER, Stream.EVENT, handle, after)


class BankRunner:
    """Speaks to the banks of all books, in as many processes as there are.

    commands  how each kind of object takes an answer; kinds without one are left alone
    """

    def __init__(
        self,
        database: Database,
        books: Books,
        clock: Clock,
        vault: Vault,
        bank_of: BankOf,
        lanes: Lanes,
        commands: Mapping[Kind, MakeCommand],
        *,
        settings: BankRunnerSettings | None = None,
        on_answer: Callable[[str], None] = _nobody_counts,
    ) -> None:
        self._on_answer = on_answer
        self._database = database
        self._books = books
        self._clock = clock
        self._vault = vault
        self._bank_of = bank_of
        self._lanes = lanes
        self._commands = dict(commands)
        self._settings = settings or BankRunnerSettings()
        self._calls: set[asyncio.Task[None]] = set()
        self._unverified: dict[UUID, _Unverified] = {}
        self._verifying: set[int] = set()
        self._dirty: set[int] = set()
        self._signal = asyncio.Event()
        self._stopping = False
        self._runner: asyncio.Task[None] | None = None

    def wake(self, bucket: int) -> None:
        """Say that a bucket has something for the bank."""
        self._dirty.add(bucket)
        self._signal.set()

    async def start(self) -> None:
        """Begin, in a task of the running loop."""
        assert self._runner is None, "the bank runner runs already"
        self._stopping = False
        self._runner = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; calls under way have some grace, then they are broken off and asked about after their lease."""
        self._stopping = True
        self._signal.set()
        if self._runner is not None:
            await self._runner
            self._runner = None
        if self._calls:
            await asyncio.wait(self._calls, timeout=self._settings.grace_s)
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until no call is under way in this process. For tests and tools."""
        while self._calls:
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def hear(self, book: int, instruction_id: UUID, answer: BankAnswer) -> None:
        """Take a bank's word that nobody asked for: a notification, or an answer it gives twice.

        One about an instruction that has its answer, or that was never sent, changes nothing.
        """
        bucket = self._books[book].bucket_of(instruction_id)
        async with self._database.read() as db:
            known = await store.load_open(db, bucket, instruction_id)
        if known is not None and answer.outcome in rules.ENDS:
            await self._settle(bucket, known, answer)

    async def send_due(self, bucket: int) -> int:
        """Claim what is due in a bucket and begin to call its bank; returns how many."""
        bank = self._bank_of(self._books.book_of_bucket(bucket))
        room = self._settings.at_a_time - len(self._calls)
        if bank is None or room <= 0:
            return 0
        at = self._clock.now()
        lease_until = at + timedelta(seconds=self._settings.lease_s)
        async with self._database.read() as db:
            claimed = await store.claim_instructions(db, bucket, at, lease_until, list(self._commands), room)
        faults.point("instructions_claimed")
        for instruction in claimed:
            self._begin(self._call(bank, bucket, instruction))
        return len(claimed)

    async def verify_due(self, bucket: int) -> int:
        """Ask the bank about accounts that it has not answered about; returns how many it has now."""
        bank = self._bank_of(self._books.book_of_bucket(bucket))
        if bank is None:
            return 0
        async with self._database.read() as db:
            ids = await accounts.unverified_bank_accounts(db, bucket, self._settings.at_a_time)
            at = self._clock.now()
            ids = [id_ for id_ in ids if (known := self._unverified.get(id_)) is None or known.next_at <= at]
            in_clear = await accounts.bank_instructions(db, self._vault, bucket, ids) if ids else {}
        answered = 0
        for id_, account in in_clear.items():
            verification = await self._within(bank.verify(account), Verification.UNKNOWN)
            answered += await self._mark(bucket, id_, verification)
        return answered

    async def _mark(self, bucket: int, id_: UUID, verification: Verification) -> bool:
        if verification is Verification.UNKNOWN:
            tries = (self._unverified[id_].tries if id_ in self._unverified else 0) + 1
            self._unverified[id_] = _Unverified(tries, self._clock.now() + self._pause(tries))
            return False
        self._unverified.pop(id_, None)
        at = self._books.book_of_bucket(bucket).at(self._clock)
        mark = (
            bank_accounts.mark_verified
            if verification is Verification.VERIFIED
            else bank_accounts.mark_refused
        )
        async with self._database.transaction() as db:
            return await mark(db, bucket, id_, at)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        looked_s: float = 0.0
        while not self._stopping:
            self._signal.clear()
            buckets, self._dirty = self._dirty, set()
            everywhere = loop.time() - looked_s >= self._settings.poll_s
            if everywhere:
                buckets, looked_s = {b for book in self._books.values() for b in book.buckets}, loop.time()
            try:
                for bucket in buckets:
                    await self.send_due(bucket)
                    if everywhere and bucket not in self._verifying:
                        self._verifying.add(bucket)
                        self._begin(self._verify(bucket))
            except (ConfigurationError, asyncpg.InterfaceError, *LOST) as error:
                log.warning("the bank runner lost its connection", error=repr(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._signal.wait(), self._settings.poll_s)

    def _begin(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _verify(self, bucket: int) -> None:
        try:
            await self.verify_due(bucket)
        except Exception as error:
            # The next look asks again; here it must only not be lost unseen.
            log.error("bank accounts could not be verified", bucket=bucket, exc_info=error)
        finally:
            self._verifying.discard(bucket)

    async def _call(self, bank: Bank, bucket: int, claimed: Claimed) -> None:
        try:
            answer = await self._speak(bank, bucket, claimed)
            self._on_answer(answer.outcome.value)
            faults.point("bank_answered")
            if answer.outcome in rules.ENDS and await self._settle(bucket, claimed, answer):
                return
            next_at = self._clock.now() + self._pause(claimed.tries)
            async with self._database.read() as db:
                await store.postpone(db, bucket, claimed, next_at)
        except Exception as error:
            # The lease ends and the bank is asked again; here it must only not end the runner.
            log.error("an instruction got no further", instruction=str(claimed.id), exc_info=error)

    async def _speak(self, bank: Bank, bucket: int, claimed: Claimed) -> BankAnswer:
        """Send what was never sent; ask about the rest, and send it again only if the bank has never had it."""
        if claimed.tries > 1:
            answer = await self._within(bank.ask(claimed.id), UNKNOWN)
            if answer.outcome is not Outcome.ABSENT:
                return answer
        instruction = await self._instruction(bucket, claimed)
        if instruction is None:
            # Erased with its person: nobody can send it any more, and whether an earlier sending arrives nobody knows.
            log.error("an instruction's bank account is gone", instruction=str(claimed.id))
            return UNKNOWN
        return await self._within(bank.instruct(instruction), UNKNOWN)

    async def _instruction(self, bucket: int, claimed: Claimed) -> Instruction | None:
        account = None
        if claimed.bank_account_id is not None:
            async with self._database.read() as db:
                found = await accounts.accounts_under_way(db, self._vault, bucket, [claimed.bank_account_id])
            account = found.get(claimed.bank_account_id)
            if account is None:
                return None
        return Instruction(
            id=claimed.id,
            book=self._books.book_of_bucket(bucket).id,
            kind=claimed.kind,
            direction=claimed.direction,
            amount_minor=claimed.amount_minor,
            currency=claimed.currency,
            owner_id=claimed.owner_id,
            account=account,
        )

    async def _settle(self, bucket: int, claimed: Claimed, answer: BankAnswer) -> bool:
        """Let the object take a definite answer, then end the instruction. False: try again after a pause."""
        done = answer.outcome is Outcome.DONE
        code = "" if done else answer.code or "refused"
        answered = Answered(
            id=claimed.id,
            kind=claimed.kind,
            owner_id=claimed.owner_id,
            done=done,
            code=code,
            at=self._books.book_of_bucket(bucket).at(self._clock),
        )
        try:
            await self._lanes.submit(bucket, self._commands[claimed.kind](answered))
        except Problem as problem:
            log.warning(
                "an object did not take its answer", instruction=str(claimed.id), problem=str(problem)
            )
            return False
        faults.point("bank_answer_taken")
        status = "done" if done else "refused"
        async with self._database.read() as db:
            await store.end_instruction(db, bucket, claimed.id, status, code, self._clock.now())
        return True

    def _pause(self, tries: int) -> timedelta:
        first = timedelta(seconds=self._settings.first_pause_s)
        return rules.pause(tries, first, timedelta(seconds=self._settings.longest_pause_s))

    async def _within(self, call: Awaitable[T], otherwise: T) -> T:
        try:
            async with asyncio.timeout(self._settings.answer_within_s):
                return await call
        except (TimeoutError, OSError):
            return otherwise
