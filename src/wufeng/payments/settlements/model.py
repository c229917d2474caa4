"""Merchants' settlements: what a merchant is due for a business date, and its payout.

A settlement is drawn up from the journals alone. For each merchant, at every instant,

    Σ net of its settlements + what its journals after the last settled date come to
        = what the book owes it (its payable, folded) + Σ payouts of its settlements

where a payout that the bank could not pay is due again by a journal of its own, and so by a later settlement.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.lanes import Command


class SettlementStatus(StrEnum):
    """Where a settlement's payout stands."""

    CARRIED = "carried"  # end: nothing to pay; what is against the merchant goes on to its next settlement
    PENDING = "pending"  # -> paid, failed   the bank has not answered
    PAID = "paid"  # end
    FAILED = "failed"  # end: the bank could not pay; the amount is due again with the next settlement


class Sums(Struct, frozen=True):
    """What journals come to for a merchant.

    gross_minor     captured payments
    refunded_minor  given back to payers
    fee_minor       the merchant's fees, less those returned with refunds
    subsidy_minor   instalment fees it carried for its payers, less those returned
    returned_minor  earlier payouts that the bank could not pay
    """

    payments: int
    refunds: int
    gross_minor: int
    refunded_minor: int
    fee_minor: int
    subsidy_minor: int
    returned_minor: int

    @property
    def net_minor(self) -> int:
        """What they add to what the merchant is owed; below zero when refunds outweigh payments."""
        return (
            self.gross_minor - self.refunded_minor - self.fee_minor - self.subsidy_minor + self.returned_minor
        )


class Due(Struct, frozen=True):
    """A merchant's sums of one business date over all buckets, and what its last settlement left against it."""

    merchant_id: UUID
    business_on: date
    currency: str
    sums: Sums
    carried_minor: int


class Settlement(Struct, frozen=True, kw_only=True):
    """A settlement as its row keeps it."""

    id: UUID
    merchant_id: UUID
    business_on: date
    status: SettlementStatus
    currency: str
    sums: Sums
    carried_minor: int
    payout_minor: int
    failure: str | None = None
    paid_on: date | None = None
    created_at: datetime

    @property
    def left_minor(self) -> int:
        """What goes on to the next settlement: zero, or what the merchant owes."""
        return self.carried_minor + self.sums.net_minor - self.payout_minor


class DrawUpSettlements(Command, frozen=True, kw_only=True):
    """Draw up what a bucket's merchants are due for the dates that every bucket of the book has closed and summed.

    The payouts begin with it. `at_most` settlements are made in one transaction.
    """

    at_most: int = 500


class SettlementAnswered(Command, frozen=True, kw_only=True):
    """The bank's definite answer about a payout. The second one changes nothing."""

    settlement_id: UUID
    done: bool
    code: str = ""


class SettlementView(Struct, frozen=True, kw_only=True):
    """A settlement as the API shows it."""

    id: str
    object: Literal["settlement"] = "settlement"
    status: SettlementStatus
    merchant: str
    business_date: date
    currency: str
    payments: int
    refunds: int
    gross_minor: int
    refunds_minor: int
    fees_minor: int
    subsidies_minor: int
    returned_minor: int
    net_minor: int
    carried_minor: int
    payout_minor: int
    failure: str | None
    paid_on: date | None
    created_at: datetime
