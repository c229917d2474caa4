"""Yearly rates: the fast integer root against a slow exact one, and what holds for any flows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from wufeng.credit.rates import rules
from wufeng.credit.rates.day_counts import days_between, days_by_year, year_fraction
from wufeng.credit.rates.model import DatedFlow, DayCount, Flow, Span, UnitPeriod
from wufeng.credit.rates.rules import (
    _balance,
    annuity_payment,
    daily_rate,
    effective_rate,
    periodic_rate,
    unit_period_rate,
)
from wufeng.credit.rates.unit_periods import span_between

PPM = 1_000_000


def slow_rate_ppm(financed: int, payments: list[int]) -> int:
    """Newton's method in 40 decimal digits, as it stood before: the oracle."""
    with localcontext() as context:
        context.prec = 40
        rate = Decimal(2 * (sum(payments) - financed)) / (financed * (len(payments) + 1))
        for _ in range(200):
            value, weighted, factor = Decimal(0), Decimal(0), Decimal(1)
            for n, payment in enumerate(payments, 1):
                factor /= 1 + rate
                value += payment * factor
                weighted += n * payment * factor
            step = (value - financed) * (1 + rate) / weighted
            rate += step
            if abs(step) < Decimal("1e-30"):
                return int((rate * 12 * PPM).quantize(Decimal(1), ROUND_HALF_EVEN))
    raise AssertionError("no rate")


@given(
    financed=st.integers(1_000, 10**12),
    tenor=st.integers(1, 60),
    fee_ppm=st.integers(1, 3_000_000),
    odd=st.integers(-50, 50),
)
@example(financed=129_900, tenor=12, fee_ppm=88_000, odd=0)
def test_the_fast_rate_is_the_exact_rate(financed: int, tenor: int, fee_ppm: int, odd: int) -> None:
    total = financed + financed * fee_ppm // PPM
    payments = [total // tenor] * (tenor - 1)
    payments.append(max(0, total - sum(payments) + odd))
    assume(sum(payments) > financed)
    assert periodic_rate(financed, payments) == slow_rate_ppm(financed, payments)


@given(
    shares=st.lists(st.integers(0, 1_000), min_size=1, max_size=24).filter(any),
    financed=st.integers(1_000, 10**9),
    cost_ppm=st.integers(1, 5_000_000),
)
def test_the_rate_of_any_payments_lies_between_its_halves(
    shares: list[int], financed: int, cost_ppm: int
) -> None:
    total = financed + max(1, financed * cost_ppm // PPM)
    payments = [total * share // sum(shares) for share in shares]
    payments[-1] += total - sum(payments)
    rate = periodic_rate(financed, payments)
    assert _overpaid(financed, payments, Fraction(2 * rate - 1, 24 * PPM)) >= 0
    assert _overpaid(financed, payments, Fraction(2 * rate + 1, 24 * PPM)) <= 0


@given(
    financed=st.integers(1_000, 10**10),
    equal=st.integers(1, 10**10),
    tenor=st.integers(2, 60),
    last=st.integers(0, 10**30),
)
@example(financed=7_200_000_000, equal=6_000_000_000, tenor=60, last=9 * 10**29)
def test_a_last_part_however_large_has_its_rate_in_few_steps(
    financed: int, equal: int, tenor: int, last: int
) -> None:
    """Closed sums lose the digits of so late a part: the proof halves a bracket instead of walking to the rate."""
    payments = [equal] * (tenor - 1) + [last]
    assume(sum(payments) > financed)
    with counted() as steps:
        rate = periodic_rate(financed, payments)
    assert len(steps) < 200
    assert _overpaid(financed, payments, Fraction(2 * rate - 1, 24 * PPM)) >= 0
    assert _overpaid(financed, payments, Fraction(2 * rate + 1, 24 * PPM)) <= 0


@given(st.integers(1, 10**12), st.lists(st.integers(-(10**12), 10**30), min_size=1, max_size=60))
def test_of_parts_that_cannot_be_the_search_ends_too(financed: int, payments: list[int]) -> None:
    with counted() as steps:
        assert periodic_rate(financed, payments) >= 0
    assert len(steps) < 300


@contextmanager
def counted() -> Iterator[list[object]]:
    """The exact steps of the proof, as they are taken."""
    steps: list[object] = []

    def balance(*given: Any) -> int:
        steps.append(given)
        return _balance(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "_balance", balance)
        yield steps


@pytest.mark.parametrize("far", [-(10**9), -9, -1, 0, 1, 9, 10**9])
@pytest.mark.parametrize("halves", [1, 2, 3, 4, 5])
def test_a_rate_is_proved_from_wherever_the_search_began(halves: int, far: int) -> None:
    whole = 12 * PPM
    runs = [(2 * whole + halves, 1)]
    assert rules._proved(2 * whole, runs, 1, whole, halves // 2 + far) == round(Fraction(halves, 2))


def test_a_rate_beyond_the_highest_is_told_as_that() -> None:
    flows = [DatedFlow(Fraction(0), -1), DatedFlow(Fraction(1, 365), 10**12)]
    assert effective_rate(flows) > 10**6 * PPM
    assert unit_period_rate([Flow(0, -1), Flow(1, 10**12, Fraction(1, 2))], Fraction(365)) > 10**6 * PPM


def _overpaid(financed: int, payments: list[int], rate: Fraction) -> Fraction:
    owed = Fraction(-financed)
    for payment in payments:
        owed = owed * (1 + rate) + payment
    return owed


@pytest.mark.parametrize("halves", range(1, 60, 2))
def test_a_rate_of_exactly_a_half_goes_to_the_even_one(halves: int) -> None:
    whole = 12 * PPM * 2  # one period at n / whole costs n halves of a ppm a year
    assert periodic_rate(whole, [whole + halves]) == round(Fraction(halves, 2))
    flows = [Flow(0, -whole), Flow(1, whole + halves)]
    assert unit_period_rate(flows, Fraction(12)) == round(Fraction(halves, 2))


def test_what_costs_nothing_has_no_rate() -> None:
    assert periodic_rate(1_000, [500, 500]) == 0
    assert periodic_rate(1_000, [500, 400]) == 0
    assert effective_rate([DatedFlow(Fraction(0), -100), DatedFlow(Fraction(1), 100)]) == 0
    assert daily_rate(500) == 182_500


@given(st.integers(10_000, 10**9), st.integers(1, 48), st.integers(1, 40_000))
def test_an_annuity_at_a_rate_has_that_rate(financed: int, tenor: int, monthly_ppm: int) -> None:
    top, bottom = annuity_payment(financed * PPM, [monthly_ppm] * tenor, PPM)
    payment = top // bottom
    assert abs(periodic_rate(financed * PPM, [payment] * tenor) - 12 * monthly_ppm) <= 1


@given(st.integers(10_000, 10**9), st.lists(st.integers(1, 20_000), min_size=1, max_size=24))
def test_an_annuity_repays_exactly(financed: int, rates: list[int]) -> None:
    payment = Fraction(*annuity_payment(financed, rates, PPM))
    owed = Fraction(financed)
    for rate in rates:
        owed = owed * (1 + Fraction(rate, PPM)) - payment
    assert owed == 0


def test_the_three_rates_agree_where_they_must() -> None:
    payments = [1_080] * 12
    monthly = periodic_rate(12_000, payments, scale=10**9)
    flows = [Flow(0, -12_000), *(Flow(n, payment) for n, payment in enumerate(payments, 1))]
    assert unit_period_rate(flows, Fraction(12), 10**9) == monthly
    dated = [
        DatedFlow(Fraction(0), -12_000),
        *(DatedFlow(Fraction(n, 12), payment) for n, payment in enumerate(payments, 1)),
    ]
    grown = (1 + Fraction(monthly, 12 * 10**9)) ** 12 - 1
    assert abs(effective_rate(dated, 10**8) - grown * 10**8) < 1


@pytest.mark.parametrize(
    ("advance", "payment", "unit", "span"),
    [
        ("1978-02-10", "1978-04-01", UnitPeriod.MONTH, Span(1, Fraction(19, 30))),
        ("1978-02-23", "1978-03-01", UnitPeriod.SEMIMONTH, Span(0, Fraction(6, 15))),
        ("1978-01-10", "1978-03-01", UnitPeriod.TWO_MONTHS, Span(0, Fraction(52, 60))),
        ("1978-03-20", "1978-04-21", UnitPeriod.WEEK, Span(4, Fraction(4, 7))),
        ("2023-10-26", "2023-11-30", UnitPeriod.YEAR, Span(0, Fraction(35, 365))),
        ("2023-10-30", "2024-12-30", UnitPeriod.YEAR, Span(1, Fraction(2, 12))),
    ],
)
def test_spans_are_counted_back_from_the_payment(
    advance: str, payment: str, unit: UnitPeriod, span: Span
) -> None:
    assert span_between(date.fromisoformat(advance), date.fromisoformat(payment), unit) == span


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 2_000), st.integers(0, 2_000))
def test_actual_days_add_up(start: date, first: int, second: int) -> None:
    middle = date.fromordinal(start.toordinal() + first)
    end = date.fromordinal(middle.toordinal() + second)
    for count in (DayCount.ACTUAL_360, DayCount.ACTUAL_365, DayCount.ACTUAL_ACTUAL_ISDA):
        parts = year_fraction(start, middle, count) + year_fraction(middle, end, count)
        assert parts == year_fraction(start, end, count)
    assert sum(days_by_year(start, end).values()) == (end - start).days


def test_a_day_is_of_the_year_in_which_it_ends() -> None:
    assert days_by_year(date(2023, 12, 12), date(2024, 1, 12)) == {2023: 19, 2024: 12}


@pytest.mark.parametrize(
    ("count", "days"),
    [
        (DayCount.THIRTY_360, 33),
        (DayCount.THIRTY_360_US, 30),
        (DayCount.THIRTY_E_360, 32),
        (DayCount.THIRTY_E_360_ISDA, 30),
        (DayCount.ACTUAL_365, 31),
    ],
)
def test_the_thirty_day_months_differ_at_the_end_of_february(count: DayCount, days: int) -> None:
    assert days_between(date(2023, 2, 28), date(2023, 3, 31), count) == days


def slow_effective(flows: list[DatedFlow]) -> Decimal:
    """The effective rate in 40 decimal digits by halving, as it is defined: the oracle."""
    with localcontext() as context:
        context.prec = 40
        low, high = Decimal(0), Decimal(64)
        for _ in range(110):
            middle = (low + high) / 2
            growth = 1 + middle
            value = sum(
                flow.amount_minor * growth ** (-Decimal(flow.years.numerator) / flow.years.denominator)
                for flow in flows
            )
            low, high = (middle, high) if value > 0 else (low, middle)
        return low


@given(
    lent=st.integers(1_000, 10**10),
    shares=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1_000)), min_size=1, max_size=12).filter(
        lambda parts: any(share for _, share in parts)
    ),
    cost_ppm=st.integers(1, 2_000_000),
    of=st.sampled_from([12, 52, 360, 365, 366]),
)
@settings(max_examples=25)
def test_the_effective_rate_is_the_oracles(
    lent: int, shares: list[tuple[int, int]], cost_ppm: int, of: int
) -> None:
    total, whole = lent + max(1, lent * cost_ppm // PPM), sum(share for _, share in shares)
    flows, at = [DatedFlow(Fraction(0), -lent)], 0
    for gap, share in shares:
        at += gap
        flows.append(DatedFlow(Fraction(at, of), total * share // whole))
    assume(sum(flow.amount_minor for flow in flows) > 0)
    exact = slow_effective(flows)
    assume(exact < 60)
    assert abs(effective_rate(flows, 10**9) - exact * 10**9) <= Decimal("0.51")


@given(
    dearer=st.integers(1, 19_000),  # thousandths of what was lent, paid beyond it
    amounts=st.lists(st.integers(0, 10**8), min_size=1, max_size=24),
    odd=st.fractions(0, 1, max_denominator=31).filter(lambda part: part < 1),
    mixed=st.booleans(),
    periods=st.sampled_from([1, 12, 26, 52, 365]),
)
def test_a_unit_period_rate_lies_between_its_halves(
    dearer: int, amounts: list[int], odd: Fraction, mixed: bool, periods: int
) -> None:
    lent = sum(amounts) * 1000 // (1000 + dearer)
    assume(lent >= 1_000)
    flows = [Flow(0, -lent)]
    for n, amount in enumerate(amounts, 1):
        flows.append(Flow(n, amount, odd if not mixed or n % 2 else Fraction(0)))
    rate = unit_period_rate(flows, Fraction(periods))

    def value(halves: int) -> Fraction:
        i = Fraction(halves, 2 * PPM * periods)
        return sum(
            (Fraction(flow.amount_minor) / ((1 + flow.odd * i) * (1 + i) ** flow.whole) for flow in flows),
            Fraction(0),
        )

    assert value(2 * rate + 1) <= 0 and (rate == 0 or value(2 * rate - 1) >= 0)


def test_money_lent_in_two_parts_and_a_fee_before_it() -> None:
    parts = [(Fraction(0), -500), (Fraction(1, 12), -500), (Fraction(1), 600), (Fraction(2), 600)]
    flows = [DatedFlow(Fraction(-1, 12), 20), *(DatedFlow(*part) for part in parts)]
    assert abs(effective_rate(flows, 10**9) - slow_effective(flows) * 10**9) <= Decimal("0.51")
