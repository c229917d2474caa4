"""What a product would ask for a purchase, for those who write products: schedules, costs and yearly rates. Pure."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from wufeng.credit.accruals.model import micro_of, round_micro
from wufeng.credit.offers import LateTerms, PriceOption, Run, price_options
from wufeng.credit.plans.yearly import Rates
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import Cycle, LateBase, Mode, Product
from wufeng.credit.rates.rules import PPM

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


class Schedule(Struct, frozen=True):
    """One number of instalments: its rows, and what they cost.

    runs                the rows by equal amounts, in their order
    late_example_minor  late interest on the first part alone, when it is paid 30 days after its due date
    """

    tenor: int
    rows: tuple[Row, ...]
    runs: tuple[Run, ...]
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
    calendar = product.calendar_in(mode, on)
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
        runs=option.runs,
        total_cost_minor=option.total_cost_minor,
        merchant_cost_minor=option.merchant_cost_minor,
        rates=option.rates,
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
    return [first, *(calendar.bill_after(first, number) for number in range(1, tenor))]


def _late_example_minor(product: Product, row: Row) -> int:
    interest = product.interest
    with_fees = interest.late_base is LateBase.PRINCIPAL_AND_FEES
    base_minor = row.principal_minor + (row.fee_minor if with_fees else 0)
    late_minor = round_micro(
        LATE_DAYS * micro_of(base_minor, interest.late_daily_ppm, interest.late_least_minor),
        product.rounding.interest,
    )
    if interest.late_most_ppm is None:
        return late_minor
    return min(late_minor, row.principal_minor * interest.late_most_ppm // PPM)
