"""Refunds that count from an earlier date: what came since then is told again, and the rest goes back."""

from datetime import date, timedelta

import pytest
from tests.credit.conftest import House, Payer, make_house, shared_product, shipped
from tests.credit.history.test_rewriting import (
    BUYING,
    EXTERNAL,
    LINES,
    START,
    assert_rows_are_the_fold,
    reversing,
    split_newest,
    told_rows,
)

from wufeng import credit, ledger
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode
from wufeng.credit.lines.model import LineStatus
from wufeng.credit.repayments.model import Target
from wufeng.identity.merchants.model import Scene
from wufeng.ledger import AccountKind


async def favour(house: House, payer: Payer) -> int:
    assert payer.line_id is not None
    return -await house.balance(payer.line_id, AccountKind.LINE_CREDIT_BALANCE)


@pytest.mark.parametrize("kind", list(LINES))
@pytest.mark.parametrize("given_on", [date(2026, 10, 8), date(2026, 10, 31), date(2026, 11, 10)])
@pytest.mark.parametrize("merchants_fault", [False, True])
async def test_a_line_whose_refund_is_told_late_ends_up_as_the_other(
    house: House, kind: str, given_on: date, merchants_fault: bool
) -> None:
    """Over a due date or a bill, something bought and money that came: nothing had been paid that went back."""
    timely, late = [await house.payer(limit_minor=1_000_000, **LINES[kind]) for _ in range(2)]
    bought = {}
    for payer in (timely, late):
        await house.buy(payer, 80_001, **BUYING.get(kind, {"tenor": 1}))
        share = {} if kind == "daily_interest" else {"merchant_share_ppm": 400_000}
        bought[payer.id] = await house.buy(payer, 123_457, **BUYING.get(kind, {"tenor": 3, **share}))
    await house.turn_to(given_on)
    await house.refund(timely, bought[timely.id], 50_005, merchants_fault=merchants_fault)
    later = (
        (3, 7, 12) if kind == "order_instalments" else (3, 17, 35)
    )  # there a bill comes only if it has something
    for days in later:
        await house.turn_to(given_on + timedelta(days=days))
        for payer in (timely, late):
            await house.repay(payer, 7_777 + days, source=EXTERNAL)
    done = await house.refund_late(late, bought[late.id], 50_005, given_on, merchants_fault=merchants_fault)
    assert not isinstance(done, Problem)
    for days in (0, 30, 75):
        await house.turn_to(given_on + timedelta(days=later[-1] + days))
        assert await told_rows(house, timely) == await told_rows(house, late), house.on
        for payer in (timely, late):
            await assert_rows_are_the_fold(house, payer)
    for payer in (timely, late):
        await house.repay(payer, Target.ALL, source=EXTERNAL)
    assert await told_rows(house, timely) == await told_rows(house, late)
    await house.prove(timely, late)


async def test_late_interest_is_as_if_less_had_been_owed_from_then_on(house: House) -> None:
    """PRODUCTS.md 2.2, after overdue."""
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 11, 2))
    charged = (await house.bills(payer))[1].total_minor
    done = await house.refund_late(payer, payment, 100_000, date(2026, 10, 15))
    assert not isinstance(done, Problem)
    (_, second) = await house.bills(payer)
    assert charged > 1_000
    assert second.total_minor == 250  # five days of 1,000.00 at 0.05 %
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_what_had_been_paid_goes_back_today_and_the_history_knows(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, 50_000)
    await house.turn_to(date(2026, 10, 20))
    wallet_minor = await house.wallet(payer)
    done = await house.refund_late(payer, payment, 30_000, date(2026, 10, 2))
    assert not isinstance(done, Problem)
    assert done.returned_minor == 30_000 == await house.wallet(payer) - wallet_minor
    assert await favour(house, payer) == 0
    await assert_rows_are_the_fold(house, payer)
    await house.turn_to(date(2026, 10, 25))
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 10, 21)))
    assert await favour(house, payer) == 1_000
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_what_has_gone_back_and_is_not_there_any_more_is_owed(house: House) -> None:
    """The repayment that had left it over bounces: so much of the refund has not lowered the debt."""
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 10, 5))
    paid = await house.repay(payer, 50_000)
    await house.turn_to(date(2026, 10, 20))
    done = await house.refund_late(payer, payment, 30_000, date(2026, 10, 2))
    assert not isinstance(done, Problem) and done.returned_minor == 30_000
    await house.turn_to(date(2026, 10, 22))
    await house.do(reversing(house, payer, decode(Prefix.REPAYMENT, paid.id)))
    assert (await house.line(payer)).used_minor == 50_000
    await assert_rows_are_the_fold(house, payer)
    await house.turn_to(date(2026, 10, 23))
    await house.do(house.repaying(payer, 50_000, source=EXTERNAL, value_on=date(2026, 10, 5)))
    line = await house.line(payer)
    assert (line.used_minor, await favour(house, payer)) == (0, 0)
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_a_refund_dated_before_the_loss_was_taken(house: House) -> None:
    """The loss stays taken: it is as much less, and what was recovered pays what is left of it."""
    payer = await house.payer(wallet_minor=900_000)
    payment = await house.buy(payer, 100_000)
    await house.buy(payer, 60_000)
    await house.turn_to(date(2027, 5, 1))
    assert payer.line_id is not None
    lost_minor = await house.balance(payer.line_id, AccountKind.LINE_CHARGED_OFF)
    await house.repay(payer, 40_000)
    done = await house.refund_late(payer, payment, 100_000, date(2026, 10, 20))
    assert not isinstance(done, Problem) and done.returned == ()
    assert 0 < await house.balance(payer.line_id, AccountKind.LINE_CHARGED_OFF) < lost_minor - 140_000
    await assert_rows_are_the_fold(house, payer)
    await house.followers.catch_up()
    report = await ledger.verify(house.database, [house.bucket], [credit.accrual_breaks])
    assert report.breaks == ()


async def test_what_was_recovered_of_a_loss_that_would_not_have_been_goes_back(house: House) -> None:
    payer = await house.payer(wallet_minor=900_000)
    payment = await house.buy(payer, 100_000)
    await house.turn_to(date(2027, 5, 1))
    await house.repay(payer, 40_000)
    done = await house.refund_late(payer, payment, 100_000, date(2026, 10, 20))
    assert not isinstance(done, Problem)
    assert done.returned_minor == 40_000 - 500  # ten days of interest were owed
    assert payer.line_id is not None
    assert (await house.line(payer)).status is LineStatus.CLOSED  # it waited to be
    assert await house.balance(payer.line_id, AccountKind.LINE_CHARGED_OFF) == 0
    await house.prove(payer)


@pytest.mark.parametrize("value_on", [date(2026, 9, 2), date(2026, 10, 21)])
async def test_neither_in_the_future_nor_before_the_line(house: House, value_on: date) -> None:
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 10, 20))
    refused = await house.refund_late(payer, payment, 30_000, value_on)
    assert isinstance(refused, Problem) and refused.code is Code.INVALID_FIELD
    await assert_rows_are_the_fold(house, payer)


async def test_a_purchase_that_is_undone_leaves_no_fee_though_its_product_keeps_them(
    database: Database,
) -> None:
    """Part of it was refunded before: what was kept then stays kept."""
    source = shared_product().replace("[instalments]", '[instalments]\nrefund_fees = "kept"')
    house = await make_house(database, START, "kept", source)
    undone, halved = [await house.payer(wallet_minor=300_000) for _ in range(2)]
    bought = {payer.id: await house.buy(payer, 90_000, tenor=3) for payer in (undone, halved)}
    await house.turn_to(date(2026, 10, 5))
    for payer in (undone, halved):
        await house.repay(payer, Target.BILLED)
    assert not isinstance(
        await house.refund_late(undone, bought[undone.id], 90_000, START, undone=True), Problem
    )
    await house.refund(halved, bought[halved.id], 45_000)
    assert not isinstance(
        await house.refund_late(halved, bought[halved.id], 45_000, START, undone=True), Problem
    )
    await house.turn_to(date(2027, 1, 20))
    assert await house.wallet(undone) == 300_000
    assert (await house.line(undone)).used_minor == (await house.line(halved)).used_minor == 0
    for payer in (undone, halved):
        await assert_rows_are_the_fold(house, payer)
    await house.prove(undone, halved)
    await house.lanes.drain()


@pytest.mark.parametrize("told", ["undone", "refund", "repayment"])
async def test_a_bill_of_which_nothing_is_left_keeps_its_days_of_grace(database: Database, told: str) -> None:
    house = await make_house(database, START, "grace", shipped("study_now").source)
    payer = await house.payer(wallet_minor=900_000, limit_minor=400_000, product="study_now")
    bought = [
        await house.buy(payer, amount_minor, tenor=6, scene=Scene.EDUCATION)
        for amount_minor in (60_000, 30_000)
    ]
    for _ in range(2):
        next_on = (await house.line(payer)).next_bill_on
        assert next_on is not None
        await house.turn_to(next_on)
    if told == "repayment":
        late = [await house.send(house.repaying(payer, 300_000, source=EXTERNAL, value_on=START))]
    else:
        late = [
            await house.refund_late(payer, of, amount_minor, START, undone=told == "undone")
            for of, amount_minor in zip(bought, (60_000, 30_000), strict=True)
        ]
    assert not any(isinstance(one, Problem) for one in late)
    await assert_rows_are_the_fold(house, payer)


async def test_a_bill_of_which_nothing_is_left_keeps_what_was_above_the_limit(house: House) -> None:
    payer = await house.payer(wallet_minor=1_000_000, limit_minor=100_000)
    await house.do(house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=date(2026, 9, 20)))
    bought = await house.buy(payer, 115_000)
    await house.turn_to(date(2026, 10, 5))
    done = await house.refund_late(payer, bought, 115_000, START, undone=True)
    assert not isinstance(done, Problem)
    await assert_rows_are_the_fold(house, payer)


@pytest.mark.parametrize("is_sent_back", [True, False])
async def test_late_money_finds_a_plan_that_took_what_a_refund_had_not_lowered(
    house: House, is_sent_back: bool
) -> None:
    """A refund sent money back that bounced after it: so much of it has not lowered the debt, and a plan took it."""
    payer = await house.payer(wallet_minor=900_000, limit_minor=400_000)
    bought = await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 9, 10))
    paid = await house.repay(payer, 50_000)
    await house.turn_to(date(2026, 9, 20))
    if is_sent_back:
        done = await house.refund_late(payer, bought, 30_000, date(2026, 9, 12))
        assert not isinstance(done, Problem)
        assert done.returned_minor == 30_000
    await house.turn_to(date(2026, 9, 21))
    await house.buy(payer, 80_000)
    await house.turn_to(date(2026, 9, 25))
    await house.do(reversing(house, payer, decode(Prefix.REPAYMENT, paid.id)))
    await house.turn_to(date(2026, 10, 3))
    await split_newest(house, payer)
    late = await house.send(house.repaying(payer, 130_000, source=EXTERNAL, value_on=date(2026, 9, 22)))
    assert not isinstance(late, Problem)
    await assert_rows_are_the_fold(house, payer)
