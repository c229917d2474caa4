"""Each row of PRODUCTS.md 2.2, on real rows and journals."""

import asyncio
from datetime import date
from uuid import UUID

import pytest
from tests.credit.conftest import MERCHANT, House, Payer, make_house, shared_product

from wufeng.base.database import Database
from wufeng.credit.bills.model import BillStatus
from wufeng.credit.refunds.model import EffectKind, Refunded
from wufeng.credit.repayments.model import Source, SourceKind, Target
from wufeng.ledger import AccountKind


def kinds(refunded: Refunded) -> list[tuple[EffectKind, int]]:
    return [(effect.kind, effect.amount_minor) for effect in refunded.effects]


async def bought(house: House, amount_minor: int = 100_000, **more: object) -> tuple[Payer, UUID]:
    payer = await house.payer(wallet_minor=500_000)
    return payer, await house.buy(payer, amount_minor, **more)


async def test_before_the_bill_the_draw_is_reversed_and_the_limit_is_free_at_once(house: House) -> None:
    payer, payment = await bought(house)
    refunded = await house.refund(payer, payment, 100_000)
    assert kinds(refunded) == [(EffectKind.UNBILLED, 100_000)]
    line = await house.line(payer)
    assert (line.used_minor, line.available_minor, line.next_bill_on) == (0, 500_000, None)
    await house.turn_to(date(2026, 10, 2))
    assert await house.bills(payer) == []
    await house.prove(payer)


async def test_after_the_bill_unpaid_the_bill_and_its_minimum_fall(house: House) -> None:
    payer, payment = await bought(house)
    await house.turn_to(date(2026, 10, 5))
    refunded = await house.refund(payer, payment, 40_000)
    assert kinds(refunded) == [(EffectKind.BILL, 40_000)]
    (bill,) = await house.bills(payer)
    assert (bill.total_minor, bill.minimum_minor, bill.unpaid_minor) == (60_000, 6_000, 60_000)
    await house.prove(payer)


async def test_a_bill_refunded_whole_is_paid(house: House) -> None:
    payer, payment = await bought(house)
    await house.turn_to(date(2026, 10, 5))
    await house.refund(payer, payment, 100_000)
    (bill,) = await house.bills(payer)
    assert bill.status == "paid"
    assert await house.events("bill.paid") == ["bill.paid 2026-10-05"]
    await house.turn_to(date(2026, 10, 12))
    assert (await house.line(payer)).status == "open"
    await house.prove(payer)


async def test_after_the_bill_paid_other_debts_first_then_back_where_it_came_from(house: House) -> None:
    payer, payment = await bought(house)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, Target.ALL)
    await house.buy(payer, 30_000)
    refunded = await house.refund(payer, payment, 100_000)
    assert kinds(refunded) == [(EffectKind.UNBILLED, 30_000), (EffectKind.RETURNED, 70_000)]
    assert await house.wallet(payer) == 470_000
    assert (await house.line(payer)).used_minor == 0
    await house.prove(payer)


async def test_what_nobody_can_return_stays_as_credit_balance(house: House) -> None:
    payer, payment = await bought(house)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, Target.ALL, source=Source(SourceKind.EXTERNAL, None))
    refunded = await house.refund(payer, payment, 100_000)
    assert kinds(refunded) == [(EffectKind.CREDIT_BALANCE, 100_000)]
    assert (await house.line(payer)).credit_balance_minor == 100_000
    await house.prove(payer)


async def test_no_more_is_returned_than_was_repaid(house: House) -> None:
    payer, payment = await bought(house)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, 60_000, source=Source(SourceKind.EXTERNAL, None))
    await house.repay(payer, 40_000)
    first = await house.refund(payer, payment, 70_000)
    assert kinds(first) == [(EffectKind.RETURNED, 40_000), (EffectKind.CREDIT_BALANCE, 30_000)]
    assert await house.wallet(payer) == 500_000
    second = await house.refund(payer, payment, 30_000)
    assert kinds(second) == [(EffectKind.CREDIT_BALANCE, 30_000)]
    await house.prove(payer)


async def test_an_order_in_instalments_refunded_whole_ends_its_plan(house: House) -> None:
    payer, payment = await bought(house, 90_000, tenor=3)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, Target.BILLED)
    await house.turn_to(date(2026, 11, 5))
    refunded = await house.refund(payer, payment, 90_000)
    # The third part is unbilled, the second billed and unpaid; the first was paid and returns, its fee does not.
    assert kinds(refunded) == [
        (EffectKind.INSTALMENT, 30_000),
        (EffectKind.BILL, 30_000),
        (EffectKind.RETURNED, 30_000),
    ]
    assert (refunded.principal_minor, refunded.fee_cancelled_minor) == (60_000, 750)
    line = await house.line(payer)
    assert (line.used_minor, line.billed_minor, line.next_bill_on) == (0, 0, None)
    assert await house.wallet(payer) == 500_000 - 750
    await house.prove(payer)


async def test_a_part_refund_cancels_from_the_last_instalment_backwards(house: House) -> None:
    payer, payment = await bought(house, 90_000, tenor=3)
    refunded = await house.refund(payer, payment, 40_000)
    assert kinds(refunded) == [(EffectKind.INSTALMENT, 30_000), (EffectKind.INSTALMENT, 10_000)]
    (draw,) = (await house.debt(payer)).draws
    assert (draw.principal_parts, draw.fee_parts) == ((30_000, 20_000, 0), (750, 500, 0))
    await house.turn_to(date(2026, 10, 2))
    await house.repay(payer, Target.BILLED)
    await house.turn_to(date(2026, 12, 2))
    assert [bill.total_minor for bill in await house.bills(payer)][:2] == [30_750, 20_500]
    assert (await house.line(payer)).unbilled_minor == 0
    await house.prove(payer)


@pytest.mark.parametrize(("refund_minor", "returned_minor"), [(90_000, 2_250), (30_000, 750)])
async def test_the_merchants_fee_of_cancelled_months_goes_back(
    house: House, refund_minor: int, returned_minor: int
) -> None:
    payer, payment = await bought(house, 90_000, tenor=3, merchant_share_ppm=1_000_000)
    refunded = await house.refund(payer, payment, refund_minor)
    assert refunded.subsidy_returned_minor == returned_minor
    await house.prove(payer)
    assert await house.folded(MERCHANT, AccountKind.MERCHANT_PAYABLE) == -(
        90_000 - 2_250 - refund_minor + returned_minor
    )


async def test_the_merchants_fee_of_a_month_billed_and_unpaid_goes_back_too(database: Database) -> None:
    """Its lenders had earned it: they come to nothing by it, each for itself."""
    house = await make_house(database, date(2026, 9, 3), "x", shared_product())
    payer, payment = await bought(house, 90_000, tenor=3, merchant_share_ppm=1_000_000)
    await house.turn_to(date(2026, 10, 5))
    refunded = await house.refund(payer, payment, 90_000)
    assert (refunded.subsidy_returned_minor, refunded.subsidy_given_up_minor) == (2_250, 750)
    await house.prove(payer)
    assert await house.folded(MERCHANT, AccountKind.MERCHANT_PAYABLE) == 0
    for lender, _ in (await house.debt(payer)).line.lenders:
        assert await house.folded(lender, AccountKind.UNEARNED_SUBSIDY) == 0
        assert await house.folded(lender, AccountKind.INSTALMENT_FEE_INCOME) == 0
    await house.lanes.drain()


async def test_a_part_of_a_month_takes_its_part_of_the_merchants_fee(house: House) -> None:
    payer, payment = await bought(house, 90_000, tenor=3, merchant_share_ppm=1_000_000)
    await house.turn_to(date(2026, 10, 5))
    for amount_minor, gone in ((75_000, (1_875, 375)), (10_000, (250, 250)), (5_000, (125, 125))):
        refunded = await house.refund(payer, payment, amount_minor)
        assert (refunded.subsidy_returned_minor, refunded.subsidy_given_up_minor) == gone
    await house.prove(payer)
    assert await house.folded(MERCHANT, AccountKind.MERCHANT_PAYABLE) == 0


async def test_the_merchants_fee_of_a_paid_month_stays_earned(house: House) -> None:
    payer, payment = await bought(house, 90_000, tenor=3, merchant_share_ppm=1_000_000)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, 10_000)
    refunded = await house.refund(payer, payment, 90_000)
    assert (refunded.subsidy_returned_minor, refunded.subsidy_given_up_minor) == (2_000, 500)
    await house.prove(payer)


@pytest.mark.parametrize("rule", ['refund_fees = "kept"', 'early = "due"'])
async def test_a_merchants_fee_that_nobody_gets_back_is_earned_month_by_month(
    database: Database, rule: str
) -> None:
    """The person owes nothing more: it is earned all the same."""
    source = shared_product().replace('remainder = "last"\n', f'remainder = "last"\n{rule}\n')
    house = await make_house(database, date(2026, 9, 3), "x", source)
    payer, payment = await bought(house, 90_000, tenor=3, merchant_share_ppm=1_000_000)
    if "kept" in rule:
        assert (await house.refund(payer, payment, 90_000)).subsidy_returned_minor == 0
    else:
        await house.repay(payer, Target.ALL)
    earned = []
    for on in (date(2026, 9, 4), date(2026, 10, 2), date(2026, 11, 2), date(2026, 12, 2), date(2027, 1, 2)):
        await house.turn_to(on)
        await house.prove(payer)
        lenders = [lender for lender, _ in (await house.debt(payer)).line.lenders]
        earned.append(-sum([await house.folded(one, AccountKind.INSTALMENT_FEE_INCOME) for one in lenders]))
    assert earned == [0, 750, 1_500, 2_250, 2_250]
    await house.lanes.drain()


async def with_a_carried_bill(house: House, paid_minor: int) -> tuple[Payer, UUID]:
    """1,000.00 bought in September, something paid of its bill, 2,000.00 bought in October; the bill of 1 November."""
    payer, payment = await bought(house)
    await house.turn_to(date(2026, 10, 5))
    if paid_minor:
        await house.repay(payer, paid_minor)
    await house.buy(payer, 200_000)
    await house.turn_to(date(2026, 11, 5))
    return payer, payment


async def test_a_refund_of_what_an_earlier_bill_left_lowers_the_minimum_and_pays_none_of_it(
    house: House,
) -> None:
    payer, payment = await with_a_carried_bill(house, 10_000)
    before = (await house.bills(payer))[-1]
    assert (before.minimum_minor, (await house.line(payer)).minimum_minor) == (29_945, 29_945)
    await house.refund(payer, payment, 30_000)
    bill = (await house.bills(payer))[-1]
    assert (bill.minimum_minor, bill.status) == (26_945, BillStatus.OPEN), "a tenth less of 300.00"
    assert (await house.line(payer)).minimum_minor == 26_945
    await house.turn_to(date(2026, 11, 12))
    assert (await house.bills(payer))[-1].status == BillStatus.OVERDUE
    await house.prove(payer)


async def test_a_refund_of_an_overdue_bill_is_missed_no_longer(house: House) -> None:
    payer, payment = await with_a_carried_bill(house, 0)
    before = (await house.bills(payer))[-1]
    await house.refund(payer, payment, 30_000)
    bill = (await house.bills(payer))[-1]
    assert before.minimum_minor - bill.minimum_minor == 30_000, "what was missed is asked for as a whole"
    assert bill.status == BillStatus.OPEN
    await house.prove(payer)


async def test_after_overdue_interest_runs_on_the_smaller_debt_from_the_refund_on(house: House) -> None:
    payer, payment = await bought(house)
    await house.turn_to(date(2026, 10, 14))
    assert (await house.line(payer)).accrued_minor == 200  # 4 days on 1,000.00
    await house.refund(payer, payment, 60_000)
    await house.turn_to(date(2026, 10, 20))
    assert (await house.line(payer)).accrued_minor == 200 + 120  # 6 more on 400.00
    await house.refund(payer, payment, 40_000)
    line = await house.line(payer)
    assert (line.status, line.billed_minor, line.accrued_minor) == ("open", 0, 320)
    await house.turn_to(date(2026, 11, 1))
    assert [bill.total_minor for bill in await house.bills(payer)] == [0, 320]
    await house.prove(payer)


async def test_two_refunds_in_one_batch_see_one_another(house: House) -> None:
    payer, payment = await bought(house)
    await asyncio.gather(*(house.refund(payer, payment, 50_000) for _ in range(2)))
    assert (await house.line(payer)).used_minor == 0
    await house.prove(payer)


async def test_a_draw_that_awaits_its_receipt_is_billed_a_month_later_but_uses_the_limit_at_once(
    house: House,
) -> None:
    payer, payment = await bought(house, 20_000, awaits_receipt=True)
    assert (await house.line(payer)).available_minor == 480_000
    await house.turn_to(date(2026, 10, 3))
    assert await house.bills(payer) == []
    for _ in range(2):
        await house.receive(payer, payment)
    await house.turn_to(date(2026, 11, 1))
    (bill,) = await house.bills(payer)
    assert (bill.issued_on, bill.total_minor) == (date(2026, 11, 1), 20_000)
    await house.prove(payer)
