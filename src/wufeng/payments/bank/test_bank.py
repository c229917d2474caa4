"""The local bank of test books: it keeps what it did in a table of its own, and behaves by account number.

The last two digits of an account number say what happens:

    ..01  refuses: insufficient_funds when money is pulled, account_closed when it is paid out
    ..02  slow: does it, and answers after some seconds of the system's clock (3 by default)
    ..03  late: answers `pending`; has done it, and says so when it is asked later
    ..04  twice: does it once and says so twice, the second time unasked
    ..05  lost, but done: does it, and the answer is lost
    ..06  lost, not done: the instruction is lost on the way; when it is sent again, it is done
    ..07  never: has done it and never says so; the object stays pending
    ..09  no such account: its verification is refused
    any other: does it and says so at once

An id is done once however often it is sent. A merchant's settlement account (no number) is a normal one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import asyncpg

from wufeng.base.clock import Clock
from wufeng.base.database import Database
from wufeng.base.sql import load
from wufeng.identity.bank_accounts.model import BankInstruction as AccountInClear
from wufeng.payments.bank import rules
from wufeng.payments.bank.model import UNKNOWN, BankAnswer, Instruction, Outcome, Verification
from wufeng.payments.bank.rules import Behaviour

SQL = load(__file__)

Hear = Callable[[int, UUID, BankAnswer], Awaitable[None]]
"""(book, instruction, answer): where a bank's word goes that was not asked for; `BankRunner.hear`."""


class TestBank:
    """The bank of all test books. `tell` gives it somebody to talk to unasked."""

    __test__ = False  # no test case, whatever pytest thinks of the name

    def __init__(self, database: Database, clock: Clock, *, slow_s: float = 3.0) -> None:
        self._database = database
        self._clock = clock
        self._slow_s = slow_s
        self._hear: Hear | None = None
        self._lost: set[UUID] = set()

    def tell(self, hear: Hear) -> None:
        """Say who hears of answers that nobody asked for."""
        self._hear = hear

    async def instruct(self, instruction: Instruction) -> BankAnswer:
        """Do it, once for each id, and answer as the account behaves."""
        number = instruction.account.number.text if instruction.account else ""
        behaviour = rules.behaviour_of(number)
        if behaviour is Behaviour.LOST_NOT_DONE and instruction.id not in self._lost:
            self._lost.add(instruction.id)
            return UNKNOWN
        self._lost.discard(instruction.id)
        decided = _decide(instruction, behaviour)
        ready_at = self._clock.now()
        if behaviour is Behaviour.SLOW:
            ready_at += timedelta(seconds=self._slow_s)
        async with self._database.read() as db:
            written = await db.fetchval(
                SQL.write_down,
                instruction.id,
                instruction.book,
                instruction.direction.value,
                behaviour.value,
                instruction.amount_minor,
                instruction.currency,
                decided.outcome.value,
                decided.code,
                ready_at,
            )
            if written is None:
                known = await db.fetchrow(SQL.recall, instruction.id)
                assert known is not None, "what was written down before is still there"
                if (known["amount_minor"], known["currency"]) != (
                    instruction.amount_minor,
                    instruction.currency,
                ):
                    return BankAnswer(Outcome.REFUSED, "id_reused")
                return self._answer(known)
        if behaviour is Behaviour.SLOW:
            await asyncio.sleep(self._slow_s)
        if behaviour is Behaviour.TWICE and self._hear is not None:
            await self._hear(instruction.book, instruction.id, decided)
        return rules.first_answer(behaviour, decided)

    async def ask(self, instruction_id: UUID) -> BankAnswer:
        """What became of an instruction; `absent` for one it never got."""
        async with self._database.read() as db:
            known = await db.fetchrow(SQL.ask, instruction_id)
        return BankAnswer(Outcome.ABSENT) if known is None else self._answer(known)

    async def verify(self, account: AccountInClear) -> Verification:
        """Every account is the person's, but those that end in 09."""
        no_such = rules.behaviour_of(account.number.text) is Behaviour.NO_SUCH_ACCOUNT
        return Verification.REFUSED if no_such else Verification.VERIFIED

    async def balance(self, book: int, currency: str) -> int:
        """What stands on the book's account at this bank, in minor units: pulled in less paid out."""
        async with self._database.read() as db:
            balance_minor: int = await db.fetchval(SQL.balance, book, currency)
        return balance_minor

    def _answer(self, known: asyncpg.Record) -> BankAnswer:
        decided = BankAnswer(Outcome(known["outcome"]), known["code"])
        ready = known["ready_at"] <= self._clock.now()
        return rules.asked_answer(Behaviour(known["behaviour"]), decided, ready=ready)


def _decide(instruction: Instruction, behaviour: Behaviour) -> BankAnswer:
    if behaviour is Behaviour.REFUSES:
        return BankAnswer(Outcome.REFUSED, rules.REFUSALS[instruction.direction.value])
    if behaviour is Behaviour.NO_SUCH_ACCOUNT:
        return BankAnswer(Outcome.REFUSED, "account_unknown")
    return BankAnswer(Outcome.DONE)
