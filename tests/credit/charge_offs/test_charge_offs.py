"""A loss is taken once the arrears are too old: the lenders bear it, the person still owes it, and it can come back."""

from datetime import date, timedelta

import pytest
from tests.credit.conftest import House, Payer, make_house, shared_product
from tests.credit.history.test_rewriting import assert_rows_are_the_fold, reversing, told_rows

from wufeng import ledger
from wufeng.base.database import Database
from wufeng.base.errors import Problem
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


PAID_ON = date(2026, 12, 1)
LINE_ACCOUNTS = (
    AccountKind.LINE_PRINCIPAL,
    AccountKind.LINE_INTEREST,
    AccountKind.LINE_FEE,
    AccountKind.LINE_CREDIT_BALANCE,
    AccountKind.LINE_CHARGED_OFF,
)


async def accounts(house: House, payer: Payer) -> list[int]:
    return [await house.balance(payer.line_id, kind) for kind in LINE_ACCOUNTS]


@pytest.mark.parametrize("paid_minor", [20_005, 900_000])
async def test_money_dated_before_a_loss_makes_it_so_much_smaller(house: House, paid_minor: int) -> None:
    """The loss stays; its amount, the interest before it and what was recovered since are as if it had come in time."""
    timely, late = [await lost_later(house) for _ in range(2)]
    await house.turn_to(PAID_ON)
    if paid_minor < 100_000:  # more of it would have ended the arrears, and there would have been no loss
        await house.repay(timely, paid_minor, source=EXTERNAL)
    await house.turn_to(LOST_ON + timedelta(days=5))
    for payer in (timely, late):
        await house.repay(payer, 3_000, source=EXTERNAL)
    before = await owed(house, late)
    await house.do(house.repaying(late, paid_minor, source=EXTERNAL, value_on=PAID_ON))
    if paid_minor < 100_000:
        await assert_rows_are_the_fold(house, late)
        assert await told_rows(house, timely) == await told_rows(house, late)
        assert await accounts(house, timely) == await accounts(house, late)
        assert await owed(house, late) < before - paid_minor, "and the interest that it would have saved"
    else:
        line = await house.line(late)
        assert (await owed(house, late), line.status) == (0, "closed")
    await proved(house)


async def lost_later(house: House) -> Payer:
    """A person who buys for 1,000.00 and in three parts for 300.00."""
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 100_000)
    await house.buy(payer, 30_000, tenor=3)
    return payer


@pytest.mark.parametrize("paid_on", [PAID_ON, LOST_ON + timedelta(days=2)])
async def test_what_bounces_after_a_loss_was_never_there(house: House, paid_on: date) -> None:
    """Paid before the loss it makes that larger; paid after it, less was recovered."""
    never, bounced = [await lost_later(house) for _ in range(2)]
    await house.turn_to(paid_on)
    paid = await house.do(house.repaying(bounced, 20_005, source=EXTERNAL))
    await house.turn_to(LOST_ON + timedelta(days=5))
    for payer in (never, bounced):
        await house.repay(payer, 3_000, source=EXTERNAL)
    assert paid.object_id is not None
    await house.do(reversing(house, bounced, paid.object_id))
    await assert_rows_are_the_fold(house, bounced)
    rows, others = await told_rows(house, never), await told_rows(house, bounced)
    assert {**rows, "repayments": None} == {**others, "repayments": None}
    assert await accounts(house, never) == await accounts(house, bounced)
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


async def test_money_told_late_that_was_left_over_recovers_the_loss_of_later_spending(house: House) -> None:
    """It counts from before the plan was bought: it has paid the plan's months so far, and recovers what is left."""
    payer = await house.payer()
    await house.buy(payer, 10_000)
    await house.turn_to(date(2026, 10, 5))
    await house.buy(payer, 120_000, tenor=12)
    await house.turn_to(LOST_ON)
    before_minor = await owed(house, payer)
    await house.do(house.repaying(payer, 100_000, source=EXTERNAL, value_on=date(2026, 10, 4)))
    line = await house.line(payer)
    assert (line.credit_balance_minor, line.past_due_since) == (0, LOST_ON)
    assert 0 < await owed(house, payer) == line.billed_minor < before_minor - 50_000
    await assert_rows_are_the_fold(house, payer)
    await proved(house)


@pytest.mark.parametrize("rounding", ['interest = "half_up"', 'pieces = "each"'])
async def test_a_lost_bill_that_an_undo_empties_is_as_its_charge_off_wrote_it(
    database: Database, opened_on: date, rounding: str
) -> None:
    """Whatever its product rounds by: else its rows were not what its history makes of them."""
    source = shared_product().replace("[[lenders]]", f"[rounding]\n{rounding}\n[[lenders]]", 1)
    house = await make_house(database, opened_on, "monthly_bill", source)
    payer = await house.payer(wallet_minor=900_000, limit_minor=400_000)
    await house.buy(payer, 50_000)
    payment = await house.buy(payer, 120_000, tenor=12)
    while (await house.debt(payer)).line.charged_off_on is None:
        await house.turn_to(house.on + timedelta(days=28))
    await house.turn_to(house.on + timedelta(days=3))
    refunded = await house.refund_late(payer, payment, 120_000, opened_on, undone=True)
    assert not isinstance(refunded, Problem), refunded.detail
    await assert_rows_are_the_fold(house, payer)
    later = await house.send(
        house.repaying(payer, 1_000, source=EXTERNAL, value_on=house.on - timedelta(days=1))
    )
    assert not isinstance(later, Problem), later.detail
