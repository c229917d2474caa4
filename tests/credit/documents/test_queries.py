"""Explanations and papers of rows that were lived through: refunds, late payments, one that was taken back."""

import csv
import io
from datetime import date

import pytest
from msgspec.structs import replace
from tests.credit.bill_plans.test_bill_plans import split
from tests.credit.conftest import TWO_LENDERS, House, make_house, shared_product
from tests.credit.documents.test_explain import by_code, holds, opened

from wufeng import credit
from wufeng.base.database import Database
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.credit.documents.bill import bill_csv
from wufeng.credit.documents.queries import (
    load_bill_paper,
    show_explained_bill,
    show_explained_plan,
    show_explained_repayment,
)
from wufeng.credit.documents.steps import Explained, Why
from wufeng.credit.draws.model import draw_id
from wufeng.credit.products.model import Product
from wufeng.credit.queries import Reading, load_bill, load_draw, load_repayment
from wufeng.credit.views import PlanView
from wufeng.identity import Merchants


async def test_refunds_and_late_payments_are_explained_too(house: House) -> None:
    payer = await house.payer(wallet_minor=500_000)
    returned = await house.buy(payer, 100_000)
    await house.buy(payer, 60_000, tenor=3)
    await house.turn_to(date(2026, 10, 1))
    await house.refund(payer, returned, 30_000)
    await house.turn_to(date(2026, 10, 20))
    paid = await house.repay(payer, 20_000)
    await house.turn_to(date(2026, 11, 1))
    second, first = sorted(await house.bills(payer), key=lambda bill: bill.issued_on, reverse=True)
    changed = {}
    async with house.database.read() as db:
        read = Reading(db, house.book, house.products, house.on, "zh")
        for view in (first, second):
            bill, line = await load_bill(read, decode(Prefix.BILL, view.id))
            explained = await show_explained_bill(read, bill, line)
            found = by_code(explained.amounts)
            for one in explained.amounts:
                holds(one)
            assert (found[Why.TOTAL].amount_minor, found[Why.MINIMUM].amount_minor) == (
                view.total_minor,
                view.minimum_minor,
            )
            steps = [step for one in explained.amounts for step in opened(one)]
            changed[view.id] = [step.amount_minor for step in steps if step.code is Why.REFUNDED]
            assert not [step for step in steps if step.code is Why.ADJUSTED], "the refund is named"
            rows = list(
                csv.reader(
                    io.StringIO(bill_csv(await load_bill_paper(read, bill, line, Merchants())).decode())
                )
            )
            assert int(rows[-1][4]) == view.total_minor == sum(int(row[4]) for row in rows[1:-1])
        repayment = await load_repayment(read, decode(Prefix.REPAYMENT, paid.id))
        (whole,) = (await show_explained_repayment(read, repayment)).amounts
    assert changed == {first.id: [-30_000], second.id: []}, "the refund alone"
    holds(whole)
    assert [(step.part, step.days_past_due, step.amount_minor) for step in whole.steps] == [
        ("fee", 10, 500),
        ("principal", 10, 19_500),
    ]


async def test_a_plan_is_explained_by_the_version_tier_and_share_of_its_own_draw(house: House) -> None:
    payer = await house.payer(
        wallet_minor=300_000, product="order_instalments", mode=credit.Mode.BILL, tier="preferred"
    )
    whole = draw_id(await house.buy(payer, 100_000))
    bought = draw_id(await house.buy(payer, 60_000, tenor=3, merchant_share_ppm=400_000))
    house.products.add([dearer(house.products.version("order_instalments", 3))])
    await house.turn_to(date(2026, 10, 3))
    split_up = await split(house, payer)
    assert isinstance(split_up, PlanView)
    await house.turn_to(date(2026, 11, 3))
    bill, *_ = sorted(await house.bills(payer), key=lambda bill: bill.issued_on, reverse=True)
    async with house.database.read() as db:
        read = Reading(db, house.book, house.products, house.on, "zh")
        total = (
            await show_explained_bill(read, *await load_bill(read, decode(Prefix.BILL, bill.id)))
        ).amounts[0]
        plans = [
            await show_explained_plan(read, *await load_draw(read, id_))
            for id_ in (bought, decode(Prefix.DRAW, split_up.draw))
        ]
        with pytest.raises(Problem):
            await show_explained_plan(read, *await load_draw(read, whole))
    for one in (total, *(one for plan in plans for one in plan.amounts)):
        holds(one)
        assert not [step for step in opened(one) if step.code is Why.CHANGED]
    prices = {step.of: price_of(step) for part in total.steps for step in part.steps if price_of(step)}
    assert prices == {encode(Prefix.DRAW, bought): 5_000, split_up.draw: 6_000}, (
        "each by its own version and tier"
    )
    assert [one.amount_minor for one in plans[1].amounts[:3]] == [
        one.amount_minor for one in split_up.instalments
    ]
    fees = next(step for step in plans[0].amounts[0].steps if step.code is Why.INSTALMENT_FEE)
    assert "商户承担 9.00 × 40%，四舍六入五成双到分，为 3.60，余 5.40" in fees.sentence


DATED = (
    (shared_product().split("[[tiers]]")[0] + TWO_LENDERS)
    .replace("{ tenor = 3, fee_ppm = 25_000 }", "{ tenor = 3, annual_ppm = 150_000 }")
    .replace(
        "prices = [\n    { tenor = 3, annual", 'day_count = "actual_365"\nprices = [\n    { tenor = 3, annual'
    )
)
"""A plan in three by a yearly rate and the days between due dates."""


async def test_a_plan_made_before_its_due_day_moved_is_explained_by_the_days_of_then(
    database: Database,
) -> None:
    house = await make_house(database, date(2026, 9, 3), source=DATED)
    payer = await house.payer(wallet_minor=500_000)
    before = draw_id(await house.buy(payer, 300_000, tenor=3))
    await house.do(house.change(credit.SetDueDay, payer, due_day=20))
    after = draw_id(await house.buy(payer, 120_000, tenor=3))
    await house.turn_to(date(2026, 9, 28))
    settled = await house.repay(payer, plan=after)
    await house.turn_to(date(2026, 10, 1))
    (view,) = await house.bills(payer)
    async with house.database.read() as db:
        read = house.reading(db)
        bill = await show_explained_bill(read, *await load_bill(read, decode(Prefix.BILL, view.id)))
        plan = await show_explained_plan(read, *await load_draw(read, before))
        paid = await load_repayment(read, decode(Prefix.REPAYMENT, settled.id))
        receipt = await show_explained_repayment(read, paid)
    steps = [step for one in (bill, plan, receipt) for amount in one.amounts for step in opened(amount)]
    assert not [step for step in steps if step.code in (Why.CHANGED, Why.ADJUSTED)]
    interest = next(step for step in opened(plan.amounts[0]) if step.code is Why.PERIOD_INTEREST)
    assert (interest.days, interest.amount_minor) == (37, 4_562), "3 September to 10 October"
    assert [(one.days, one.period_days) for one in steps if one.code is Why.PLAN_DAYS][-1] == (25, 47)
    await house.lanes.drain()


def dearer(product: Product) -> Product:
    """A later version whose preferred price is 0.1% a period more."""
    (tier,) = product.tiers
    assert tier.prices is not None
    prices = tuple(
        replace(price, fee_period_ppm=(price.fee_period_ppm or 0) + 1_000) for price in tier.prices
    )
    return replace(
        product, version=4, effective_from=date(2026, 9, 15), tiers=(replace(tier, prices=prices),)
    )


def price_of(step: Explained) -> int | None:
    """The price a period that a fee was taken by; None: it is no fee."""
    return next(
        (
            each.whole.steps[0].share_ppm
            for each in step.steps
            if each.whole and step.code is Why.INSTALMENT_FEE
        ),
        None,
    )


async def test_what_was_overpaid_before_is_told_as_that(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 10_000)
    await house.repay(payer, 60_000)
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 1))
    await house.repay(payer, 20_000)
    (view,) = await house.bills(payer)
    for language, told in (("en", "in your favour"), ("zh", "你名下余款")):
        async with house.database.read() as db:
            read = Reading(db, house.book, house.products, house.on, language)
            explained = await show_explained_bill(read, *await load_bill(read, decode(Prefix.BILL, view.id)))
        paid = by_code(explained.amounts)[Why.PAID]
        holds(paid)
        assert [(one.code, one.amount_minor) for one in paid.steps] == [
            (Why.REPAID, 20_000),
            (Why.CREDIT_BALANCE, 50_000),
        ]
        assert told in paid.sentence
