"""A draw: one use of a line to pay a merchant. A request asks for it, a decision answers, a row keeps it."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import id_of
from wufeng.credit.accruals.model import Segment
from wufeng.credit.lines.model import LineState
from wufeng.credit.plans.model import Plan
from wufeng.credit.products.model import Pieces, Rounding
from wufeng.identity.merchants.model import Scene
from wufeng.lenders.model import Shares
from wufeng.risk.model import Reason


class DrawStatus(StrEnum):
    """Unbilled and billed are amounts of a posted draw, not states."""

    HELD = "held"  # -> posted, voided   reserves the limit; nothing is owed yet
    POSTED = "posted"  # end             owed
    VOIDED = "voided"  # end


class DrawRequest(Struct, frozen=True, kw_only=True):
    """A draw somebody wants.

    tenor               instalments; 1 is the next bill
    merchant_share_ppm  of the instalment fee, carried by the merchant
    awaits_receipt      the order is delivered: no bill may take it before the event that its product names
    """

    id: UUID
    line_id: UUID
    payment_id: UUID
    merchant_id: UUID
    amount_minor: int
    scene: Scene
    tenor: int = 1
    merchant_share_ppm: int = 0
    awaits_receipt: bool = False


class Approved(Struct, frozen=True):
    """The line may fund it: with this plan, by these lenders. `after` is the line with the draw counted as used."""

    request: DrawRequest
    plan: Plan
    product_version: int
    lenders: Shares
    after: LineState


class Declined(Struct, frozen=True):
    """The line may not fund it; reasons in API.md's order, the first is *the* reason."""

    request: DrawRequest
    reasons: tuple[Reason, ...]


class Draw(Struct, frozen=True, kw_only=True):
    """A draw as its row keeps it. Parts are instalments; a draw on the next bill has one.

    payment_id, merchant_id  what it paid; None for a plan that spreads a bill's principal (`of_bill`)
    principal_parts  what each instalment stands at: refunds lower it, from the last backwards
    fee_parts        the person's fee of each; subsidy_parts the merchant's; empty when there is none at all
    interest_parts   the interest of each by the plan's annual rate; empty when there is none at all
    billed_parts     how many are on bills, and `bills` which
    prepaid_minor    paid before it was billed, the nearest part first
    unbilled_minor   principal still to be billed: the parts not billed, less prepaid
    billable_on      from this date on a bill may take it; None: not yet (waits for the shipment or the receipt)
    bill_dates, due_dates  of each part, where they are the draw's own; empty: the line's bill day and due day
    daily_ppm        interest a day on what is not billed, in a stretch that began on `accrued_on`; segments are over
    rounding, pieces how that interest is rounded
    """

    id: UUID
    line_id: UUID
    payment_id: UUID | None
    merchant_id: UUID | None
    amount_minor: int
    tenor: int
    merchant_share_ppm: int
    product_version: int
    lenders: Shares
    status: DrawStatus
    principal_parts: tuple[int, ...] = ()
    fee_parts: tuple[int, ...] = ()
    subsidy_parts: tuple[int, ...] = ()
    interest_parts: tuple[int, ...] = ()
    billed_parts: int = 0
    bills: tuple[UUID, ...] = ()
    prepaid_minor: int = 0
    unbilled_minor: int = 0
    posted_on: date | None = None
    billable_on: date | None = None
    bill_dates: tuple[date, ...] = ()
    due_dates: tuple[date, ...] = ()
    of_bill: UUID | None = None
    daily_ppm: int = 0
    accrued_on: date = date.min
    segments: tuple[Segment, ...] = ()
    interest_billed_minor: int = 0
    rounding: Rounding = Rounding.HALF_EVEN
    pieces: Pieces = Pieces.ADDED

    @property
    def bearing_minor(self) -> int:
        """What interest is taken of before the bill."""
        return self.unbilled_minor

    @property
    def least_minor(self) -> int:
        """A day's least interest: there is none before the due date."""
        return 0

    @property
    def most_minor(self) -> int | None:
        """A cap on interest: there is none before the due date."""
        return None

    @property
    def next_bill_on(self) -> date | None:
        """The date of the bill of its next part, where it has dates of its own."""
        parts = self.unbilled_parts
        return self.bill_dates[parts[0]] if self.bill_dates and parts else None

    @property
    def has_charges_to_come(self) -> bool:
        """Whether fees or interest of parts that no bill has taken are still to be billed, or the merchant's share of
        them, which is earned with its part whoever carries how much.
        """
        first = self.billed_parts
        return (
            any(self.fee_parts[first:]) or any(self.interest_parts[first:]) or any(self.subsidy_parts[first:])
        )

    def interest_of(self, part: int) -> int:
        """The interest of a part (0-based) by its plan."""
        return self.interest_parts[part] if self.interest_parts else 0

    def fee_of(self, part: int) -> int:
        """The person's fee of a part (0-based)."""
        return self.fee_parts[part] if self.fee_parts else 0

    def subsidy_of(self, part: int) -> int:
        """The merchant's fee of a part (0-based)."""
        return self.subsidy_parts[part] if self.subsidy_parts else 0

    @property
    def unearned_minor(self) -> int:
        """The merchant's fees of parts that no bill has taken: paid ahead, earned with their parts or given back."""
        return sum(self.subsidy_of(part) for part in self.unbilled_parts) if self.subsidy_parts else 0

    @property
    def unbilled_parts(self) -> range:
        """The parts (0-based) that no bill has taken."""
        return range(self.billed_parts, len(self.principal_parts))

    def unpaid_of_unbilled_parts(self) -> dict[int, int]:
        """What each unbilled part still owes: prepaid money has gone to the nearest first."""
        prepaid, unpaid = self.prepaid_minor, {}
        for part in self.unbilled_parts:
            covered = min(prepaid, self.principal_parts[part])
            prepaid -= covered
            unpaid[part] = self.principal_parts[part] - covered
        return unpaid


class Unearned(Struct, frozen=True):
    """What was unearned of a draw's subsidy before a step and after it: its lenders own their shares of both."""

    before_minor: int
    after_minor: int

    @property
    def gone_minor(self) -> int:
        """What was earned of it, or went back to the merchant."""
        return self.before_minor - self.after_minor


CAPTURES_MAX = 64
"""How often one payment may be captured: so many ids of draws it has."""


def draw_id(payment_id: UUID, number: int = 0) -> UUID:
    """The id of a payment's draw, or of its n-th further capture: made from the payment's, so it needs no look-up."""
    assert 0 <= number < CAPTURES_MAX, "a payment is captured at most 64 times"
    return id_of(payment_id.int ^ (number + 1) << 64)


def draw_number(draw: UUID, payment_id: UUID) -> int:
    """Which capture of its payment a draw is, from 0: the inverse of `draw_id`."""
    return ((draw.int ^ payment_id.int) >> 64) - 1
