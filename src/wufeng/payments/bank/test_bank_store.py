"""What the test bank remembers. It is another's system: nothing of ours reads its table but the test bank itself."""

from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.bank.model import BankAnswer, Direction, Instruction, Outcome
from wufeng.payments.bank.rules import Behaviour

SQL = load(__file__)


class Remembered(Struct, frozen=True):
    """An instruction that the bank has: what it decided, and from when on it says so."""

    direction: Direction
    behaviour: Behaviour
    amount_minor: int
    currency: str
    decided: BankAnswer
    ready_at: datetime


async def write_down(
    db: Connection, instruction: Instruction, behaviour: Behaviour, decided: BankAnswer, ready_at: datetime
) -> bool:
    """Remember an instruction with what is decided about it; False when it is remembered already."""
    id_ = await db.fetchval(
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
    return id_ is not None


async def recall(db: Connection, id_: UUID) -> Remembered | None:
    """An instruction, or None for one that never came."""
    row = await db.fetchrow(SQL.recall, id_)
    return None if row is None else _remembered(row)


async def balance(db: Connection, book: int, currency: str) -> int:
    """What was pulled in for a book less what was paid out."""
    balance_minor: int = await db.fetchval(SQL.balance, book, currency)
    return balance_minor


def _remembered(row: asyncpg.Record) -> Remembered:
    return Remembered(
        direction=Direction(row["direction"]),
        behaviour=Behaviour(row["behaviour"]),
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        decided=BankAnswer(Outcome(row["outcome"]), row["code"]),
        ready_at=row["ready_at"],
    )
