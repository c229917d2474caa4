"""What can be read of the ledger: balances, statements, journals, the trial balance."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.ledger.model import (
    FOLD,
    KINDS,
    AccountKind,
    Balance,
    FoldedAccount,
    Journal,
    JournalKind,
    Posted,
    Upkeep,
)

SQL = load(__file__)

SEQ_MAX = 2**63 - 1


class Entry(Struct, frozen=True):
    """One journal seen from one account.

    amount_minor   debit-positive, as the legs are
    balance_minor  the account's balance after it; None on a folded account: its stripes have no common order
    """

    bucket: int
    seq: int
    at: datetime
    business_on: date
    kind: JournalKind
    of: UUID
    amount_minor: int
    balance_minor: int | None
    note: bytes


class GuardedAccount(Struct, frozen=True):
    """A guarded account as it stands."""

    bucket: int
    id: UUID
    kind: AccountKind
    owner: UUID
    currency: str
    balance: Balance


class TrialLine(Struct, frozen=True):
    """The accounts of one kind in one currency.

    `kind` is None for legs on accounts that nobody registered: a break.
    """

    currency: str
    kind: AccountKind | None
    accounts: int
    balance_minor: int

    @property
    def debit_minor(self) -> int:
        """The balance when it is a debit, else 0."""
        return max(0, self.balance_minor)

    @property
    def credit_minor(self) -> int:
        """The balance when it is a credit, without its sign, else 0."""
        return max(0, -self.balance_minor)


async def journals_of(db: Connection, bucket: int, of: UUID) -> list[Posted]:
    """The journals of a payment, refund, bill, repayment …, in order."""
    return [_posted(row) for row in await db.fetch(SQL.journals_of, bucket, of)]


async def journal_at(db: Connection, bucket: int, seq: int) -> Posted | None:
    """The journal with that number, or None: numbers are shared with events."""
    row = await db.fetchrow(SQL.journal_at, bucket, seq)
    return None if row is None else _posted(row)


async def statement(
    db: Connection, bucket: int, account: UUID, upkeep: Upkeep, limit: int, before_seq: int = SEQ_MAX
) -> list[Entry]:
    """One page of an account's entries in a bucket, newest first; the next page is before its last seq."""
    text = SQL.guarded_entries if upkeep is Upkeep.GUARDED else SQL.folded_entries
    return [
        Entry(
            bucket=bucket,
            seq=row["seq"],
            at=row["at"],
            business_on=row["business_on"],
            kind=JournalKind(row["kind"]),
            of=row["of"],
            amount_minor=row["amount_minor"],
            balance_minor=row["balance_minor"],
            note=row["note"].encode(),
        )
        for row in await db.fetch(text, bucket, account, before_seq, limit)
    ]


async def guarded_account(db: Connection, bucket: int, id_: UUID) -> GuardedAccount | None:
    """A guarded account, or None when the bucket has none of that id."""
    row = await db.fetchrow(SQL.guarded_account, bucket, id_)
    if row is None:
        return None
    balance = Balance(row["balance_minor"], row["held_minor"], row["min_minor"], row["max_minor"])
    return GuardedAccount(
        row["bucket"], row["id"], KINDS[row["kind"]], row["owner"], row["currency"], balance
    )


async def folded_account(db: Connection, id_: UUID) -> FoldedAccount | None:
    """A registered folded account, or None."""
    row = await db.fetchrow(SQL.folded_account, id_)
    return None if row is None else _folded(row)


async def folded_accounts_of(db: Connection, owner: UUID) -> list[FoldedAccount]:
    """The folded accounts of a merchant, a lender or a book."""
    return [_folded(row) for row in await db.fetch(SQL.accounts_of_owner, owner)]


async def folded_balances(db: Connection, buckets: Sequence[int], ids: Collection[UUID]) -> dict[UUID, int]:
    """Balances of folded accounts over the buckets of a book, as far as the follower has come.

    Without legs: 0.
    """
    found = {row["id"]: row["balance_minor"] for row in await db.fetch(SQL.folded_balances, buckets, ids)}
    return {id_: found.get(id_, 0) for id_ in ids}


async def trial_balance(db: Connection, buckets: Sequence[int]) -> list[TrialLine]:
    """The trial balance of a book's buckets now, by currency and kind; each currency sums to zero."""
    return [
        TrialLine(row["currency"], KINDS.get(row["kind"]), row["accounts"], row["balance_minor"])
        for row in await db.fetch(SQL.trial_balance, buckets, FOLD)
    ]


def _posted(row: asyncpg.Record) -> Posted:
    journal = Journal(
        kind=JournalKind(row["kind"]),
        of=row["of"],
        currency=row["currency"],
        business_on=row["business_on"],
        accounts=tuple(row["accounts"]),
        amounts=tuple(row["amounts"]),
        guarded=row["guarded"],
        note=row["note"].encode(),
        reverses=row["reverses"],
    )
    return Posted(bucket=row["bucket"], seq=row["seq"], at=row["at"], journal=journal)


def _folded(row: asyncpg.Record) -> FoldedAccount:
    return FoldedAccount(row["id"], KINDS[row["kind"]], row["owner"], row["currency"], row["book"])
