"""Products in range: the shipped ones, and the shipped ones with other terms."""

from functools import cache

from hypothesis import assume
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.conftest import shipped

from wufeng.credit.plans.rules import OF_DATES
from wufeng.credit.products.dates import Dates, Every, Stub
from wufeng.credit.products.model import (
    BillableAt,
    BillSplit,
    Cycle,
    Early,
    LateBase,
    Levelling,
    Method,
    Mode,
    Pieces,
    Price,
    Product,
    RefundFees,
    Remainder,
    Rest,
    Rounding,
    RoundingRules,
)
from wufeng.credit.products.rules import check

WHOLE = 1_000_000
SHIPPED = ("monthly_bill", "daily_interest", "order_instalments", "pay_in_four", "study_now")


@cache
def product(name: str) -> Product:
    """A product as it ships."""
    return shipped(name).product


def prices(fees: tuple[int, int], by_the_year: tuple[int, Method]) -> tuple[tuple[Price, ...], ...]:
    """Lists of prices of each kind; a merchant may carry a part of any."""
    whole_ppm, period_ppm = fees
    annual_ppm, method = by_the_year
    return (
        (Price(3, fee_ppm=whole_ppm), Price(6, fee_ppm=2 * whole_ppm)),
        (Price(3, fee_period_ppm=period_ppm), Price(12, fee_period_ppm=period_ppm)),
        (Price(3, annual_ppm=annual_ppm, method=method), Price(6, annual_ppm=annual_ppm, method=method)),
        (Price(2, fee_ppm=0), Price(4, annual_ppm=annual_ppm, method=Method.EQUAL_PAYMENT)),
        (Price(3, fee_ppm=whole_ppm, merchant_share_ppm=WHOLE), Price(6, fee_period_ppm=period_ppm)),
    )


def own_dates(dates: Dates) -> st.SearchStrategy[Dates]:
    """Dates like those of a product, or with a first period of another length, or a down payment, or both."""
    odd = [dates.first_after, Every(days=45), Every(months=1, days=10), Every(days=20)]
    return st.builds(
        lambda first_after, down_ppm, stub: replace(
            dates,
            first_after=first_after,
            lead_days=min(dates.lead_days, 9),
            down_payment_ppm=down_ppm,
            stub=stub if first_after != dates.every else Stub.IN_PAYMENTS,
        ),
        st.sampled_from(odd),
        st.sampled_from([0, 250_000, 333_333]),
        st.sampled_from(list(Stub)),
    )


@st.composite
def products(draw: st.DrawFn) -> tuple[tuple[Product, ...], Mode]:
    """The versions of a product that may be offered, and the mode in which a line is opened under the first."""
    name = draw(st.sampled_from(SHIPPED))
    mode = draw(st.sampled_from(product(name).modes))
    texts = [draw(terms(product(name), mode)) for _ in range(draw(st.sampled_from([1, 1, 2, 3])))]
    return tuple(replace(one, version=number) for number, one in enumerate(texts, 1)), mode


@st.composite
def terms(draw: st.DrawFn, made: Product, mode: Mode) -> Product:
    """A product as it is, or with other terms in range."""
    if not draw(st.integers(0, 3)):
        return made
    pieces = draw(st.sampled_from(list(Pieces)))
    whole_ppm, period_ppm = draw(st.sampled_from([(0, 0), (25_000, 7_000), (33_333, 9_999)]))
    method = draw(st.sampled_from(list(Method)))
    kinds = prices((whole_ppm, period_ppm), (draw(st.sampled_from([45_000, 90_000])), method))
    rest = draw(st.sampled_from(list(Rest))) if mode is Mode.BILL else Rest.BILL
    daily_ppm = draw(st.sampled_from([0, 0, 400, 137]))
    split = draw(st.sampled_from([made.instalments.prices, *kinds]))
    dates = None if rest is Rest.DRAW else made.dates  # where only the minimum is billed, parts have no dates
    if dates is not None and mode is Mode.ORDER:
        dates = draw(own_dates(dates))
    bills = draw(st.sampled_from([None, BillSplit(1_000), BillSplit(2_000, share_max_ppm=900_000)]))
    if (dates is not None and dates.down_payment_ppm) or all(price.merchant_share_ppm for price in split):
        bills = None
    made = replace(
        made,
        dates=dates,
        billing=replace(
            made.billing,
            billable_at=draw(st.sampled_from(list(BillableAt))),
            grace_days=draw(st.sampled_from([0, 0, 3, 25])),
            bank_days=draw(st.booleans()),
        ),
        minimum=replace(
            made.minimum,
            principal_ppm=draw(st.sampled_from([100_000, 333_333, 1_000_000])),
            whole_up_to_minor=draw(st.sampled_from([0, 10_000])),
            rest=rest,
        ),
        tiers=(),
        rounding=RoundingRules(
            draw(st.sampled_from([1, 1, 2])),
            draw(st.sampled_from(list(Levelling))),
            draw(st.sampled_from(list(Rounding))),
            pieces,
        ),
        interest=replace(
            made.interest,
            daily_ppm=daily_ppm,
            revolving_daily_ppm=draw(st.sampled_from([0, 400, 500])),
            late_daily_ppm=draw(st.sampled_from([500, 600, 369])),
            late_base=draw(st.sampled_from(list(LateBase))),
            late_least_minor=draw(st.sampled_from([0, 1, 7])),
            late_most_ppm=draw(st.sampled_from([None, None, 0, 3_000, 40_000])),
            annualised_max_ppm=5_000_000,  # parts of two weeks are dear by the year
        ),
        instalments=replace(
            made.instalments,
            prices=split,
            single=made.instalments.single or draw(st.booleans()),
            remainder=draw(st.sampled_from(list(Remainder))),
            minimum_minor=max(2_304, made.instalments.minimum_minor),
            day_count=draw(st.sampled_from(sorted(OF_DATES))),
            merchant_share_max_ppm=WHOLE,
            early=draw(st.sampled_from(list(Early))),
            refund_fees=draw(st.sampled_from(list(RefundFees))),
            bills=bills,
        ),
        repayment=replace(
            made.repayment, to_instalments=draw(st.booleans()), refund_interest=draw(st.booleans())
        ),
        arrears=replace(
            made.arrears,
            suspend_after_days=draw(st.sampled_from([1, 7])),
            charge_off_after_days=draw(st.sampled_from([None, 30, 60, 180])),
        ),
    )
    if not made.instalments.single and not split:
        made = replace(made, instalments=replace(made.instalments, single=True))
    assume(not check(made))  # some least amounts are too small for their tenors
    return made


CYCLES = (Cycle(1, 10), Cycle(1, 10), Cycle(15, 4), Cycle(31, 9), Cycle(20, 30), Cycle(5, 28))
