"""A credit product as its TOML file says it: prices, dates, minimum, interest, order of payment, limits, lenders.

Rates are parts per million (ppm): of the price for instalment fees, a day for interest. Amounts are minor units of the
product's currency. Source of the terms: PRODUCTS.md 1.1 and 2.
"""

from datetime import date
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from wufeng.base.calendar import add_months
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


class Cycle(Struct, frozen=True, forbid_unknown_fields=True):
    """Days of the month on which bills are issued and due; a day the month lacks becomes its last day."""

    bill_day: int
    due_day: int

    def bill_on(self, billable_on: date) -> date:
        """The date of the bill that a draw stands on: the first bill day after the date on which it became billable.

        Bought on the 1st, with bills on the 1st: the bill of the next month (PRODUCTS.md, H3).
        """
        return _next(self.bill_day, billable_on)

    def due_on(self, issued_on: date) -> date:
        """The last day to pay a bill: the first due day after the date of the bill."""
        return _next(self.due_day, issued_on)


@lru_cache(maxsize=4096)  # the same few dates, for every draw of a day
def _next(day: int, after: date) -> date:
    candidate = add_months(after, 0, day)
    return candidate if candidate > after else add_months(after, 1, day)


class DueDays(Struct, frozen=True, forbid_unknown_fields=True):
    """Due days a person may move to, and how often in any 365 days; never while a bill is open."""

    allowed: tuple[int, ...]
    changes_a_year: int


class Minimum(Struct, frozen=True, forbid_unknown_fields=True):
    """The least payment: this share of principal + all instalments, interest and fees + what was missed before."""

    principal_ppm: int


class Interest(Struct, frozen=True, forbid_unknown_fields=True):
    """Daily simple interest on unpaid principal from the day after the due date.

    revolving_daily_ppm  when the minimum was paid      late_daily_ppm  when it was not
    annualised_max_ppm   the ceiling no price of the product may pass (days and instalments alike)
    """

    revolving_daily_ppm: int
    late_daily_ppm: int
    annualised_max_ppm: int


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """A number of months and the fee for all of them together, in ppm of the price."""

    tenor: int
    fee_ppm: int


class Instalments(Struct, frozen=True, forbid_unknown_fields=True):
    """Purchase instalments. The person pays the fee, or the merchant the share that its order says, up to the most."""

    minimum_minor: int
    remainder: Remainder
    merchant_share_max_ppm: int
    prices: tuple[Price, ...]


class WaterfallStep(Struct, frozen=True, forbid_unknown_fields=True):
    """The order in which parts are paid inside one bill that is at least so many days past due."""

    days_past_due: int
    order: tuple[Part, ...]


class Repayment(Struct, frozen=True, forbid_unknown_fields=True):
    """How money is spread: bills oldest first, inside a bill by the last step of the waterfall that its age reaches."""

    waterfall: tuple[WaterfallStep, ...]


class Arrears(Struct, frozen=True, forbid_unknown_fields=True):
    """After how many days past due a line cannot be drawn on; 1 is the day after the due date."""

    suspend_after_days: int


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """The range in which a limit may be set."""

    minimum_minor: int
    maximum_minor: int


class Scenes(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the product may not pay."""

    forbidden: frozenset[Scene]


class LenderShare(Struct, frozen=True, forbid_unknown_fields=True):
    """A lender and its fixed part of every draw, in ppm; the first of a product's lenders is the lead."""

    code: str
    name: Name
    share_ppm: int


class Product(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of one product. A version never changes: a changed file needs a new number."""

    id: str
    version: int
    effective_from: date
    name: Name
    currency: str
    cycle: Cycle
    due_days: DueDays
    minimum: Minimum
    interest: Interest
    instalments: Instalments
    repayment: Repayment
    arrears: Arrears
    limit: Limit
    scenes: Scenes
    lenders: tuple[LenderShare, ...]

    @property
    def tenors(self) -> tuple[int, ...]:
        """The numbers of months a purchase may be paid in, 1 (on the next bill) first."""
        return (1, *(price.tenor for price in self.instalments.prices))

    def fee_ppm(self, tenor: int) -> int | None:
        """The price of a tenor; None when it is not offered."""
        if tenor == 1:
            return 0
        return next((price.fee_ppm for price in self.instalments.prices if price.tenor == tenor), None)


class Finding(Struct, frozen=True):
    """What is wrong in a product file: the path of the field (`instalments.prices[0].fee_ppm`) and why."""

    path: str
    detail: str


class Shipped(Struct, frozen=True):
    """A product with the text it came from and the text's hash (SHA-256, hex)."""

    product: Product
    source: str
    content_hash: str
