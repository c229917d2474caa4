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
    account_id,
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


class AccountName(Struct, frozen=True):
    """What a leg's account is, and whose."""

    kind: AccountKind
    owner: UUID


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


async def seqs_of(db: Connection, bucket: int, of: Collection[UUID]) -> dict[UUID, list[int]]:
    """The numbers of the journals of some objects, in their order; an object without any is absent."""
    seqs: dict[UUID, list[int]] = {}
    for row in await db.fetch(SQL.seqs_of, bucket, of):
        seqs.setdefault(row["of"], []).append(row["seq"])
    return seqs


async def journals_of(db: Connection, bucket: int, of: UUID) -> list[Posted]:
    """The journals of a payment, refund, bill, repayment …, in order."""
    return [_posted(row) for row in await db.fetch(SQL.journals_of, bucket, of)]


async def reversals_of(db: Connection, bucket: int, of: Collection[UUID]) -> list[Posted]:
    """The journals of some objects that undo another journal, in order."""
    return [_posted(row) for row in await db.fetch(SQL.reversals_of, bucket, of)]


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


async def newest_entries(
    db: Connection, buckets: Sequence[int], account: UUID, upkeep: Upkeep, limit: int
) -> list[Entry]:
    """The newest entries of an account over the buckets of a book (a guarded one has legs in one of them).

    Between buckets the booking instant decides, within one the number: there the instants never go back.
    """
    found = [entry for bucket in buckets for entry in await statement(db, bucket, account, upkeep, limit)]
    return sorted(found, key=lambda entry: (entry.at, entry.bucket, entry.seq), reverse=True)[:limit]


async def guarded_account(db: Connection, bucket: int, id_: UUID) -> GuardedAccount | None:
    """A guarded account, or None when the bucket has none of that id."""
    found = await guarded_accounts_at(db, bucket, [id_])
    return found[0] if found else None


async def guarded_accounts_at(db: Connection, bucket: int, ids: Collection[UUID]) -> list[GuardedAccount]:
    """Guarded accounts of a bucket in the order of the chart; an unknown id is absent."""
    return [
        GuardedAccount(
            row["bucket"],
            row["id"],
            KINDS[row["kind"]],
            row["owner"],
            row["currency"],
            Balance(row["balance_minor"], row["held_minor"], row["min_minor"], row["max_minor"]),
        )
        for row in await db.fetch(SQL.guarded_accounts, bucket, ids)
    ]


async def guarded_accounts_of(db: Connection, bucket: int, owner: UUID) -> list[GuardedAccount]:
    """The guarded accounts of a wallet or a line: its bucket and their ids follow from the owner's id."""
    kinds = [kind for kind in AccountKind if kind.upkeep is Upkeep.GUARDED]
    return await guarded_accounts_at(db, bucket, [account_id(owner, kind) for kind in kinds])


async def account_names(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, AccountName]:
    """The kinds and owners of accounts that legs of a bucket stand on; one that nobody opened is absent."""
    return {
        row["id"]: AccountName(KINDS[row["kind"]], row["owner"])
        for row in await db.fetch(SQL.account_names, bucket, ids)
    }


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
