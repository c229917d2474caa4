"""The ceiling of a product holds for every amount that it splits, on every day; and a price is reckoned once."""

from datetime import date, timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.conftest import shipped
from tests.thorough import examples

from wufeng.credit.offers import price_options
from wufeng.credit.plans.rules import OF_DATES, least_amount
from wufeng.credit.products import ceiling
from wufeng.credit.products.ceiling import dearest_ppm, highest_rate_ppm, in_time_ppm, price_of
from wufeng.credit.products.dates import Dates, Every, Stub
from wufeng.credit.products.files import examine_product, read_kept
from wufeng.credit.products.model import (
    OPENING,
    STANDARD,
    Cycle,
    DueDays,
    Levelling,
    Method,
    Price,
    Product,
    Remainder,
    Rounding,
    RoundingRules,
    Shipped,
)
from wufeng.credit.products.rules import check
from wufeng.credit.rates.model import DayCount

MONTHLY = shipped("monthly_bill")
DUE_DAYS = (5, 10, 20, 28)
CYCLES = st.one_of(
    st.builds(Cycle, st.sampled_from([OPENING, 1, 15, 31]), due_after_days=st.integers(1, 27)),
    st.just(Cycle(1, 10)),
)
DATES = st.builds(
    Dates,
    st.sampled_from([Every(), Every(days=1), Every(months=1), Every(months=6), Every(days=45)]),
    st.sampled_from([Every(months=1), Every(weeks=2), Every(months=1, days=3)]),
    down_payment_ppm=st.sampled_from([0, 0, 100_000, 333_333]),
    stub=st.sampled_from(Stub),
)
ROUNDINGS = st.builds(
    RoundingRules, st.sampled_from([1, 1, 10, 100]), st.sampled_from(Levelling), st.sampled_from(Rounding)
)
KINDS = st.one_of(
    st.builds(lambda ppm: {"fee_ppm": ppm}, st.integers(1, 100_000)),
    st.builds(lambda ppm: {"fee_period_ppm": ppm}, st.integers(1, 12_000)),
    st.builds(
        lambda ppm, method: {"annual_ppm": ppm, "method": method},
        st.integers(1, 240_000),
        st.sampled_from(Method),
    ),
)


@st.composite
def at_its_ceiling(draw: st.DrawFn) -> Product:
    """A product of any terms whose ceiling is as low as the check allows."""
    calendar: Cycle | Dates = draw(st.one_of(CYCLES, DATES))
    price = Price(draw(st.sampled_from([3, 4, 6, 12, 24])), **draw(KINDS))
    dates = calendar if isinstance(calendar, Dates) else None
    if dates is not None and not dates.has_stub:
        dates = replace(dates, stub=Stub.IN_PAYMENTS)
    rounding = draw(ROUNDINGS)
    down_ppm = dates.down_payment_ppm if dates is not None else 0
    least = least_amount(price.tenor, rounding.instalment_multiple_minor, down_ppm)
    instalments = replace(
        MONTHLY.product.instalments,
        minimum_minor=least + draw(st.integers(0, 3_000)),
        remainder=draw(st.sampled_from(Remainder)),
        prices=(price,),
        day_count=draw(st.sampled_from(sorted(OF_DATES))),
        bills=None,
    )
    made = replace(
        MONTHLY.product,
        cycle=None if isinstance(calendar, Dates) else calendar,
        dates=dates,
        due_days=DueDays(DUE_DAYS, 2) if calendar == Cycle(1, 10) else None,
        rounding=rounding,
        instalments=instalments,
        interest=replace(MONTHLY.product.interest, revolving_daily_ppm=0, late_daily_ppm=0),
        tiers=(),
    )
    most = price_of(made, price).least_ppm
    return replace(made, interest=replace(made.interest, annualised_max_ppm=most))


@settings(max_examples=examples(40, 1500), deadline=None)
@given(at_its_ceiling(), st.data())
def test_no_plan_of_a_product_that_passes_is_above_its_ceiling(product: Product, data: st.DataObject) -> None:
    assert not [one for one in check(product) if "above the ceiling" in one.detail]
    least, most = product.instalments.minimum_minor, product.limit.maximum_minor
    for _ in range(30):
        amount_minor = data.draw(st.one_of(st.integers(least, least + 2_000), st.integers(least, most)))
        on = data.draw(st.dates(date(2024, 1, 1), date(2034, 12, 31)))
        calendar = product.calendar(data.draw(st.dates(date(2024, 1, 1), date(2025, 1, 1))))
        if product.due_days is not None:
            calendar = Cycle(1, data.draw(st.sampled_from(DUE_DAYS)))
        for option in price_options(product, calendar, amount_minor, on):
            assert option.annualised_rate_ppm <= product.interest.annualised_max_ppm, (amount_minor, on)


@settings(max_examples=examples(20, 300), deadline=None)
@given(at_its_ceiling(), st.integers(1, 10**6))
def test_the_bound_falls_with_the_amount(product: Product, more: int) -> None:
    (price,) = product.instalments.prices
    larger = replace(product.instalments, minimum_minor=product.instalments.minimum_minor + more)
    assert (
        price_of(replace(product, instalments=larger), price).least_ppm <= price_of(product, price).least_ppm
    )


def rounding_up(least: int) -> str:
    """A product at 23.9% a year whose interest is rounded up, that splits so much at least."""
    source = MONTHLY.source.split("[[tiers]]")[0] + MONTHLY.source[MONTHLY.source.index("[[lenders]]") :]
    for old, new in {
        "minimum_minor = 1_000": f"minimum_minor = {least}",
        "{ tenor = 12, fee_ppm = 88_000 }": "{ tenor = 12, annual_ppm = 239_000 }",
        "[repayment]": '[rounding]\ninterest = "up"\n[repayment]',
    }.items():
        assert old in source, old
        source = source.replace(old, new, 1)
    return source


def test_an_amount_so_small_that_rounding_breaks_the_ceiling_may_not_be_split() -> None:
    small = examine_product(rounding_up(500), "mine.toml")
    assert not isinstance(small, Shipped)
    (mistake,) = small
    assert mistake.path == "instalments.minimum_minor"
    for said in (
        "instalments.prices[3].annual_ppm",
        "500 in 12 instalments may cost 29.48% a year",
        "above the ceiling of 24.00%",
        "raise the least amount, or lower the price",
    ):
        assert said in mistake.detail, mistake.detail
    assert isinstance(examine_product(rounding_up(50_000), "mine.toml"), Shipped)


def test_a_published_version_lives_on_when_the_rules_become_stricter() -> None:
    kept = read_kept(rounding_up(500), "mine@1")
    assert kept.product.instalments.minimum_minor == 500
    assert read_kept(MONTHLY.source, "monthly_bill@1") == MONTHLY


def splitting(least: int) -> str:
    """The shipped file without its tiers, that splits so much at least."""
    source = MONTHLY.source.split("[[tiers]]")[0] + MONTHLY.source[MONTHLY.source.index("[[lenders]]") :]
    assert "minimum_minor = 1_000" in source
    return source.replace("minimum_minor = 1_000", f"minimum_minor = {least}", 1)


@pytest.mark.parametrize("least", [1, 2, 3, 287])
def test_no_price_is_reckoned_of_parts_that_cannot_be(least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    source = splitting(least)
    with monkeypatch.context() as patch:
        patch.setattr("wufeng.credit.products.rules.price_of", None)  # whoever asks for a price fails
        found = examine_product(source, "mine.toml")
    assert isinstance(found, list)
    assert [one.detail for one in found] == ["is at least 288, or the rounding could exceed a part"]
    ceiling._dearest.cache_clear()
    began = perf_counter()
    kept = read_kept(source, f"mine@{least}")
    assert kept.product.instalments.minimum_minor == least, "a version that was published lives on"
    assert perf_counter() - began < 5, "and its prices are reckoned in bounded steps"


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("day_count", ["thirty_360", "actual_365"])
def test_the_dearest_price_of_the_most_parts_is_refused_in_good_time(method: Method, day_count: str) -> None:
    prices = f'day_count = "{day_count}"\nprices = [{{ tenor = 60, annual_ppm = 10_000_000, method = "{method}" }}]'
    source = splitting(7_200)
    before, _, after = source.partition("prices = [")
    source = before + prices + after.partition("\n]")[2]
    ceiling._dearest.cache_clear()
    began = perf_counter()
    (found,) = examine_product(source, "mine.toml")  # type: ignore[misc]
    assert found.path == "instalments.prices[0].annual_ppm" and "above the ceiling of 24.00%" in found.detail
    assert read_kept(source, "mine@1").product.instalments.prices[0].method is method
    assert perf_counter() - began < 20


def dated() -> Product:
    """Plans by the dates, with and without bills, and a cheaper list."""
    both = shipped("order_instalments").product
    prices = (Price(3, annual_ppm=150_000), Price(6, annual_ppm=150_000))
    instalments = replace(both.instalments, prices=prices, day_count=DayCount.ACTUAL_365)
    tier = replace(both.tiers[0], prices=(Price(3, annual_ppm=100_000), Price(6, annual_ppm=120_000)))
    return replace(both, instalments=instalments, tiers=(tier,))


def test_prices_are_reckoned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    product, reckoned = dated(), []
    schedule = ceiling.schedule

    def counted(*args: Any) -> Any:
        reckoned.append(args)
        return schedule(*args)

    monkeypatch.setattr(ceiling, "schedule", counted)
    ceiling._dearest.cache_clear()
    assert check(product) == []
    assert reckoned, "reading a version pays for its prices"
    reckoned.clear()
    for tier in (STANDARD, product.tiers[0].code):
        of_tier = product.at_tier(tier)
        assert 0 < in_time_ppm(of_tier) <= dearest_ppm(of_tier) <= highest_rate_ppm(of_tier)
    assert check(replace(product)) == []
    assert not reckoned, "and nobody after it"


def test_a_mode_says_the_dearest_day_of_its_own() -> None:
    product = dated()
    modes = {mode: in_time_ppm(product, mode) for mode in product.modes}
    assert max(modes.values()) == in_time_ppm(product)
    for mode, most in modes.items():
        rates = [
            max(one.annualised_rate_ppm for one in price_options(product, calendar, 10**9, on))
            for on in (date(2027, 1, 1) + timedelta(days=days) for days in range(0, 366, 5))
            for calendar in [product.calendar_in(mode, on)]
        ]
        assert max(rates) <= most, mode


def test_a_file_that_says_a_rate_in_per_cent_is_told_how_it_is_written() -> None:
    source = MONTHLY.source.replace("late_daily_ppm = 500", "late_daily_ppm = 0.05")
    examined = examine_product(source, "mine.toml")
    assert not isinstance(examined, Shipped)
    assert [one.detail for one in examined] == [
        "is wrong: expected `int`, got `float`; rates are whole parts per million: 0.03% is 300"
    ]
