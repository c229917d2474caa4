"""What the ledger knows: the chart of accounts, journals, holds and balances.

Signs: a leg is debit-positive. What a book owns (assets) and spends grows with +; what it owes (liabilities)
and earns grows with −. The legs of a journal sum to zero, and a balance is the sum of an account's legs,
never turned round.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum, IntEnum, StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import hashed_id, id_of


class AccountClass(StrEnum):
    """The five classes of accounts.

    A memo account stands beside the books: it counts, but is nobody's money.
    """

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"
    MEMO = "memo"


class Owner(StrEnum):
    """What kind of object an account belongs to; an object's accounts are opened at its birth."""

    WALLET = "wallet"
    LINE = "line"
    MERCHANT = "merchant"
    LENDER = "lender"
    BOOK = "book"


class Upkeep(StrEnum):
    """How a balance is kept.

    guarded  in the command's own transaction, inside a floor and a ceiling that the database enforces
    folded   behind the journals by a follower, one row a bucket: the account would be a hot row otherwise
    """

    GUARDED = "guarded"
    FOLDED = "folded"


class Side(StrEnum):
    """On which side of zero the database keeps a guarded balance."""

    DEBIT = "debit"  # never below zero: what somebody owes to the book
    CREDIT = "credit"  # never above zero: what the book owes to somebody; a wallet cannot be overdrawn
    EITHER = "either"


class AccountKind(Enum):
    """The chart of accounts.

    Numbers are stored and hidden in account ids: they are never changed or used again.
    """

    # A person's own money.
    WALLET = (1, AccountClass.LIABILITY, Owner.WALLET, Upkeep.GUARDED, Side.CREDIT)

    # A credit line. Interest and fees owed do not use the limit, hence accounts of their own.
    LINE_PRINCIPAL = (10, AccountClass.ASSET, Owner.LINE, Upkeep.GUARDED, Side.DEBIT)
    LINE_INTEREST = (11, AccountClass.ASSET, Owner.LINE, Upkeep.GUARDED, Side.DEBIT)
    LINE_FEE = (12, AccountClass.ASSET, Owner.LINE, Upkeep.GUARDED, Side.DEBIT)
    LINE_CREDIT_BALANCE = (13, AccountClass.LIABILITY, Owner.LINE, Upkeep.GUARDED, Side.CREDIT)
    LINE_CHARGED_OFF = (
        14,
        AccountClass.MEMO,
        Owner.LINE,
        Upkeep.GUARDED,
        Side.DEBIT,
    )  # the debt remains, uncounted

    MERCHANT_PAYABLE = (20, AccountClass.LIABILITY, Owner.MERCHANT, Upkeep.FOLDED, Side.EITHER)

    # Principal is funded by lenders: what a line owes to the book, the book owes on to its lenders. The pool
    # is the cash between the two: + the lender is still to pay in, − the book is still to pay out.
    LENDER_PRINCIPAL = (30, AccountClass.LIABILITY, Owner.LENDER, Upkeep.FOLDED, Side.EITHER)
    LENDER_POOL = (31, AccountClass.ASSET, Owner.LENDER, Upkeep.FOLDED, Side.EITHER)
    INTEREST_INCOME = (32, AccountClass.INCOME, Owner.LENDER, Upkeep.FOLDED, Side.EITHER)
    INSTALMENT_FEE_INCOME = (33, AccountClass.INCOME, Owner.LENDER, Upkeep.FOLDED, Side.EITHER)
    UNEARNED_SUBSIDY = (
        34,
        AccountClass.LIABILITY,
        Owner.LENDER,
        Upkeep.FOLDED,
        Side.EITHER,
    )  # paid by merchants ahead
    CREDIT_LOSS = (35, AccountClass.EXPENSE, Owner.LENDER, Upkeep.FOLDED, Side.EITHER)
    CHARGED_OFF_CONTRA = (36, AccountClass.MEMO, Owner.LENDER, Upkeep.FOLDED, Side.EITHER)

    # Interest that is earned and that no bill holds yet: booked once a day by bucket and product.
    ACCRUED_INTEREST = (37, AccountClass.ASSET, Owner.LENDER, Upkeep.FOLDED, Side.EITHER)
    ACCRUED_INTEREST_INCOME = (38, AccountClass.INCOME, Owner.LENDER, Upkeep.FOLDED, Side.EITHER)

    # Clearing accounts say where money is between two confirmations; each returns to zero.
    BANK_CLEARING = (50, AccountClass.ASSET, Owner.BOOK, Upkeep.FOLDED, Side.EITHER)
    TOP_UP_CLEARING = (51, AccountClass.ASSET, Owner.BOOK, Upkeep.FOLDED, Side.EITHER)
    WITHDRAWAL_CLEARING = (52, AccountClass.LIABILITY, Owner.BOOK, Upkeep.FOLDED, Side.EITHER)
    REFUND_CLEARING = (53, AccountClass.LIABILITY, Owner.BOOK, Upkeep.FOLDED, Side.EITHER)
    SETTLEMENT_CLEARING = (54, AccountClass.LIABILITY, Owner.BOOK, Upkeep.FOLDED, Side.EITHER)
    MERCHANT_FEE_INCOME = (60, AccountClass.INCOME, Owner.BOOK, Upkeep.FOLDED, Side.EITHER)

    def __init__(self, number: int, class_: AccountClass, owner: Owner, upkeep: Upkeep, side: Side) -> None:
        self.number = number
        self.class_ = class_
        self.owner = owner
        self.upkeep = upkeep
        self.side = side
        self.label = self.name.lower()
        self.mask = number << 64  # lands in the twelve bits that UUIDv7 calls rand_a

    @property
    def min_minor(self) -> int | None:
        """The lowest balance a guarded account of this kind is opened with; None means no floor."""
        return 0 if self.side is Side.DEBIT else None

    @property
    def max_minor(self) -> int | None:
        """The highest balance, holds included, of a guarded account of this kind; None: no ceiling."""
        return 0 if self.side is Side.CREDIT else None


KINDS = {kind.number: kind for kind in AccountKind}
"""The kinds by their stored number."""

FOLD = "fold"
"""The name of the follower that keeps folded balances, and so of its cursors."""

Parts = Sequence[tuple[UUID, int]]
"""An amount by lender: (lender's id, minor units). `rules.split_between` makes it from shares."""


class JournalKind(IntEnum):
    """What happened. Numbers are stored: they are never changed or used again."""

    PAYMENT = 1
    REFUND = 2
    REFUND_SETTLED = 3
    CHARGES_BILLED = 10
    CHARGES_CANCELLED = 11
    ACCRUAL = 12
    CHARGES_RETURNED = 13
    REPAYMENT = 20
    CREDIT_BALANCE_APPLIED = 21
    CREDIT_BALANCE_RETURNED = 22
    CHARGE_OFF = 25
    RECOVERY = 26
    TOP_UP = 30
    TOP_UP_SETTLED = 31
    WITHDRAWAL = 32
    WITHDRAWAL_SETTLED = 33
    WITHDRAWAL_RETURNED = 34
    MERCHANT_SETTLEMENT = 40
    MERCHANT_SETTLEMENT_SETTLED = 41
    MERCHANT_SETTLEMENT_RETURNED = 42
    LENDER_SETTLEMENT = 43
    REVERSAL = 90

    @property
    def label(self) -> str:
        """The name as tables and screens show it."""
        return self.name.lower()


def account_id(owner: UUID, kind: AccountKind) -> UUID:
    """The account of one kind that an object owns: its own id with the kind's number xor-ed into random bits.

    So an account is named without a look-up, and it lives in its owner's slot.
    """
    return id_of(owner.int ^ kind.mask)


def owner_id(account: UUID, kind: AccountKind) -> UUID:
    """The object that owns an account of that kind: the inverse of `account_id`."""
    return id_of(account.int ^ kind.mask)


def book_owner(book_id: int) -> UUID:
    """The id under which a book itself owns accounts: its fee income and its clearing."""
    return hashed_id(b"book", book_id.to_bytes(2))


_JOURNAL_ID_FRAME = 0x8 << 76 | 0b10 << 62  # version 8 ("custom", RFC 9562 section 5.8) and the variant
_JOURNAL_ID_FREE = ~(0xFFFF_FFFF_FFFF << 80 | 0xFFF << 64 | 0xFFFF) & (1 << 128) - 1


def journal_id(bucket: int, seq: int) -> UUID:
    """The name of a journal at the border: its bucket and its number, so `read_journal_id` needs no look-up.

    The number stands in the 60 free bits in front, so ids of one bucket sort as their journals do; the
    bucket in the last 16, where other ids carry their slot.
    """
    assert 0 <= bucket < 1 << 15 and 0 < seq < 1 << 60, "a bucket is a smallint and numbers begin at 1"
    return id_of(seq >> 12 << 80 | (seq & 0xFFF) << 64 | bucket | _JOURNAL_ID_FRAME)


def read_journal_id(id_: UUID) -> tuple[int, int]:
    """The bucket and the number that a journal's id names. Raises ValueError for an id of something else."""
    value = id_.int
    bucket, seq = value & 0xFFFF, value >> 80 << 12 | value >> 64 & 0xFFF
    if value & _JOURNAL_ID_FREE != _JOURNAL_ID_FRAME or bucket >= 1 << 15 or seq == 0:
        raise ValueError(f"{id_} is not the id of a journal")
    return bucket, seq


class Cause(Struct, frozen=True):
    """What all journals of one command share: what they belong to, and when, where and why they are booked.

    of           the payment, refund, bill, repayment …
    business_on  the date of the book it counts on
    book         the book's number: its fee income and clearing are meant
    note         small JSON for later readers: person, line, product version; never personal data
    """

    of: UUID
    currency: str
    business_on: date
    book: int
    note: bytes = b"{}"


class Journal(Struct, frozen=True, kw_only=True):
    """A balanced set of legs in one currency, never changed once written. `rules.py` builds every one.

    of, currency, business_on, note: as in its Cause
    accounts     one account a leg; the first `guarded` of them are guarded, the others folded
    amounts      debit-positive minor units, none zero, sum zero
    reverses     seq, in this bucket, of the journal it undoes
    """

    kind: JournalKind
    of: UUID
    currency: str
    business_on: date
    accounts: tuple[UUID, ...]
    amounts: tuple[int, ...]
    guarded: int
    note: bytes = b"{}"
    reverses: int | None = None


class Posted(Struct, frozen=True, kw_only=True):
    """A journal as it stands in the ledger. `at` is the bucket's booking instant: it never goes back."""

    bucket: int
    seq: int
    at: datetime
    journal: Journal

    @property
    def id(self) -> UUID:
        """Its name at the border, `jnl_…`."""
        return journal_id(self.bucket, self.seq)


class NewAccount(Struct, frozen=True):
    """A guarded account to open. None is no floor, no ceiling."""

    id: UUID
    kind: AccountKind
    owner: UUID
    currency: str
    min_minor: int | None
    max_minor: int | None


class FoldedAccount(Struct, frozen=True):
    """A folded account to register."""

    id: UUID
    kind: AccountKind
    owner: UUID
    currency: str
    book: int


class Balance(Struct, frozen=True):
    """A guarded account's balance. `held_minor` is reserved for debits to come, on either kind of account."""

    balance_minor: int
    held_minor: int
    min_minor: int | None = None
    max_minor: int | None = None

    @property
    def owed_to_owner_minor(self) -> int:
        """A liability in its owner's eyes: a wallet's money, a line's credit balance."""
        return -self.balance_minor

    @property
    def available_minor(self) -> int | None:
        """What may still be debited: a wallet's money that no hold reserves. None: no ceiling."""
        return None if self.max_minor is None else self.max_minor - self.balance_minor - self.held_minor


NOTHING = Balance(0, 0)
"""The balance of an account that was never opened."""


class HoldStatus(StrEnum):
    """A hold reserves a debit.

    Posted parts are debits by now; what was not posted is open until the hold ends.
    """

    HELD = "held"  # -> posted, voided
    POSTED = "posted"  # end: all of it
    VOIDED = "voided"  # end: what was not posted is released


class Hold(Struct, frozen=True):
    """Reserve a debit of `amount_minor` (> 0) on a guarded account for the object `of`."""

    id: UUID
    account_id: UUID
    amount_minor: int
    of: UUID
