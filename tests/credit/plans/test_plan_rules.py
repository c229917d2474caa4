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

from wufeng.credit.plans.model import Terms
from wufeng.credit.plans.rules import (
    annualised_daily_ppm,
    annualised_price_ppm,
    annualised_rate_ppm,
    least_amount,
    schedule,
    split_rounded,
    terms_of,
)
from tests.credit.conftest import shipped
from wufeng.credit.products.model import Cycle, Remainder

PRODUCT = shipped("monthly_bill").product
CYCLE = Cycle(1, 10)
BOUGHT = date(2026, 9, 3)
SHARED = Path(os.environ.get("WUFENG_SHARED", "../shared"))


@pytest.mark.parametrize(
    ("tenor", "fee_ppm", "rate_ppm"),
    [(3, 25_000, 149_384), (6, 45_000, 152_677), (9, 65_000, 153_402), (12, 88_000, 158_643)],
)
def test_h2_the_price_table_as_yearly_rates(tenor: int, fee_ppm: int, rate_ppm: int) -> None:
    assert annualised_price_ppm(tenor, fee_ppm) == rate_ppm
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
        ppm = annualised_price_ppm(case["instalments"], fee_ppm)
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
    [(1, 0, True), (3, 0, True), (9, 0, False), (3, 1_000_000, True), (3, 1_000_001, False), (3, -1, False)],
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
