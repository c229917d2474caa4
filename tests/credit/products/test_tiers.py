"""Price lists beside the standard one: what a file may say of them, and what holds for every schedule made by one."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng.credit.offers import price_options
from wufeng.credit.products.commands import Products
from wufeng.credit.products.files import shipped_products
from wufeng.credit.products.model import STANDARD, Name, Price, Product, Shipped, Tier
from wufeng.credit.products.rules import check, check_succession

PRODUCTS = [one.product for one in shipped_products()]
TIERED = [one for one in PRODUCTS if one.tiers]
MONTHLY = next(one for one in PRODUCTS if one.id == "monthly_bill")
DAILY = next(one for one in PRODUCTS if one.id == "daily_interest")
NAME = Name("优", "Good")


def tier_of(*prices: tuple[int, int], **more: object) -> Tier:
    made = tuple(Price(tenor, fee_ppm=fee_ppm) for tenor, fee_ppm in prices)
    return Tier("good", NAME, prices=made or None, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("product", "tier", "path"),
    [
        (
            MONTHLY,
            tier_of((3, 25_000), (6, 45_000), (9, 65_000), (12, 88_000)),
            None,
        ),  # as dear as the standard
        (MONTHLY, tier_of((3, 0), (6, 0), (9, 0), (12, 0)), None),
        (MONTHLY, tier_of((3, 25_001), (6, 45_000), (9, 65_000), (12, 88_000)), "tiers[0].prices[0]"),
        (MONTHLY, tier_of((3, 25_000), (6, 45_000)), "tiers[0].prices"),
        (MONTHLY, tier_of((3, -1), (6, 45_000), (9, 65_000), (12, 88_000)), "tiers[0].prices[0].fee_ppm"),
        (MONTHLY, tier_of(), "tiers[0]"),
        (MONTHLY, tier_of(daily_ppm=1), "tiers[0].daily_ppm"),  # nothing is charged by the day there
        (DAILY, tier_of(daily_ppm=400), None),
        (DAILY, tier_of(daily_ppm=401), "tiers[0].daily_ppm"),
        (DAILY, replace(tier_of(daily_ppm=1), code=STANDARD), "tiers[0].code"),
    ],
)
def test_what_a_tier_may_be(product: Product, tier: Tier, path: str | None) -> None:
    found = check(replace(product, tiers=(tier,)))
    assert [one.path for one in found] == ([] if path is None else [path])


def test_two_tiers_have_two_codes() -> None:
    twice = replace(DAILY, tiers=(tier_of(daily_ppm=1), tier_of(daily_ppm=2)))
    assert [one.path for one in check(twice)] == ["tiers"]


@pytest.mark.parametrize("product", TIERED, ids=lambda one: one.id)
@given(data=st.data())
def test_a_schedule_of_any_tier_sums_and_is_never_dearer(product: Product, data: st.DataObject) -> None:
    tier = data.draw(st.sampled_from([tier.code for tier in product.tiers]))
    amount_minor = data.draw(
        st.integers(product.instalments.minimum_minor, product.limit.maximum_minor), label="amount"
    )
    on = date(2026, 1, 1) + timedelta(days=data.draw(st.integers(0, 800), label="day"))
    standard = price_options(product, product.calendar(on), amount_minor, on)
    theirs = price_options(product.at_tier(tier), product.calendar(on), amount_minor, on)
    assert [option.tenor for option in theirs] == [option.tenor for option in standard]
    for own, other in zip(theirs, standard, strict=True):
        assert sum(part.principal_minor for part in own.instalments) == amount_minor
        assert sum(part.amount_minor for part in own.instalments) == amount_minor + own.total_cost_minor
        assert own.total_cost_minor <= other.total_cost_minor
        assert own.annualised_rate_ppm <= product.interest.annualised_max_ppm
        assert own.version == product.version


def test_a_line_draws_by_its_tier_of_the_version_in_force() -> None:
    later = replace(
        MONTHLY,
        version=2,
        effective_from=date(2026, 6, 1),
        tiers=(
            replace(MONTHLY.tiers[0], prices=tier_of((3, 1_000), (6, 2_000), (9, 2_500), (12, 3_000)).prices),
        ),
    )
    products = Products([MONTHLY, later])
    for on, tier, fee_ppm in (
        (date(2026, 5, 31), STANDARD, 25_000),
        (date(2026, 5, 31), "preferred", 20_000),
        (date(2026, 6, 1), "preferred", 1_000),
        (date(2026, 6, 1), STANDARD, 25_000),
    ):
        price = products.drawn_under("monthly_bill", 1, tier, on).price(3)
        assert price is not None and price.fee_ppm == fee_ppm
    assert products.version("monthly_bill", 1, "preferred").price(12) == MONTHLY.tiers[0].prices[3]  # type: ignore[index]


def test_a_later_version_keeps_the_tiers_that_lines_have() -> None:
    lost = replace(MONTHLY, version=2, effective_from=date(2027, 1, 1), tiers=())
    why = check_succession(Shipped(lost, "", "b"), [Shipped(MONTHLY, "", "a")])
    assert why is not None and "lacks the tier preferred of version 1" in why
    kept = replace(lost, tiers=MONTHLY.tiers)
    assert check_succession(Shipped(kept, "", "b"), [Shipped(MONTHLY, "", "a")]) is None
