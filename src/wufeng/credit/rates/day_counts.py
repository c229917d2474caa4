"""Time between two dates by the conventions of the trade. Exact: a year fraction is a fraction.

Source: 2006 ISDA Definitions 4.16 (30/360 family, ACT/ACT ISDA, ACT/360, ACT/365 Fixed); ICMA Rule 251 (ACT/ACT ICMA).
"""

from calendar import isleap
from datetime import date, timedelta
from fractions import Fraction

from wufeng.base.calendar import add_months
from wufeng.credit.rates.model import DayCount, ReferencePeriod

_THIRTY_DAY_MONTHS = {
    DayCount.THIRTY_360,
    DayCount.THIRTY_360_US,
    DayCount.THIRTY_E_360,
    DayCount.THIRTY_E_360_ISDA,
    DayCount.THIRTY_365,
}
_YEAR_OF = {
    DayCount.THIRTY_360: 360,
    DayCount.THIRTY_360_US: 360,
    DayCount.THIRTY_E_360: 360,
    DayCount.THIRTY_E_360_ISDA: 360,
    DayCount.THIRTY_365: 365,
    DayCount.ACTUAL_360: 360,
    DayCount.ACTUAL_365: 365,
    DayCount.ACTUAL_366: 366,
}


def days_between(start: date, end: date, count: DayCount, termination: date | None = None) -> int:
    """Days from one date to another, months of 30 days where the convention says so.

    termination  the loan's last day: for 30E/360 ISDA alone, whose last February is not lengthened
    """
    if count not in _THIRTY_DAY_MONTHS:
        return (end - start).days
    first, last = _days_of_month(start, end, count, termination)
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def year_fraction(
    start: date,
    end: date,
    count: DayCount,
    *,
    termination: date | None = None,
    reference: ReferencePeriod | None = None,
) -> Fraction:
    """The same as a part of a year. ACT/ACT ICMA needs its reference period; without one, the period is its own."""
    if count is DayCount.ACTUAL_ACTUAL_ISDA:
        return _of_years(_days_by_year_begun(start, end))
    if count is DayCount.ACTUAL_ACTUAL_BY_END:
        return _of_years(days_by_year(start, end))
    if count is DayCount.ACTUAL_ACTUAL_ICMA:
        return _by_reference(start, end, reference or ReferencePeriod(start, end))
    return Fraction(days_between(start, end, count, termination), _YEAR_OF[count])


def days_by_year(start: date, end: date) -> dict[int, int]:
    """Days from start to end, by the calendar year in which each ends: 31 December to 1 January is of the new year."""
    last_days = {year: date(year, 12, 31) for year in range(start.year - 1, end.year + 1)}
    days = {
        year: (min(end, last_days[year]) - max(start, last_days[year - 1])).days
        for year in range(start.year, end.year + 1)
    }
    return {year: number for year, number in days.items() if number > 0}


def _days_of_month(start: date, end: date, count: DayCount, termination: date | None) -> tuple[int, int]:
    first, last = start.day, end.day
    if count is DayCount.THIRTY_E_360:
        return min(first, 30), min(last, 30)
    if count is DayCount.THIRTY_E_360_ISDA:
        first = 30 if _ends_february(start) else min(first, 30)
        return first, 30 if _ends_february(end) and end != termination else min(last, 30)
    if count is DayCount.THIRTY_360_US and _ends_february(start):
        last = 30 if _ends_february(end) else last
        first = 30
    first = min(first, 30)
    return first, 30 if last == 31 and first == 30 else last


def _ends_february(on: date) -> bool:
    return on.month == 2 and (on + timedelta(days=1)).month == 3


def _days_by_year_begun(start: date, end: date) -> dict[int, int]:
    one_day = timedelta(days=1)  # a day that begins on a date ends on the next
    return days_by_year(start - one_day, end - one_day)


def _of_years(days: dict[int, int]) -> Fraction:
    return sum((Fraction(number, 366 if isleap(year) else 365) for year, number in days.items()), Fraction(0))


def _by_reference(start: date, end: date, reference: ReferencePeriod) -> Fraction:
    """Whole reference periods, and parts of those that the stub lies in, before and after the one that is given."""
    months = round(Fraction(12 * (reference.end - reference.start).days, 365))
    if months == 0:
        reference, months = ReferencePeriod(start, add_months(start, 12)), 12
    total, anchor = Fraction(0), reference.start
    first = 0
    while add_months(anchor, months * first) > start:
        first -= 1
    while start < end:
        begins, ends = _period(reference, months, first)
        until = min(end, ends)
        if until > start:
            total += Fraction(months * (until - start).days, 12 * (ends - begins).days)
            start = until
        first += 1
    return total


def _period(reference: ReferencePeriod, months: int, number: int) -> tuple[date, date]:
    """The reference period (0), or one before or after it."""
    if number == 0:
        return reference.start, reference.end
    if number < 0:
        return (
            add_months(reference.start, months * number),
            add_months(reference.start, months * (number + 1)),
        )
    return add_months(reference.end, months * (number - 1)), add_months(reference.end, months * number)
