"""What a plan costs a year by the formulas that others use, over the days on which it is paid. Pure."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache

from msgspec import Struct

from wufeng.credit.plans.model import Rhythm
from wufeng.credit.products.dates import Dates, Every
from wufeng.credit.products.model import Cycle
from wufeng.credit.rates.model import DatedFlow, Flow, UnitPeriod
from wufeng.credit.rates.rules import DAYS_A_YEAR, effective_rate, unit_period_rate
from wufeng.credit.rates.unit_periods import PERIODS_A_YEAR, span_between, term_periods_a_year


class Rates(Struct, frozen=True):
    """One cost as a yearly rate, in ppm, by four methods; 0 where the person pays nothing beyond the price.

    annualised_ppm  internal rate of return of a period x periods a year: what Wufeng shows, and what the ceiling holds
    effective_ppm   the same rate of a period, compounded over a year
    eu_ppm          effective, over the dates themselves: Directive 2008/48/EC, Annex I
    us_ppm          nominal, by Regulation Z, Appendix J, over the dates; None: its periods are no unit periods there
    """

    annualised_ppm: int
    effective_ppm: int
    eu_ppm: int
    us_ppm: int | None


NO_COST = Rates(0, 0, 0, 0)


Paid = tuple[tuple[date, int], ...]
"""(when, how much), the earliest first."""


@lru_cache(maxsize=1 << 14)  # shown for every way to pay, of few amounts and of one day
def yearly_rates(
    annualised_ppm: int, lent_minor: int, paid: Paid, on: date, rhythm: Rhythm | None, unit: UnitPeriod | None
) -> Rates:
    """The rates of what was lent on a date and is paid so.

    annualised_ppm  as it is shown: it tells whether anything is paid beyond the price
    rhythm          of the plan; None: interest runs by the day, so the days themselves are its periods
    unit            of Regulation Z, of the due dates (`unit_of`); a single payment within a year needs none
    """
    if sum(amount_minor for _, amount_minor in paid) <= lent_minor:
        return Rates(annualised_ppm, annualised_ppm, 0, 0)
    eu_ppm = _by_days(lent_minor, paid, on)
    return Rates(
        annualised_ppm=annualised_ppm,
        effective_ppm=eu_ppm if rhythm is None else _by_periods(lent_minor, paid, rhythm),
        eu_ppm=eu_ppm,
        us_ppm=_by_unit_periods(lent_minor, paid, on, unit),
    )


def _by_days(lent_minor: int, paid: Paid, on: date) -> int:
    flows = [DatedFlow(Fraction((due_on - on).days, DAYS_A_YEAR), amount) for due_on, amount in paid]
    return effective_rate([DatedFlow(Fraction(0), -lent_minor), *flows])


def _by_periods(lent_minor: int, paid: Sequence[tuple[date, int]], rhythm: Rhythm) -> int:
    period = Fraction(rhythm.length, rhythm.units_a_year)
    first = (rhythm.first_whole + Fraction(rhythm.first_odd, rhythm.first_odd_of)) * period
    at_start = sum(amount for _, amount in paid[: rhythm.at_start])
    flows = [DatedFlow(first + n * period, amount) for n, (_, amount) in enumerate(paid[rhythm.at_start :])]
    return effective_rate([DatedFlow(Fraction(0), at_start - lent_minor), *flows])


def _by_unit_periods(lent_minor: int, paid: Paid, on: date, unit: UnitPeriod | None) -> int | None:
    days = (paid[0][0] - on).days
    if len(paid) == 1 and 0 < days < DAYS_A_YEAR:
        return unit_period_rate([Flow(0, -lent_minor), Flow(1, paid[0][1])], term_periods_a_year(days))
    if unit is None:
        return None
    spans = [(span_between(on, due_on, unit), amount) for due_on, amount in paid]
    flows = [Flow(span.whole, amount, span.odd) for span, amount in spans]
    return unit_period_rate([Flow(0, -lent_minor), *flows], Fraction(PERIODS_A_YEAR[unit]))


_UNITS = {
    Every(months=1): UnitPeriod.MONTH,
    Every(months=2): UnitPeriod.TWO_MONTHS,
    Every(months=3): UnitPeriod.QUARTER,
    Every(months=6): UnitPeriod.SIX_MONTHS,
    Every(months=12): UnitPeriod.YEAR,
    Every(days=1): UnitPeriod.DAY,
    Every(days=7): UnitPeriod.WEEK,
    Every(days=14): UnitPeriod.TWO_WEEKS,
    Every(days=28): UnitPeriod.FOUR_WEEKS,
}
"""The distances between due dates that are unit periods of Regulation Z."""


def unit_of(calendar: Cycle | Dates) -> UnitPeriod | None:
    """The unit period of a calendar's due dates; None: Regulation Z has none of that length."""
    if isinstance(calendar, Cycle):
        return UnitPeriod.MONTH
    every = calendar.every
    return _UNITS.get(Every(months=every.months, days=7 * every.weeks + every.days))
