"""Distances in unit periods, counted from dates as Regulation Z does. Source: 12 CFR 1026, Appendix J (b)(5)."""

from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache

from wufeng.base.calendar import add_months
from wufeng.credit.rates.model import Span, UnitPeriod

_DAYS = {UnitPeriod.DAY: 1, UnitPeriod.WEEK: 7, UnitPeriod.TWO_WEEKS: 14, UnitPeriod.FOUR_WEEKS: 28}
_MONTHS = {
    UnitPeriod.MONTH: 1,
    UnitPeriod.TWO_MONTHS: 2,
    UnitPeriod.QUARTER: 3,
    UnitPeriod.SIX_MONTHS: 6,
    UnitPeriod.YEAR: 12,
}
PERIODS_A_YEAR = {
    UnitPeriod.DAY: 365,
    UnitPeriod.WEEK: 52,
    UnitPeriod.TWO_WEEKS: 26,
    UnitPeriod.FOUR_WEEKS: 13,
    UnitPeriod.SEMIMONTH: 24,
    UnitPeriod.MONTH: 12,
    UnitPeriod.TWO_MONTHS: 6,
    UnitPeriod.QUARTER: 4,
    UnitPeriod.SIX_MONTHS: 2,
    UnitPeriod.YEAR: 1,
}
"""Appendix J (b)(4)(iii): how many of them make a year."""


@lru_cache(maxsize=4096)  # the same few dates, for every price of a day
def span_between(advance_on: date, payment_on: date, unit: UnitPeriod) -> Span:
    """How far a payment lies from its advance: whole periods counted back from the payment, then days.

    What is left is months of 30 days and days, over 30 days a month of the unit; a semimonth has 15; a year 365,
    or 12 months when no days are left.
    """
    if unit in _DAYS:
        whole, days = divmod((payment_on - advance_on).days, _DAYS[unit])
        return Span(whole, Fraction(days, _DAYS[unit]))
    if unit is UnitPeriod.SEMIMONTH:
        return _semimonths(advance_on, payment_on)
    months, days = _months_back(advance_on, payment_on)
    whole, rest = divmod(months, _MONTHS[unit])
    if unit is not UnitPeriod.YEAR:
        return Span(whole, Fraction(30 * rest + days, 30 * _MONTHS[unit]))
    if days == 0:
        return Span(whole, Fraction(rest, 12))
    return Span(whole, Fraction((add_months(payment_on, -12 * whole) - advance_on).days, 365))


def _months_back(advance_on: date, payment_on: date) -> tuple[int, int]:
    """Whole months counted back from the payment, and the days that are left."""
    months = 0
    while add_months(payment_on, -months - 1) >= advance_on:
        months += 1
    return months, (add_months(payment_on, -months) - advance_on).days


def _semimonths(advance_on: date, payment_on: date) -> Span:
    whole, at = 0, payment_on
    while (earlier := _half_a_month_before(at)) >= advance_on:
        whole, at = whole + 1, earlier
    return Span(whole, Fraction((at - advance_on).days, 15))


def _half_a_month_before(on: date) -> date:
    """The 16th before the 1st, the 1st before the 16th."""
    if on.day > 15:
        return on - timedelta(days=15)
    return add_months(on, -1, on.day + 15)


def term_periods_a_year(days: int) -> Fraction:
    """A single payment in less than a year: the term is the unit period, and there are 365 / days of it in a year.

    Source: Appendix J (b)(4)(iv) and example (c)(5)(i).
    """
    return Fraction(365, days)
