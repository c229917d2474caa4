"""Schedules and yearly rates: the published rows, and what holds for any amount."""

import json
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credit.conftest import shipped

from wufeng.credit.plans.model import Levelling, Plan, Rhythm, Stub, Terms
from wufeng.credit.plans.rules import (
    annualised_daily_ppm,
    annualised_rate_ppm,
    least_amount,
    schedule,
    split_rounded,
    terms_of,
)
from wufeng.credit.products.dates import Dates, Every
from wufeng.credit.products.model import Cycle, Method, Remainder
from wufeng.credit.rates.model import DayCount

PRODUCT = shipped("monthly_bill").product


def price_a_year(tenor: int, fee_ppm: int) -> int:
    """What a price costs a year, of so large an amount that its rounding cannot be seen."""
    assert PRODUCT.cycle is not None
    return annualised_rate_ppm(schedule(Terms(tenor, fee_ppm, PRODUCT.cycle), 10**12, date(2026, 9, 3)))


CYCLE = Cycle(1, 10)
BOUGHT = date(2026, 9, 3)
SHARED = Path(os.environ.get("WUFENG_SHARED", "../shared"))


@pytest.mark.parametrize(
    ("tenor", "fee_ppm", "rate_ppm"),
    [(3, 25_000, 149_384), (6, 45_000, 152_677), (9, 65_000, 153_402), (12, 88_000, 158_643)],
)
def test_h2_the_price_table_as_yearly_rates(tenor: int, fee_ppm: int, rate_ppm: int) -> None:
    assert price_a_year(tenor, fee_ppm) == rate_ppm
    plan = schedule(Terms(tenor, fee_ppm, CYCLE), 1_000_000, BOUGHT)
    assert annualised_rate_ppm(plan) == pytest.approx(rate_ppm, abs=30)  # its parts are whole fen


def test_a_daily_rate_is_shown_times_365() -> None:
    assert annualised_daily_ppm(500) == 182_500


def cases() -> list[dict[str, Any]]:
    path = SHARED / "conformance" / "apr.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return [case for case in found if case["id"].startswith("cn-")]


@pytest.mark.skipif(not cases(), reason="set WUFENG_SHARED to the folder with conformance/apr.json")
@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case["id"]))
def test_yearly_rates_of_the_conformance_file(case: dict[str, Any]) -> None:
    if "daily_percent" in case:
        ppm = annualised_daily_ppm(int(Decimal(case["daily_percent"]) * 10_000))
    else:
        fee_ppm = round(Decimal(str(case["total_fee_percent"])) * 10_000)
        ppm = price_a_year(case["instalments"], fee_ppm)
    assert ppm == round(Decimal(str(case["computed_percent"])) * 10_000)


@pytest.mark.parametrize(
    ("amount_minor", "terms", "instalments"),
    [
        # B4: 1,000.00 in 3 at 0.7 % a month
        (100_000, Terms(3, 21_000, CYCLE), (34_033, 34_033, 34_034)),
        (129_900, Terms(3, 25_000, CYCLE), (44_383, 44_383, 44_382)),
        (100_000, Terms(3, 21_000, CYCLE, remainder=Remainder.FIRST), (34_034, 34_033, 34_033)),
        (100_000, Terms(3, 25_000, CYCLE, merchant_share_ppm=1_000_000), (33_333, 33_333, 33_334)),
        (100_000, Terms(1, 0, CYCLE), (100_000,)),
    ],
)
def test_instalments_to_the_fen(amount_minor: int, terms: Terms, instalments: tuple[int, ...]) -> None:
    assert schedule(terms, amount_minor, BOUGHT).instalments_minor == instalments


def test_due_dates_follow_the_cycle_month_by_month() -> None:
    plan = schedule(Terms(3, 25_000, CYCLE), 100_000, BOUGHT)
    assert plan.due_on == (date(2026, 10, 10), date(2026, 11, 10), date(2026, 12, 10))
    # A due day that a month lacks becomes its last day; billed on the 1st, so it falls into the same month.
    plan = schedule(Terms(3, 25_000, Cycle(1, 31)), 100_000, date(2027, 1, 5))
    assert plan.due_on == (date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30))


@pytest.mark.parametrize(
    ("tenor", "share_ppm", "offered"),
    [
        (1, 0, True),
        (3, 0, True),
        (9, 0, True),
        (5, 0, False),
        (3, 1_000_000, True),
        (3, 1_000_001, False),
        (3, -1, False),
    ],
)
def test_what_is_not_on_the_price_list_has_no_terms(tenor: int, share_ppm: int, offered: bool) -> None:
    assert (terms_of(PRODUCT, CYCLE, tenor, share_ppm) is not None) is offered


@given(
    amount_minor=st.integers(0, 10_000_000),
    tenor=st.integers(2, 60),
    fee_ppm=st.integers(0, 240_000),
    share_ppm=st.integers(0, 1_000_000),
    remainder=st.sampled_from(Remainder),
)
def test_principal_fee_and_subsidy_each_sum_exactly_and_no_part_is_negative(
    amount_minor: int, tenor: int, fee_ppm: int, share_ppm: int, remainder: Remainder
) -> None:
    amount_minor += least_amount(tenor)
    plan = schedule(Terms(tenor, fee_ppm, CYCLE, share_ppm, remainder), amount_minor, BOUGHT)
    assert sum(plan.principal_parts) == amount_minor
    whole_fee = plan.total_cost_minor + plan.subsidy_minor
    assert abs(whole_fee * 1_000_000 - amount_minor * fee_ppm) <= 500_000
    assert min(plan.principal_parts) > 0
    assert min(plan.fee_parts) >= 0
    odd = 0 if remainder is Remainder.FIRST else -1
    others = list(plan.instalments_minor)
    others.pop(odd)
    assert len(set(others)) == 1, "all months but one cost the same"


@given(st.integers(0, 10**9), st.integers(1, 60), st.sampled_from(Remainder))
def test_a_split_sums_exactly(amount_minor: int, parts: int, remainder: Remainder) -> None:
    split = split_rounded(amount_minor, parts, remainder)
    assert sum(split) == amount_minor
    assert min(split) >= 0


MONTHS = Dates(Every(months=1), Every(months=1))
WEEKS = Dates(Every(), Every(weeks=2))
FORTY_FIVE_DAYS = Dates(Every(days=45), Every(months=1))
NEW_YEAR = date(2024, 1, 1)
LARGE_MINOR = 10**13  # no rounding is seen


def in_yuan(*amounts: float) -> tuple[int, ...]:
    return tuple(round(amount * 100) for amount in amounts)


@pytest.mark.parametrize(
    ("terms", "amount_minor", "principal", "interest"),
    [
        # Fineract C3154: 12 % in six months of 30 days, equal payments of 17.25, levelled so that the last is 17.28.
        (
            Terms(6, 0, MONTHS, annual_ppm=120_000),
            100_00,
            in_yuan(16.25, 16.41, 16.58, 16.74, 16.91, 17.11),
            in_yuan(1.00, 0.84, 0.67, 0.51, 0.34, 0.17),
        ),
        (
            Terms(4, 0, MONTHS, annual_ppm=120_000, method=Method.EQUAL_PRINCIPAL),
            100_00,
            in_yuan(25, 25, 25, 25),
            in_yuan(1.00, 0.75, 0.50, 0.25),
        ),
        (
            Terms(3, 0, MONTHS, annual_ppm=120_000, method=Method.FLAT),
            1_000_00,
            in_yuan(333.33, 333.33, 333.34),
            in_yuan(10, 10, 10),
        ),
        # Fineract C3160: actual days of a year of 365.
        (
            Terms(6, 0, MONTHS, annual_ppm=94_822, day_count=DayCount.ACTUAL_365),
            100_00,
            in_yuan(16.32, 16.50, 16.59, 16.74, 16.86, 16.99),
            in_yuan(0.81, 0.63, 0.54, 0.39, 0.27, 0.13),
        ),
        # The stub of 45 days bears 1.5 months; a regular plan follows.
        (
            Terms(2, 0, FORTY_FIVE_DAYS, annual_ppm=120_000, stub=Stub.INTEREST_ONLY),
            100_00,
            in_yuan(0, 49.75, 50.25),
            in_yuan(1.50, 1.00, 0.50),
        ),
        (
            Terms(2, 0, FORTY_FIVE_DAYS, annual_ppm=120_000),
            100_00,
            in_yuan(49.50, 50.50),
            in_yuan(1.50, 0.50),
        ),
    ],
    ids=["payment", "principal", "flat", "actual", "stub first", "stub inside"],
)
def test_a_yearly_rate_by_each_method(
    terms: Terms, amount_minor: int, principal: tuple[int, ...], interest: tuple[int, ...]
) -> None:
    plan = schedule(terms, amount_minor, NEW_YEAR)
    assert (plan.principal_parts, plan.interest_parts) == (principal, interest)
    assert plan.total_cost_minor == sum(interest)


@given(st.integers(10_000, 10_000_000), st.integers(2, 36), st.integers(1, 240_000))
def test_levelling_never_takes_the_last_payment_further_away(
    amount_minor: int, tenor: int, annual_ppm: int
) -> None:
    def odd(levelling: Levelling) -> int:
        terms = Terms(tenor, 0, MONTHS, annual_ppm=annual_ppm, levelling=levelling)
        payments = schedule(terms, amount_minor, NEW_YEAR).instalments_minor
        return abs(payments[-1] - payments[0])

    assert odd(Levelling.ONCE) <= odd(Levelling.NONE)


def test_a_levelled_payment() -> None:
    bare = Terms(36, 0, MONTHS, annual_ppm=240_000, levelling=Levelling.NONE)
    payments = schedule(bare, 1_001_32, NEW_YEAR).instalments_minor
    assert (payments[0], payments[-1]) == (39_28, 39_53)
    levelled = schedule(Terms(36, 0, MONTHS, annual_ppm=240_000), 1_001_32, NEW_YEAR).instalments_minor
    assert (levelled[0], levelled[-1]) == (39_29, 39_05)


def test_own_dates_of_a_plan() -> None:
    # B2: bought on 31 January in three months
    plan = schedule(Terms(3, 0, MONTHS), 90_00, date(2027, 1, 31))
    assert plan.due_on == (date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30))
    quarters = schedule(Terms(4, 0, WEEKS), 100_01, NEW_YEAR)
    assert quarters.principal_parts == (25_00, 25_00, 25_00, 25_01)
    assert quarters.due_on == (NEW_YEAR, date(2024, 1, 15), date(2024, 1, 29), date(2024, 2, 12))


def test_a_fee_with_each_period_is_b4() -> None:
    plan = schedule(Terms(3, 0, CYCLE, fee_period_ppm=7_000), 100_000, BOUGHT)
    assert plan.instalments_minor == (34_033, 34_033, 34_034)
    assert plan.fee_parts == (700, 700, 700)


def test_instalments_in_whole_units_and_a_down_payment() -> None:
    plan = schedule(Terms(6, 0, MONTHS, multiple_minor=100), 1_000_00, NEW_YEAR)
    assert plan.instalments_minor == in_yuan(167, 167, 167, 167, 167, 165)
    plan = schedule(
        Terms(3, 0, MONTHS, multiple_minor=100, down_payment_ppm=250_000, remainder=Remainder.FIRST),
        1_250_00,
        NEW_YEAR,
    )
    assert plan.instalments_minor == in_yuan(312, 312, 313, 313)
    assert plan.due_on[0] == NEW_YEAR


def test_who_pays_the_interest() -> None:
    whole = schedule(Terms(3, 0, MONTHS, annual_ppm=120_000), 1_000_00, NEW_YEAR)
    half = schedule(Terms(3, 0, MONTHS, 500_000, annual_ppm=120_000), 1_000_00, NEW_YEAR)
    assert half.interest_parts == (5_00, 3_35, 1_69)
    assert half.total_cost_minor + half.subsidy_minor == whole.total_cost_minor
    free = schedule(Terms(3, 0, MONTHS, 1_000_000, annual_ppm=120_000), 1_000_00, NEW_YEAR)
    assert (free.total_cost_minor, annualised_rate_ppm(free)) == (0, 0)


@pytest.mark.parametrize(
    ("terms", "rate_ppm"),
    [
        (Terms(12, 0, MONTHS, annual_ppm=180_000), 180_000),
        (Terms(12, 0, MONTHS, annual_ppm=180_000, method=Method.EQUAL_PRINCIPAL), 180_000),
        (Terms(24, 0, CYCLE, fee_period_ppm=10_000), 215_700),
        (Terms(3, 25_000, CYCLE), 149_384),
        (Terms(4, 0, FORTY_FIVE_DAYS, annual_ppm=120_000), 119_800),
        (Terms(4, 0, WEEKS), 0),
    ],
)
def test_what_terms_cost_a_year(terms: Terms, rate_ppm: int) -> None:
    assert annualised_rate_ppm(schedule(terms, LARGE_MINOR, NEW_YEAR)) == pytest.approx(rate_ppm, abs=60)


def test_what_is_paid_at_once_was_never_lent() -> None:
    rhythm = Rhythm(at_start=1)
    paid_half = Plan((50_00, 50_00), (0, 1_00), (0, 0), (NEW_YEAR, date(2024, 2, 1)), rhythm=rhythm)
    alone = Plan((50_00,), (1_00,), (0,), (date(2024, 2, 1),))
    assert annualised_rate_ppm(paid_half) == annualised_rate_ppm(alone) == 240_000


def test_a_down_payment_does_not_change_what_the_rest_costs() -> None:
    bare = Terms(12, 88_000, MONTHS)
    with_down_payment = Terms(12, 88_000, MONTHS, down_payment_ppm=250_000)
    rates = {
        annualised_rate_ppm(schedule(bare, 75 * LARGE_MINOR, NEW_YEAR)),
        annualised_rate_ppm(schedule(with_down_payment, 100 * LARGE_MINOR, NEW_YEAR)),
    }
    assert rates == {158_643}


CALENDARS = st.one_of(
    st.builds(Cycle, st.integers(1, 31), st.integers(1, 31)).filter(lambda c: c.bill_day != c.due_day),
    st.builds(
        Dates,
        st.builds(Every, months=st.integers(0, 2), days=st.integers(0, 60)),
        st.sampled_from([Every(months=1), Every(months=3), Every(weeks=2), Every(days=10)]),
    ),
)


@given(
    amount_minor=st.integers(0, 10_000_000),
    tenor=st.integers(1, 60),
    annual_ppm=st.integers(1, 360_000),
    share_ppm=st.sampled_from([0, 333_333, 1_000_000]),
    calendar=CALENDARS,
    method=st.sampled_from(Method),
    day_count=st.sampled_from([one for one in DayCount if one is not DayCount.ACTUAL_ACTUAL_ICMA]),
    stub=st.sampled_from(Stub),
    levelling=st.sampled_from(Levelling),
    down_payment_ppm=st.sampled_from([0, 250_000]),
)
def test_a_plan_at_a_rate_sums_exactly_in_order_and_no_part_is_negative(
    amount_minor: int,
    tenor: int,
    annual_ppm: int,
    share_ppm: int,
    calendar: Cycle | Dates,
    method: Method,
    day_count: DayCount,
    stub: Stub,
    levelling: Levelling,
    down_payment_ppm: int,
) -> None:
    amount_minor += 4 * least_amount(tenor)
    terms = Terms(
        tenor,
        0,
        calendar,
        share_ppm,
        annual_ppm=annual_ppm,
        method=method,
        day_count=day_count,
        stub=stub,
        levelling=levelling,
        down_payment_ppm=down_payment_ppm,
    )
    plan = schedule(terms, amount_minor, BOUGHT)
    assert sum(plan.principal_parts) == plan.amount_minor == amount_minor
    assert min(plan.principal_parts) >= 0
    assert min(plan.interest_parts) >= 0 and min(plan.subsidy_parts) >= 0
    assert sum(plan.instalments_minor) == amount_minor + plan.total_cost_minor
    assert list(plan.due_on) == sorted(plan.due_on) and plan.due_on[0] >= BOUGHT
    lengths = {len(plan.principal_parts), len(plan.fee_parts), len(plan.subsidy_parts), len(plan.due_on)}
    assert lengths == {len(plan.interest_parts)}


@given(
    amount_minor=st.integers(0, 10_000_000),
    tenor=st.integers(2, 60),
    fee_ppm=st.integers(0, 240_000),
    multiple_minor=st.sampled_from([1, 10, 100]),
    remainder=st.sampled_from(Remainder),
)
def test_instalments_are_multiples_but_for_one(
    amount_minor: int, tenor: int, fee_ppm: int, multiple_minor: int, remainder: Remainder
) -> None:
    amount_minor += least_amount(tenor) * multiple_minor
    terms = Terms(tenor, fee_ppm, MONTHS, remainder=remainder, multiple_minor=multiple_minor)
    instalments = list(schedule(terms, amount_minor, BOUGHT).instalments_minor)
    instalments.pop(0 if remainder is Remainder.FIRST else -1)
    assert all(instalment % multiple_minor == 0 for instalment in instalments)
