"""Prices before anybody is known: what is offered, what it costs, and that an offer is the plan that follows."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credit.conftest import shipped

from wufeng.credit import offers, price_options
from wufeng.credit.plans.rules import schedule, terms_of
from wufeng.identity.merchants.model import Scene

PRODUCT = shipped("monthly_bill").product
ON = date(2026, 9, 3)


def test_every_tenor_with_its_price_and_yearly_rate() -> None:
    found = offers(PRODUCT, 129_900, Scene.RETAIL, ON)
    assert [(one.tenor, one.instalment_minor, one.total_cost_minor) for one in found] == [
        (1, 129_900, 0),
        (3, 44_383, 3_248),
        (6, 22_624, 5_846),
        (9, 15_372, 8_444),
        (12, 11_778, 11_431),
    ]
    assert [one.annualised_rate_ppm // 100 for one in found] == [0, 1_494, 1_526, 1_534, 1_586]
    assert found[1].instalments[-1].amount_minor == 44_382
    assert found[1].instalments[0].due_on == date(2026, 10, 10)
    assert (found[0].late_terms.late_daily_ppm, found[0].late_terms.annualised_rate_ppm) == (500, 182_500)


@pytest.mark.parametrize(
    ("amount_minor", "scene", "tenors"),
    [
        (999, Scene.RETAIL, [1]),
        (1_000, Scene.RETAIL, [1, 3, 6, 9, 12]),
        (5_000_000, Scene.RETAIL, [1, 3, 6, 9, 12]),
        (5_000_001, Scene.RETAIL, []),
        (0, Scene.RETAIL, []),
        (1_000, Scene.LOTTERY, []),
    ],
)
def test_what_is_offered(amount_minor: int, scene: Scene, tenors: list[int]) -> None:
    assert [one.tenor for one in offers(PRODUCT, amount_minor, scene, ON)] == tenors


def test_a_merchant_who_pays_the_fee_makes_it_free() -> None:
    (half,) = price_options(PRODUCT, PRODUCT.cycle, 100_000, ON, 500_000, [3])
    assert (half.total_cost_minor, half.merchant_cost_minor) == (1_250, 1_250)
    (free,) = price_options(PRODUCT, PRODUCT.cycle, 100_000, ON, 1_000_000, [3])
    assert (free.total_cost_minor, free.merchant_cost_minor, free.annualised_rate_ppm) == (0, 2_500, 0)


@given(st.integers(1_000, 5_000_000), st.sampled_from(PRODUCT.tenors), st.integers(0, 1_000_000))
def test_an_offer_is_the_plan_that_follows(amount_minor: int, tenor: int, share_ppm: int) -> None:
    (option,) = price_options(PRODUCT, PRODUCT.cycle, amount_minor, ON, share_ppm, [tenor])
    terms = terms_of(PRODUCT, PRODUCT.cycle, tenor, share_ppm if tenor > 1 else 0)
    assert terms is not None
    plan = schedule(terms, amount_minor, ON)
    assert tuple(one.amount_minor for one in option.instalments) == plan.instalments_minor
    assert sum(plan.instalments_minor) == amount_minor + option.total_cost_minor
    assert option.annualised_rate_ppm <= PRODUCT.interest.annualised_max_ppm
