"""What an explanation is made of: an amount, the steps that come to it, and the sentence that says so."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from msgspec import Struct

from wufeng.credit.accruals.model import round_micro
from wufeng.credit.products.model import Part, Remainder, Rounding


class Why(StrEnum):
    """What an amount is, or what a step adds to one."""

    TOTAL = "total"
    PURCHASES = "purchases"
    INSTALMENTS = "instalments"
    INSTALMENT_FEES = "instalment_fees"
    INTEREST = "interest"
    LATE_INTEREST = "late_interest"
    MINIMUM = "minimum"
    ACCRUED = "accrued"  # earned since, on no bill yet; beside the total
    PAID = "paid"

    PURCHASE = "purchase"
    INSTALMENT = "instalment"
    INSTALMENT_FEE = "instalment_fee"
    INSTALMENT_INTEREST = "instalment_interest"
    BILL_INTEREST = "bill_interest"  # what was unpaid of an earlier bill
    DRAW_INTEREST = "draw_interest"  # of a draw, before its bill
    SEGMENT = "segment"
    CAP = "cap"
    PLAN_DAYS = "plan_days"  # of a plan by a yearly rate: the days of its running period
    BILLED_OTHERWISE = "billed_otherwise"
    NOT_BILLED_YET = "not_billed_yet"
    PRINCIPAL_SHARE = "principal_share"
    PRINCIPAL_WHOLE = "principal_whole"
    OVER_LIMIT = "over_limit"  # principal above the limit is asked for whole
    CARRIED = "carried"  # principal that earlier bills asked for, beside this bill's
    MISSED = "missed"
    ELSEWHERE = "elsewhere"  # of a purchase: on other bills or still to come, or refunded
    ADJUSTED = "adjusted"
    REPAID = "repaid"
    REFUNDED = "refunded"
    CREDIT_BALANCE = "credit_balance"  # what stood in the person's favour: paid too much before, or refunded

    SHARE = "share"  # of a whole, among the parts of a plan
    PRINCIPAL = "principal"
    DOWN_PAYMENT = "down_payment"
    COST = "cost"  # a plan's whole fee, less what the merchant carries
    WITH_COST = "with_cost"  # principal and cost: what the parts of a plan pay together
    FEE_OF_AMOUNT = "fee_of_amount"
    FEE_A_PERIOD = "fee_a_period"
    MERCHANT_SHARE = "merchant_share"
    LESS_FEE = "less_fee"  # of a payment
    LESS_INTEREST = "less_interest"
    EQUAL_PAYMENT = "equal_payment"
    ANNUITY = "annuity"
    LEVELLED = "levelled"
    EARLIER_PARTS = "earlier_parts"
    PERIOD_INTEREST = "period_interest"
    FLAT_INTEREST = "flat_interest"  # of the whole amount, over all periods
    CHANGED = "changed"  # paid early or refunded, since the plan was made
    PLAN_PART = "plan_part"
    PLAN_COST = "plan_cost"

    REFUND = "refund"
    REFUND_PIECE = "refund_piece"
    REFUND_OTHERWISE = "refund_otherwise"
    REFUND_MADE_OF = "refund_made_of"
    GIVEN_BACK = "given_back"  # by the merchant
    CHARGES_BACK = "charges_back"  # by who had earned them, where the reason is the merchant's fault

    REPAYMENT = "repayment"
    BY_WATERFALL = "by_waterfall"
    CHARGED_NOW = "charged_now"
    BEFORE_BILL = "before_bill"
    SURPLUS = "surplus"
    SAVED = "saved"


class Explained(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One amount, the steps that make it, and the sentence that says so.

    amount_minor  what it comes to, or adds; amount_micro instead, where it is rounded only with its neighbours
    rounding      the rule that its steps in millionths were rounded by
    of            the draw, bill or repayment that it comes from
    since_on, until_on, days, balance_minor, daily_ppm, least_minor   one stretch: the days after the first date up to
                  the second, the balance, the rate, the least interest of a day
    share_ppm     of balance_minor
    whole         what it is an equal share of, by its `tenor`; opened itself
    remainder     on which instalment the odd minor units fall, where this is that one
    annual_ppm, year_days   the rate a year of balance_minor, for `days` of a year of so many, and `leap_days` of a year
                            of 366
    period_days             days of the period of which `days` had passed: as many parts of the interest (`whole`)
    multiple_minor          what a payment is rounded to a multiple of
    days_past_due, order, place   how old the bill was, the order of parts at that age, and the part's place in it
    """

    code: Why
    amount_minor: int | None = None
    amount_micro: int | None = None
    sentence: str
    rounding: Rounding | None = None
    of: str | None = None
    part: str | None = None
    instalment: int | None = None
    tenor: int | None = None
    since_on: date | None = None
    until_on: date | None = None
    days: int | None = None
    balance_minor: int | None = None
    daily_ppm: int | None = None
    least_minor: int | None = None
    share_ppm: int | None = None
    days_past_due: int | None = None
    order: tuple[Part, ...] | None = None
    place: int | None = None
    whole: "Explained | None" = None
    remainder: Remainder | None = None
    annual_ppm: int | None = None
    year_days: int | None = None
    leap_days: int | None = None
    period_days: int | None = None
    multiple_minor: int | None = None
    steps: "tuple[Explained, ...]" = ()


def comes_to(steps: Sequence[Explained], rounding: Rounding | None) -> int:
    """What some steps make: millionths added and rounded once, and minor units."""
    micro = sum(step.amount_micro for step in steps if step.amount_micro is not None)
    minor = sum(step.amount_minor for step in steps if step.amount_minor is not None)
    assert rounding is not None or not micro, "millionths have a rule that rounds them"
    return minor + round_micro(micro, rounding or Rounding.HALF_EVEN)
