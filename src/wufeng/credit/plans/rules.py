"""Schedules and what they cost a year: pure arithmetic, used by quotes, draws, the product check and the tests."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

from wufeng.base.calendar import add_months
from wufeng.base.money import round_half_even
from wufeng.credit.plans.model import Plan, Terms
from wufeng.credit.products.model import Cycle, Product, Remainder

PPM = 1_000_000
DAYS_A_YEAR = 365


def terms_of(product: Product, cycle: Cycle, tenor: int, merchant_share_ppm: int = 0) -> Terms | None:
    """The terms of one tenor on a line's own days; None when the product does not offer the tenor or the share."""
    fee_ppm = product.fee_ppm(tenor)
    if fee_ppm is None or not 0 <= merchant_share_ppm <= product.instalments.merchant_share_max_ppm:
        return None
    return Terms(tenor, fee_ppm, cycle, merchant_share_ppm, product.instalments.remainder)


def schedule(terms: Terms, amount_minor: int, start: date) -> Plan:
    """Split a financed amount into monthly instalments.

    amount_minor  principal, > 0      start  business date on which the draw became billable
    Every instalment but one is the total divided by the months, rounded half-even; the remainder falls on the last, or
    the first. Principal and fee each sum exactly. Asserts that no part is negative: `least_amount` sees to that.
    Source: PRODUCTS.md 1.1 and B4; 1,299.00 in 3 at 2.5 % is 443.83, 443.83, 443.82.
    """
    assert amount_minor > 0, "a draw of nothing has no plan"
    cycle = terms.cycle
    first_bill = cycle.bill_on(start)
    if terms.tenor == 1:
        return Plan((amount_minor,), (0,), (0,), (cycle.due_on(first_bill),))
    whole_fee = _round_ppm(amount_minor * terms.fee_ppm)
    subsidy = _round_ppm(whole_fee * terms.merchant_share_ppm)
    fee_parts = split_rounded(whole_fee - subsidy, terms.tenor, terms.remainder)
    payments = split_rounded(amount_minor + whole_fee - subsidy, terms.tenor, terms.remainder)
    principal_parts = tuple(payment - fee for payment, fee in zip(payments, fee_parts, strict=True))
    assert min(principal_parts) > 0 and min(fee_parts) >= 0, "the amount is too small for so many months"
    bills = (first_bill, *(add_months(first_bill, n, cycle.bill_day) for n in range(1, terms.tenor)))
    return Plan(
        principal_parts,
        fee_parts,
        split_rounded(subsidy, terms.tenor, terms.remainder),
        tuple(cycle.due_on(bill) for bill in bills),
    )


def least_amount(tenor: int) -> int:
    """An amount from which on no part of a plan can be negative: each part loses at most two units to rounding."""
    return 2 * tenor * tenor


def split_rounded(amount_minor: int, count: int, remainder: Remainder) -> tuple[int, ...]:
    """Split an amount (>= 0) into equal parts rounded half-even; one of them takes what the rounding leaves.

    An amount so small that the odd part would be negative is rounded down instead.
    """
    part = round_half_even(Fraction(amount_minor, count))
    if part * (count - 1) > amount_minor:
        part = amount_minor // count
    odd = amount_minor - part * (count - 1)
    equal = (part,) * (count - 1)
    return (odd, *equal) if remainder is Remainder.FIRST else (*equal, odd)


def _round_ppm(numerator: int) -> int:
    """numerator / 1,000,000, half-even, in integers: a plan is made for every payment."""
    whole, rest = divmod(numerator, PPM)
    return whole + (2 * rest > PPM or (2 * rest == PPM and whole % 2 == 1))


def monthly_rate(financed: Decimal, payments: Sequence[Decimal]) -> Decimal:
    """The internal rate of return of equal-spaced payments, the first one month after the financing.

    Newton's method on the exact flows, to 20 digits. Payments that do not exceed what was financed cost nothing: 0.
    """
    cost = sum(payments) - financed
    if cost <= 0:
        return Decimal(0)
    with localcontext() as context:
        context.prec = 30
        rate = (
            2 * cost / (financed * (len(payments) + 1))
        )  # the flat fee on the mean balance: close enough to start
        for _ in range(60):
            discount = 1 / (1 + rate)
            factor, value, weighted = Decimal(1), Decimal(0), Decimal(0)
            for month, payment in enumerate(payments, 1):
                factor *= discount
                present = payment * factor
                value += present
                weighted += month * present
            step = (value - financed) / (weighted * discount)
            rate += step
            if abs(step) < Decimal("1e-20"):
                return rate
    raise AssertionError("these payments have no rate")


def annualised_rate_ppm(plan: Plan) -> int:
    """What a plan costs its person a year: the monthly internal rate of return × 12, half-even, in ppm.

    Source: PBC announcement 2021 No. 3 (PRODUCTS.md 3.1). 3, 6, 9 and 12 months at 2.5, 4.5, 6.5 and 8.8 % are 14.94,
    15.27, 15.34 and 15.86 % (H2).
    """
    if plan.total_cost_minor == 0:
        return 0
    rate = monthly_rate(Decimal(plan.amount_minor), [Decimal(payment) for payment in plan.instalments_minor])
    return int((rate * 12 * PPM).quantize(Decimal(1), ROUND_HALF_EVEN))


def annualised_price_ppm(tenor: int, fee_ppm: int) -> int:
    """What a price of the table costs a year, before any amount is rounded to minor units."""
    payment = Decimal(PPM + fee_ppm) / tenor
    return int(
        (monthly_rate(Decimal(PPM), [payment] * tenor) * 12 * PPM).quantize(Decimal(1), ROUND_HALF_EVEN)
    )


def annualised_daily_ppm(daily_ppm: int) -> int:
    """A daily rate as it is shown a year: × 365, simple. 0.05 % a day is 18.25 %."""
    return daily_ppm * DAYS_A_YEAR
