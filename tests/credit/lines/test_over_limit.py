"""What is still used of a raise that is over is part of the least payment of the bill after it (PRODUCTS.md 2.3)."""

from datetime import date
from uuid import UUID

import pytest
from tests.credit.conftest import House, Payer
from tests.credit.history.test_rewriting import assert_rows_are_the_fold, reversing

from wufeng import credit
from wufeng.base.database import Connection
from wufeng.base.errors import Problem
from wufeng.credit.lines.model import Actor
from wufeng.credit.repayments.model import Source, SourceKind


async def test_the_bill_after_a_raise_asks_for_what_is_above_the_limit_once(house: House) -> None:
    payer = await house.payer(wallet_minor=1_000_000, limit_minor=100_000)
    raised = house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=date(2026, 9, 20))
    await house.do(raised)
    await house.buy(payer, 115_000)
    await house.turn_to(date(2026, 10, 1))
    (bill,) = await house.bills(payer)
    assert bill.minimum_minor == 11_500 + 15_000
    await house.turn_to(date(2026, 10, 9))
    late = house.repaying(payer, 1_000, source=Source(SourceKind.EXTERNAL, None), value_on=date(2026, 10, 3))
    await house.do(late)
    (bill,) = await house.bills(payer)
    assert bill.minimum_minor == 11_500 + 15_000, "a history folded again knows it too"
    await house.repay(payer, 26_500)
    await house.turn_to(date(2026, 11, 1))
    assert (await house.bills(payer))[-1].minimum_minor < 26_500, "no later bill asks again"
    await house.prove(payer)


EXTERNAL = Source(SourceKind.EXTERNAL, None)


async def raised(house: House) -> tuple[Payer, UUID]:
    """Somebody who has used 150.00 of a raise that is over before their bill."""
    payer = await house.payer(wallet_minor=1_000_000, limit_minor=100_000)
    await house.do(house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=date(2026, 9, 20)))
    return payer, await house.buy(payer, 115_000)


@pytest.mark.parametrize("is_refund", [True, False])
@pytest.mark.parametrize("is_late", [True, False])
async def test_what_comes_late_but_counts_from_before_the_bill_leaves_nothing_above_the_limit(
    house: House, is_refund: bool, is_late: bool
) -> None:
    payer, payment = await raised(house)
    await house.turn_to(date(2026, 9, 25))
    if is_late:
        await house.turn_to(date(2026, 10, 5))
        assert (await house.bills(payer))[-1].minimum_minor == 11_500 + 15_000
        if is_refund:
            await house.refund_late(payer, payment, 20_000, date(2026, 9, 25))
        else:
            await house.do(house.repaying(payer, 20_000, source=EXTERNAL, value_on=date(2026, 9, 25)))
    else:
        await (house.refund(payer, payment, 20_000) if is_refund else house.repay(payer, 20_000))
        await house.turn_to(date(2026, 10, 5))
    assert (await house.bills(payer))[-1].minimum_minor == 9_500
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_what_bounces_leaves_more_above_the_limit(house: House) -> None:
    payer, _ = await raised(house)
    await house.turn_to(date(2026, 9, 25))
    repaid = await house.do(house.repaying(payer, 20_000))
    assert repaid.object_id is not None
    await house.turn_to(date(2026, 10, 5))
    assert (await house.bills(payer))[-1].minimum_minor == 9_500
    await house.do(reversing(house, payer, repaid.object_id))
    assert (await house.bills(payer))[-1].minimum_minor == 11_500 + 15_000
    await assert_rows_are_the_fold(house, payer)


async def test_a_bill_of_which_nothing_is_left_asks_again_if_something_is(house: House) -> None:
    payer, _ = await raised(house)
    await house.turn_to(date(2026, 10, 5))
    repaid = await house.do(house.repaying(payer, 115_000, source=EXTERNAL, value_on=date(2026, 9, 25)))
    assert repaid.object_id is not None
    (bill,) = await house.bills(payer)
    assert (bill.total_minor, bill.minimum_minor) == (0, 0)
    await assert_rows_are_the_fold(house, payer)
    await house.do(reversing(house, payer, repaid.object_id))
    assert (await house.bills(payer))[-1].minimum_minor == 11_500 + 15_000
    await assert_rows_are_the_fold(house, payer)


async def test_lowering_the_limit_adds_nothing_to_what_a_raise_asks_for(house: House) -> None:
    stays, during, after, repaid = [
        await house.payer(wallet_minor=1_000_000, limit_minor=500_000) for _ in range(4)
    ]
    for payer in (stays, during, after, repaid):
        await house.do(house.change(credit.SetLimit, payer, limit_minor=600_000, until_on=date(2026, 9, 10)))
        await house.buy(payer, 550_000)
    await house.do(house.change(credit.SetLimit, during, Actor.PERSON, limit_minor=100_000))
    await house.turn_to(date(2026, 9, 12))
    for payer in (after, repaid):
        await house.do(house.change(credit.SetLimit, payer, Actor.PERSON, limit_minor=100_000))
    assert (await house.line(after)).over_limit_minor == 50_000
    await house.repay(repaid, 50_000)
    assert (await house.line(repaid)).over_limit_minor == 0
    await house.turn_to(date(2026, 10, 2))
    least = [(await house.bills(payer))[-1].minimum_minor for payer in (stays, during, after)]
    assert least == [55_000 + 50_000] * 3
    await house.prove(stays, during, after, repaid)


async def in_daily_use(house: House) -> tuple[Payer, UUID]:
    """Somebody who has used 150.00 of a raise that is over before a bill of the minimum alone."""
    payer = await house.payer(wallet_minor=1_000_000, limit_minor=100_000, product="daily_interest")
    await house.do(house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=date(2026, 9, 20)))
    payment = await house.buy(payer, 115_000)
    await house.turn_to(date(2026, 10, 1))
    return payer, payment


async def asked(house: House, payer: Payer) -> int:
    """Principal that the newest bill's minimum asks for."""
    bill = (await house.bills(payer))[-1]
    return bill.minimum_minor - sum(part.amount_minor for part in bill.parts if part.kind == "interest")


async def test_a_bill_of_the_minimum_alone_takes_what_is_above_the_limit_too(house: House) -> None:
    payer, payment = await in_daily_use(house)
    assert await asked(house, payer) == 11_500 + 15_000
    await house.refund(payer, payment, 5_000)
    assert await asked(house, payer) == 11_000 + 10_000
    await assert_rows_are_the_fold(house, payer)
    await house.turn_to(date(2026, 10, 5))
    await house.do(house.repaying(payer, 15_000, source=EXTERNAL, value_on=date(2026, 9, 25)))
    # 10.12 of it pays the interest of 22 days, so 960.12 was used less the refund; nothing was above the limit.
    assert await asked(house, payer) == 9_602
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_a_bill_of_the_minimum_alone_of_an_earlier_release_asks_for_its_share(
    house: House, owner: Connection
) -> None:
    payer, payment = await in_daily_use(house)
    # As that release had issued it: it had taken the share, the rest stayed with the draw.
    await owner.execute(
        "update bill set over_limit_used_minor = null, single_minor = 11500, minimum_minor = minimum_minor - 15000,"
        " item_principal = '{11500}' where bucket = $1",
        house.bucket,
    )
    await owner.execute(
        "update draw set principal_parts = '{11500,103500}', unbilled_minor = 103500 where bucket = $1",
        house.bucket,
    )
    await assert_rows_are_the_fold(house, payer)
    await house.refund(payer, payment, 5_000)
    assert await asked(house, payer) == 11_000
    await assert_rows_are_the_fold(house, payer)
    await house.turn_to(date(2026, 10, 5))
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 10, 3)))
    assert await asked(house, payer) == 11_000
    await assert_rows_are_the_fold(house, payer)


@pytest.mark.parametrize("how", ["before_the_bill", "in_time", "dated_back"])
async def test_a_refund_lowers_what_was_used_not_what_a_raise_had_allowed(house: House, how: str) -> None:
    payer = await house.payer(wallet_minor=1_000_000, limit_minor=100_000)
    await house.do(house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=date(2026, 9, 20)))
    await house.buy(payer, 115_000)
    repaid = await house.do(house.repaying(payer, 100_000, source=EXTERNAL))
    assert repaid.object_id is not None
    payment = await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 9, 10))
    await house.do(reversing(house, payer, repaid.object_id))
    await house.turn_to(date(2026, 9, 25))
    if how == "before_the_bill":
        await house.refund(payer, payment, 50_000)
    await house.turn_to(date(2026, 10, 2))
    if how == "in_time":
        await house.refund(payer, payment, 50_000)
    if how == "dated_back":
        assert not isinstance(await house.refund_late(payer, payment, 50_000, date(2026, 9, 25)), Problem)
    (bill,) = await house.bills(payer)
    assert (bill.total_minor, bill.minimum_minor) == (165_000, 16_500 + 20_000)
    await assert_rows_are_the_fold(house, payer)
