"""A bill: what a line owes for one cycle. What is on it is fixed when it is issued; payments and refunds lower it."""

from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.credit.accruals.model import Segment
from wufeng.credit.lines.model import AboveLimit
from wufeng.credit.products.model import Pieces, Rounding


class BillStatus(StrEnum):
    """A paid minimum is not overdue; an overdue bill is due as a whole."""

    OPEN = "open"  # -> minimum_paid, overdue, paid
    MINIMUM_PAID = "minimum_paid"  # -> paid
    OVERDUE = "overdue"  # -> paid
    PAID = "paid"  # end, unless a repayment of it is reversed


class Bill(Struct, frozen=True, kw_only=True):
    """A bill as its row keeps it. The amounts of the first block are lowered by refunds, and by a plan made of it.

    single_minor          principal of draws on this bill alone        instalment_minor  principal of instalments
    fee_minor             fees of those instalments
    interest_minor        interest billed on this one: of earlier bills, of draws before their bill, of instalments
    late_interest_minor   interest of this bill itself, charged when it was paid off between two bills
    carried_minor, missed_minor   what earlier bills left, as far as it raises this bill's minimum
    over_limit_minor      principal above the line's limit once a raise is over: it is asked for too
    over_limit_refunded_minor  principal refunded since, of draws that were used when it was issued: so much less is
    over_limit_from_minor, over_limit_most_minor  the line's `AboveLimit` of then; None: no raise was over, or it is an
                          earlier release's
    over_limit_used_minor principal used when it was issued, where `over_limit_from_minor` is known, on bills and in
                          instalments too; None: no raise was over, or it is an earlier release's
    used_minor            principal used when it was issued, less what was refunded of it since, where a share of that
                          is billed and no more; None: it is not so, or it is a bill of an earlier release
    minimum_minor         the least payment until the due date
    paid_…                money, refunds of other draws included, that paid these parts
    counted_minor         what was paid towards the minimum: on this bill and those before it, since it was issued
    daily_ppm             rate on unpaid principal; until the due date has passed 0, or the product's daily rate
    bears_fees            late interest is taken of unpaid fees too
    least_minor           the least late interest of one day
    most_minor            no more interest than this after the due date; None: no cap
    segments              stretches that are over, exact; the running one began on `accrued_on`
    interest_billed_minor interest of this bill that was billed, here or on later bills
    wake_on               the date on which the day close looks at it next
    grace_days            days after the due date in which a payment still counts as made in time
    rounding, pieces      how its interest is rounded
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
    over_limit_minor: int = 0
    over_limit_refunded_minor: int = 0
    over_limit_from_minor: int | None = None
    over_limit_most_minor: int = 0
    over_limit_used_minor: int | None = None
    used_minor: int | None = None
    minimum_minor: int = 0
    paid_principal_minor: int = 0
    paid_fee_minor: int = 0
    paid_interest_minor: int = 0
    counted_minor: int = 0
    daily_ppm: int = 0
    bears_fees: bool = False
    least_minor: int = 0
    most_minor: int | None = None
    accrued_on: date
    segments: tuple[Segment, ...] = ()
    interest_billed_minor: int = 0
    wake_on: date | None = None
    grace_days: int = 0
    rounding: Rounding = Rounding.HALF_EVEN
    pieces: Pieces = Pieces.ADDED

    @property
    def last_on(self) -> date:
        """The last date on which a payment counts as made in time: the due date and the days of grace."""
        return self.due_on + timedelta(days=self.grace_days)

    @property
    def over_limit_asked_minor(self) -> int:
        """Principal above the limit that the minimum asks for whole: as if what was refunded had not been used."""
        above, used_minor = self.above_limit, self.over_limit_used_minor
        if above is None or used_minor is None:
            return max(0, self.over_limit_minor - self.over_limit_refunded_minor)
        return above.of(used_minor - self.over_limit_refunded_minor)

    @property
    def over_limit_taken_minor(self) -> int:
        """So much of it as a bill of the minimum alone asks for too: those of earlier releases have taken none."""
        return 0 if self.over_limit_used_minor is None else self.over_limit_asked_minor

    @property
    def above_limit(self) -> AboveLimit | None:
        """From where on, and up to how much, it asks for what is used."""
        if self.over_limit_from_minor is None:
            return None
        return AboveLimit(self.over_limit_from_minor, self.over_limit_most_minor)

    @property
    def unpaid_principal_minor(self) -> int:
        """Principal that bears interest after the due date."""
        return self.single_minor + self.instalment_minor - self.paid_principal_minor

    @property
    def bearing_minor(self) -> int:
        """What interest is taken of."""
        return self.unpaid_principal_minor + (self.unpaid_fee_minor if self.bears_fees else 0)

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
    interest_minor: int = 0


class InterestBilled(Struct, frozen=True, array_like=True):
    """Interest that goes onto a new bill: of an earlier bill, or of a draw before its bill."""

    of: UUID
    amount_minor: int
    is_draw: bool = False


class BillItems(Struct, frozen=True):
    """What a bill was issued with: draws' parts, and interest of earlier bills and of draws."""

    items: tuple[BillItem, ...] = ()
    interest: tuple[InterestBilled, ...] = ()
