"""How a draw is repaid: terms, and the plan that follows from them."""

from datetime import date
from operator import add

from msgspec import Struct

from wufeng.credit.products.dates import Dates, Stub
from wufeng.credit.products.model import Cycle, Levelling, Method, Remainder, Rounding
from wufeng.credit.rates.model import DayCount


class Terms(Struct, frozen=True):
    """The price of one purchase: instalments, what they cost, who carries how much of it, and the days.

    tenor               instalments; a down payment and a part of interest alone (`stub`) come beside them
    fee_ppm             of the amount, for all periods together
    cycle               bills of days of the month, or due dates of the draw's own
    merchant_share_ppm  of the fees or the interest, carried by the merchant
    remainder           where the odd minor units fall; equal payments of a yearly rate always leave them to the last
    fee_period_ppm      of the amount, with each instalment      annual_ppm  a year, repaid by `method`
    multiple_minor      instalments are multiples of this, but for the odd one
    down_payment_ppm    of the amount, a first part that bears nothing      down_payment_days  after the day itself
    rounding            of the interest of each period
    daily_ppm           interest a day from the day itself on, where nothing is split
    """

    tenor: int
    fee_ppm: int
    cycle: Cycle | Dates
    merchant_share_ppm: int = 0
    remainder: Remainder = Remainder.LAST
    fee_period_ppm: int = 0
    annual_ppm: int = 0
    method: Method = Method.EQUAL_PAYMENT
    day_count: DayCount = DayCount.THIRTY_360
    multiple_minor: int = 1
    down_payment_ppm: int = 0
    levelling: Levelling = Levelling.ONCE
    stub: Stub = Stub.IN_PAYMENTS
    down_payment_days: int = 0
    rounding: Rounding = Rounding.HALF_EVEN
    daily_ppm: int = 0

    @property
    def has_interest_only(self) -> bool:
        """Whether the first part is the interest of an irregular first period, and nothing else."""
        return (
            self.stub is Stub.INTEREST_ONLY
            and self.annual_ppm > 0
            and self.method is Method.EQUAL_PAYMENT
            and isinstance(self.cycle, Dates)
            and self.cycle.has_stub
        )


class Rhythm(Struct, frozen=True):
    """When a plan's parts are paid, as its yearly rate counts: in periods of `length` units, so many units a year.

    at_start     parts that are paid on the day itself
    first_whole  whole periods to the first of the others      first_odd / first_odd_of  and a part of another
    """

    units_a_year: int = 12
    length: int = 1
    at_start: int = 0
    first_whole: int = 1
    first_odd: int = 0
    first_odd_of: int = 1


MONTHLY = Rhythm()


class Plan(Struct, frozen=True):
    """The instalments of a draw, one element a period; tenor 1 is a single part on the next bill.

    subsidy_parts   the merchant's share of each period's cost: not the person's, but earned with it all the same
    interest_parts  empty where the price is a fee
    daily_ppm       interest a day of its one part; `daily_minor` is what that comes to by the due date. It is borne by
                    the days that pass, and stands in no part
    """

    principal_parts: tuple[int, ...]
    fee_parts: tuple[int, ...]
    subsidy_parts: tuple[int, ...]
    due_on: tuple[date, ...]
    interest_parts: tuple[int, ...] = ()
    rhythm: Rhythm = MONTHLY
    daily_ppm: int = 0
    daily_minor: int = 0

    @property
    def amount_minor(self) -> int:
        """The principal."""
        return sum(self.principal_parts)

    @property
    def instalments_minor(self) -> tuple[int, ...]:
        """What the person pays each period."""
        if self.interest_parts:
            parts = zip(self.principal_parts, self.fee_parts, self.interest_parts, strict=True)
            return tuple(map(sum, parts))
        return tuple(map(add, self.principal_parts, self.fee_parts))

    @property
    def charges_minor(self) -> tuple[int, ...]:
        """What the person pays with each part beyond its principal, when all is paid on the due dates: fee, interest by
        the year, interest by the day.
        """
        fees = map(add, self.fee_parts, self.interest_parts) if self.interest_parts else self.fee_parts
        first, *others = fees
        return (first + self.daily_minor, *others)

    @property
    def total_cost_minor(self) -> int:
        """What its parts cost the person beyond the price; interest by the day comes beside it."""
        return sum(self.fee_parts) + sum(self.interest_parts)

    @property
    def subsidy_minor(self) -> int:
        """What the merchant pays of the cost."""
        return sum(self.subsidy_parts)
