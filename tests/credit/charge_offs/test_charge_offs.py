"""A loss is taken once the arrears are too old: the lenders bear it, the person still owes it, and it can come back."""

from datetime import date, timedelta

import pytest
from tests.credit.conftest import House, Payer

from wufeng import ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem
from wufeng.credit.repayments.model import Source, SourceKind
from wufeng.ledger import AccountKind
from wufeng.lenders.model import lender_id

EXTERNAL = Source(SourceKind.EXTERNAL, None)
DUE_ON = date(2026, 10, 10)
LOST_ON = DUE_ON + timedelta(days=180)


async def lost(house: House, **more: object) -> Payer:
    """A person who bought for 1,000.00 and in three parts for 300.00, and never paid."""
    payer = await house.payer(wallet_minor=300_000, **more)
    await house.buy(payer, 100_000)
    await house.buy(payer, 30_000, tenor=3)
    await house.turn_to(LOST_ON)
    return payer


async def owed(house: House, payer: Payer) -> int:
    return await house.balance(payer.line_id, AccountKind.LINE_CHARGED_OFF)


async def proved(house: House) -> None:
    await house.followers.catch_up()
    assert (await ledger.verify(house.database, [house.bucket])).breaks == ()


async def test_a_day_before_nothing_is_lost_and_on_the_day_all_of_it(house: House) -> None:
    payer = await house.payer()
    await house.buy(payer, 100_000)
    await house.turn_to(LOST_ON - timedelta(days=1))
    assert (await house.line(payer)).status == "suspended"
    before = (await house.line(payer)).billed_minor + (await house.line(payer)).accrued_minor
    await house.turn_to(LOST_ON)
    line = await house.line(payer)
    assert (line.status, line.used_minor, line.accrued_minor, line.next_bill_on) == ("closing", 0, 0, None)
    assert await owed(house, payer) == line.billed_minor >= before
    for kind in (AccountKind.LINE_PRINCIPAL, AccountKind.LINE_INTEREST, AccountKind.LINE_FEE):
        assert await house.balance(payer.line_id, kind) == 0
    await proved(house)
    for code in ("lead", "second"):
        lender = lender_id(house.book.id, code)
        assert await house.folded(lender, AccountKind.LENDER_PRINCIPAL) == 0
    assert f"line.charged_off {LOST_ON}" in await house.events("line.charged_off")
    interest = line.billed_minor
    await house.turn_to(LOST_ON + timedelta(days=60))
    assert (await house.line(payer)).billed_minor == interest, "nothing is earned on it any more"


async def test_what_was_not_billed_is_due_with_it_without_fees_to_come(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 100_000)
    await house.turn_to(LOST_ON - timedelta(days=20))
    line = await house.line(payer)
    assert line.status == "suspended"
    await house.turn_to(LOST_ON)
    line = await house.line(payer)
    assert (line.unbilled_minor, line.billed_minor) == (0, await owed(house, payer))
    await proved(house)


async def test_what_comes_back_is_the_lenders_and_ends_the_line(house: House) -> None:
    payer = await lost(house)
    whole_minor = await owed(house, payer)
    pools = [await pool(house, code) for code in ("lead", "second")]
    await house.repay(payer, 50_000)
    assert await owed(house, payer) == whole_minor - 50_000
    last = await house.repay(payer, whole_minor - 50_000 + 7, source=EXTERNAL)
    assert last.allocation[-1].part == "credit_balance" and last.allocation[-1].amount_minor == 7
    assert await owed(house, payer) == 0
    assert (await house.line(payer)).status == "closed"
    await proved(house)
    gained = [await pool(house, code) - was for code, was in zip(("lead", "second"), pools, strict=True)]
    assert -sum(gained) == whole_minor
    assert abs(gained[0] * 3 - gained[1] * 7) <= 10, "by their shares"


async def pool(house: House, code: str) -> int:
    await house.followers.catch_up()
    return await house.folded(lender_id(house.book.id, code), AccountKind.LENDER_POOL)


async def test_a_refund_after_the_loss_lowers_what_is_owed(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 100_000)
    await house.turn_to(LOST_ON)
    before_minor = await owed(house, payer)
    await house.refund(payer, payment, 40_000)
    assert await owed(house, payer) == before_minor - 40_000 == (await house.line(payer)).billed_minor
    await proved(house)


async def test_no_money_is_dated_before_a_loss_and_none_before_it_is_undone(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, 1_000)
    await house.turn_to(LOST_ON)
    late = house.repaying(payer, 500, source=EXTERNAL, value_on=LOST_ON - timedelta(days=3))
    refused = await house.send(late)
    assert isinstance(refused, Problem)
    assert refused.code is Code.STATE_CONFLICT
    assert isinstance(await house.send(house.repaying(payer, 500, source=EXTERNAL)), Answer)
    await proved(house)


@pytest.mark.parametrize("product", ["daily_interest", "order_instalments"])
async def test_every_product_is_charged_off_whole(house: House, product: str) -> None:
    payer = await house.payer(product=product)
    await house.buy(payer, 100_000)
    await house.turn_to(date(2027, 5, 20))
    line = await house.line(payer)
    assert (line.status, line.used_minor, line.unbilled_minor) == ("closing", 0, 0)
    assert await owed(house, payer) == line.billed_minor > 100_000
    await proved(house)
