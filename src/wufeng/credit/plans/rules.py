"""Schedules and what they cost a year: pure arithmetic, used by quotes, draws, the product check and the tests.

Source of the prices: PRODUCTS.md 1; of how interest is rounded: the cases of docs/conformance.md.
"""

from calendar import isleap
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from math import gcd
from operator import sub

from msgspec import Struct
from msgspec.structs import replace

from wufeng.credit.accruals.model import round_micro
from wufeng.credit.plans.model import MONTHLY, Plan, Rhythm, Terms
from wufeng.credit.products.dates import DOWN_PAYMENT_DAYS, Dates
from wufeng.credit.products.model import Cycle, Levelling, Method, Product, Remainder, Rounding
from wufeng.credit.rates.day_counts import days_between, days_by_year, year_fraction
from wufeng.credit.rates.model import DayCount, Flow
from wufeng.credit.rates.rules import PPM, annuity_payment, daily_rate, periodic_rate, unit_period_rate


def terms_of(product: Product, cycle: Cycle | Dates, tenor: int, merchant_share_ppm: int = 0) -> Terms | None:
    """The terms of one tenor on a line's own days; None when the product does not offer the tenor or the share.

    The tenor of a price counts all parts: a down payment and a part of interest alone are among them.
    A share that the price itself fixes stands, whatever the order says.
    """
    price = product.price(tenor)
    if price is None or not 0 <= merchant_share_ppm <= product.instalments.merchant_share_max_ppm:
        return None
    rounding = product.rounding
    terms = Terms(
        tenor,
        price.fee_ppm or 0,
        cycle,
        merchant_share_ppm if price.merchant_share_ppm is None else price.merchant_share_ppm,
        product.instalments.remainder,
        fee_period_ppm=price.fee_period_ppm or 0,
        annual_ppm=price.annual_ppm or 0,
        method=price.method,
        day_count=product.instalments.day_count,
        multiple_minor=rounding.instalment_multiple_minor if tenor > 1 else 1,
        levelling=rounding.levelling,
        rounding=rounding.interest,
        daily_ppm=product.interest.daily_ppm if tenor == 1 else 0,
    )
    return _on_dates(terms, cycle) if isinstance(cycle, Dates) else terms


def _on_dates(terms: Terms, dates: Dates) -> Terms:
    """Terms on dates of the draw's own: parts that come beside the instalments are taken off the tenor."""
    own = dates.of(terms.tenor)
    terms = replace(
        terms,
        cycle=own.beside_down_payment,
        down_payment_ppm=own.down_payment_ppm,
        down_payment_days=DOWN_PAYMENT_DAYS,
        stub=own.stub,
    )
    beside = (own.down_payment_ppm > 0) + terms.has_interest_only
    return replace(terms, tenor=terms.tenor - beside) if beside else terms


def schedule(terms: Terms, amount_minor: int, start: date) -> Plan:
    """Split a financed amount into instalments.

    amount_minor  principal, > 0      start  business date on which the draw became billable
    Every instalment but one is the total divided by the periods, rounded half-even; the remainder falls on the last, or
    the first. Principal, fee and interest each sum exactly. Asserts that no part is negative: see `least_amount`.
    Source: PRODUCTS.md 1.1 and B4; 1,299.00 in 3 at 2.5 % is 443.83, 443.83, 443.82.
    """
    assert amount_minor > 0, "a draw of nothing has no plan"
    down_minor = round_to_multiple(amount_minor * terms.down_payment_ppm, PPM, terms.multiple_minor)
    days = due_dates(terms.cycle, terms.tenor, start)
    rest_minor = amount_minor - down_minor
    plan = (
        _at_a_rate(terms, rest_minor, start, days) if terms.annual_ppm else _at_a_fee(terms, rest_minor, days)
    )
    assert min(plan.principal_parts) >= 0 and sum(plan.principal_parts) == rest_minor
    if terms.daily_ppm:
        micro = amount_minor * terms.daily_ppm * (plan.due_on[0] - start).days
        plan = replace(plan, daily_ppm=terms.daily_ppm, daily_minor=round_micro(micro, terms.rounding))
    if not down_minor:
        return plan
    return _with_down_payment(plan, down_minor, start + timedelta(days=terms.down_payment_days))


def _at_a_fee(terms: Terms, amount_minor: int, days: tuple[date, ...]) -> Plan:
    tenor, rhythm = terms.tenor, rhythm_of(terms.cycle)
    whole_fee = _round_ppm(amount_minor * terms.fee_ppm) + tenor * _round_ppm(
        amount_minor * terms.fee_period_ppm
    )
    if tenor == 1 and not whole_fee:
        return Plan((amount_minor,), (0,), (0,), days, rhythm=rhythm)
    subsidy = _round_ppm(whole_fee * terms.merchant_share_ppm)
    fee_parts = split_rounded(whole_fee - subsidy, tenor, terms.remainder)
    payments = split_rounded(amount_minor + whole_fee - subsidy, tenor, terms.remainder, terms.multiple_minor)
    principal_parts = tuple(map(sub, payments, fee_parts))
    assert min(principal_parts) > 0 and min(fee_parts) >= 0, "the amount is too small for so many instalments"
    subsidy_parts = split_rounded(subsidy, tenor, terms.remainder)
    return Plan(principal_parts, fee_parts, subsidy_parts, days, rhythm=rhythm)


def _at_a_rate(terms: Terms, amount_minor: int, start: date, days: tuple[date, ...]) -> Plan:
    stub_minor = None
    if terms.has_interest_only:
        days = due_dates(terms.cycle, terms.tenor + 1, start)
    rates, whole = period_rates(terms.annual_ppm, terms.day_count, terms.cycle, start, days)
    if terms.has_interest_only:
        stub_minor = round_ratio(amount_minor * rates[0], whole, terms.rounding)
        rates = rates[1:]
    principal_parts, interest_parts = amortise(terms, amount_minor, rates, whole)
    if stub_minor is not None:
        principal_parts, interest_parts = (0, *principal_parts), (stub_minor, *interest_parts)
    subsidy_parts = tuple(_round_ppm(interest * terms.merchant_share_ppm) for interest in interest_parts)
    return Plan(
        principal_parts,
        (0,) * len(days),
        subsidy_parts,
        days,
        tuple(map(sub, interest_parts, subsidy_parts)),
        rhythm_of(terms.cycle),
    )


Parts = tuple[tuple[int, ...], tuple[int, ...]]
"""Principal and interest, an element a period."""


def amortise(terms: Terms, amount_minor: int, rates: Sequence[int], whole: int) -> Parts:
    """Principal and interest of each period by the terms' method; the rates are in 1 / whole of the balance."""
    count, multiple = len(rates), terms.multiple_minor
    if terms.method is Method.EQUAL_PAYMENT:
        payment_minor = equal_payment(terms, amount_minor, rates, whole)
        parts = repaid_by(amount_minor, rates, whole, payment_minor, terms.rounding)
        if terms.levelling is Levelling.NONE:
            return parts
        return _levelled(terms, amount_minor, rates, whole, parts)
    if terms.method is Method.EQUAL_PRINCIPAL:
        principal_parts = split_rounded(amount_minor, count, terms.remainder, multiple)
        return principal_parts, _interest_on_falling(principal_parts, rates, whole, terms.rounding)
    interest_minor = round_ratio(amount_minor * sum(rates), whole, terms.rounding)
    interest_parts = split_rounded(interest_minor, count, terms.remainder)
    payments = split_rounded(amount_minor + interest_minor, count, terms.remainder, multiple)
    return tuple(map(sub, payments, interest_parts)), interest_parts


def equal_payment(terms: Terms, amount_minor: int, rates: Sequence[int], whole: int) -> int:
    """The payment that repays an amount in equal parts, as a multiple, before it is levelled."""
    return round_to_multiple(*annuity_payment(amount_minor, rates, whole), terms.multiple_minor)


def repaid_by(
    amount_minor: int,
    rates: Sequence[int],
    whole: int,
    payment_minor: int,
    rounding: Rounding = Rounding.HALF_EVEN,
) -> Parts:
    """Principal and interest of equal payments at these rates of the periods (each in 1 / whole).

    A period's interest is rounded once; the last period takes the principal that is left.
    """
    left, principal_parts, interest_parts = amount_minor, [], []
    for rate in rates:
        interest = round_ratio(left * rate, whole, rounding)
        principal = min(left, max(0, payment_minor - interest))
        left -= principal
        principal_parts.append(principal)
        interest_parts.append(interest)
    principal_parts[-1] += left
    return tuple(principal_parts), tuple(interest_parts)


def _levelled(terms: Terms, amount_minor: int, rates: Sequence[int], whole: int, parts: Parts) -> Parts:
    """The parts with the payment moved by the share of what the last one differs, when that brings it nearer."""
    payment, count = parts[0][0] + parts[1][0], len(rates)
    odd = parts[0][-1] + parts[1][-1] - payment
    moved_payment = round_to_multiple(payment * count + odd, count, terms.multiple_minor)
    if moved_payment == payment:
        return parts
    moved = repaid_by(amount_minor, rates, whole, moved_payment, terms.rounding)
    return moved if abs(moved[0][-1] + moved[1][-1] - moved_payment) < abs(odd) else parts


def _interest_on_falling(
    principal_parts: Sequence[int], rates: Sequence[int], whole: int, rounding: Rounding
) -> tuple[int, ...]:
    left, parts = sum(principal_parts), []
    for principal, rate in zip(principal_parts, rates, strict=True):
        parts.append(round_ratio(left * rate, whole, rounding))
        left -= principal
    return tuple(parts)


def period_rates(
    annual_ppm: int, day_count: DayCount, cycle: Cycle | Dates, start: date, days: Sequence[date]
) -> tuple[tuple[int, ...], int]:
    """What each period bears, in 1 / whole of its balance: (rates, whole), without common factors."""
    lengths = _thirty_day_lengths(cycle, len(days)) if day_count is DayCount.THIRTY_360 else None
    whole = 360
    if lengths is None:
        begins = (start, *days[:-1])
        lengths = [_parts_of_a_year(*period, day_count) for period in zip(begins, days, strict=True)]
        whole = PARTS_OF_A_YEAR
    common = gcd(annual_ppm * gcd(*lengths), whole * PPM)
    return tuple(annual_ppm * length // common for length in lengths), whole * PPM // common


class Days(Struct, frozen=True):
    """The days that a period bears interest for: so many in years of `year_days`, and `leap` more in years of 366."""

    days: int
    leap: int
    year_days: int


def period_days(
    day_count: DayCount, cycle: Cycle | Dates, start: date, days: Sequence[date]
) -> tuple[Days, ...]:
    """What each period bears as days of a year: how `period_rates` is told to people."""
    lengths = _thirty_day_lengths(cycle, len(days)) if day_count is DayCount.THIRTY_360 else None
    if lengths is not None:
        return tuple(Days(length, 0, 360) for length in lengths)
    return tuple(_days_of(*period, day_count) for period in zip((start, *days[:-1]), days, strict=True))


def _days_of(begins: date, ends: date, count: DayCount) -> Days:
    if count is DayCount.THIRTY_360:
        return Days((ends - begins).days, 0, 360)
    if count in YEAR_DAYS:
        return Days(days_between(begins, ends, count), 0, YEAR_DAYS[count])
    shift = timedelta(days=0 if count is DayCount.ACTUAL_ACTUAL_BY_END else 1)
    by_year = days_by_year(begins - shift, ends - shift)
    leap = sum(number for year, number in by_year.items() if isleap(year))
    return Days(sum(by_year.values()) - leap, leap, 365)


YEAR_DAYS = {
    DayCount.THIRTY_360_US: 360,
    DayCount.THIRTY_E_360: 360,
    DayCount.THIRTY_365: 365,
    DayCount.ACTUAL_360: 360,
    DayCount.ACTUAL_365: 365,
    DayCount.ACTUAL_366: 366,
}
"""Days of a year of the day counts that know only one."""

OF_DATES = frozenset(
    {DayCount.THIRTY_360, *YEAR_DAYS, DayCount.ACTUAL_ACTUAL_ISDA, DayCount.ACTUAL_ACTUAL_BY_END}
)
"""The day counts of a product: those that need nothing but the two dates of a period."""

PARTS_OF_A_YEAR = 1_603_080
"""The least common multiple of 360, 365 and 366: every part of a year that a day count gives is whole in it."""


@lru_cache(maxsize=8192)
def _parts_of_a_year(begins: date, ends: date, count: DayCount) -> int:
    parts = year_part(begins, ends, count) * PARTS_OF_A_YEAR
    assert parts.denominator == 1, "a year has 360, 365 or 366 parts"
    return parts.numerator


def _thirty_day_lengths(cycle: Cycle | Dates, count: int) -> list[int] | None:
    """Days of each period when months have 30, whatever the dates; None where periods are no months."""
    if isinstance(cycle, Cycle):
        return [30] * count
    if not cycle.every.months or cycle.every.weeks or cycle.every.days:
        return None
    first = cycle.first_after
    return [30 * first.months + 7 * first.weeks + first.days, *[30 * cycle.every.months] * (count - 1)]


@lru_cache(maxsize=4096)
def year_part(begins: date, ends: date, count: DayCount) -> Fraction:
    """The part of a year of a period of interest. 30/360 counts the days of periods that are no months as they are."""
    if count is DayCount.THIRTY_360:
        return Fraction((ends - begins).days, 360)
    return year_fraction(begins, ends, count)


@lru_cache(maxsize=4096)  # the same few dates, for every draw of a day
def due_dates(cycle: Cycle | Dates, count: int, start: date) -> tuple[date, ...]:
    """The due dates of the first parts of what became billable on `start`, so many."""
    if isinstance(cycle, Dates):
        return tuple(cycle.due_on(start, number) for number in range(count))
    first_bill = cycle.bill_on(start)
    bills = (first_bill, *(cycle.bill_after(first_bill, n) for n in range(1, count)))
    return tuple(cycle.due_on(bill) for bill in bills)


def _with_down_payment(plan: Plan, down_minor: int, due_on: date) -> Plan:
    """The plan with a first part that bears nothing; its yearly rate counts it as paid on the day itself."""
    return replace(
        plan,
        principal_parts=(down_minor, *plan.principal_parts),
        fee_parts=(0, *plan.fee_parts),
        subsidy_parts=(0, *plan.subsidy_parts),
        due_on=(due_on, *plan.due_on),
        interest_parts=(0, *plan.interest_parts) if plan.interest_parts else (),
        rhythm=replace(plan.rhythm, at_start=plan.rhythm.at_start + 1),
    )


def rhythm_of_terms(terms: Terms) -> Rhythm:
    """The unit periods of a plan of these terms, a down payment among them."""
    rhythm = rhythm_of(terms.cycle)
    return replace(rhythm, at_start=rhythm.at_start + 1) if terms.down_payment_ppm else rhythm


@lru_cache(maxsize=256)
def rhythm_of(cycle: Cycle | Dates) -> Rhythm:
    """The unit periods of a calendar: months, weeks, or days, and how far off the first part is."""
    if isinstance(cycle, Cycle):
        return MONTHLY
    every, first = cycle.every, cycle.first_after
    days = 7 * first.weeks + first.days
    at_start = 0 if first.is_positive else 1
    if every.months and not every.weeks and not every.days:
        whole, odd = divmod(30 * first.months + days, 30 * every.months)
        return Rhythm(12, every.months, at_start, *((1, 0) if at_start else (whole, odd)), 30 * every.months)
    weeks, rest = divmod(30 * every.months + 7 * every.weeks + every.days, 7)
    length = 7 * weeks + rest
    whole, odd = divmod(30 * first.months + days, length)
    units = (365, length) if rest else (52, weeks)
    return Rhythm(*units, at_start, *((1, 0) if at_start else (whole, odd)), length)


def least_amount(tenor: int, multiple_minor: int = 1, down_payment_ppm: int = 0) -> int:
    """An amount from which on no part of a plan can be negative: each part loses at most two multiples to rounding.

    With a down payment it is not nothing, and what is left for the other parts is as much as they need.
    """
    least = 2 * tenor * tenor * multiple_minor
    if not down_payment_ppm:
        return least
    beside = -(-(least + multiple_minor) * PPM // (PPM - down_payment_ppm))
    return max(beside, -(-multiple_minor * PPM // down_payment_ppm))


def split_rounded(
    amount_minor: int, count: int, remainder: Remainder, multiple_minor: int = 1
) -> tuple[int, ...]:
    """Split an amount (>= 0) into equal parts rounded half-even; one of them takes what the rounding leaves.

    multiple_minor  the others are multiples of this
    An amount so small that the odd part would be negative is rounded down instead.
    """
    part = round_to_multiple(amount_minor, count, multiple_minor)
    if part * (count - 1) > amount_minor:
        part = amount_minor // (count * multiple_minor) * multiple_minor
    odd = amount_minor - part * (count - 1)
    equal = (part,) * (count - 1)
    return (odd, *equal) if remainder is Remainder.FIRST else (*equal, odd)


def round_to_multiple(numerator: int, denominator: int, multiple_minor: int) -> int:
    """The multiple nearest to numerator / denominator, half-even."""
    return round_ratio(numerator, denominator * multiple_minor) * multiple_minor


def _round_ppm(numerator: int) -> int:
    return round_ratio(numerator, PPM)


def round_ratio(numerator: int, denominator: int, rounding: Rounding = Rounding.HALF_EVEN) -> int:
    """numerator / denominator (>= 0) as a whole number, in integers: a plan is made for every payment."""
    whole, rest = divmod(numerator, denominator)
    if rounding is Rounding.HALF_EVEN:
        twice = 2 * rest
        return whole + 1 if twice > denominator or (twice == denominator and whole & 1) else whole
    if rounding is Rounding.HALF_UP:
        return whole + (2 * rest >= denominator)
    return whole + (rest > 0) if rounding is Rounding.UP else whole


def annualised_rate_ppm(plan: Plan) -> int:
    """What a plan costs its person a year: the internal rate of return of a period × periods a year, half-even, in ppm.

    Monthly: × 12. Source: PBC announcement 2021 No. 3 (PRODUCTS.md 3.1). 3, 6, 9 and 12 months at 2.5, 4.5, 6.5 and
    8.8 % are 14.94, 15.27, 15.34 and 15.86 % (H2). Odd days of a first period bear simple interest (Regulation Z).
    Interest by the day is × 365, simple; of a plan that bears both the higher is told. What is all paid at once was
    never lent, and has no rate.
    """
    return max(_rate_of_parts(plan), annualised_daily_ppm(plan.daily_ppm))


def _rate_of_parts(plan: Plan) -> int:
    if plan.total_cost_minor == 0:
        return 0
    rhythm, instalments = plan.rhythm, plan.instalments_minor
    financed_minor = plan.amount_minor - sum(instalments[: rhythm.at_start])
    if financed_minor <= 0:
        return 0
    payments = instalments[rhythm.at_start :]
    if rhythm.first_whole == 1 and not rhythm.first_odd:
        return periodic_rate(financed_minor, payments, rhythm.units_a_year, rhythm.length)
    odd = Fraction(rhythm.first_odd, rhythm.first_odd_of)
    flows = [Flow(rhythm.first_whole + n, payment, odd) for n, payment in enumerate(payments)]
    return unit_period_rate([Flow(0, -financed_minor), *flows], Fraction(rhythm.units_a_year, rhythm.length))


def annualised_daily_ppm(daily_ppm: int) -> int:
    """A daily rate as it is shown a year: × 365, simple. 0.05 % a day is 18.25 %."""
    return daily_rate(daily_ppm)
