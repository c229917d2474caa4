"""A credit product as its TOML file says it: prices, dates, minimum, interest, order of payment, limits, lenders.

Rates are parts per million (ppm): of the price for instalment fees, a day for interest. Amounts are minor units of the
product's currency. What a file leaves out has the default that stands here. Source of the terms: PRODUCTS.md 1 and 2.
"""

from datetime import date, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.calendar import add_months, bank_day_on_or_after
from wufeng.credit.products.dates import Dates
from wufeng.credit.rates.model import DayCount
from wufeng.credit.waterfall.model import Processing
from wufeng.identity.merchants.model import Scene


class Part(StrEnum):
    """What a debt is made of, and what a repayment pays."""

    FEE = "fee"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class Remainder(StrEnum):
    """On which instalment the odd minor units of a split fall."""

    FIRST = "first"
    LAST = "last"


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    """A name in the two languages of the screens."""

    zh: str
    en: str


OPENING = "opening"
"""The bill day of a product whose lines have the day of the month on which they were opened (PRODUCTS.md 1.3)."""


class Cycle(Struct, frozen=True, forbid_unknown_fields=True):
    """Days of the month on which bills are issued and due; a day the month lacks becomes its last day.

    bill_day        of a product it may be "opening": a line's own cycle (`of`) has a number
    due_day, due_after_days   one of the two: a day of the month, or so many days after the bill
    """

    bill_day: int | Literal["opening"]
    due_day: int | None = None
    due_after_days: int | None = None

    def of(self, opened_on: date) -> "Cycle":
        """The days of a line that was opened on a date."""
        return replace(self, bill_day=opened_on.day) if self.bill_day == OPENING else self

    @property
    def day(self) -> int:
        """The bill day of a line's own cycle."""
        assert isinstance(self.bill_day, int), "the cycle of a line has a number"
        return self.bill_day

    def bill_on(self, billable_on: date) -> date:
        """The date of the bill that a draw stands on: the first bill day after the date on which it became billable.

        Bought on the 1st, with bills on the 1st: the bill of the next month (PRODUCTS.md, H3).
        """
        return _next(self.day, billable_on)

    def bill_after(self, issued_on: date, months: int) -> date:
        """The date of the bill so many months after one (or before it)."""
        return add_months(issued_on, months, self.day)

    def due_on(self, issued_on: date) -> date:
        """The last day to pay a bill: the first due day after the date of the bill, or so many days after it."""
        if self.due_after_days is not None:
            return issued_on + timedelta(days=self.due_after_days)
        assert self.due_day is not None, "one of the two says when bills are due"
        return _next(self.due_day, issued_on)

    def due_before(self, issued_on: date) -> date:
        """The due date a month before that of a bill."""
        if self.due_day is None:
            return self.due_on(self.bill_after(issued_on, -1))
        return add_months(self.due_on(issued_on), -1, self.due_day)


def coincide(day: int, other: int) -> bool:
    """Whether two days of the month are one date in some month: from 28 on they are, in a February.

    A bill day and a due day that are not are always apart: each bill is due before the next one is issued.
    """
    return min(day, 28) == min(other, 28)


@lru_cache(maxsize=4096)  # the same few dates, for every draw of a day
def _next(day: int, after: date) -> date:
    candidate = add_months(after, 0, day)
    return candidate if candidate > after else add_months(after, 1, day)


class DueDays(Struct, frozen=True, forbid_unknown_fields=True):
    """Due days a person may move to, and how often in any 365 days; never while a bill is open."""

    allowed: tuple[int, ...]
    changes_a_year: int


class BillableAt(StrEnum):
    """From which event of its order on a bill may take a draw; an order without delivery has only its payment."""

    PAYMENT = "payment"
    SHIPMENT = "shipment"
    RECEIPT = "receipt"


class Mode(StrEnum):
    """How the draws of a line become due; a product may have both, and a line is opened in one."""

    ORDER = "order"  # each draw on dates of its own
    BILL = "bill"  # all draws on one bill a month


class Billing(Struct, frozen=True, forbid_unknown_fields=True):
    """When draws come onto bills, and what happens around the due date.

    confirm_after_days  days after the shipment on which a receipt counts as confirmed; None: only the person confirms
    grace_days          days after the due date in which a payment still counts as made in time
    bank_days           a due date on which banks rest is moved to the next bank day
    """

    billable_at: BillableAt = BillableAt.RECEIPT
    confirm_after_days: int | None = 10
    grace_days: int = 0
    bank_days: bool = False

    def real_due_on(self, nominal_on: date) -> date:
        """The last day to pay what is due on a date by the product's days: those count, whatever banks do."""
        return bank_day_on_or_after(nominal_on) if self.bank_days else nominal_on


class Rest(StrEnum):
    """Where principal stays that the minimum does not ask for."""

    BILL = "bill"  # all of it is billed; what is not paid revolves on its bill
    DRAW = "draw"  # only the minimum is billed; the rest stays with its draws until the next bill


class Minimum(Struct, frozen=True, forbid_unknown_fields=True):
    """The least payment: this share of principal + all instalments, interest and fees + what was missed before.

    whole_up_to_minor  principal that is asked for whole, because it is no more than this (PRODUCTS.md, F2)
    """

    principal_ppm: int
    whole_up_to_minor: int = 0
    rest: Rest = Rest.BILL


class LateBase(StrEnum):
    """What late interest is taken of."""

    PRINCIPAL = "principal"
    PRINCIPAL_AND_FEES = "principal_and_fees"


class Interest(Struct, frozen=True, forbid_unknown_fields=True):
    """Daily simple interest, on principal and never on interest.

    daily_ppm            from the day of the draw on; 0: free until the due date
    revolving_daily_ppm  after the due date, when the minimum was paid      late_daily_ppm  when it was not
    late_least_minor     the least late interest of one day, whatever the rate gives
    late_most_ppm        of a bill's principal: no more late interest than this; None: no such cap
    annualised_max_ppm   the ceiling no price of the product may pass (days and instalments alike)
    """

    revolving_daily_ppm: int
    late_daily_ppm: int
    annualised_max_ppm: int
    daily_ppm: int = 0
    late_base: LateBase = LateBase.PRINCIPAL
    late_least_minor: int = 0
    late_most_ppm: int | None = None


class Rounding(StrEnum):
    """How parts of a minor unit become whole ones."""

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    DOWN = "down"
    UP = "up"


class Pieces(StrEnum):
    """How interest is rounded where the balance changes on the way: each stretch of days, or all of them together."""

    EACH = "each"
    ADDED = "added"


class Levelling(StrEnum):
    """Whether equal payments are moved once, so that the last of them differs less from the others."""

    NONE = "none"
    ONCE = "once"


class RoundingRules(Struct, frozen=True, forbid_unknown_fields=True):
    """What is rounded, and how. Fees are rounded half-even, and the odd units fall on one part (`Remainder`).

    instalment_multiple_minor  instalments are multiples of this, but for the odd one
    levelling                  of equal payments of a yearly rate
    interest                   of the days when it is billed, and of a plan's periods
    pieces                     of the days: a stretch ends when the line is billed, paid or refunded
    """

    instalment_multiple_minor: int = 1
    levelling: Levelling = Levelling.ONCE
    interest: Rounding = Rounding.HALF_EVEN
    pieces: Pieces = Pieces.ADDED


class Method(StrEnum):
    """How an annual rate is repaid."""

    EQUAL_PAYMENT = "equal_payment"
    EQUAL_PRINCIPAL = "equal_principal"
    FLAT = "flat"


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """A number of instalments and their price: one of the three.

    fee_ppm             of the amount, for all instalments together      fee_period_ppm  of the amount, with each
    annual_ppm          a year, on what is owed or flat, as `method` says
    merchant_share_ppm  of the price, always carried by the merchant; None: as the order says
    """

    tenor: int
    fee_ppm: int | None = None
    fee_period_ppm: int | None = None
    annual_ppm: int | None = None
    method: Method = Method.EQUAL_PAYMENT
    merchant_share_ppm: int | None = None


STANDARD = "standard"
"""The tier of everybody whom the application policy gives no other: the prices that product pages show."""


class Tier(Struct, frozen=True, forbid_unknown_fields=True):
    """A price list for people to whom the application policy gives it; what it leaves out is as for everybody.

    daily_ppm  from the day of the draw on      prices  of the same numbers of instalments
    Never dearer than the standard list: nobody pays more than what product pages show.
    """

    code: str
    name: Name
    daily_ppm: int | None = None
    prices: tuple[Price, ...] | None = None


class Early(StrEnum):
    """What becomes of fees of instalments to come when a plan is settled early."""

    DROPPED = "dropped"
    DUE = "due"


class RefundFees(StrEnum):
    """What becomes of a plan's fees when its purchase is refunded: in proportion, or not at all."""

    CANCELLED = "cancelled"
    KEPT = "kept"


class BillSplit(Struct, frozen=True, forbid_unknown_fields=True):
    """Instalments of a bill, from its date to its due date: how much of it at least, and at most which share.

    purchase_least_minor  purchases of less stay on the bill whole: they do not count towards what can be split
    """

    least_minor: int
    share_max_ppm: int = 1_000_000
    purchase_least_minor: int = 0


class Instalments(Struct, frozen=True, forbid_unknown_fields=True):
    """Instalments of purchases, and of bills where `bills` says so. The person pays the price, or the merchant the
    share that its order says, up to the most.

    day_count  by which the yearly rate of an `annual_ppm` is spread over the periods
    """

    minimum_minor: int
    remainder: Remainder
    merchant_share_max_ppm: int
    prices: tuple[Price, ...]
    single: bool = True
    early: Early = Early.DROPPED
    refund_fees: RefundFees = RefundFees.CANCELLED
    bills: BillSplit | None = None
    day_count: DayCount = DayCount.THIRTY_360


class WaterfallStep(Struct, frozen=True, forbid_unknown_fields=True):
    """The order in which parts are paid inside one bill that is at least so many days past due."""

    days_past_due: int
    order: tuple[Part, ...]


class Repayment(Struct, frozen=True, forbid_unknown_fields=True):
    """How money is spread: bills oldest first, inside a bill by the last step of the waterfall that its age reaches.

    processing      horizontal: one bill after another; vertical: one part over all bills, then the next part
    to_instalments  a surplus pays, after unbilled spending, the nearest instalments too; else it stays in favour
    refund_interest interest of days before the bill, when a draw is refunded: due all the same, or given back
    """

    waterfall: tuple[WaterfallStep, ...]
    processing: Processing = Processing.HORIZONTAL
    to_instalments: bool = True
    refund_interest: bool = False


class AutoDebit(Struct, frozen=True, forbid_unknown_fields=True):
    """When a bill is debited: at these hours of its due date (local), and then once a day for so many days."""

    times: tuple[time, ...] = (time(0, 30), time(10), time(18), time(22))
    days_after: int = 90


class Arrears(Struct, frozen=True, forbid_unknown_fields=True):
    """What arrears lead to; days past due are counted from 1, the day after the due date.

    suspend_after_days     from then on a line cannot be drawn on
    charge_off_after_days  the loss is taken; the debt remains
    remind_before, remind_after  days before a due date, and after the last day to pay, on which a reminder is told
    """

    suspend_after_days: int
    charge_off_after_days: int | None = 180
    remind_before: tuple[int, ...] = (3, 1, 0)
    remind_after: tuple[int, ...] = (1, 3, 7, 15, 30, 60, 90)


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """The range in which a limit may be set.

    temporary_max_ppm  of the limit: how much it may be raised for a time      shared  a name: all products that say
    the same one share the largest of their limits
    """

    minimum_minor: int
    maximum_minor: int
    temporary_max_ppm: int = 200_000
    shared: str | None = None


class Opening(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may open a line: tier, age and accounts; and how many lines of the product one person may hold."""

    tier_min: int = 1
    age_min: int = 18
    own_bank_account: bool = False
    lines_max: int = 1


class Scenes(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the product may not pay; with `allowed`, it pays nowhere else."""

    forbidden: frozenset[Scene]
    allowed: frozenset[Scene] | None = None

    def refuse(self, scene: Scene) -> bool:
        """Whether the product may not pay in a scene."""
        return scene in self.forbidden or (self.allowed is not None and scene not in self.allowed)


class LenderShare(Struct, frozen=True, forbid_unknown_fields=True):
    """A lender and its fixed part of every draw, in ppm; the first of a product's lenders is the lead."""

    code: str
    name: Name
    share_ppm: int


class Captures(StrEnum):
    """What becomes of authorised amounts while the person is frozen: a lost phone. They stay held in any case."""

    ALLOW = "allow"  # the merchant takes what it was promised
    REFUSE = "refuse"  # nothing, until the person may act again; then it may have expired


class Freeze(Struct, frozen=True, forbid_unknown_fields=True):
    """What a freeze of the person stops, beyond everything new."""

    captures: Captures = Captures.ALLOW


class Product(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of one product. A version never changes: a changed file needs a new number."""

    id: str
    version: int
    effective_from: date
    name: Name
    currency: str
    cycle: Cycle | None = None
    dates: Dates | None = None
    due_days: DueDays | None = None
    billing: Billing = Billing()
    minimum: Minimum
    interest: Interest
    instalments: Instalments
    rounding: RoundingRules = RoundingRules()
    repayment: Repayment
    auto_debit: AutoDebit = AutoDebit()
    arrears: Arrears
    limit: Limit
    opening: Opening = Opening()
    freeze: Freeze = Freeze()
    scenes: Scenes
    lenders: tuple[LenderShare, ...]
    tiers: tuple[Tier, ...] = ()

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes in which a line may be opened, the product's own first."""
        order, bill = self.dates is not None, self.cycle is not None
        return (*((Mode.ORDER,) if order else ()), *((Mode.BILL,) if bill else ()))

    def calendar_in(self, mode: Mode, opened_on: date) -> "Cycle | Dates":
        """What due dates follow in one of its modes, of a line that was opened on a date."""
        calendar = self.dates if mode is Mode.ORDER else self.cycle
        assert calendar is not None, "the mode is one of the product's"
        return calendar.of(opened_on) if isinstance(calendar, Cycle) else calendar

    def calendar(self, on: date) -> "Cycle | Dates":
        """What due dates follow in its first mode, for who has no line: as of one opened on that date."""
        return self.calendar_in(self.modes[0], on)

    @property
    def tenors(self) -> tuple[int, ...]:
        """The numbers of instalments a purchase may be paid in; 1 (on the next bill) first where it is offered."""
        prices = (price.tenor for price in self.instalments.prices)
        return (1, *prices) if self.instalments.single else tuple(prices)

    @property
    def bill_tenors(self) -> tuple[int, ...]:
        """The numbers of instalments a bill may be put into; none where the product does not split bills.

        A bill has no merchant: it is not split at a price that a merchant carries, which nobody would pay.
        """
        if self.instalments.bills is None:
            return ()
        return tuple(price.tenor for price in self.instalments.prices if not price.merchant_share_ppm)

    def price(self, tenor: int) -> Price | None:
        """The price of a tenor; None when there is none.

        One bill is never priced: what is too small to be split stands on one, whether a purchase may or not.
        """
        if tenor == 1:
            return FREE
        return next((price for price in self.instalments.prices if price.tenor == tenor), None)

    def tier(self, code: str) -> Tier | None:
        """A price list by its code; None: the product has none of that name, or it is the standard one."""
        return next((tier for tier in self.tiers if tier.code == code), None)

    def at_tier(self, code: str) -> "Product":
        """The product as the people of a tier have it: its prices in the place of the standard ones.

        Asserts that the tier is there: a version never changes, and a later one keeps the tiers of those before.
        """
        if code == STANDARD:
            return self
        tier = self.tier(code)
        assert tier is not None, f"{self.id}@{self.version} has no tier {code}"
        interest, instalments = self.interest, self.instalments
        if tier.daily_ppm is not None:
            interest = replace(interest, daily_ppm=tier.daily_ppm)
        if tier.prices is not None:
            instalments = replace(instalments, prices=tier.prices)
        return replace(self, interest=interest, instalments=instalments)


FREE = Price(1, fee_ppm=0)
"""A draw that stands on one bill whole costs nothing up to its due date, but for the daily interest of its product."""


class Finding(Struct, frozen=True):
    """What is wrong in a product file: the path of the field (`instalments.prices[0].fee_ppm`) and why."""

    path: str
    detail: str


class Shipped(Struct, frozen=True):
    """A product with the text it came from and the text's hash (SHA-256, hex)."""

    product: Product
    source: str
    content_hash: str
