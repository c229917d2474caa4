"""The bank seam: what a bank is told and asked, and what it may answer."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from wufeng.identity.bank_accounts.model import BankInstruction as AccountInClear


class Kind(StrEnum):
    """Whose money a bank is told to move."""

    TOP_UP = "top_up"
    WITHDRAWAL = "withdrawal"
    REPAYMENT = "repayment"
    REFUND = "refund"
    SETTLEMENT = "settlement"


class Direction(StrEnum):
    """Which way the money goes, seen from the account at the bank."""

    DEBIT = "debit"  # pulled from the account
    CREDIT = "credit"  # paid out to it


class Instruction(Struct, frozen=True, kw_only=True):
    """One thing for the bank to do.

    id       of the top-up, withdrawal, repayment …: the bank's idempotency key, the same each time it is sent
    book     the book it belongs to
    owner_id the person or merchant whose money it is
    account  the bank account in clear; None: the settlement account that the bank keeps for the merchant
    """

    id: UUID
    book: int
    kind: Kind
    direction: Direction
    amount_minor: int
    currency: str
    owner_id: UUID
    account: AccountInClear | None


class Outcome(StrEnum):
    """What is known of an instruction after an answer, or after none."""

    DONE = "done"  # the money has moved, and is seen on our account at the bank
    REFUSED = "refused"  # it has not moved and never will
    PENDING = "pending"  # the bank has it and has not decided
    UNKNOWN = "unknown"  # no answer: a time-out, a lost connection
    ABSENT = "absent"  # the bank, asked about it, has never heard of it: it is sent again under the same id


class BankAnswer(Struct, frozen=True):
    """An answer. `code` says why the bank refused, in a stable word such as insufficient_funds."""

    outcome: Outcome
    code: str = ""


UNKNOWN = BankAnswer(Outcome.UNKNOWN)


class Verification(StrEnum):
    """What a bank says of an account."""

    VERIFIED = "verified"
    REFUSED = "refused"  # not known, or another person's
    UNKNOWN = "unknown"  # no answer: ask again


class Bank(Protocol):
    """A bank, as an adapter gives it. It may take its time, and never raises what it could answer.

    An adapter is called outside of every transaction; the runner breaks it off after a time-out, which is then
    `unknown`. A lost connection it reports as OSError or as `unknown`.
    """

    async def instruct(self, instruction: Instruction) -> BankAnswer:
        """Do it, once for each id however often it is sent."""
        ...

    async def ask(self, instruction_id: UUID) -> BankAnswer:
        """What became of an instruction."""
        ...

    async def verify(self, account: AccountInClear) -> Verification:
        """Whether the account exists and is the person's."""
        ...


class NewInstruction(Struct, frozen=True, kw_only=True):
    """An instruction about to be written to the work list, as an event tells it."""

    id: UUID
    kind: Kind
    direction: Direction
    owner_id: UUID
    bank_account_id: UUID | None
    amount_minor: int
    currency: str


class Claimed(Struct, frozen=True, kw_only=True):
    """An instruction under our lease. `tries` counts this one: it is the lease's token; 1 was never sent before."""

    id: UUID
    kind: Kind
    direction: Direction
    owner_id: UUID
    bank_account_id: UUID | None
    amount_minor: int
    currency: str
    tries: int


class Answered(Struct, frozen=True, kw_only=True):
    """A definite answer on its way to the command of the object it is about.

    done     moved; else refused, and `code` says why
    at       the instant on the book's clock at which we learned it
    """

    id: UUID
    kind: Kind
    owner_id: UUID
    done: bool
    code: str
    at: datetime
