"""What the prices of a product cost a year at most: on the dearest day, and of the least amount that is split.

Pricing a product tries years of days, so each price is priced once in a process: when its version is read.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from operator import ge

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.calendar import add_months
from wufeng.credit.plans.model import Plan, Rhythm, Terms
from wufeng.credit.plans.rules import (
    PARTS_OF_A_YEAR,
    annualised_daily_ppm,
    annualised_rate_ppm,
    due_dates,
    period_rates,
    rhythm_of,
    schedule,
    terms_of,
)
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import (
    OPENING,
    Cycle,
    Levelling,
    Method,
    Mode,
    Price,
    Product,
    Remainder,
    Rounding,
)
from wufeng.credit.rates.model import DayCount
from wufeng.credit.rates.rules import PPM

SAMPLE_MINOR = 10**12
"""An amount whose rounding to minor units cannot be seen in a yearly rate."""

DAYS_OF_FOUR_YEARS = tuple(date(2025, 1, 1) + timedelta(days=days) for days in range(4 * 365 + 1))
"""The days of 2025 to 2028: a leap year, and plans that begin in each of the years between two of them."""

Course = tuple[int, ...]
"""What each period of a plan bears of its balance; empty where the price is a fee."""

PARTS = 10**6
"""What the bound reckons in: parts of a minor unit, always rounded up."""

WORST_PARTS = {
    Rounding.HALF_EVEN: PARTS // 2,
    Rounding.HALF_UP: PARTS // 2,
    Rounding.UP: PARTS,
    Rounding.DOWN: PARTS,
}
"""How far the interest of a period is from what is exact, at most."""


class Dearest(Struct, frozen=True):
    """What a price costs a year on its dearest day, in ppm.

    rate_ppm   of so large an amount that rounding cannot be seen
    least_ppm  a bound for every amount from the least that is split, however its parts are rounded
    """

    rate_ppm: int = 0
    least_ppm: int = 0


def price_of(product: Product, price: Price) -> Dearest:
    """What a price costs a year, whoever carries it, in all modes of the product and on all its due days."""
    bare = replace(price, merchant_share_ppm=0)
    instalments = replace(product.instalments, prices=(bare,), merchant_share_max_ppm=PPM)
    return _dearest_of(replace(product, instalments=instalments), bare, product.modes)


def highest_rate_ppm(product: Product) -> int:
    """The highest yearly rate among the prices and daily rates of a product that may be offered."""
    prices = (price_of(product, price).rate_ppm for price in product.instalments.prices)
    return max(late_ppm(product), annualised_daily_ppm(product.interest.daily_ppm), *prices, 0)


def dearest_ppm(product: Product) -> int:
    """The most that a product may cost its person a year, in time or late; what a price leaves to merchants is theirs.

    A part of the fees that an order's merchant may carry is not looked at: it may not.
    """
    return max(late_ppm(product), in_time_ppm(product))


def in_time_ppm(product: Product, mode: Mode | None = None) -> int:
    """The most that a product costs its person a year when all is paid in time, on the dearest day of the calendar.

    mode  one of the product's; None: the dearest of all
    """
    modes = (mode,) if mode is not None else product.modes
    prices = (_dearest_of(product, price, modes).rate_ppm for price in product.instalments.prices)
    return max(annualised_daily_ppm(product.interest.daily_ppm), *prices, 0)


def late_ppm(product: Product) -> int:
    """The most that what is unpaid after its due date costs a year."""
    return annualised_daily_ppm(max(product.interest.revolving_daily_ppm, product.interest.late_daily_ppm))


def _dearest_of(product: Product, price: Price, modes: tuple[Mode, ...]) -> Dearest:
    by_dates = bool(price.annual_ppm) and product.instalments.day_count is not DayCount.THIRTY_360
    offered = [
        terms
        for mode in modes
        for calendar in _calendars(product, mode, by_dates=by_dates)
        if (terms := terms_of(product, calendar, price.tenor)) is not None
    ]
    return _dearest(tuple(dict.fromkeys(offered)), product.instalments.minimum_minor)


def _calendars(product: Product, mode: Mode, *, by_dates: bool) -> Iterator[Cycle | Dates]:
    """The calendars of a mode that may be the dearest: where months are all alike, one is as good as another.

    A due day before its bill day is of the next month: its first period is the longest when the bill day follows it.
    """
    calendar = product.calendar_in(mode, product.effective_from)
    yield calendar
    cycle = product.cycle
    if not by_dates or not isinstance(calendar, Cycle) or cycle is None:
        return
    if cycle.bill_day == OPENING:
        yield from (replace(cycle, bill_day=day) for day in range(1, 32))
    for day in product.due_days.allowed if product.due_days is not None else ():
        bill_day = (day + 1 if day < 28 else 1) if cycle.bill_day == OPENING else cycle.bill_day
        yield Cycle(bill_day, day)


@lru_cache(maxsize=1024)
def _dearest(offered: tuple[Terms, ...], least_minor: int) -> Dearest:
    """Of a price on all its calendars. Kept: whoever reads a version pays for it, and no request after that."""
    rates, bounds = [0], [0]
    for terms, on in _beginnings(offered):
        rate_ppm, bound_ppm = _costs(terms, least_minor, on)
        rates.append(rate_ppm)
        bounds.append(bound_ppm)
    return Dearest(max(rates), max(*rates, *bounds))


def _beginnings(offered: tuple[Terms, ...]) -> Iterator[tuple[Terms, date]]:
    """Terms and days to begin on, among which is the dearest: of those that bear as much in each period, one."""
    alike: dict[tuple[Rhythm, int, bool], dict[Course, tuple[Terms, date]]] = {}
    for terms in offered:
        kind = rhythm_of(terms.cycle), terms.tenor, terms.has_interest_only
        courses = alike.setdefault(kind, {})
        for on in _starts(terms):
            courses.setdefault(_course(terms, on), (terms, on))
    for courses in alike.values():
        yield from (courses[course] for course in _undominated(courses))


def _starts(terms: Terms) -> tuple[date, ...]:
    """Of a month's bill the first day is the dearest: its first period is the longest, and the others are the same."""
    cycle = terms.cycle
    if not terms.annual_ppm or (terms.day_count is DayCount.THIRTY_360 and _is_of_months(cycle)):
        return DAYS_OF_FOUR_YEARS[:1]
    if isinstance(cycle, Dates):
        return DAYS_OF_FOUR_YEARS
    return tuple(add_months(DAYS_OF_FOUR_YEARS[0], number, cycle.day) for number in range(4 * 12))


def _course(terms: Terms, on: date) -> Course:
    if not terms.annual_ppm:
        return ()
    rates, whole = _rates(terms, on)
    return tuple(rate * (PARTS_OF_A_YEAR * PPM // whole) for rate in rates)


def _undominated(courses: Iterable[Course]) -> list[Course]:
    """Those of which no other bears as much or more in every period: what bears more in each costs more a year."""
    kept: list[Course] = []
    for course in sorted(courses, key=sum, reverse=True):
        if not any(all(map(ge, other, course)) for other in kept):
            kept.append(course)
    return kept


def _is_of_months(cycle: Cycle | Dates) -> bool:
    return isinstance(cycle, Cycle) or not (cycle.every.weeks or cycle.every.days)


def _rates(terms: Terms, on: date) -> tuple[tuple[int, ...], int]:
    days = due_dates(terms.cycle, terms.tenor + terms.has_interest_only, on)
    return period_rates(terms.annual_ppm, terms.day_count, terms.cycle, on, days)


def _costs(terms: Terms, least_minor: int, on: date) -> tuple[int, int]:
    """The yearly rate of a large amount, and the bound for all from the least.

    A down payment is paid on the day itself: what is left bears the price, and is the amount of the bound.
    """
    plan = schedule(terms, SAMPLE_MINOR, on)
    rate_ppm = annualised_rate_ppm(plan)
    if not plan.total_cost_minor or least_minor <= 0:
        return rate_ppm, 0
    rest = replace(terms, down_payment_ppm=0)
    least_minor = least_minor * (PPM - terms.down_payment_ppm) // PPM - (
        terms.multiple_minor if terms.down_payment_ppm else 0
    )
    return rate_ppm, annualised_rate_ppm(_worst(rest, max(1, least_minor), on))


def _worst(terms: Terms, amount_minor: int, on: date) -> Plan:
    """A plan, in parts of a minor unit, that pays no less and no later than any of that amount, or of a higher one.

    Invariant: what has been paid after each part is at most the exact share of the amount and `_excess`, which knows
    nothing of the amount. What this plan has paid, as a share of the amount, falls with it: the least is the worst.
    Nor does it ever take back what was paid: of an amount too small for its parts (kept versions may split one) the
    bound of a part may be below that of the one before, and a plan with a part below zero had many rates, or none.
    """
    fine = replace(terms, multiple_minor=1, rounding=Rounding.HALF_EVEN)
    exact = schedule(fine, SAMPLE_MINOR, on)
    excess = _excess(terms, *(_rates(terms, on) if terms.annual_ppm else ((), 1)))
    paid, before, parts = 0, 0, []
    for share, over in zip(exact.instalments_minor, excess, strict=True):
        paid += share
        now = max(before, -(-paid * amount_minor * PARTS // SAMPLE_MINOR) + over)
        parts.append(now - before)
        before = now
    nothing = (0,) * (len(parts) - 1)
    cost = before - amount_minor * PARTS
    return Plan(
        (*parts[:-1], parts[-1] - cost),
        (*nothing, cost),
        (*nothing, 0),
        exact.due_on,
        rhythm=exact.rhythm,
    )


def _excess(terms: Terms, rates: tuple[int, ...], whole: int) -> list[int]:
    """By how much what has been paid may exceed what is exact after each part, in parts of a minor unit."""
    half_minor, count, worst = terms.multiple_minor * PARTS // 2, terms.tenor, WORST_PARTS[terms.rounding]
    if not terms.annual_ppm:
        fee = PARTS // 2 * (bool(terms.fee_ppm) + count * bool(terms.fee_period_ppm))
        return _split_excess(terms, fee, half_minor)
    if terms.method is Method.FLAT:
        return _split_excess(terms, worst, half_minor)
    if terms.method is Method.EQUAL_PRINCIPAL:
        interest = count * (worst + _of(count * half_minor, max(rates), whole))
        return _split_excess(terms, interest, half_minor)
    if terms.has_interest_only:
        return [worst, *(worst + over for over in _payment_excess(terms, rates[1:], whole))]
    return _payment_excess(terms, rates, whole)


def _split_excess(terms: Terms, cost: int, half_minor: int) -> list[int]:
    """Of equal parts: a cost that was rounded up, and parts rounded up before the last, or down after the first."""
    count, is_first = terms.tenor, terms.remainder is Remainder.FIRST
    return [
        -(-cost * number // count) + half_minor * ((count - number) if is_first else number % count)
        for number in range(1, count + 1)
    ]


def _payment_excess(terms: Terms, rates: tuple[int, ...], whole: int) -> list[int]:
    """Of equal payments: each is off by half a multiple, and when it was levelled by its share of what the last was.

    The last takes what all that has grown to; a payment rounded down leaves it the more.
    """
    count, worst, off = len(rates), WORST_PARTS[terms.rounding], terms.multiple_minor * PARTS // 2
    grown = _grown(rates, whole)

    def last(off: int) -> int:
        return -(-(worst * grown + off * (grown - count * PARTS)) // PARTS)

    if terms.levelling is Levelling.ONCE:
        off += -(-last(off) // count)
    return [*(off * number for number in range(1, count)), last(off)]


def _grown(rates: tuple[int, ...], whole: int) -> int:
    """What 1 a period has grown to with the last of them, in 1 / PARTS."""
    grown = 0
    for rate in rates:
        grown = grown + _of(grown, rate, whole) + PARTS
    return grown


def _of(parts: int, rate: int, whole: int) -> int:
    return -(-parts * rate // whole)
