"""Whatever has happened, each amount opens down to facts: what was bought and paid, and what the product says.

Each leaf is worked out again from the figures that it names, or looked up in the life that it tells of.
"""

from collections.abc import Iterator
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.documents.lives import Life, Month, product
from tests.credit.documents.test_explain import CAPPED, DAILY, MONTHLY, amounts
from tests.credit.documents.test_planned import worked_out
from tests.thorough import examples

from wufeng.base.ids import Prefix, decode, id_of
from wufeng.credit.bills.model import Bill
from wufeng.credit.documents.explain import explain_bill, explain_plan
from wufeng.credit.documents.planned import planned
from wufeng.credit.documents.receipt import explain_repayment
from wufeng.credit.documents.refund import RefundFacts, Told, explain_refund
from wufeng.credit.documents.steps import Explained, Why, comes_to
from wufeng.credit.products.model import Method, Price, Product
from wufeng.credit.rates.model import DayCount
from wufeng.credit.refunds.model import EffectKind

YEARLY = replace(
    MONTHLY,
    instalments=replace(
        MONTHLY.instalments, prices=tuple(Price(tenor, annual_ppm=180_000) for tenor in (3, 6))
    ),
)
DATED = replace(
    YEARLY,
    instalments=replace(
        YEARLY.instalments,
        day_count=DayCount.ACTUAL_365,
        prices=(
            Price(3, annual_ppm=180_000),
            Price(6, annual_ppm=180_000, method=Method.EQUAL_PRINCIPAL),
        ),
    ),
)
"""Whose plans cost other interest with another due day."""

months = st.lists(
    st.builds(
        Month,
        st.lists(st.tuples(st.integers(2, 28), amounts, st.sampled_from([1, 3, 6])), max_size=3),
        st.lists(st.tuples(st.integers(2, 28), st.one_of(st.just(0), amounts)), max_size=2),
        st.lists(st.tuples(st.integers(2, 28), st.integers(0, 3)), max_size=1),
        st.lists(st.tuples(st.integers(2, 28), st.sampled_from([5, 10, 15, 20, 28])), max_size=1),
    ),
    min_size=1,
    max_size=5,
)


def told(life: Life, language: str = "en") -> Iterator[Explained]:
    """Every amount of every bill, receipt and plan."""
    for bill_id in life.items:
        yield from explain_bill(life.sources(bill_id), language)
    plans = life.plans()
    for repayment in life.repayments:
        rows = (repayment, life.bills, life.draws, life.product)
        yield from explain_repayment(*rows, "CNY", language, plans, life.cycle_of(repayment))
    for id_, plan in plans.items():
        yield from explain_plan(life.draws[id_], plan, "CNY", language, life.repayments)


def everything(one: Explained) -> Iterator[Explained]:
    yield one
    for step in (*one.steps, *((one.whole,) if one.whole is not None else ())):
        yield from everything(step)


def is_fact(life: Life, leaf: Explained) -> bool:
    """Whether a leaf is a rate, a day and a balance that give its amount, or an event of the life."""
    if (found := worked_out(leaf)) is not None:
        return found == (leaf.amount_minor if leaf.amount_minor is not None else leaf.amount_micro)
    match leaf.code:
        case Why.SEGMENT:
            micro = max((leaf.balance_minor or 0) * (leaf.daily_ppm or 0), (leaf.least_minor or 0) * 10**6)
            return leaf.amount_micro == micro * (leaf.days or 0)
        case Why.PRINCIPAL_SHARE:
            return leaf.amount_micro == (leaf.balance_minor or 0) * (leaf.share_ppm or 0)
        case Why.PRINCIPAL_WHOLE:
            return leaf.balance_minor == leaf.amount_minor
        case Why.PURCHASE | Why.PRINCIPAL:
            return leaf.amount_minor in {draw.amount_minor for draw in life.draws.values()}
        case Why.REPAID | Why.SAVED:
            return decode(Prefix.REPAYMENT, leaf.of or "") in {one.id for one in life.repayments}
        case Why.BY_WATERFALL:
            return leaf.order is not None and leaf.order[(leaf.place or 0) - 1] == leaf.part
        case Why.ANNUITY:
            return leaf.annual_ppm is not None and leaf.balance_minor is not None
    return leaf.code in SUMS


SUMS = {
    Why.CAP,
    Why.LEVELLED,
    Why.EARLIER_PARTS,
    Why.LESS_FEE,
    Why.LESS_INTEREST,
    Why.BILLED_OTHERWISE,
    Why.ELSEWHERE,
    Why.NOT_BILLED_YET,
    Why.MISSED,
    Why.CARRIED,
    Why.INSTALMENTS,
    Why.INSTALMENT_FEES,
    Why.INSTALMENT_INTEREST,
    Why.INSTALMENT_FEE,
    Why.INTEREST,
    Why.BEFORE_BILL,
    Why.SURPLUS,
    Why.PLAN_PART,
}
"""Amounts that are told whole where they stand, and opened in another place of the same bill or plan."""


@settings(max_examples=examples(60, 1_000), deadline=None)
@given(st.sampled_from([MONTHLY, DAILY, CAPPED, YEARLY, DATED]), months)
def test_each_amount_opens_down_to_facts(terms: Product, lived: list[Month]) -> None:
    life = Life(terms)
    life.live(lived)
    for one in told(life):
        for each in everything(one):
            assert each.sentence
            if each.steps:
                assert comes_to(each.steps, each.rounding) == each.amount_minor, each
            elif each.whole is None:
                assert is_fact(life, each), each


@settings(max_examples=examples(60, 1_000), deadline=None)
@given(months)
def test_a_bill_of_the_minimum_tells_the_share_of_what_was_used(lived: list[Month]) -> None:
    life = Life(DAILY)
    life.live(lived)
    for bill_id in life.items:
        sources = life.sources(bill_id)
        minimum = next(one for one in explain_bill(sources, "zh") if one.code is Why.MINIMUM)
        asked = [step for step in minimum.steps if step.code in (Why.PRINCIPAL_SHARE, Why.PRINCIPAL_WHOLE)]
        issued = sum(item.principal_minor for item in sources.items.items)
        assert comes_to(asked, minimum.rounding) == issued


def test_a_plan_settled_between_two_due_dates_pays_the_days_that_have_passed() -> None:
    """12,000.00 in 6 at 18%, bought on 3 September, settled on the 20th: of the first period 17 of 37 days."""
    life = Life(YEARLY)
    life.live([Month([(3, 1_200_000, 6)], settled=[(20, 0)])])
    (repayment,) = life.repayments
    plan = planned(next(iter(life.draws.values())), life.line, YEARLY)
    for language, words in (("zh", "× 17/37 天"), ("en", "× 17/37 days")):
        whole, saved = explain_repayment(
            repayment, life.bills, life.draws, YEARLY, "CNY", language, {plan.draw_id: plan}
        )
        charged = whole.steps[0]
        (days,) = charged.steps
        assert (days.code, days.days, days.period_days) == (Why.PLAN_DAYS, 17, 37)
        assert days.whole is not None and days.whole.amount_minor == 18_000
        assert days.amount_minor == round(Fraction(18_000 * 17, 37)) == 8_270
        assert words in charged.sentence
        assert {step.code for step in whole.steps[1:]} == {Why.BEFORE_BILL}
        first = saved.steps[0]
        assert first.amount_minor == 18_000 - 8_270
        assert [step.code for step in first.steps] == [Why.INSTALMENT_INTEREST, Why.PLAN_DAYS]


def test_a_plan_settled_after_its_due_day_moved_runs_by_the_new_one_at_the_price_of_the_old() -> None:
    """12,000.00 in 3 at 18% by days: 37 of them to 10 October when it was bought, 47 to the 20th when settled."""
    life = Life(DATED)
    life.live([Month([(3, 1_200_000, 3)], settled=[(20, 0)], moved=[(4, 20)])])
    (plan,) = life.plans().values()
    (repayment,) = life.repayments
    rows = (repayment, life.bills, life.draws, DATED)
    whole, saved = explain_repayment(*rows, "CNY", "en", life.plans(), life.cycle_of(repayment))
    (days,) = whole.steps[0].steps
    assert (days.days, days.period_days) == (17, 47)
    assert plan.interest_of(0) == round(Fraction(1_200_000 * 18 * 37, 100 * 365)) == 21_896
    assert days.amount_minor == round(Fraction(21_896 * 17, 47)) == 7_920
    assert saved.steps[0].amount_minor == 21_896 - 7_920


def test_a_plan_that_is_settled_says_that_it_was_chosen() -> None:
    life = Life(product())
    life.live([Month([(3, 30_000, 3)], settled=[(5, 0)])])
    (whole, saved) = explain_repayment(life.repayments[0], life.bills, life.draws, life.product, "CNY", "en")
    assert all(step.sentence.startswith("This plan was settled early") for step in whole.steps)
    assert saved.amount_minor == 750


def bill_of(life: Life) -> Bill:
    return list(life.bills.values())[-1]


def test_what_was_paid_of_a_purchase_before_its_bill_stands_on_it() -> None:
    life = Life(MONTHLY)
    life.live([Month([(3, 10_000, 1)], [(9, 4_000)])])
    total = explain_bill(life.sources(bill_of(life).id), "zh")[0]
    (purchase,) = total.steps[0].steps
    assert purchase.sentence == "消费 100.00，其中计入本账单 60.00"
    assert [(step.code, step.amount_minor) for step in purchase.steps] == [
        (Why.PURCHASE, 10_000),
        (Why.REPAID, -4_000),
    ]


def test_a_small_balance_is_asked_for_whole_and_says_why() -> None:
    life = Life(DAILY)
    life.live([Month([(3, 8_000, 1)])])
    minimum = explain_bill(life.sources(bill_of(life).id), "en")[1]
    assert "principal 80.00 is no more than 100.00: all of it" in minimum.sentence
    life = Life(DAILY)
    life.live([Month([(3, 80_005, 1)])])
    minimum = explain_bill(life.sources(bill_of(life).id), "en")[1]
    assert "principal 800.05 × 10%, rounded up, is 80.01" in minimum.sentence


def test_a_refund_says_where_each_piece_went_and_who_gave_it() -> None:
    effects = [
        Told(EffectKind.BILL, 4_000, "bil_1"),
        Told(EffectKind.INSTALMENT, 5_000, "drw_1"),
        Told(EffectKind.RETURNED, 1_200, "wal_1"),
    ]
    facts = RefundFacts(id=id_of(7), amount_minor=10_000, charges_minor=200, effects=effects)
    whole, made_of = explain_refund(facts, "CNY", "zh")
    assert [(step.of, step.amount_minor) for step in whole.steps] == [
        ("bil_1", 4_000),
        ("drw_1", 5_000),
        ("wal_1", 1_200),
    ]
    assert whole.steps[1].sentence == "尚未入账的各期，从最后一期起往前减少 50.00"
    assert (whole.amount_minor, made_of.amount_minor) == (10_200, 10_200)
    assert made_of.sentence == "共 102.00 = 商户退回 100.00 + 已付的分期息费退回 2.00"
    english, _ = explain_refund(facts, "CNY", "en")
    assert english.steps[2].sentence == "What had been paid goes back to where it came from, 12.00"
