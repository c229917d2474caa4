"""A draw ends by the version it was made by, its bill by that of the line: docs/decisions/0017."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.conftest import shipped
from tests.credit.history.lives import WALLET, Clerk, Step, plot_of
from tests.thorough import examples

from wufeng.credit.draws.model import Draw
from wufeng.credit.history.rules import fold
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Early, Price, Product, RefundFees
from wufeng.credit.products.versions import Versions
from wufeng.credit.repayments.model import Paid, Target

MONTHS_3 = 1
"""The number by which a clerk buys in three parts."""


def newer(product: Product) -> Product:
    """A later version in which everything that belongs to draws, and the least payment, is another."""
    return replace(
        product,
        version=2,
        effective_from=date(2026, 1, 2),
        instalments=replace(
            product.instalments,
            prices=(Price(3, fee_ppm=60_000),),
            early=Early.DUE,
            refund_fees=RefundFees.KEPT,
        ),
        repayment=replace(product.repayment, refund_interest=True),
        minimum=replace(product.minimum, principal_ppm=500_000),
    )


class Shop:
    """A clerk of a line under version 1 at whose counter version 2 is in force from now on."""

    def __init__(self, name: str = "monthly_bill") -> None:
        self.clerk = Clerk(plot_of(name))
        self.old, self.new = self.clerk.product, newer(self.clerk.product)
        self.clerk.versions = Versions(self.old, (self.new,))

    def buy(self, product: Product, amount_minor: int, number: int) -> Draw:
        """A draw made by one of the two versions."""
        self.clerk.in_force = product
        draw_id = self.clerk.buy(amount_minor, number)
        self.clerk.in_force = self.old
        return self.clerk.draws[draw_id]

    def now(self, draw: Draw) -> Draw:
        """The draw as it is now."""
        return self.clerk.draws[draw.id]

    def assert_is_the_fold(self) -> None:
        """The rows are what the line's events make of them, by the same versions."""
        clerk = self.clerk
        standing = fold(clerk.opened, clerk.events, clerk.versions, clerk.on)
        assert standing.draws == clerk.draws
        assert standing.credit_balance_minor == clerk.credit_minor
        assert {id_: bill.total_minor for id_, bill in standing.bills.items()} == {
            id_: bill.total_minor for id_, bill in clerk.bills.items()
        }


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_one_refund_over_both_gives_fees_back_by_each_draws_own_version(shop: Shop) -> None:
    first, second = shop.buy(shop.old, 90_000, MONTHS_3), shop.buy(shop.new, 90_000, MONTHS_3)
    assert (first.product_version, second.product_version) == (1, 2)
    assert (first.fee_parts, second.fee_parts) == ((750, 750, 750), (1800, 1800, 1800))
    shop.clerk.refund((first.id, second.id), 150_000)
    assert shop.now(second).fee_parts == (1800, 1800, 1800), "kept, as the new version says"
    assert shop.now(first).principal_parts == (30_000, 0, 0)
    assert shop.now(first).fee_parts == (750, 0, 0), "cancelled, as the old one does"
    shop.assert_is_the_fold()


def test_one_repayment_ends_both_and_each_drops_its_fees_or_not(shop: Shop) -> None:
    first, second = shop.buy(shop.old, 90_000, MONTHS_3), shop.buy(shop.new, 90_000, MONTHS_3)
    id_ = shop.clerk.repay(180_000, WALLET)
    dropped = [one.draw for one in shop.clerk.allocations[id_] if one.part is Paid.FEE_DROPPED]
    assert dropped == [first.id] * 3
    assert (shop.now(first).fee_parts, shop.now(second).fee_parts) == ((0, 0, 0), (1800, 1800, 1800))
    shop.assert_is_the_fold()


def test_each_plan_is_settled_by_its_own_version(shop: Shop) -> None:
    first, second = shop.buy(shop.old, 90_000, MONTHS_3), shop.buy(shop.new, 90_000, MONTHS_3)
    for draw, fees in ((first, (0, 0, 0)), (second, (1800, 1800, 1800))):
        amount_minor = shop.clerk.plan_minor(draw.id)
        assert amount_minor == 90_000
        shop.clerk.repay(amount_minor, WALLET, plan=draw.id)
        assert shop.now(draw).fee_parts == fees
    shop.assert_is_the_fold()


def test_interest_of_refunded_days_goes_back_by_the_draws_version() -> None:
    shop = Shop("daily_interest")
    first, second = shop.buy(shop.old, 10_000, 0), shop.buy(shop.new, 10_000, 0)
    shop.clerk.turn_to(date(2026, 1, 8))
    shop.clerk.refund((first.id, second.id), 20_000)
    assert [sum(one.balance_minor for one in shop.now(draw).segments) for draw in (first, second)] == [
        10_000,
        0,
    ]
    shop.assert_is_the_fold()


def test_a_bill_asks_for_the_least_payment_of_the_contract(shop: Shop) -> None:
    single = 0
    first, second = shop.buy(shop.old, 100_000, single), shop.buy(shop.new, 100_000, single)
    shop.clerk.turn_to(date(2026, 2, 1))
    (bill,) = shop.clerk.bills.values()
    assert (bill.total_minor, bill.minimum_minor) == (200_000, 20_000)
    shop.clerk.refund((first.id, second.id), 120_000)
    (bill,) = shop.clerk.bills.values()
    assert (bill.total_minor, bill.minimum_minor) == (80_000, 8_000)
    shop.assert_is_the_fold()


def test_versions_are_those_of_the_line_and_after_it_at_its_tier() -> None:
    one = shipped("monthly_bill").product
    products = Products([one])
    assert products.of_line(one.id, 1, "standard") == Versions(one)
    two = newer(one)
    products.know([two])
    seen = products.of_line(one.id, 1, "standard")
    assert (seen.contract, seen.of(1), seen.of(2)) == (one, one, two)
    assert products.of_line(one.id, 2, "standard") == Versions(two)
    tier = one.tiers[0].code
    assert products.of_line(one.id, 1, tier).of(2) == two.at_tier(tier)
    with pytest.raises(AssertionError, match="never loaded"):
        seen.of(3)


WHAT = ("buy", "pay", "pay_all", "pay_billed", "settle", "refund", "refund_all", "refund_two", "refund_fault")


@settings(max_examples=examples(40, 2_000))
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(WHAT), st.integers(1_000, 120_000), st.integers(0, 11)),
        min_size=2,
        max_size=10,
    )
)
def test_any_life_under_two_versions_is_the_fold_of_its_events(
    steps: list[tuple[int, str, int, int]],
) -> None:
    shop = Shop()
    for place, (gap, what, minor, number) in enumerate([(0, "buy", 60_000, MONTHS_3), *steps]):
        shop.clerk.turn_to(date.fromordinal(shop.clerk.on.toordinal() + gap))
        if what == "buy":
            shop.buy(shop.new if place % 2 else shop.old, minor, number)
        else:
            shop.clerk.take(Step(0, what, minor, number))
    shop.clerk.turn_to(date.fromordinal(shop.clerk.on.toordinal() + 40))
    shop.assert_is_the_fold()
    assert shop.clerk.owed(Target.ALL) >= 0
