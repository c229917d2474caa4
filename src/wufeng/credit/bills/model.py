"""A bill: what a line owes for one cycle. What is on it is fixed when it is issued; payments and refunds lower it."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

MICRO = 1_000_000
"""Interest is kept in millionths of the minor unit until it is billed."""


class BillStatus(StrEnum):
    """A paid minimum is not overdue; an overdue bill is due as a whole."""

    OPEN = "open"  # -> minimum_paid, overdue, paid
    MINIMUM_PAID = "minimum_paid"  # -> paid
    OVERDUE = "overdue"  # -> paid
    PAID = "paid"  # end, unless a repayment of it is reversed


class Segment(Struct, frozen=True, array_like=True):
    """A stretch of days on which one balance bore one rate: the days after `since_on` up to `until_on`, included."""

    since_on: date
    until_on: date
    balance_minor: int
    daily_ppm: int

    @property
    def days(self) -> int:
        """How many days of interest it holds."""
        return (self.until_on - self.since_on).days

    @property
    def interest_micro(self) -> int:
        """The interest, exact, in millionths of the minor unit."""
        return self.balance_minor * self.daily_ppm * self.days


class Bill(Struct, frozen=True, kw_only=True):
    """A bill as its row keeps it. The amounts of the first block are lowered by refunds only.

    single_minor          principal of draws on this bill alone        instalment_minor  principal of instalments
    fee_minor             fees of those instalments
    interest_minor        interest of earlier bills, billed on this one
    late_interest_minor   interest of this bill itself, charged when it was paid off between two bills
    carried_minor, missed_minor   what earlier bills left, as far as it raises this bill's minimum
    minimum_minor         the least payment until the due date
    paid_…                money, refunds of other draws included, that paid these parts
    counted_minor         what was paid towards the minimum: on this bill and those before it, since it was issued
    daily_ppm             rate on unpaid principal; 0 until the due date has passed
    segments              stretches that are over, exact; the running one began on `accrued_on`
    interest_billed_minor interest of this bill that was billed, here or on later bills
    wake_on               the date on which the day close looks at it next
    """

    id: UUID
    line_id: UUID
    issued_on: date
    due_on: date
    status: BillStatus
    single_minor: int = 0
    instalment_minor: int = 0
    fee_minor: int = 0
    interest_minor: int = 0
    late_interest_minor: int = 0
    carried_minor: int = 0
    missed_minor: int = 0
    minimum_minor: int = 0
    paid_principal_minor: int = 0
    paid_fee_minor: int = 0
    paid_interest_minor: int = 0
    counted_minor: int = 0
    daily_ppm: int = 0
    accrued_on: date
    segments: tuple[Segment, ...] = ()
    interest_billed_minor: int = 0
    wake_on: date | None = None

    @property
    def unpaid_principal_minor(self) -> int:
        """Principal that bears interest after the due date."""
        return self.single_minor + self.instalment_minor - self.paid_principal_minor

    @property
    def unpaid_fee_minor(self) -> int:
        """Fees still owed."""
        return self.fee_minor - self.paid_fee_minor

    @property
    def unpaid_interest_minor(self) -> int:
        """Billed interest still owed."""
        return self.interest_minor + self.late_interest_minor - self.paid_interest_minor

    @property
    def total_minor(self) -> int:
        """All that was billed on it."""
        return (
            self.single_minor
            + self.instalment_minor
            + self.fee_minor
            + self.interest_minor
            + self.late_interest_minor
        )

    @property
    def paid_minor(self) -> int:
        """All that was paid of it."""
        return self.paid_principal_minor + self.paid_fee_minor + self.paid_interest_minor

    @property
    def unpaid_minor(self) -> int:
        """All that is still owed of it."""
        return self.total_minor - self.paid_minor


class BillItem(Struct, frozen=True):
    """One draw's part on a bill: which instalment (0-based) of how many, and its amounts at issue."""

    draw_id: UUID
    part: int
    tenor: int
    principal_minor: int
    fee_minor: int


class InterestBilled(Struct, frozen=True):
    """Interest of an earlier bill that goes onto a new one."""

    bill_id: UUID
    amount_minor: int


class BillItems(Struct, frozen=True):
    """What a bill was issued with: draws' parts, and interest of earlier bills. Never changed."""

    items: tuple[BillItem, ...] = ()
    interest: tuple[InterestBilled, ...] = ()
