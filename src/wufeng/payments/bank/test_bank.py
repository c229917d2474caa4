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

from wufeng.base.clock import Clock
from wufeng.base.database import Database
from wufeng.identity.bank_accounts.model import BankInstruction as AccountInClear
from wufeng.payments.bank import rules, test_bank_store
from wufeng.payments.bank.model import UNKNOWN, BankAnswer, Instruction, Outcome, Verification
from wufeng.payments.bank.rules import Behaviour
from wufeng.payments.bank.test_bank_store import Remembered

Hear = Callable[[int, UUID, BankAnswer], Awaitable[None]]
"""(book, instruction, answer): where a bank's word goes that was not asked for; `BankRunner.hear`."""


class TestBank:
    """The bank of all test books. `tell` gives it somebody to talk to unasked."""

    __test__ = False  # no test case, whatever pytest thinks of the name

    def __init__(self, database: Database, clock: Clock, *, slow: timedelta = timedelta(seconds=3)) -> None:
        self._database = database
        self._clock = clock
        self._slow = slow
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
        slow = self._slow if behaviour is Behaviour.SLOW else timedelta(0)
        ready_at = self._clock.now() + slow
        async with self._database.read() as db:
            known = await test_bank_store.recall(db, instruction.id)
            if known is None:
                await test_bank_store.write_down(db, instruction, behaviour, decided, ready_at)
        if known is not None:
            return self._repeated(known, instruction)
        await asyncio.sleep(slow.total_seconds())
        if behaviour is Behaviour.TWICE and self._hear is not None:
            await self._hear(instruction.book, instruction.id, decided)
        return rules.first_answer(behaviour, decided)

    async def ask(self, instruction_id: UUID) -> BankAnswer:
        """What became of an instruction; `absent` for one it never got."""
        async with self._database.read() as db:
            known = await test_bank_store.recall(db, instruction_id)
        return BankAnswer(Outcome.ABSENT) if known is None else self._answer(known)

    async def verify(self, account: AccountInClear) -> Verification:
        """Every account is the person's, but those that end in 09."""
        no_such = rules.behaviour_of(account.number.text) is Behaviour.NO_SUCH_ACCOUNT
        return Verification.REFUSED if no_such else Verification.VERIFIED

    async def balance(self, book: int, currency: str) -> int:
        """What stands on the book's account at this bank, in minor units: pulled in less paid out."""
        async with self._database.read() as db:
            return await test_bank_store.balance(db, book, currency)

    def _repeated(self, known: Remembered, instruction: Instruction) -> BankAnswer:
        same = (known.direction, known.amount_minor, known.currency) == (
            instruction.direction,
            instruction.amount_minor,
            instruction.currency,
        )
        return self._answer(known) if same else BankAnswer(Outcome.REFUSED, "id_reused")

    def _answer(self, known: Remembered) -> BankAnswer:
        ready = known.ready_at <= self._clock.now()
        return rules.asked_answer(known.behaviour, known.decided, ready=ready)


def _decide(instruction: Instruction, behaviour: Behaviour) -> BankAnswer:
    if behaviour is Behaviour.REFUSES:
        return BankAnswer(Outcome.REFUSED, rules.REFUSALS[instruction.direction.value])
    if behaviour is Behaviour.NO_SUCH_ACCOUNT:
        return BankAnswer(Outcome.REFUSED, "account_unknown")
    return BankAnswer(Outcome.DONE)
