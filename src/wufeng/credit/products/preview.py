"""What a product would ask for a purchase, for those who write products: schedules, costs and yearly rates. Pure."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from msgspec import Struct

from wufeng.base.calendar import add_months
from wufeng.credit.accruals.model import micro_of, round_micro
from wufeng.credit.offers import LateTerms, PriceOption, price_options
from wufeng.credit.plans.model import Plan
from wufeng.credit.products.dates import Dates, Every
from wufeng.credit.products.model import Cycle, LateBase, Mode, Product
from wufeng.credit.rates.model import DatedFlow, Flow, UnitPeriod
from wufeng.credit.rates.rules import PPM, effective_rate, unit_period_rate
from wufeng.credit.rates.unit_periods import PERIODS_A_YEAR, span_between, term_periods_a_year

LATE_DAYS = 30
"""For how long the first part stays unpaid in the example of what late costs."""


class Row(Struct, frozen=True):
    """One part of a schedule: its bill, its due date, and what is paid."""

    number: int
    bill_on: date
    due_on: date
    principal_minor: int
    fee_minor: int
    interest_minor: int
    amount_minor: int


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


class Schedule(Struct, frozen=True):
    """One number of instalments: its rows, and what they cost.

    late_example_minor  late interest on the first part alone, when it is paid 30 days after its due date
    """

    tenor: int
    rows: tuple[Row, ...]
    total_cost_minor: int
    merchant_cost_minor: int
    rates: Rates
    daily_ppm: int
    late_example_minor: int


class Preview(Struct, frozen=True):
    """What a product asks for an amount that becomes billable on a date, by number of instalments."""

    product: str
    version: int
    currency: str
    mode: Mode
    amount_minor: int
    on: date
    merchant_share_ppm: int
    annualised_max_ppm: int
    late_terms: LateTerms
    schedules: tuple[Schedule, ...]


def preview(
    product: Product,
    amount_minor: int,
    on: date,
    mode: Mode,
    merchant_share_ppm: int,
    tenors: Sequence[int] | None,
) -> Preview | None:
    """The schedules of an amount (> 0) in one of the product's modes; None when it offers none of them.

    tenors  only these; None: all of the product
    """
    calendar = product.dates if mode is Mode.ORDER else product.cycle
    assert calendar is not None, "the mode is one of the product's"
    options = price_options(product, calendar, amount_minor, on, merchant_share_ppm, tenors)
    if not options:
        return None
    return Preview(
        product=product.id,
        version=product.version,
        currency=product.currency,
        mode=mode,
        amount_minor=amount_minor,
        on=on,
        merchant_share_ppm=merchant_share_ppm,
        annualised_max_ppm=product.interest.annualised_max_ppm,
        late_terms=options[0].late_terms,
        schedules=tuple(_schedule(product, calendar, option, on) for option in options),
    )


def _schedule(product: Product, calendar: Cycle | Dates, option: PriceOption, on: date) -> Schedule:
    rows = _rows(calendar, option, on)
    return Schedule(
        tenor=option.tenor,
        rows=rows,
        total_cost_minor=option.total_cost_minor,
        merchant_cost_minor=option.merchant_cost_minor,
        rates=_rates(calendar, option, on),
        daily_ppm=option.daily_ppm,
        late_example_minor=_late_example_minor(product, rows[0]),
    )


def _rows(calendar: Cycle | Dates, option: PriceOption, on: date) -> tuple[Row, ...]:
    fees = option.plan.fee_parts
    bills = _bill_dates(calendar, option.tenor, on)
    return tuple(
        Row(
            number=part.number,
            bill_on=bill_on,
            due_on=part.due_on,
            principal_minor=part.principal_minor,
            fee_minor=fee_minor,
            interest_minor=part.fee_minor - fee_minor,
            amount_minor=part.amount_minor,
        )
        for part, fee_minor, bill_on in zip(option.instalments, fees, bills, strict=True)
    )


def _bill_dates(calendar: Cycle | Dates, tenor: int, on: date) -> list[date]:
    if isinstance(calendar, Dates):
        dates = calendar.of(tenor)
        return [dates.bill_on(on, number) for number in range(tenor)]
    first = calendar.bill_on(on)
    return [add_months(first, number, calendar.bill_day) for number in range(tenor)]


def _rates(calendar: Cycle | Dates, option: PriceOption, on: date) -> Rates:
    if option.total_cost_minor == 0:
        return Rates(option.annualised_rate_ppm, option.annualised_rate_ppm, 0, 0)
    paid = [(part.due_on, part.amount_minor) for part in option.instalments]
    return Rates(
        annualised_ppm=option.annualised_rate_ppm,
        effective_ppm=_effective_ppm(
            option.plan, [amount_minor for _, amount_minor in paid], paid, option, on
        ),
        eu_ppm=_eu_ppm(option.amount_minor, paid, on),
        us_ppm=_us_ppm(option.amount_minor, paid, on, _unit_of(calendar)),
    )


Paid = Sequence[tuple[date, int]]
"""(when, how much), the earliest first."""


def _effective_ppm(plan: Plan, amounts: Sequence[int], paid: Paid, option: PriceOption, on: date) -> int:
    if option.daily_ppm:
        return _eu_ppm(option.amount_minor, paid, on)
    rhythm = plan.rhythm
    period = Fraction(rhythm.length, rhythm.units_a_year)
    first = rhythm.first_whole + Fraction(rhythm.first_odd, rhythm.first_odd_of)
    flows = [DatedFlow((first + n) * period, amount) for n, amount in enumerate(amounts)]
    return effective_rate([DatedFlow(Fraction(0), -option.amount_minor), *flows])


def _eu_ppm(lent_minor: int, paid: Paid, on: date) -> int:
    flows = [DatedFlow(Fraction((due_on - on).days, 365), amount) for due_on, amount in paid]
    return effective_rate([DatedFlow(Fraction(0), -lent_minor), *flows])


def _us_ppm(lent_minor: int, paid: Paid, on: date, unit: UnitPeriod | None) -> int | None:
    if len(paid) == 1 and (paid[0][0] - on).days < 365:
        return unit_period_rate(
            [Flow(0, -lent_minor), Flow(1, paid[0][1])], term_periods_a_year((paid[0][0] - on).days)
        )
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


def _unit_of(calendar: Cycle | Dates) -> UnitPeriod | None:
    if isinstance(calendar, Cycle):
        return UnitPeriod.MONTH
    every = calendar.every
    return _UNITS.get(Every(months=every.months, days=7 * every.weeks + every.days))


def _late_example_minor(product: Product, row: Row) -> int:
    interest = product.interest
    with_fees = interest.late_base is LateBase.PRINCIPAL_AND_FEES
    base_minor = row.principal_minor + (row.fee_minor if with_fees else 0)
    late_minor = round_micro(
        LATE_DAYS * micro_of(base_minor, interest.late_daily_ppm, interest.late_least_minor)
    )
    if interest.late_most_ppm is None:
        return late_minor
    return min(late_minor, row.principal_minor * interest.late_most_ppm // PPM)
