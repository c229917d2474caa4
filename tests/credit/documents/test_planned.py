"""Plans explained: for each shipped product, tier, tenor, amount and share, the steps give what the draw stores.

Each step is worked out again from the figures that it names, by other arithmetic than the plan's own.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from math import ceil, floor
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.credit.documents.lives import CYCLE, Life, Month, product
from tests.credit.documents.test_explain import by_code, holds
from tests.thorough import examples

from wufeng.base.ids import id_of
from wufeng.credit.documents.explain import explain_bill, explain_plan
from wufeng.credit.documents.planned import Planned, planned
from wufeng.credit.documents.steps import Explained, Why
from wufeng.credit.draws.model import Draw, DrawRequest
from wufeng.credit.draws.rules import approve_part, born
from wufeng.credit.lines.model import Line, LineState, LineStatus
from wufeng.credit.plans.rules import OF_DATES, least_amount
from wufeng.credit.products.dates import Stub
from wufeng.credit.products.files import shipped_products
from wufeng.credit.products.model import (
    STANDARD,
    Levelling,
    Method,
    Price,
    Product,
    Remainder,
    Rounding,
    RoundingRules,
)
from wufeng.credit.rates.model import DayCount
from wufeng.identity.merchants.model import Scene

ON = date(2026, 9, 3)
SHIPPED = [
    one.product.at_tier(tier)
    for one in shipped_products()
    for tier in (STANDARD, *(tier.code for tier in one.product.tiers))
]
PRICED = [one for one in SHIPPED if any(tenor > 1 for tenor in one.tenors)]


class Bought(Struct, frozen=True):
    """A draw as it is stored, with the line and the product that it was made by."""

    draw: Draw
    line: Line
    product: Product

    @property
    def plan(self) -> Planned:
        return planned(self.draw, self.line, self.product)

    def explained(self, language: str = "en") -> tuple[Explained, ...]:
        return explain_plan(self.draw, self.plan, "CNY", language)


def bought(terms: Product, tenor: int, amount_minor: int, share_ppm: int = 0) -> Bought:
    line = Line(
        id=id_of(1),
        person_id=id_of(2),
        product=terms.id,
        product_version=terms.version,
        currency="CNY",
        lenders=((UUID(int=9), 1_000_000),),
        limit_minor=10**12,
        status=LineStatus.OPEN,
        bill_day=None if terms.dates else CYCLE.bill_day,
        due_day=None if terms.dates else CYCLE.due_day,
        opened_on=date(2026, 9, 1),
    )
    request = DrawRequest(
        id=id_of(3),
        line_id=line.id,
        payment_id=id_of(4),
        merchant_id=id_of(5),
        amount_minor=amount_minor,
        scene=Scene.RETAIL,
        tenor=tenor,
        merchant_share_ppm=share_ppm,
    )
    draw = born(approve_part(LineState(line, 0, 0), request, terms, ON), terms, ON)
    assert draw.tenor == tenor
    return Bought(draw, line, terms)


@st.composite
def purchases(draw: st.DrawFn) -> Bought:
    """A purchase by a shipped price, or by another of any kind on the days of a shipped product."""
    terms = draw(st.sampled_from(PRICED))
    if draw(st.booleans()):
        kinds = st.one_of(
            st.builds(dict, fee_ppm=st.integers(0, 150_000)),
            st.builds(dict, fee_period_ppm=st.integers(1, 12_000)),
            st.builds(dict, annual_ppm=st.integers(1, 240_000), method=st.sampled_from(Method)),
        )
        price = Price(draw(st.integers(2, 36)), **draw(kinds))
        instalments = replace(
            terms.instalments,
            prices=(price,),
            remainder=draw(st.sampled_from(Remainder)),
            merchant_share_max_ppm=1_000_000,
        )
        terms = replace(terms, instalments=instalments)
        terms = draw(st.one_of(st.just(terms), in_another_way(terms)))
    tenor = draw(st.sampled_from([tenor for tenor in terms.tenors if tenor > 1]))
    down_ppm = terms.dates.down_payment_ppm if terms.dates is not None else 0
    multiple_minor = terms.rounding.instalment_multiple_minor
    least_minor = max(terms.instalments.minimum_minor, 10_000, least_amount(tenor, multiple_minor, down_ppm))
    amount_minor = draw(st.integers(least_minor, max(5_000_000, 3 * least_minor)))
    most_ppm = terms.instalments.merchant_share_max_ppm
    share_ppm = draw(st.one_of(st.just(0), st.just(most_ppm), st.integers(0, most_ppm)))
    return bought(terms, tenor, amount_minor, share_ppm)


@st.composite
def in_another_way(draw: st.DrawFn, terms: Product) -> Product:
    """A product with another count of days and rounding, and with parts beside its instalments."""
    (price,) = terms.instalments.prices
    rounding = RoundingRules(
        draw(st.sampled_from([1, 100, 5_000])),
        draw(st.sampled_from(Levelling)),
        draw(st.sampled_from(Rounding)),
    )
    dates = terms.dates
    if dates is not None and price.tenor > 2:
        stub = draw(st.sampled_from(Stub)) if dates.has_stub else Stub.IN_PAYMENTS
        dates = replace(dates, down_payment_ppm=draw(st.sampled_from([0, 300_000])), stub=stub)
    day_count = draw(st.sampled_from(sorted(OF_DATES)))
    return replace(
        terms,
        instalments=replace(terms.instalments, day_count=day_count),
        rounding=rounding,
        dates=dates,
    )


def everything(one: Explained) -> Iterator[Explained]:
    """An amount, its steps, and the wholes that they are shares of."""
    yield one
    for step in (*one.steps, *((one.whole,) if one.whole is not None else ())):
        yield from everything(step)


def worked_out(step: Explained) -> int | None:
    """A step by its own figures, in fractions; None where it is a given amount or a sum of steps."""
    balance, ppm, multiple = step.balance_minor or 0, step.share_ppm or 0, step.multiple_minor or 1
    match step.code:
        case Why.SHARE:
            assert step.whole is not None and step.whole.amount_minor is not None and step.tenor
            whole, others = step.whole.amount_minor, step.tenor - 1
            equal = round(Fraction(whole, step.tenor * multiple)) * multiple
            equal = whole // (step.tenor * multiple) * multiple if equal * others > whole else equal
            return equal if step.remainder is None else whole - others * equal
        case Why.FEE_OF_AMOUNT:
            return balance * ppm
        case Why.FEE_A_PERIOD:
            return (step.tenor or 0) * round(Fraction(balance * ppm, 10**6))
        case Why.MERCHANT_SHARE:
            return -round(Fraction(balance * ppm, 10**6))
        case Why.DOWN_PAYMENT:
            return round(Fraction(balance * ppm, 10**6 * multiple)) * multiple
        case Why.PERIOD_INTEREST | Why.FLAT_INTEREST:
            years = Fraction(step.days or 0, step.year_days or 0) + Fraction(step.leap_days or 0, 366)
            interest = balance * Fraction(step.annual_ppm or 0, 10**6) * years
            assert step.rounding is not None
            return ROUNDED[step.rounding](interest)
        case Why.ANNUITY if step.days is None:
            rate, count = Fraction(step.annual_ppm or 0, 12 * 10**6), step.tenor or 0
            return round(balance * rate / (1 - (1 + rate) ** -count) / multiple) * multiple
    return None


ROUNDED: Mapping[Rounding, Callable[[Fraction], int]] = {
    Rounding.HALF_EVEN: round,
    Rounding.HALF_UP: lambda number: floor(number + Fraction(1, 2)),
    Rounding.DOWN: floor,
    Rounding.UP: ceil,
}


def stored(draw: Draw, part: int) -> dict[Why, int]:
    amounts = {
        Why.INSTALMENT: draw.principal_parts[part],
        Why.INSTALMENT_FEE: draw.fee_of(part),
        Why.INSTALMENT_INTEREST: draw.interest_of(part),
    }
    return {code: amount for code, amount in amounts.items() if amount}


@settings(max_examples=examples(300, 4000), deadline=None)
@given(purchases())
def test_each_part_is_what_its_steps_come_to(one: Bought) -> None:
    parts = [each for each in one.explained() if each.code is Why.PLAN_PART]
    assert len(parts) == one.draw.tenor
    for number, part in enumerate(parts):
        holds(part)
        assert {step.code: step.amount_minor for step in part.steps} == stored(one.draw, number)
        for step in (each for item in part.steps for each in everything(item)):
            assert step.code is not Why.CHANGED, "nothing was paid early or refunded"
            if step.whole is not None:
                holds(step.whole)
            found = worked_out(step)
            amount = step.amount_minor if step.amount_minor is not None else step.amount_micro
            assert found is None or found == amount, step
        assert all(item.steps for item in part.steps), "no amount is told without its formula"
    costs = [each.amount_minor for each in one.explained() if each.code is Why.PLAN_COST]
    cost_minor = sum(one.draw.fee_parts) + sum(one.draw.interest_parts)
    assert costs == ([cost_minor] if cost_minor else [])


@settings(max_examples=examples(60, 600), deadline=None)
@given(purchases())
def test_each_part_is_told_in_both_languages_with_its_figures(one: Bought) -> None:
    chinese, english = one.explained("zh"), one.explained("en")
    for zh, en in zip(chinese, english, strict=True):
        for each, other in zip(everything(zh), everything(en), strict=True):
            assert re.search(r"[一-鿿]", each.sentence) and not re.search(r"[一-鿿]", other.sentence)
            figures = r"\d+\.\d\d(?!\d)"
            assert set(re.findall(figures, each.sentence)) == set(re.findall(figures, other.sentence))
            assert {**_figures(each)} == {**_figures(other)}


def _figures(one: Explained) -> dict[str, object]:
    return {
        name: getattr(one, name)
        for name in one.__struct_fields__
        if name not in ("sentence", "steps", "whole")
    }


@settings(max_examples=examples(40, 400), deadline=None)
@given(
    st.lists(
        st.builds(
            Month,
            st.lists(
                st.tuples(st.integers(2, 28), st.integers(10_000, 2_000_000), st.sampled_from([3, 6, 12])),
                min_size=1,
                max_size=2,
            ),
            st.lists(st.tuples(st.integers(2, 28), st.integers(0, 500_000)), max_size=1),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_each_instalment_on_each_bill_opens_into_its_formula(lived: list[Month]) -> None:
    life = Life(product())
    life.live(lived)
    for bill_id, items in life.items.items():
        sources = life.sources(bill_id)
        found = by_code(explain_bill(sources, "zh"))[Why.TOTAL].steps
        kinds = (Why.INSTALMENTS, Why.INSTALMENT_FEES)
        told = [step for kind in found if kind.code in kinds for step in kind.steps]
        for step in told:
            holds(step)
            assert any(each.code is Why.SHARE for each in step.steps)
            assert "尾差" in step.sentence or "÷" in step.sentence
        asked = sum(bool(item.principal_minor) + bool(item.fee_minor) for item in items.items)
        assert len(told) == asked


def words(one: Bought, number: int, language: str) -> list[str]:
    return [step.sentence for step in one.explained(language)[number - 1].steps]


def test_a_fee_is_told_from_the_price_to_the_fen() -> None:
    """PRODUCTS.md, H2: 1,299.00 in 3 at 2.5% is 443.83, 443.83, 443.82."""
    one = bought(product(), 3, 129_900)
    assert words(one, 1, "zh") == [
        "第 1/3 期本金 433.00：本金 1,299.00 + 手续费 32.48 = 1,331.48；"
        "1,331.48 ÷ 3 期，四舍六入五成双到分，为 443.83；减去本期手续费 10.83",
        "第 1/3 期手续费 10.83：本金 1,299.00 × 费率 2.5% = 32.475，四舍六入五成双到分，为 32.48；"
        "32.48 ÷ 3 期，四舍六入五成双到分，为 10.83",
    ]
    assert words(one, 3, "en") == [
        "Instalment 3 of 3, principal 433.00: principal 1,299.00 + fee 32.48 = 1,331.48; "
        "1,331.48 − 2 × 443.83 = 443.82: the last instalment carries the remainder; less its fee 10.82",
        "Instalment 3 of 3, fee 10.82: principal 1,299.00 × 2.5% = 32.475, rounded half to even, is 32.48; "
        "32.48 − 2 × 10.83 = 10.82: the last instalment carries the remainder",
    ]
    assert one.explained("zh")[0].sentence == "第 1/3 期应付 443.83 = 分期本金 433.00 + 分期手续费 10.83"


def test_the_merchants_share_is_taken_off_before_the_fee_is_split() -> None:
    one = bought(product(), 3, 129_900, 400_000)
    assert (
        "the merchant carries 32.48 × 40%, rounded half to even, 12.99; 19.49 is left"
        in (words(one, 1, "en")[1])
    )
    assert sum(one.draw.fee_parts) == 1_949


def test_a_yearly_rate_is_told_by_balance_rate_and_days() -> None:
    one = bought(product("study_now"), 6, 1_000_000)
    interest = next(step for step in one.explained()[1].steps if step.code is Why.INSTALMENT_INTEREST)
    (step,) = interest.steps
    assert (step.balance_minor, step.annual_ppm, step.days, step.year_days) == (
        1_000_000 - one.draw.principal_parts[0],
        90_000,
        30,
        360,
    )
    first = words(one, 1, "zh")
    assert "未还本金 10,000.00 × 年利率 9% × 180/360，四舍六入五成双到分，为 450.00" in first[1]
    assert "等额本息：10,000.00 按年利率 9% 分 6 期，首期计息 180/360" in first[0]
    assert "and this one takes the rest" in words(one, 6, "en")[0]


@pytest.mark.parametrize("method", Method)
def test_days_of_a_leap_year_are_told_apart(method: Method) -> None:
    terms = product()
    prices = (Price(24, annual_ppm=120_000, method=method),)
    instalments = replace(terms.instalments, prices=prices, day_count=DayCount.ACTUAL_ACTUAL_ISDA)
    one = bought(replace(terms, instalments=instalments), 24, 100_000)
    said = {step.days: step for part in one.explained() for each in part.steps for step in everything(each)}
    spans = "(22/365 + 9/366)" if method is not Method.FLAT else "(485/365 + 253/366)"
    step = said[22 if method is not Method.FLAT else 485]
    assert spans in step.sentence and worked_out(step) == step.amount_minor


def test_a_down_payment_is_told_as_a_share_of_the_price() -> None:
    terms = product("study_now")
    assert terms.dates is not None
    one = bought(replace(terms, dates=replace(terms.dates, down_payment_ppm=300_000)), 6, 1_000_000)
    assert words(one, 1, "en") == [
        "Instalment 1 of 6, principal 3,000.00: down payment 10,000.00 × 30%, rounded half to even, is 3,000.00"
    ]
    assert "首付 10,000.00 × 30%" in words(one, 1, "zh")[0]
    assert "未还本金 7,000.00" in words(one, 2, "zh")[1]


@pytest.mark.parametrize("tier", [STANDARD, *(tier.code for tier in product("order_instalments").tiers)])
def test_the_price_is_that_of_the_lines_tier(tier: str) -> None:
    terms = product("order_instalments").at_tier(tier)
    price = terms.price(6)
    assert price is not None
    one = bought(terms, 6, 200_000)
    fee = next(step for step in one.explained()[0].steps if step.code is Why.INSTALMENT_FEE)
    (share,) = fee.steps
    assert share.whole is not None
    assert share.whole.steps[0].share_ppm == price.fee_period_ppm


def test_what_was_refunded_since_is_a_step_of_its_own() -> None:
    one = bought(product(), 3, 129_900)
    draw = replace(one.draw, principal_parts=(43_300, 43_300, 0), fee_parts=(1_083, 1_083, 0))
    *_, last, cost = explain_plan(draw, one.plan, "CNY", "zh")
    assert (last.amount_minor, last.steps, last.sentence) == (0, (), "第 3/3 期无须还款")
    assert cost.amount_minor == 2_166
    less = explain_plan(replace(one.draw, principal_parts=(43_300, 43_300, 3_300)), one.plan, "CNY", "zh")[2]
    holds(less)
    assert [(step.code, step.amount_minor) for step in less.steps[0].steps][-1] == (Why.CHANGED, -40_000)
