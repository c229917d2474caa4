"""The ledger as people read it: journals with their legs named, accounts with their balances.

`GET /v1/journals?of=` and `wufeng ledger account|journal` show these.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base import ids
from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import Prefix
from wufeng.ledger import queries
from wufeng.ledger.model import (
    AccountKind,
    FoldedAccount,
    JournalKind,
    Owner,
    Posted,
    Upkeep,
    book_owner,
    journal_id,
    read_journal_id,
)
from wufeng.ledger.queries import AccountName, GuardedAccount

OWNER_PREFIX = {
    Owner.WALLET: Prefix.WALLET,
    Owner.LINE: Prefix.LINE,
    Owner.MERCHANT: Prefix.MERCHANT,
    Owner.LENDER: Prefix.LENDER,
}
"""How the owners of accounts are written; a book is written by its name."""

OF_PREFIX = {
    JournalKind.PAYMENT: Prefix.PAYMENT,
    JournalKind.REFUND: Prefix.REFUND,
    JournalKind.REFUND_SETTLED: Prefix.REFUND,
    JournalKind.CHARGES_BILLED: Prefix.BILL,
    JournalKind.CHARGES_CANCELLED: Prefix.BILL,
    JournalKind.CHARGES_RETURNED: Prefix.REFUND,
    JournalKind.REPAYMENT: Prefix.REPAYMENT,
    JournalKind.CREDIT_BALANCE_APPLIED: Prefix.BILL,
    JournalKind.CREDIT_BALANCE_RETURNED: Prefix.LINE,
    JournalKind.CHARGE_OFF: Prefix.LINE,
    JournalKind.RECOVERY: Prefix.REPAYMENT,
    JournalKind.TOP_UP: Prefix.TOP_UP,
    JournalKind.TOP_UP_SETTLED: Prefix.TOP_UP,
    JournalKind.WITHDRAWAL: Prefix.WITHDRAWAL,
    JournalKind.WITHDRAWAL_SETTLED: Prefix.WITHDRAWAL,
    JournalKind.WITHDRAWAL_RETURNED: Prefix.WITHDRAWAL,
    JournalKind.MERCHANT_SETTLEMENT: Prefix.SETTLEMENT,
    JournalKind.MERCHANT_SETTLEMENT_SETTLED: Prefix.SETTLEMENT,
    JournalKind.MERCHANT_SETTLEMENT_RETURNED: Prefix.SETTLEMENT,
    JournalKind.LENDER_SETTLEMENT: Prefix.LENDER,
    JournalKind.REVERSAL: Prefix.REPAYMENT,
}
"""What a journal of a kind belongs to when its reader has not said (an id carries no prefix inside)."""


class LegView(Struct, frozen=True):
    """One leg. `owner` is the owner's id, or the book's name; both are empty on an account nobody opened."""

    account: str
    kind: str
    owner: str
    amount_minor: int


class JournalView(Struct, frozen=True, kw_only=True):
    """A journal as the API shows it: `amount_minor` of a leg is debit-positive, and the legs sum to zero."""

    id: str
    object: str = "journal"
    created_at: datetime
    kind: str
    business_on: date
    currency: str
    of: str
    legs: tuple[LegView, ...]
    reverses: str | None
    note: msgspec.Raw


class AccountView(Struct, frozen=True, kw_only=True):
    """An account with its balance now. A folded one's is as far as its follower has come, over all buckets."""

    id: str
    object: str = "account"
    kind: str
    class_: str = msgspec.field(name="class")
    upkeep: Upkeep
    owner: str
    currency: str
    balance_minor: int
    held_minor: int = 0


def view_journal(
    posted: Posted, book: Book, names: Mapping[UUID, AccountName], of: Prefix | None = None
) -> JournalView:
    """A journal with its accounts named (`queries.account_names`).

    of  the kind of object it belongs to, if the reader knows; else what its kind usually belongs to
    """
    journal = posted.journal
    legs = zip(journal.accounts, journal.amounts, strict=True)
    return JournalView(
        id=ids.encode(Prefix.JOURNAL, posted.id),
        created_at=posted.at,
        kind=journal.kind.label,
        business_on=journal.business_on,
        currency=journal.currency,
        of=ids.encode(of or OF_PREFIX[journal.kind], journal.of),
        legs=tuple(_leg(account, amount, book, names.get(account)) for account, amount in legs),
        reverses=(
            None
            if journal.reverses is None
            else ids.encode(Prefix.JOURNAL, journal_id(posted.bucket, journal.reverses))
        ),
        note=msgspec.Raw(journal.note),
    )


async def view_journals(
    db: Connection, book: Book, posted: Sequence[Posted], of: Prefix | None = None
) -> list[JournalView]:
    """Journals of one bucket with their accounts named, in one query for all."""
    if not posted:
        return []
    accounts = {account for one in posted for account in one.journal.accounts}
    names = await queries.account_names(db, posted[0].bucket, accounts)
    return [view_journal(one, book, names, of) for one in posted]


async def find_journal(db: Connection, book: Book, id_text: str) -> JournalView | None:
    """The journal of a `jnl_…` id, or None when this book has none. ValueError: not the id of a journal."""
    bucket, seq = read_journal_id(ids.decode(Prefix.JOURNAL, id_text))
    posted = await queries.journal_at(db, bucket, seq) if bucket in book.buckets else None
    return None if posted is None else (await view_journals(db, book, [posted]))[0]


async def find_accounts(db: Connection, book: Book, text: str) -> list[AccountView]:
    """The accounts that a text names: one by its `acc_…` id, all of an owner (`lin_…`, `wal_…`, `mer_…`,
    `len_…`), or the book's own by its name. Empty: none is open. ValueError: the text is none of these.
    """
    guarded, folded = await _find(db, book, text)
    balances = await queries.folded_balances(db, book.buckets, [account.id for account in folded])
    return [_guarded_view(account, book) for account in guarded] + [
        _folded_view(account, book, balances[account.id]) for account in folded
    ]


async def _find(db: Connection, book: Book, text: str) -> tuple[list[GuardedAccount], list[FoldedAccount]]:
    if text == book.name:
        return [], await queries.folded_accounts_of(db, book_owner(book.id))
    prefixes = {prefix.value: prefix for prefix in (Prefix.ACCOUNT, *OWNER_PREFIX.values())}
    prefix = prefixes.get(text.partition("_")[0])
    if prefix is None:
        raise ValueError(
            f"{text[:40]!r} names no account: {'_…, '.join(prefixes)}_… or {book.name} is expected"
        )
    id_ = ids.decode(prefix, text)
    if prefix is Prefix.ACCOUNT:
        guarded = await queries.guarded_account(db, book.bucket_of(id_), id_)
        folded = await queries.folded_account(db, id_)
        return [guarded] if guarded else [], [folded] if folded and folded.book == book.id else []
    return (
        await queries.guarded_accounts_of(db, book.bucket_of(id_), id_),
        [found for found in await queries.folded_accounts_of(db, id_) if found.book == book.id],
    )


def _leg(account: UUID, amount_minor: int, book: Book, name: AccountName | None) -> LegView:
    shown = ids.encode(Prefix.ACCOUNT, account)
    if name is None:
        return LegView(shown, "", "", amount_minor)
    return LegView(shown, name.kind.label, _owner(name.kind, name.owner, book), amount_minor)


def _owner(kind: AccountKind, owner: UUID, book: Book) -> str:
    prefix = OWNER_PREFIX.get(kind.owner)
    return book.name if prefix is None else ids.encode(prefix, owner)


def _guarded_view(account: GuardedAccount, book: Book) -> AccountView:
    return AccountView(
        id=ids.encode(Prefix.ACCOUNT, account.id),
        kind=account.kind.label,
        class_=account.kind.class_.value,
        upkeep=Upkeep.GUARDED,
        owner=_owner(account.kind, account.owner, book),
        currency=account.currency,
        balance_minor=account.balance.balance_minor,
        held_minor=account.balance.held_minor,
    )


def _folded_view(account: FoldedAccount, book: Book, balance_minor: int) -> AccountView:
    return AccountView(
        id=ids.encode(Prefix.ACCOUNT, account.id),
        kind=account.kind.label,
        class_=account.kind.class_.value,
        upkeep=Upkeep.FOLDED,
        owner=_owner(account.kind, account.owner, book),
        currency=account.currency,
        balance_minor=balance_minor,
    )
