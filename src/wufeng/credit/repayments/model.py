"""Money in: a repayment, what it paid, and the debt it is spread over."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.credit.bills.model import Bill
from wufeng.credit.draws.model import Draw, Unearned
from wufeng.credit.lines.model import Line


class RepaymentStatus(StrEnum):
    """A repayment from a bank is pending until the bank has answered."""

    PENDING = "pending"  # -> posted, failed
    POSTED = "posted"  # -> reversed
    FAILED = "failed"  # end
    REVERSED = "reversed"  # end: the money was taken back


class SourceKind(StrEnum):
    """Where the money comes from."""

    WALLET = "wallet"
    BANK_ACCOUNT = "bank_account"
    EXTERNAL = "external"  # reached the operator another way; the platform relays it. Nobody knows where to return it


class Source(Struct, frozen=True):
    """One source of money: the person's wallet, one of its bank accounts, or neither (`external`, without an id)."""

    kind: SourceKind
    id: UUID | None


class Target(StrEnum):
    """What to repay, where no amount is named."""

    ALL = "all"  # everything, instalments to come and interest up to today included
    BILLED = "billed"  # what is on bills, interest up to today included
    MINIMUM = "minimum"  # what must be paid now to stay, or be again, in order


class Paid(StrEnum):
    """What a piece of a repayment paid."""

    FEE = "fee"
    INTEREST = "interest"
    PRINCIPAL = "principal"
    LATE_INTEREST = "late_interest"  # earned since the due date, charged with this repayment
    DAILY_INTEREST = "daily_interest"  # earned before the bill, charged with this repayment
    UNBILLED = "unbilled"  # principal of a draw or instalment that no bill had taken
    FEE_DROPPED = "fee_dropped"  # not paid: the fee of an instalment to come, saved by paying early
    CREDIT_BALANCE = "credit_balance"  # stays on the line in the person's favour


NOT_PAID = frozenset({Paid.FEE_DROPPED, Paid.CREDIT_BALANCE})
"""Pieces that paid nothing: fees that fell away, and what stays in the person's favour."""


class Allocation(Struct, frozen=True):
    """One piece of a repayment: to a part of a bill, or to a draw before its bill (`instalment` counts from 1)."""

    part: Paid
    amount_minor: int
    bill: UUID | None = None
    draw: UUID | None = None
    instalment: int | None = None


class Debt(Struct, frozen=True):
    """All that a line owes: its bills that are not settled and its draws not wholly billed, each oldest first."""

    line: Line
    bills: tuple[Bill, ...] = ()
    draws: tuple[Draw, ...] = ()

    @property
    def principal_minor(self) -> int:
        """Principal owed: what the line's principal account says."""
        return self.unbilled_minor + sum(bill.unpaid_principal_minor for bill in self.bills)

    @property
    def unbilled_minor(self) -> int:
        """Principal still to be billed."""
        return sum(draw.unbilled_minor for draw in self.draws)

    @property
    def billed_minor(self) -> int:
        """What is owed on bills: principal, fees and interest."""
        return sum(bill.unpaid_minor for bill in self.bills)


class Spread(Struct, frozen=True):
    """Money spread over a debt: the debt after it, the pieces, and what was left over.

    unearned  the merchants' part of fees of plans that it ended: earned at once, no bill will take it
    settled   the plan that it paid, and looked at nothing else; None: it went by the waterfall
    """

    debt: Debt
    allocation: tuple[Allocation, ...]
    surplus_minor: int
    unearned: tuple[Unearned, ...] = ()
    settled: UUID | None = None

    def sum_of(self, *parts: Paid) -> int:
        """What went to some parts."""
        return sum(piece.amount_minor for piece in self.allocation if piece.part in parts)

    @property
    def paid_minor(self) -> int:
        """What was paid in all; a surplus is not."""
        return self.principal_minor + self.interest_minor + self.fee_minor

    @property
    def principal_minor(self) -> int:
        """Principal paid, billed or not."""
        return self.sum_of(Paid.PRINCIPAL, Paid.UNBILLED)

    @property
    def interest_minor(self) -> int:
        """Interest paid, billed before or charged now."""
        return self.sum_of(Paid.INTEREST, Paid.LATE_INTEREST, Paid.DAILY_INTEREST)

    @property
    def charged_minor(self) -> int:
        """Interest that was charged with this money and by no bill."""
        return self.sum_of(Paid.LATE_INTEREST, Paid.DAILY_INTEREST)

    @property
    def fee_minor(self) -> int:
        """Fees paid."""
        return self.sum_of(Paid.FEE)

    @property
    def saved_minor(self) -> int:
        """Fees that need not be paid any more."""
        return self.sum_of(Paid.FEE_DROPPED)


class Repayment(Struct, frozen=True, kw_only=True):
    """A repayment as its row keeps it.

    value_on         the date it counts from      posted_on  the business date on which it was booked
    plan             the draw whose instalments to come it pays; None: the waterfall
    principal_minor  of it, billed or not         returned_minor  what refunds have given back of what it paid
    reason           why it failed or was reversed
    asked_seq        the bucket's last number when its bank was asked, where it is pending or was booked late: after
                     that it stands on its date; None: by its own journal
    """

    id: UUID
    line_id: UUID
    person_id: UUID
    source: Source
    status: RepaymentStatus
    amount_minor: int
    value_on: date
    created_at: datetime
    plan: UUID | None = None
    principal_minor: int = 0
    returned_minor: int = 0
    posted_on: date | None = None
    allocation: tuple[Allocation, ...] = ()
    reason: str | None = None
    asked_seq: int | None = None

    @property
    def saved_minor(self) -> int:
        """Fees that need not be paid any more because of it."""
        return sum(piece.amount_minor for piece in self.allocation if piece.part is Paid.FEE_DROPPED)

    @property
    def paid_minor(self) -> int:
        """What of it paid debt; the rest went to the line's credit balance."""
        return paid_by(self.allocation)


def paid_by(pieces: Iterable[Allocation]) -> int:
    """What pieces of a repayment paid of the debt."""
    return sum(piece.amount_minor for piece in pieces if piece.part not in NOT_PAID)
