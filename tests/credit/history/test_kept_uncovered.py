"""Money of a refund went back, and nothing covers it any more: what a plan of the debt has taken over stays so."""

from datetime import date

import pytest
from tests.credit.conftest import House, Payer
from tests.credit.history.test_rewriting import (
    EXTERNAL,
    assert_rows_are_the_fold,
    reversing,
    split_newest,
)

from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, decode
from wufeng.ledger import AccountKind


async def with_plans(house: House, count: int, *, timely: bool) -> list[Payer]:
    """People who bought for 500.00, repaid it, got 200.00 back as of the 12th of September, and bought for 800.00. The
    repayment bounced, and all of their bill of October was put into a plan. timely: it went back on the 12th, else on
    the 20th.
    """
    payers = [await house.payer(wallet_minor=900_000, limit_minor=400_000) for _ in range(count)]
    payments = [await house.buy(payer, 50_000) for payer in payers]
    await house.turn_to(date(2026, 9, 10))
    repaid = [await house.repay(payer, 50_000) for payer in payers]
    await house.turn_to(date(2026, 9, 12 if timely else 20))
    for payer, payment in zip(payers, payments, strict=True):
        if timely:
            await house.refund(payer, payment, 20_000)
        else:
            assert not isinstance(await house.refund_late(payer, payment, 20_000, date(2026, 9, 12)), Problem)
    await house.turn_to(date(2026, 9, 21))
    for payer, repayment in zip(payers, repaid, strict=True):
        await house.buy(payer, 80_000)
        await house.do(reversing(house, payer, decode(Prefix.REPAYMENT, repayment.id)))
    await house.turn_to(date(2026, 10, 3))
    for payer in payers:
        await split_newest(house, payer)
        await assert_rows_are_the_fold(house, payer)
    await house.turn_to(date(2026, 10, 8))
    return payers


@pytest.mark.parametrize("timely", [False, True])
async def test_money_that_comes_late_stands_in_favour_beside_the_plan(house: House, *, timely: bool) -> None:
    tellings = [(date(2026, 9, day), minor) for day in (4, 11, 13, 22) for minor in (5_000, 60_000, 130_000)]
    payers = await with_plans(house, len(tellings), timely=timely)
    for payer, (value_on, minor) in zip(payers, tellings, strict=True):
        await house.do(house.repaying(payer, minor, source=EXTERNAL, value_on=value_on))
        assert (await house.line(payer)).used_minor == 130_000
        assert await house.balance(payer.line_id, AccountKind.LINE_CREDIT_BALANCE) == -minor
        await assert_rows_are_the_fold(house, payer)
    await house.turn_to(date(2026, 11, 3))
    for payer in payers:
        await assert_rows_are_the_fold(house, payer)
    await house.prove(*payers)


async def test_it_bounces_after_the_plan_and_all_is_as_before(house: House) -> None:
    (payer,) = await with_plans(house, 1, timely=False)
    paid = await house.repay(payer, 60_000, source=EXTERNAL, value_on=date(2026, 9, 11))
    await house.do(reversing(house, payer, decode(Prefix.REPAYMENT, paid.id)))
    assert (await house.line(payer)).used_minor == 130_000
    assert await house.balance(payer.line_id, AccountKind.LINE_CREDIT_BALANCE) == 0
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
