"""The terms of a file beside prices: days of bills, counts of days, rounding, parts beside the instalments."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.conftest import shipped
from tests.thorough import examples

from wufeng.credit.offers import price_options
from wufeng.credit.plans.rules import OF_DATES, annualised_rate_ppm, least_amount, schedule, terms_of
from wufeng.credit.products.ceiling import highest_rate_ppm
from wufeng.credit.products.dates import Dates, Every, Stub
from wufeng.credit.products.files import examine_product
from wufeng.credit.products.model import (
    OPENING,
    Cycle,
    Levelling,
    Method,
    Mode,
    Pieces,
    Price,
    Product,
    Rounding,
    RoundingRules,
    Shipped,
    coincide,
)
from wufeng.credit.products.preview import preview
from wufeng.credit.products.rules import check
from wufeng.credit.rates.model import DayCount

STUDY, BOTH = shipped("study_now"), shipped("order_instalments")
MONTHLY = shipped("monthly_bill").product


def said(source: str, *edits: tuple[str, str]) -> list[str]:
    for old, new in edits:
        assert source.count(old) >= 1, old
        source = source.replace(old, new, 1)
    examined = examine_product(source, "mine.toml")
    return [] if isinstance(examined, Shipped) else [str(one) for one in examined]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('bill_day = "opening"', 'bill_day = "openin"', "cycle.bill_day is wrong: "),
        ('bill_day = "opening"', "bill_day = 32", "cycle.bill_day is a day of the month, not 32"),
        ("due_after_days = 9", "due_after_days = 28", "cycle.due_after_days lies between 1 and 27"),
        ("due_after_days = 9", "", "cycle has one of due_day and due_after_days"),
        ("due_after_days = 9", "due_after_days = 9\ndue_day = 10", "cycle has one of due_day and due_after_days"),
        ("due_after_days = 9", "due_day = 10", "cycle.due_day would be the bill day of some lines"),
        ("allowed = [1,", "allowed = [0,", "due_days.allowed holds days of the month"),
        ('bill_day = "opening"', "bill_day = 1", "due_days.allowed holds days of the month other than the bill day"),
        ("lead_days = 9", "lead_days = 9\ndown_payment_ppm = -1", "dates.down_payment_ppm lies between 0 and"),
        ("lead_days = 9", "lead_days = 9\ndown_payment_ppm = 1_000_000", "dates.down_payment_ppm lies between 0 and"),
        ("lead_days = 9", "lead_days = 9\ndown_payment_ppm = 1", "dates.down_payment_ppm is 0 where bills"),
        ("lead_days = 9", "lead_days = 27\ndown_payment_ppm = 250_000", "dates.lead_days leaves the down payment"),
        ("lead_days = 9", 'lead_days = 9\nstub = "interest_only"', "dates.stub is for a first_after that is not"),
        ("[repayment]", "[rounding]\ninterest = \"half\"\n[repayment]", "one of half_even, half_up, down, up"),
        ("[repayment]", "[rounding]\ninstalment_multiple_minor = 0\n[repayment]", "lies between 1 and 1_000_000"),
        ("[repayment]", "[rounding]\ninstalment_multiple_minor = 100\n[repayment]", "minimum_minor is at least 115200"),
        ("[repayment]", "[rounding]\npiece = \"each\"\n[repayment]", "did you mean pieces?"),
        ("prices = [", 'day_count = "actual_actual_icma"\nprices = [', "needs more than the dates"),
        ("prices = [", 'day_count = "thirty_e_360_isda"\nprices = [', "needs more than the dates"),
        ("minimum_minor = 2_000", 'minimum_minor = 2_000\nday_count = "ACT/360"', "one of thirty_360, "),
        ("principal_ppm = 100_000", 'principal_ppm = 100_000\nrest = "draw"', "minimum.rest is \"bill\" where draws"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_line(old: str, new: str, says: str) -> None:
    found = said(BOTH.source, (old, new))
    assert any(says in one for one in found), found
    assert all(one.startswith("mine.toml:") and not one.startswith("mine.toml:1:") for one in found), found


def test_a_product_that_splits_bills_has_a_price_that_no_merchant_carries() -> None:
    carried = BOTH.source.replace("fee_period_ppm", "merchant_share_ppm = 1, fee_period_ppm")
    (found,) = said(carried)
    assert found.startswith("mine.toml:56:"), found
    assert found.endswith("instalments.bills need a price that no merchant carries: a bill has no merchant")
    assert (
        said(
            carried,
            ("merchant_share_ppm = 1, ", ""),
            ("merchant_share_ppm = 1, fee_period_ppm = 5_000", "fee_period_ppm = 5_000"),
        )
        == []
    )


def test_parts_beside_the_instalments_need_a_tenor_for_them() -> None:
    edits = [("lead_days = 7", 'lead_days = 7\nstub = "interest_only"\ndown_payment_ppm = 100_000')]
    assert said(STUDY.source, *edits) == []
    found = said(STUDY.source, *edits, ("tenor = 6", "tenor = 2"))
    assert len(found) == 1 and "tenor is above 2: down payment and stub are among the parts" in found[0]


def test_a_day_of_opening_is_that_of_each_line() -> None:
    cycle = Cycle(OPENING, due_after_days=9)
    (seventeenth, last) = (cycle.of(date(2026, 9, 17)), cycle.of(date(2027, 1, 31)))
    assert seventeenth.bill_on(date(2026, 9, 17)) == date(2026, 10, 17)
    assert seventeenth.due_on(date(2026, 10, 17)) == date(2026, 10, 26)
    assert last.bill_on(date(2027, 1, 31)) == date(2027, 2, 28), "a day that a month lacks is its last"
    assert last.due_on(date(2027, 2, 28)) == date(2027, 3, 9)
    assert last.due_before(date(2027, 3, 31)) == date(2027, 3, 9)
    assert Cycle(1, 10).of(date(2026, 9, 17)) == Cycle(1, 10)


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.integers(1, 31), st.integers(1, 27))
def test_a_bill_is_due_before_the_next_one(on: date, bill_day: int, days: int) -> None:
    cycle = Cycle(bill_day, due_after_days=days)
    bill_on = cycle.bill_on(on)
    assert on < bill_on < cycle.due_on(bill_on) < cycle.bill_on(bill_on)
    assert cycle.due_before(cycle.bill_on(bill_on)) == cycle.due_on(bill_on)


@given(st.integers(1, 31) | st.integers(27, 31), st.integers(1, 31) | st.integers(27, 31))
def test_a_moved_bill_too_is_due_before_the_next_one(bill_day: int, due_day: int) -> None:
    """In every month of common and leap years: what `check` and lines let through, and nothing else."""
    cycle = Cycle(bill_day, due_day)
    bills = [cycle.bill_on(date(2026, 12, 1))]
    while len(bills) < 27:
        bills.append(cycle.bill_on(bills[-1]))
    in_order = all(bill_on < cycle.due_on(bill_on) < next_on for bill_on, next_on in pairwise(bills))
    refused = [one.path for one in check(replace(MONTHLY, cycle=cycle, due_days=None))]
    assert ("cycle.due_day" not in refused) == in_order == (not coincide(bill_day, due_day))


def with_terms(product: Product, day_count: DayCount, rounding: RoundingRules, **dates: object) -> Product:
    instalments = replace(product.instalments, day_count=day_count, minimum_minor=10_000_000)
    limit = replace(product.limit, maximum_minor=10**10)
    interest = replace(product.interest, annualised_max_ppm=5_000_000)
    own = replace(product.dates, **dates) if product.dates is not None else None
    return replace(
        product, instalments=instalments, rounding=rounding, limit=limit, interest=interest, dates=own
    )


ROUNDINGS = st.builds(
    RoundingRules,
    st.sampled_from([1, 10, 100, 5_000]),
    st.sampled_from(Levelling),
    st.sampled_from(Rounding),
    st.sampled_from(Pieces),
)


@st.composite
def offered(draw: st.DrawFn) -> Product:
    """Products of yearly rates and fees with any of these terms, that may be offered."""
    made = with_terms(
        STUDY.product,
        draw(st.sampled_from(sorted(OF_DATES))),
        draw(ROUNDINGS),
        first_after=draw(st.sampled_from([Every(months=1), Every(months=2), Every(days=45), Every(weeks=2)])),
        every=draw(st.sampled_from([Every(months=1), Every(weeks=2)])),
        down_payment_ppm=draw(st.sampled_from([0, 0, 100_000, 333_333])),
        stub=draw(st.sampled_from(Stub)),
    )
    assert made.dates is not None
    if not made.dates.has_stub:
        made = replace(made, dates=replace(made.dates, stub=Stub.IN_PAYMENTS))
    prices = [
        Price(3, annual_ppm=draw(st.integers(1, 240_000)), method=draw(st.sampled_from(Method))),
        Price(4, fee_ppm=draw(st.integers(0, 60_000))),
        Price(12, annual_ppm=draw(st.integers(1, 240_000)), method=draw(st.sampled_from(Method))),
    ]
    return replace(made, instalments=replace(made.instalments, prices=tuple(prices), single=True))


@settings(max_examples=examples(60, 2000), deadline=None)
@given(
    offered(),
    st.integers(10_000_000, 10**9),
    st.dates(date(2026, 9, 3), date(2030, 1, 1)),
    st.sampled_from([0, 1]),
)
def test_whatever_terms_a_product_has_its_plans_add_up(
    product: Product, amount_minor: int, on: date, share: int
) -> None:
    assert product.dates is not None
    most = replace(product.instalments, merchant_share_max_ppm=1_000_000)
    product = replace(product, instalments=most)
    for option in price_options(product, product.dates, amount_minor, on, share * 400_000):
        plan = option.plan
        assert len(plan.principal_parts) == len(plan.due_on) == option.tenor, "a tenor counts all parts"
        assert sum(plan.principal_parts) == amount_minor
        assert all(
            minor > 0
            or (part == (product.dates.down_payment_ppm > 0) and product.dates.stub is Stub.INTEREST_ONLY)
            for part, minor in enumerate(plan.instalments_minor)
        ), "only the interest of a first period by itself may round to nothing"
        assert min(plan.principal_parts) >= 0
        assert sum(one.amount_minor for one in option.instalments) == amount_minor + option.total_cost_minor
        assert list(plan.due_on) == sorted(plan.due_on)
        dates = product.dates.of(option.tenor)
        assert [dates.due_on(on, part) for part in range(option.tenor)] == list(plan.due_on), (
            "of the draw too"
        )
        bills = [dates.bill_on(on, part) for part in range(option.tenor)]
        assert all(bill_on <= due_on for bill_on, due_on in zip(bills, plan.due_on, strict=True))
        rates = option.rates
        assert min(rates.annualised_ppm, rates.effective_ppm, rates.eu_ppm) >= 0
        multiple_minor = product.rounding.instalment_multiple_minor if option.tenor > 1 else 1
        terms = terms_of(product, product.dates, option.tenor, share * 400_000)
        assert terms is not None
        odd = [part for part in plan.instalments_minor if part % multiple_minor]
        extra = terms.has_interest_only + bool(product.rounding.interest) + option.tenor * bool(share)
        assert len(odd) <= max(extra, 1) + option.tenor * (terms.method is Method.EQUAL_PRINCIPAL)
    assert preview(product, amount_minor, on, Mode.ORDER, 0, None) is not None


@settings(max_examples=examples(12, 200), deadline=None)
@given(offered())
def test_such_a_product_may_be_offered(product: Product) -> None:
    multiple_minor, dates = product.rounding.instalment_multiple_minor, product.dates
    assert dates is not None
    found = [one for one in check(product) if "lead_days" not in one.path]
    assert found == [], found
    less = least_amount(12, multiple_minor, dates.down_payment_ppm) - 1
    small = replace(product, instalments=replace(product.instalments, minimum_minor=less))
    assert [one.path for one in check(small) if "lead_days" not in one.path] == ["instalments.minimum_minor"]


def test_the_ceiling_holds_on_the_dearest_day() -> None:
    """Bills on the 1st, due on the 10th: bought on the 2nd of a long month, the first period is 39 days long."""
    prices = (Price(3, annual_ppm=200_000),)
    monthly = shipped("monthly_bill").product
    instalments = replace(monthly.instalments, prices=prices, day_count=DayCount.ACTUAL_365)
    chosen = replace(monthly, instalments=instalments, tiers=())
    dated = replace(chosen, due_days=None)
    by_months = replace(dated, instalments=replace(instalments, day_count=DayCount.THIRTY_360))
    assert abs(highest_rate_ppm(by_months) - 200_000) < 100
    highest = highest_rate_ppm(dated)
    assert 225_000 < highest < 240_000
    dearest = max(
        option.annualised_rate_ppm
        for days in range(366)
        for option in price_options(dated, Cycle(1, 10), 10**10, date(2027, 1, 1) + timedelta(days=days))
    )
    assert abs(highest - dearest) < 10
    assert highest_rate_ppm(chosen) > highest, (
        "due on the 20th, which may be chosen, the period is longer yet"
    )
    capped = replace(dated, interest=replace(dated.interest, annualised_max_ppm=highest - 1))
    assert [one.path for one in check(capped)] == ["instalments.prices[0].annual_ppm"]


@pytest.mark.parametrize(
    ("day_count", "interest"),
    [
        # 1,000,000.00 at 36 % a year; January of 2028 has 31 days and ends in a leap year as it began in one
        (DayCount.THIRTY_360, 30_000_00),
        (DayCount.ACTUAL_360, 31_000_00),
        (DayCount.ACTUAL_365, 30_575_34),
        (DayCount.ACTUAL_366, 30_491_80),
        (DayCount.ACTUAL_ACTUAL_ISDA, 30_491_80),
        (DayCount.THIRTY_365, 29_589_04),
    ],
)
def test_a_count_of_days_says_what_part_of_a_year_a_month_is(day_count: DayCount, interest: int) -> None:
    dates = Dates(Every(months=1), Every(months=1))
    product = replace(
        with_terms(STUDY.product, day_count, RoundingRules()),
        dates=dates,
        instalments=replace(
            STUDY.product.instalments, day_count=day_count, prices=(Price(2, annual_ppm=360_000),)
        ),
    )
    terms = terms_of(product, dates, 2)
    assert terms is not None
    assert schedule(terms, 1_000_000_00, date(2028, 1, 1)).interest_parts[0] == interest


@pytest.mark.parametrize(
    ("rounding", "first"),
    [(Rounding.HALF_EVEN, 50), (Rounding.HALF_UP, 51), (Rounding.DOWN, 50), (Rounding.UP, 51)],
)
def test_interest_of_a_period_is_rounded_as_the_file_says(rounding: Rounding, first: int) -> None:
    """50.50 at 1 % a month: 50.5 fen."""
    dates = Dates(Every(months=1), Every(months=1))
    instalments = replace(STUDY.product.instalments, prices=(Price(2, annual_ppm=120_000),))
    product = replace(
        STUDY.product, dates=dates, instalments=instalments, rounding=RoundingRules(interest=rounding)
    )
    terms = terms_of(product, dates, 2)
    assert terms is not None
    assert schedule(terms, 50_50, date(2026, 9, 3)).interest_parts[0] == first


def test_a_down_payment_is_the_first_part_and_bears_nothing() -> None:
    dates = Dates(Every(months=1), Every(months=1), lead_days=7, down_payment_ppm=300_000)
    instalments = replace(STUDY.product.instalments, prices=(Price(4, annual_ppm=120_000),))
    product = replace(STUDY.product, dates=dates, instalments=instalments)
    (option,) = price_options(product, dates, 1_000_00, date(2026, 9, 3))
    assert option.plan.principal_parts[0] == 300_00 and option.plan.interest_parts[0] == 0
    assert option.plan.due_on == (date(2026, 9, 4), date(2026, 10, 3), date(2026, 11, 3), date(2026, 12, 3))
    assert option.plan.interest_parts[1] == 7_00, "of 700.00"
    assert abs(option.annualised_rate_ppm - 120_000) < 200, "what is paid at once was never lent"
    (whole, *_) = price_options(
        replace(product, instalments=replace(instalments, single=True)), dates, 1_000_00, date(2026, 9, 3)
    )
    assert whole.plan.due_on == (date(2026, 10, 3),), "what is not split has none"
    shown = preview(product, 1_000_00, date(2026, 9, 3), Mode.ORDER, 0, None)
    assert shown is not None
    assert [row.bill_on for row in shown.schedules[0].rows][:2] == [date(2026, 9, 4), date(2026, 9, 26)]


def test_a_long_first_period_may_be_paid_by_itself() -> None:
    dates = Dates(Every(days=45), Every(months=1), stub=Stub.INTEREST_ONLY)
    instalments = replace(STUDY.product.instalments, prices=(Price(3, annual_ppm=120_000),))
    product = replace(STUDY.product, dates=dates, instalments=instalments)
    (option,) = price_options(product, dates, 1_000_00, date(2026, 9, 3))
    assert option.plan.principal_parts[0] == 0
    assert option.plan.interest_parts == (15_00, 10_00, 5_02)
    assert len(option.plan.due_on) == 3


@pytest.mark.parametrize("tenor", [2, 3, 7])
@pytest.mark.parametrize("day_count", sorted(OF_DATES))
def test_what_comes_after_a_long_first_period_bears_its_own_days(tenor: int, day_count: DayCount) -> None:
    dates = Dates(Every(days=45), Every(months=1), stub=Stub.INTEREST_ONLY)
    instalments = replace(
        STUDY.product.instalments, prices=(Price(tenor, annual_ppm=120_000),), day_count=day_count
    )
    product = replace(STUDY.product, dates=dates, instalments=instalments)
    terms = terms_of(product, dates, tenor)
    assert terms is not None
    plan = schedule(terms, 10**10, date(2027, 1, 1))
    left = 10**10
    for part, (begins, ends) in enumerate(pairwise((date(2027, 1, 1), *plan.due_on))):
        a_day = plan.interest_parts[part] / left / (ends - begins).days
        assert 0.12 / 366 * 0.9 < a_day < 0.12 / 360 * 1.1, part
        left -= plan.principal_parts[part]
    assert abs(annualised_rate_ppm(plan) - 120_000) < 12_000
