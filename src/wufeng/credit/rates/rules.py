"""What flows of money cost a year: internal rates of return, exact to the unit asked for.

The rate of equal periods is found by Newton's method in scaled integers and then proved: the true root lies between the
two halves around the answer, which the sign of the balance there shows exactly. Those of other flows are found to so
many digits (`roots`) that only an exact half could be doubtful, and that is told. No float is used.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from math import lcm

from wufeng.credit.rates.model import DatedFlow, Flow
from wufeng.credit.rates.roots import BITS, ONE, Value, discount_at_zero, flows_worth, power, rounded

PPM = 1_000_000
MONTHS_A_YEAR = 12
DAYS_A_YEAR = 365

Run = tuple[int, int]
"""A payment, and how many periods in a row it is paid."""

Odd = tuple[Fraction, Sequence[int], Sequence[int]]
"""Flows that lie an equal fraction of a period past whole ones: the fraction, the amounts, the whole periods."""

_BITS = 48
_ONE = 1 << _BITS
_NEAR = 1 << 22  # Newton doubles the digits: the step after one of 2**-26 is below the last bit
_TINY = 1 << 32  # 2**-16 a period
_FEW_RUNS = 4
_MOST_TURNS = 64  # of Newton's method: an ordinary plan takes six, and beyond it the proof finds the rate
_NEAR_STEPS = 8  # of a unit of the answer, before the proof halves a bracket instead
_MOST = 1 << 20  # a year: beyond it there is no rate that anybody lends at


def periodic_rate(
    financed: int,
    payments: Sequence[int],
    units_a_year: int = MONTHS_A_YEAR,
    units_a_period: int = 1,
    scale: int = PPM,
) -> int:
    """The yearly rate (internal rate of return of a period × periods a year) of payments one period apart.

    The first payment comes one period after the financing. In 1 / scale, half-even; 0 when nothing is paid beyond it.
    """
    cost = sum(payments) - financed
    if cost <= 0:
        return 0
    whole = units_a_year * scale
    runs = [(payment, len(list(equal))) for payment, equal in groupby(payments)]
    answer = (_root(financed, runs, len(payments), cost) * whole // units_a_period + (_ONE >> 1)) >> _BITS
    return _proved(financed, runs, units_a_period, whole, answer)


def _root(financed: int, runs: Sequence[Run], count: int, cost: int) -> int:
    """The rate of a period in 2**-48, near enough that the proof seldom moves it.

    What payments are worth rises with the discount factor, and ever faster: Newton's method comes down to the root.
    """
    simple = (2 * cost << _BITS) // (financed * (count + 1))  # the cost on the mean balance
    rate = simple * 6 * _ONE // (6 * _ONE + (count - 1) * simple)  # and its second term, for equal payments
    discount = (_ONE << _BITS) // (_ONE + rate)
    if rate < _TINY or len(runs) > _FEW_RUNS:  # closed sums lose their digits near a discount of one
        runs = [(payment, 1) for payment, equal in runs for _ in range(equal)]
    descending, target = runs[::-1], financed << _BITS
    for _ in range(_MOST_TURNS):
        value, slope = _worth(descending, discount)
        step = ((target - value) << _BITS) // (slope or 1)
        discount += step
        if discount < 1:
            discount = 1
        if abs(step) < _NEAR:
            break
    return (_ONE << _BITS) // discount - _ONE


def _worth(descending: Sequence[Run], discount: int) -> tuple[int, int]:
    """What payments are worth at a discount factor, and the derivative by it: from the last to the first (Horner)."""
    value = slope = 0
    for payment, count in descending:
        if count == 1:
            value += payment << _BITS
            slope = (slope * discount >> _BITS) + value
            value = value * discount >> _BITS
            continue
        before = discount ** (count - 1) >> _BITS * (count - 2)
        power = before * discount >> _BITS
        rest = _ONE - discount
        total = discount * (_ONE - power) // rest  # v + v² + … + v^count, and its derivative
        rise = ((total << _BITS) // discount - count * power) * _ONE // rest
        slope = (slope * power >> _BITS) + count * (value * before >> _BITS) + payment * rise
        value = (value * power >> _BITS) + payment * total
    return value, slope


def _proved(financed: int, runs: Sequence[Run], units: int, whole: int, answer: int) -> int:
    """Move the answer until the true rate lies between its halves; a rate that is a half goes to the even one.

    An answer that is far off (digits were lost on the way to it) is found anew.
    """
    for _ in range(_NEAR_STEPS):
        above = _balance(financed, runs, (2 * answer + 1) * units, 2 * whole)
        if above == 0:
            return answer + answer % 2
        if above > 0:
            answer += 1
            continue
        below = _balance(financed, runs, (2 * answer - 1) * units, 2 * whole)
        if below == 0:
            return answer - answer % 2
        if below > 0:
            return answer
        answer -= 1
    return _halved(financed, runs, units, whole)


def _halved(financed: int, runs: Sequence[Run], units: int, whole: int) -> int:
    """The least answer whose upper half is no less than the true rate, by halving a bracket; a half goes to the even.

    Ends for all payments: what was financed outgrows them at some rate. More is paid than that, so none is below 0.
    """

    def above(answer: int) -> int:
        return _balance(financed, runs, (2 * answer + 1) * units, 2 * whole)

    low, high = -1, 1
    while above(high) > 0:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if above(middle) > 0 else (low, middle)
    return high if above(high) else high + high % 2


def _balance(financed: int, runs: Sequence[Run], rate: int, whole: int) -> int:
    """What the payments, at a rate of rate / whole (not 0) a period, overpay: > 0 while the rate is too low. Exact."""
    growth = whole + rate
    overpaid, power = -financed, whole
    for payment, count in runs:
        grown, flat = growth**count, whole**count
        overpaid = overpaid * grown + payment * power * ((grown - flat) // rate)
        power *= flat
    return overpaid


def annuity_payment(financed: int, rates: Sequence[int], whole: int) -> tuple[int, int]:
    """The equal payment that repays an amount at these rates of its periods, each in 1 / whole: exact, as a ratio."""
    first = rates[0]
    if first and rates.count(first) == len(rates):
        grown, power = (whole + first) ** len(rates), whole ** len(rates)
        return financed * first * grown, whole * (grown - power)
    grown, paid, power = financed, 0, 1
    for rate in rates:
        power *= whole
        grown *= whole + rate
        paid = paid * (whole + rate) + power
    return grown, paid


def unit_period_rate(flows: Sequence[Flow], periods_a_year: Fraction, scale: int = PPM) -> int:
    """The annual percentage rate of US Regulation Z, in 1 / scale, half-even.

    Σ A / ((1 + f·i)(1 + i)^t) over all flows is 0; the rate is i × periods a year.
    Source: 12 CFR 1026, Appendix J (b)(8). Odd fractions bear simple interest.
    """
    if sum(flow.amount_minor for flow in flows) <= 0:
        return 0
    groups: dict[Fraction, list[Flow]] = {}
    for flow in sorted(flows, key=lambda flow: flow.whole):
        groups.setdefault(flow.odd, []).append(flow)
    parts = [
        (odd, [flow.amount_minor for flow in group], [flow.whole for flow in group])
        for odd, group in groups.items()
    ]

    def value(discount: int) -> tuple[int, int]:
        return _worth_of_odd(parts, discount)

    discount = discount_at_zero(value, _lowest(value, periods_a_year))
    growth = (ONE << BITS) // discount
    return rounded((growth - ONE) * scale * periods_a_year.numerator // periods_a_year.denominator)


def _worth_of_odd(parts: Sequence[Odd], discount: int) -> tuple[int, int]:
    """What flows are worth whose odd fractions bear simple interest, and the derivative by the discount factor."""
    growth = (ONE << BITS) // discount
    worth = slope = 0
    for odd, amounts, times in parts:
        whole_worth, whole_slope = flows_worth(amounts, times, discount)
        if not odd:
            worth, slope = worth + whole_worth, slope + whole_slope
            continue
        simple = ONE + (growth - ONE) * odd.numerator // odd.denominator  # and its derivative: -odd × growth²
        part = (whole_worth << BITS) // simple
        rise = (part * growth // simple * growth >> BITS) * odd.numerator // odd.denominator
        worth, slope = worth + part, slope + (whole_slope << BITS) // simple + rise
    return worth, slope


def effective_rate(flows: Sequence[DatedFlow], scale: int = PPM) -> int:
    """The effective yearly rate X of flows in time: Σ A·(1 + X)^-years is 0. In 1 / scale, half-even.

    Source: Directive 2008/48/EC, Annex I, part I (a month is 1/12 of a year). Found to 30 digits.
    """
    if sum(flow.amount_minor for flow in flows) <= 0:
        return 0
    parts_a_year = lcm(*(flow.years.denominator for flow in flows))
    dated = sorted(
        (flow.years.numerator * (parts_a_year // flow.years.denominator), flow.amount_minor) for flow in flows
    )
    times = [time - dated[0][0] for time, _ in dated]
    amounts = [amount for _, amount in dated]

    def value(discount: int) -> tuple[int, int]:
        return flows_worth(amounts, times, discount)

    discount = discount_at_zero(value, _lowest(value, Fraction(parts_a_year)))
    return rounded(((ONE << BITS) // max(1, power(discount, parts_a_year)) - ONE) * scale)


def _lowest(value: Value, periods_a_year: Fraction) -> int:
    """A discount factor of a period at which flows are worth no more than nothing: a yearly rate above their own.

    That of the highest rate where theirs is beyond it: they are told to cost that much.
    """
    rate, periods, of = 1, periods_a_year.numerator, periods_a_year.denominator
    while value(discount := ONE * periods // (periods + rate * of))[0] > 0 and rate < _MOST:
        rate *= 2
    return discount


def daily_rate(daily_ppm: int) -> int:
    """A daily rate as it is shown a year: × 365, simple. 0.05 % a day is 18.25 %."""
    return daily_ppm * DAYS_A_YEAR
