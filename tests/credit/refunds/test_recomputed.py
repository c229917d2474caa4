"""What a bill asks for after a refund, from its value date on: the minimum, and interest of days to come
(PRODUCTS.md 2.2)."""

from datetime import date
from uuid import UUID

import pytest
from tests.credit.conftest import House, Payer
from tests.credit.history.test_rewriting import EXTERNAL, assert_rows_are_the_fold

from wufeng import credit, ledger
from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, decode
from wufeng.credit import accrual_breaks
from wufeng.credit.documents.explain import Explained
from wufeng.credit.documents.queries import show_explained_bill
from wufeng.credit.documents.steps import Why
from wufeng.credit.queries import load_bill
from wufeng.credit.refunds.model import EffectKind
from wufeng.credit.repayments.model import Target
from wufeng.identity.merchants.model import Scene

OCTOBER = date(2026, 10, 1)


async def above_its_limit(house: House, amount_minor: int = 115_000) -> tuple[Payer, UUID]:
    """A purchase under a raise that is over when the bill comes: 150.00 of it lie above the limit."""
    payer = await house.payer(wallet_minor=1_000_000, limit_minor=100_000)
    raised = house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=date(2026, 9, 20))
    await house.do(raised)
    return payer, await house.buy(payer, amount_minor)


async def least(house: House, payer: Payer) -> int:
    return (await house.bills(payer))[-1].minimum_minor


async def explained(house: House, payer: Payer, code: Why) -> Explained:
    """An amount of the newest bill with its formula."""
    bill_id = decode(Prefix.BILL, (await house.bills(payer))[-1].id)
    async with house.database.read() as db:
        read = house.reading(db)
        told = await show_explained_bill(read, *await load_bill(read, bill_id))
    return next(one for one in told.amounts if one.code is code)


async def assert_all_is_proved(house: House, payer: Payer) -> None:
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
    await house.followers.catch_up()
    assert (await ledger.verify(house.database, [house.bucket], [accrual_breaks])).breaks == ()


async def test_a_refund_that_brings_the_line_under_its_limit_is_not_asked_for_any_more(house: House) -> None:
    payer, payment = await above_its_limit(house)
    await house.turn_to(OCTOBER)
    assert await least(house, payer) == 11_500 + 15_000
    await house.refund(payer, payment, 5_000)
    assert await least(house, payer) == 11_000 + 10_000
    steps = (await explained(house, payer, Why.MINIMUM)).steps
    assert [one.code for one in steps] == [Why.PRINCIPAL_SHARE, Why.OVER_LIMIT], "nothing is guessed"
    await house.refund(payer, payment, 45_000)
    assert await least(house, payer) == 6_500
    assert [one.code for one in (await explained(house, payer, Why.MINIMUM)).steps] == [Why.PRINCIPAL_SHARE]
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, 1_000, source=EXTERNAL, value_on=date(2026, 10, 1))
    assert await least(house, payer) == 6_500, "a history folded again knows it too"
    await assert_all_is_proved(house, payer)


async def test_what_was_repaid_of_it_counts_as_paid_and_is_not_taken_off_twice(house: House) -> None:
    payer, payment = await above_its_limit(house)
    await house.turn_to(OCTOBER)
    await house.repay(payer, 15_000)
    await house.refund(payer, payment, 5_000)
    assert await least(house, payer) == 11_000 + 10_000
    assert (await house.bills(payer))[-1].status == "open", "6,000 are still to be paid"
    await house.repay(payer, 6_000)
    assert (await house.bills(payer))[-1].status == "minimum_paid"
    await assert_all_is_proved(house, payer)


async def test_a_refund_of_a_purchase_that_no_bill_has_taken_counts_too(house: House) -> None:
    payer, _ = await above_its_limit(house, 90_000)
    waiting = await house.buy(payer, 25_000, tenor=3)
    await house.turn_to(OCTOBER)
    share_minor = await least(house, payer) - 15_000
    await house.refund(payer, waiting, 10_000)  # of the instalments to come
    assert await least(house, payer) == share_minor + 5_000
    await assert_all_is_proved(house, payer)


async def test_what_was_bought_after_the_bill_is_not_above_its_limit(house: House) -> None:
    payer, _ = await above_its_limit(house)
    await house.turn_to(OCTOBER)
    await house.repay(payer, 20_000)
    later = await house.buy(payer, 4_000)
    await house.refund(payer, later, 4_000)
    assert await least(house, payer) == 11_500 + 15_000
    await assert_all_is_proved(house, payer)


async def studying(house: House) -> tuple[Payer, UUID]:
    """6,000.00 in six months by 9 % a year: the first bill comes on 24 February with interest up to 3 March."""
    payer = await house.payer(wallet_minor=3_000_000, limit_minor=1_000_000, product="study_now")
    payment = await house.buy(payer, 600_000, tenor=6, scene=Scene.EDUCATION)
    await house.turn_to(date(2027, 2, 24))
    assert (await house.bills(payer))[-1].unpaid_minor == 79_462 + 27_000
    return payer, payment


PASSED_MINOR = 25_956
"""Of 270.00 for the 181 days up to 3 March, those of 174: 25,955.80."""


@pytest.mark.parametrize("amounts", [(600_000,), (300_000, 300_000), (530_000, 60_000, 10_000)])
async def test_interest_of_days_to_come_falls_away_with_what_is_refunded(
    house: House, amounts: tuple[int, ...]
) -> None:
    payer, payment = await studying(house)
    for amount_minor in amounts:
        await house.refund(payer, payment, amount_minor)
    bill = (await house.bills(payer))[-1]
    assert (bill.unpaid_minor, bill.minimum_minor) == (PASSED_MINOR, PASSED_MINOR)
    assert (await house.line(payer)).used_minor == 0
    interest = [one for one in bill.parts if one.kind == "interest"]
    assert [one.amount_minor for one in interest] == [PASSED_MINOR]
    await explained(house, payer, Why.TOTAL)
    await assert_all_is_proved(house, payer)
    await house.turn_to(date(2027, 4, 20))
    await assert_all_is_proved(house, payer)


async def test_it_comes_back_where_it_was_paid_whatever_the_reason(house: House) -> None:
    payer, payment = await studying(house)
    before_minor = await house.wallet(payer)
    await house.repay(payer, Target.BILLED)
    done = await house.refund(payer, payment, 600_000)
    to_come_minor = 27_000 - PASSED_MINOR
    assert done.charges_returned_minor == done.interest_returned_minor == to_come_minor
    assert done.principal_minor == 520_538
    assert (done.effects[-1].kind, done.effects[-1].amount_minor) == (
        EffectKind.RETURNED,
        79_462 + to_come_minor,
    )
    assert await house.wallet(payer) == before_minor - PASSED_MINOR
    await assert_all_is_proved(house, payer)


async def test_of_days_that_have_passed_it_stays(house: House) -> None:
    payer, payment = await studying(house)
    await house.turn_to(date(2027, 3, 3))
    await house.refund(payer, payment, 600_000)
    assert (await house.bills(payer))[-1].unpaid_minor == 27_000
    await assert_all_is_proved(house, payer)


async def test_a_refund_told_of_before_late_money_gives_the_rows_of_timely_money(house: House) -> None:
    payer, payment = await studying(house)
    await house.turn_to(date(2027, 2, 26))
    await house.refund(payer, payment, 600_000)
    await house.turn_to(date(2027, 2, 28))
    await house.repay(payer, 100_000, source=EXTERNAL, value_on=date(2027, 2, 25))
    await assert_all_is_proved(house, payer)


async def in_daily_use(house: House, *amounts: int) -> tuple[Payer, list[UUID], int]:
    """A line of which a bill asks for a tenth of what is used; with the interest of September."""
    payer = await house.payer(wallet_minor=300_000, product="daily_interest")
    payments = [await house.buy(payer, amount_minor) for amount_minor in amounts]
    await house.turn_to(OCTOBER)
    bill = (await house.bills(payer))[-1]
    interest_minor = bill.total_minor - 10_000
    assert (bill.minimum_minor, (await house.line(payer)).used_minor) == (bill.total_minor, sum(amounts))
    return payer, payments, interest_minor


async def test_where_only_the_minimum_is_billed_its_share_is_of_what_a_refund_leaves(house: House) -> None:
    payer, (payment,), interest_minor = await in_daily_use(house, 100_000)
    for amount_minor, share_minor in ((50_000, 5_000), (30_001, 2_000), (12_999, 7_000)):
        await house.refund(payer, payment, amount_minor)
        used_minor = (await house.line(payer)).used_minor
        assert await least(house, payer) == share_minor + interest_minor, f"of {used_minor}"
        steps = (await explained(house, payer, Why.MINIMUM)).steps
        assert Why.ADJUSTED not in [one.code for one in steps], "nothing is left to be guessed"
    await house.refund(payer, payment, 7_000)
    assert await least(house, payer) == interest_minor, "the price of days that have passed"
    await assert_all_is_proved(house, payer)


async def test_the_share_falls_with_purchases_that_the_bill_has_not_taken(house: House) -> None:
    payer, (_, later), interest_minor = await in_daily_use(house, 30_000, 70_000)
    await house.refund(payer, later, 40_000)
    assert await least(house, payer) == 6_000 + interest_minor
    after_the_bill = await house.buy(payer, 20_000)
    await house.refund(payer, after_the_bill, 20_000)
    assert await least(house, payer) == 6_000 + interest_minor
    await house.repay(payer, Target.MINIMUM)
    bill = (await house.bills(payer))[-1]
    assert (bill.status, bill.unpaid_minor) == ("minimum_paid", 4_000)
    await assert_all_is_proved(house, payer)
    await house.turn_to(date(2026, 11, 1))
    assert (await house.bills(payer))[-1].minimum_minor > 4_000, "the next bill asks for what was left of it"
    await assert_all_is_proved(house, payer)


async def test_a_bill_of_an_earlier_release_asks_for_what_it_has_taken(
    house: House, owner: Connection
) -> None:
    payer, (payment,), interest_minor = await in_daily_use(house, 100_000)
    await owner.execute("update bill set used_minor = null where bucket = $1", house.bucket)
    await house.refund(payer, payment, 50_000)
    assert await least(house, payer) == 10_000 + interest_minor
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, 1_000, source=EXTERNAL, value_on=OCTOBER)
    await assert_all_is_proved(house, payer)
