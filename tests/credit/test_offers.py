"""Prices before anybody is known: what is offered, what it costs, and that an offer is the plan that follows."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.conftest import shipped

from wufeng.credit import offers, price_options
from wufeng.credit.offers import InstalmentPrice, each_of, runs_of
from wufeng.credit.plans.rules import schedule, terms_of
from wufeng.credit.products.dates import Every, Stub
from wufeng.credit.products.model import Method, Price, Product, Remainder
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


STUDY = shipped("study_now").product


def told(product: Product, price: Price, amount_minor: int, **dates: object) -> list[tuple[int, int]]:
    """The runs of one price, and that they are its parts."""
    own = replace(STUDY.dates, **dates) if STUDY.dates is not None else None
    instalments = replace(product.instalments, prices=(price,), single=False)
    made = replace(product, dates=own, instalments=instalments)
    (option,) = price_options(made, made.calendar(ON), amount_minor, ON)
    parts = [part.amount_minor for part in option.instalments]
    assert [run.amount_minor for run in option.runs for _ in range(run.count)] == parts
    return [(run.count, run.amount_minor) for run in option.runs]


def remainder_on(place: Remainder) -> Product:
    return replace(STUDY, instalments=replace(STUDY.instalments, remainder=place))


FIRST, LAST = remainder_on(Remainder.FIRST), remainder_on(Remainder.LAST)
FEE, RATE = Price(4, fee_ppm=20_000), Price(4, annual_ppm=100_000)
LATER = {"first_after": Every(months=1, days=10), "every": Every(months=1)}


@pytest.mark.parametrize(
    ("product", "price", "amount_minor", "dates", "runs"),
    [
        (LAST, FEE, 100_000, {}, [(4, 25_500)]),
        (LAST, FEE, 100_001, {}, [(3, 25_500), (1, 25_501)]),
        (FIRST, FEE, 100_001, {}, [(1, 25_501), (3, 25_500)]),
        (LAST, FEE, 100_000, {"down_payment_ppm": 100_000}, [(1, 10_000), (3, 30_600)]),
        (LAST, FEE, 100_001, {"down_payment_ppm": 100_000}, [(1, 10_000), (2, 30_600), (1, 30_601)]),
        (FIRST, FEE, 100_001, {"down_payment_ppm": 100_000}, [(1, 10_000), (1, 30_601), (2, 30_600)]),
        (LAST, RATE, 100_000, {**LATER, "stub": Stub.INTEREST_ONLY}, [(1, 1_111), (2, 33_890), (1, 33_891)]),
    ],
)
def test_a_plan_is_told_by_the_runs_of_its_parts(
    product: Product, price: Price, amount_minor: int, dates: dict[str, object], runs: list[tuple[int, int]]
) -> None:
    assert told(product, price, amount_minor, **dates) == runs


def test_where_principal_is_equal_each_part_is_a_run() -> None:
    runs = told(LAST, replace(RATE, method=Method.EQUAL_PRINCIPAL), 100_000)
    amounts = [amount_minor for _, amount_minor in runs]
    assert len(amounts) == 4 and amounts == sorted(amounts, reverse=True)


def parts_on(*parts: tuple[date, int]) -> list[InstalmentPrice]:
    return [
        InstalmentPrice(n, on, amount_minor, 0, amount_minor) for n, (on, amount_minor) in enumerate(parts, 1)
    ]


JAN, FEB, MAR = date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)


@pytest.mark.parametrize(
    ("parts", "count", "monthly"),
    [
        ([(JAN, 50), (FEB, 50), (MAR, 50)], 3, True),
        ([(JAN, 50), (FEB, 50), (date(2027, 3, 28), 50)], 3, False),  # every four weeks
        ([(JAN, 50), (MAR, 50)], 2, False),
        ([(date(2027, 1, 2), 10), (JAN, 50), (FEB, 50), (MAR, 49)], 2, True),  # the first gap is another
        ([(JAN, 50), (date(2027, 2, 14), 30), (FEB, 30)], 2, False),
        ([(JAN, 50)], 1, False),
    ],
)
def test_the_longest_run_stands_for_the_plan(
    parts: list[tuple[date, int]], count: int, *, monthly: bool
) -> None:
    each = each_of(runs_of(parts_on(*parts)))
    assert each is not None and (each.count, each.monthly) == (count, monthly)


def test_no_part_stands_for_those_that_all_differ() -> None:
    assert each_of(runs_of(parts_on((JAN, 52), (FEB, 51), (MAR, 50)))) is None
