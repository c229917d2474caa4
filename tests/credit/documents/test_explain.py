"""Explained amounts: each is what its steps come to, and a life without refunds leaves nothing to `adjusted`."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.credit.documents.lives import Life, Month, later, product
from tests.thorough import examples

from wufeng.base.ids import Prefix, decode, encode
from wufeng.credit.accruals.model import Segment
from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.bills.model import Bill
from wufeng.credit.documents.explain import (
    explain_bill,
    stretches,
)
from wufeng.credit.documents.receipt import explain_repayment
from wufeng.credit.documents.steps import Explained, Why, comes_to
from wufeng.credit.products.model import Product
from wufeng.credit.repayments.model import RepaymentStatus
from wufeng.credit.waterfall.model import Processing

MONTHLY = product()
DAILY = product("daily_interest")
CAPPED = replace(MONTHLY, interest=replace(MONTHLY.interest, late_least_minor=30, late_most_ppm=20_000))
BY_PART = replace(MONTHLY, repayment=replace(MONTHLY.repayment, processing=Processing.VERTICAL))

amounts = st.integers(1_000, 2_000_000)
months = st.lists(
    st.builds(
        Month,
        st.lists(st.tuples(st.integers(2, 28), amounts, st.sampled_from([1, 1, 3, 6])), max_size=3),
        st.lists(st.tuples(st.integers(2, 28), st.one_of(st.just(0), amounts)), max_size=3),
    ),
    min_size=1,
    max_size=5,
)


def opened(one: Explained) -> Iterator[Explained]:
    """An amount and all that it opens into."""
    yield one
    for step in one.steps:
        yield from opened(step)


def holds(one: Explained) -> None:
    for each in opened(one):
        assert each.sentence, each
        assert (each.amount_minor is None) is (each.amount_micro is not None)
        if each.steps:
            assert comes_to(each.steps, each.rounding) == each.amount_minor, each


def billed_before(life: Life, bill: Bill, interest: Explained) -> bool:
    """Whether what the interest of a bill is lessened by is what earlier bills and repayments had charged of it."""
    if interest.code not in (Why.BILL_INTEREST, Why.DRAW_INTEREST):
        return True
    earlier = [life.items[id_] for id_, one in life.bills.items() if one.issued_on < bill.issued_on]
    taken = [(billed.of, billed.amount_minor) for items in earlier for billed in items.interest]
    taken += [
        (piece.bill or piece.draw, piece.amount_minor)
        for repayment in life.repayments
        if repayment.value_on < bill.issued_on
        for piece in repayment.allocation
        if piece.part in ("late_interest", "daily_interest")
    ]
    of = decode(Prefix.BILL if interest.code is Why.BILL_INTEREST else Prefix.DRAW, interest.of or "")
    less = [step.amount_minor or 0 for step in interest.steps if step.code is Why.BILLED_OTHERWISE]
    return sum(amount for one, amount in taken if one == of) == -sum(less)


def by_code(explained: tuple[Explained, ...]) -> dict[Why, Explained]:
    return {one.code: one for one in explained}


@settings(max_examples=examples(50, 600), deadline=None)
@given(st.sampled_from([MONTHLY, DAILY, CAPPED]), months, st.integers(0, 70), st.sampled_from(["zh", "en"]))
def test_every_amount_of_every_bill_is_explained_to_the_fen(
    terms: Product, lived: list[Month], days: int, language: str
) -> None:
    life = Life(terms)
    life.live(lived)
    on = later(life.on, days if life.debt.bills else 0)
    for bill_id in life.items:
        sources = life.sources(bill_id, on)
        bill = sources.bill
        explained = explain_bill(sources, language)
        for one in explained:
            holds(one)
            assert not [each for each in opened(one) if each.code is Why.ADJUSTED], one
        found = by_code(explained)
        assert all(billed_before(life, bill, one) for part in found[Why.TOTAL].steps for one in part.steps)
        assert found[Why.TOTAL].amount_minor == bill.total_minor
        assert found[Why.MINIMUM].amount_minor == bill.minimum_minor
        accrued = found.get(Why.ACCRUED)
        assert (accrued.amount_minor if accrued else 0) == interest_to_bill(bill, on)
        assert (found[Why.PAID].amount_minor if Why.PAID in found else 0) == bill.paid_minor
        assert Why.PAID not in found or all(step.code is Why.REPAID for step in found[Why.PAID].steps)


@settings(max_examples=examples(50, 600), deadline=None)
@given(st.sampled_from([MONTHLY, DAILY, CAPPED, BY_PART]), months)
def test_every_piece_of_every_repayment_is_explained_to_the_fen(terms: Product, lived: list[Month]) -> None:
    life = Life(terms)
    life.live(lived)
    for repayment in life.repayments:
        whole, *saved = explain_repayment(repayment, life.bills, life.draws, terms, "CNY", "zh")
        for one in (whole, *saved):
            holds(one)
        assert whole.amount_minor == repayment.amount_minor
        kept = [piece for piece in repayment.allocation if piece.part != "fee_dropped"]
        assert [step.amount_minor for step in whole.steps] == [piece.amount_minor for piece in kept]
        assert sum(one.amount_minor or 0 for one in saved) == repayment.saved_minor
        placed = [step for step in whole.steps if step.code is Why.BY_WATERFALL]
        for before, after in pairwise(placed):
            assert before.of != after.of or (before.place or 0) < (after.place or 0)


def h1() -> tuple[Life, Bill]:
    """PRODUCTS.md, H1: 1,000.00 billed on 1 October, half paid on the due date, the rest on the 15th."""
    life = Life(MONTHLY)
    life.live([Month([(3, 100_000, 1)])])
    life.on = date(2026, 10, 10)
    life.repay(50_000)
    life.on = date(2026, 10, 15)
    life.repay(0)
    return life, next(iter(life.bills.values()))


def test_late_interest_opens_into_balance_rate_and_days() -> None:
    life, bill = h1()
    total = by_code(explain_bill(life.sources(bill.id), "zh"))[Why.TOTAL]
    assert total.sentence == "账单总额 1,001.25 = 消费 1,000.00 + 本账单自身的利息 1.25"
    late = total.steps[-1]
    assert (late.code, late.amount_minor, late.rounding) == (Why.LATE_INTEREST, 125, "half_even")
    (step,) = late.steps
    assert (step.balance_minor, step.daily_ppm, step.days) == (50_000, 500, 5)
    assert (step.since_on, step.until_on, step.amount_micro) == (
        date(2026, 10, 10), date(2026, 10, 15), 125_000_000
    )  # fmt: skip
    assert step.sentence == "500.00 × 每日 0.05% × 5 天（2026-10-11 至 2026-10-15）= 1.25"
    english = by_code(explain_bill(life.sources(bill.id), "en"))[Why.TOTAL].steps[-1]
    assert english.sentence == (
        "Interest 1.25 since the due date: 500.00 × 0.05% a day × 5 days (2026-10-11 to 2026-10-15) = 1.25"
    )


def test_the_minimum_opens_into_its_share_rounded_up() -> None:
    life = Life(MONTHLY)
    life.live([Month([(3, 99_995, 1), (4, 30_000, 3)])])
    (bill,) = life.bills.values()
    minimum = by_code(explain_bill(life.sources(bill.id), "zh"))[Why.MINIMUM]
    assert [(step.code, step.amount_minor, step.amount_micro) for step in minimum.steps] == [
        (Why.PRINCIPAL_SHARE, None, 99_995 * 100_000),
        (Why.INSTALMENTS, 10_000, None),
        (Why.INSTALMENT_FEES, 250, None),
    ]
    assert minimum.amount_minor == 10_000 + 10_250
    assert "本金 999.95 × 10%，向上取整到分，为 100.00" in minimum.sentence


def test_a_repayment_says_by_which_rule_each_piece_was_placed() -> None:
    life, bill = h1()
    (first, *_), (second, *_) = (
        explain_repayment(one, life.bills, life.draws, MONTHLY, "CNY", "zh") for one in life.repayments
    )
    (piece,) = first.steps
    assert (piece.code, piece.part, piece.days_past_due, piece.place) == (Why.BY_WATERFALL, "principal", 0, 3)
    assert piece.of == encode(Prefix.BILL, bill.id)
    assert piece.sentence == (
        "先还最早的账单：2026-10-01 账单未逾期，顺序为费用、利息、本金；第 3 位本金，还 500.00"
    )
    late, charged = second.steps
    assert (late.days_past_due, late.amount_minor) == (5, 50_000)
    assert (charged.code, charged.part, charged.amount_minor) == (Why.CHARGED_NOW, "late_interest", 125)
    assert charged.steps[0].days == 5


def test_principal_comes_first_from_day_91_on() -> None:
    life = Life(MONTHLY)
    life.live([Month([(3, 100_000, 1)]), Month(), Month(), Month()])
    life.on = date(2027, 1, 9)  # 91 days past 10 October
    life.repay(1_000)
    (whole,) = explain_repayment(life.repayments[0], life.bills, life.draws, MONTHLY, "CNY", "en")
    piece = whole.steps[0]
    assert (piece.part, piece.days_past_due, piece.place) == ("principal", 91, 1)
    assert piece.order == ("principal", "interest", "fee")


def test_what_was_changed_since_is_a_step_of_its_own() -> None:
    life = Life(MONTHLY)
    life.live([Month([(3, 100_000, 1)])])
    (bill,) = life.bills.values()
    life.bills[bill.id] = replace(bill, single_minor=70_000)  # 300.00 were refunded
    purchases = by_code(explain_bill(life.sources(bill.id), "zh"))[Why.TOTAL].steps[0]
    assert [(step.code, step.amount_minor) for step in purchases.steps] == [
        (Why.PURCHASE, 100_000),
        (Why.ADJUSTED, -30_000),
    ]
    assert purchases.sentence == (
        "1 笔消费，共 700.00（消费 1,000.00 + 其后退款、冲正或转分期的调整 −300.00）"
    )


@pytest.mark.parametrize("status", [RepaymentStatus.PENDING, RepaymentStatus.FAILED])
def test_money_that_has_not_come_paid_nothing(status: RepaymentStatus) -> None:
    life, _ = h1()
    waiting = replace(life.repayments[0], status=status, allocation=())
    (whole,) = explain_repayment(waiting, {}, {}, MONTHLY, "CNY", "zh")
    assert (whole.amount_minor, whole.steps) == (50_000, ())


def test_a_plan_settled_early_says_what_it_saved() -> None:
    life = Life(MONTHLY)
    life.live([Month([(3, 30_000, 3)])])
    life.repay(0)
    whole, saved = explain_repayment(life.repayments[0], life.bills, life.draws, MONTHLY, "CNY", "zh")
    assert [step.code for step in whole.steps][-2:] == [Why.BEFORE_BILL, Why.BEFORE_BILL]
    assert (saved.code, saved.amount_minor) == (Why.SAVED, 500)
    assert saved.steps[0].sentence == "分期已提前还清，第 2 期的费用免收：2.50"


def test_stretches_end_at_the_date_and_go_on_where_nothing_changed() -> None:
    _, bill = h1()
    september = [date(2026, 9, day) for day in (1, 5, 9, 20)]
    same, more, none = (
        Segment(*september[:2], 100, 5),
        Segment(*september[1:3], 100, 5),
        Segment(*september[2:], 0, 5),
    )
    earned = replace(bill, segments=(same, more, none), daily_ppm=0)
    assert stretches(earned, date(2026, 9, 7)) == [Segment(september[0], date(2026, 9, 7), 100, 5)]
    assert stretches(earned, date(2026, 9, 30)) == [Segment(september[0], september[2], 100, 5)]
    assert stretches(earned, september[0]) == []


def test_a_product_that_pays_part_by_part_speaks_of_no_oldest_bill() -> None:
    """Two bills with fees: the fees of both are paid before the principal of the first."""
    life = Life(BY_PART)
    life.live([Month([(3, 90_000, 3)]), Month([(3, 90_000, 3)])])
    life.on = date(2026, 11, 15)
    life.repay(40_000)
    said = []
    for language in ("zh", "en"):
        (whole, *_) = explain_repayment(life.repayments[-1], life.bills, life.draws, BY_PART, "CNY", language)
        placed = [step for step in whole.steps if step.code is Why.BY_WATERFALL]
        assert [step.part for step in placed] == ["fee", "fee", "interest", "principal", "principal"]
        assert [step.of for step in placed][:2] == [encode(Prefix.BILL, id_) for id_ in life.bills]
        said.append(placed[1].sentence)
    assert said == [
        "逾期的各期账单在先，逐项还，一项还清再还下一项，顺序为费用、利息、本金；"
        "第 1 位费用，2026-11-01 账单（已逾期 5 天）还 15.00",
        "Overdue bills come first, one part on all of them before the next, in the order fees, interest, principal; "
        "number 1, fees, of the bill of 2026-11-01, 5 days past due, took 15.00",
    ]
