"""A bill put into instalments: what may be split, at which prices, and what the split makes of bill and line."""

from typing import Literal

from msgspec import Struct

from wufeng.credit.bills.model import Bill
from wufeng.credit.draws.model import Draw
from wufeng.credit.offers import InstalmentPrice
from wufeng.credit.plans.model import Plan


class BillPlanOption(Struct, frozen=True):
    """One way to pay a part of a bill in instalments.

    quote_option  names bill, amount and price: what is signed is what is made
    amount_minor  of the bill's principal; what is left of the bill stays due
    """

    quote_option: str
    tenor: int
    amount_minor: int
    instalment_minor: int
    instalments: tuple[InstalmentPrice, ...]
    total_cost_minor: int
    annualised_rate_ppm: int
    effective_rate_ppm: int
    eu_rate_ppm: int
    us_rate_ppm: int | None


class BillPlanOptions(Struct, frozen=True, kw_only=True):
    """All the ways to split a bill on a business date; empty with the reason when there is none."""

    object: Literal["bill_plan_options"] = "bill_plan_options"
    bill: str
    least_minor: int
    most_minor: int
    options: tuple[BillPlanOption, ...]
    reason: str | None = None


class Priced(Struct, frozen=True):
    """An option with the plan behind it."""

    option: BillPlanOption
    plan: Plan


class Split(Struct, frozen=True):
    """A bill that owes less, and the plan (a draw without a payment) that owes it instead."""

    bill: Bill
    draw: Draw
