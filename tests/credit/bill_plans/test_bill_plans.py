"""A bill put into instalments: less is due now, the rest comes with its price, and nothing is lost between them."""

from datetime import date

import msgspec
import pytest
from tests.credit.conftest import House, Payer
from tests.credit.history.lives import Clerk, Step, lived, plot_of
from tests.credit.history.test_rewriting import assert_rows_are_the_fold, reversing

from wufeng import credit
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode
from wufeng.credit.bill_plans.model import BillPlanOptions
from wufeng.credit.bill_plans.queries import bill_plan_options
from wufeng.credit.draws.model import Draw
from wufeng.credit.products.model import Price
from wufeng.credit.queries import load_bill, show_plan
from wufeng.credit.repayments.model import Source, SourceKind
from wufeng.credit.views import PlanView
from wufeng.ledger import AccountKind

EXTERNAL = Source(SourceKind.EXTERNAL, None)


async def billed(house: House, amount_minor: int = 100_000, **more: object) -> Payer:
    """A person with a bill of the line's first bill day, due nine days later."""
    payer = await house.payer(wallet_minor=300_000, **more)
    await house.buy(payer, amount_minor)
    bill_on = (await house.line(payer)).next_bill_on
    assert bill_on is not None
    await house.turn_to(bill_on)
    return payer


async def options(house: House, payer: Payer, amount_minor: int | None = None) -> BillPlanOptions:
    bill_id = decode(Prefix.BILL, (await house.bills(payer))[-1].id)
    async with house.database.read() as db:
        read = house.reading(db)
        return await bill_plan_options(read, *await load_bill(read, bill_id), amount_minor)


async def split(
    house: House, payer: Payer, tenor: int = 3, amount_minor: int | None = None, **more: object
) -> PlanView | Problem:
    offered = await options(house, payer, amount_minor)
    option = next(one for one in offered.options if one.tenor == tenor)
    fields: dict[str, object] = {
        "person_id": payer.id,
        "bill_id": decode(Prefix.BILL, offered.bill),
        "amount_minor": option.amount_minor,
        "quote_option": option.quote_option,
        **more,
    }
    answer = await house.send(credit.SplitBill(at=house.at, people=(payer.id,), **fields))  # type: ignore[arg-type]
    return msgspec.json.decode(answer.body, type=PlanView) if isinstance(answer, Answer) else answer


async def test_nine_tenths_of_a_bill_come_in_three_parts_from_the_next_bill_on(house: House) -> None:
    payer = await billed(house, product="order_instalments", mode=credit.Mode.BILL)
    offered = await options(house, payer)
    assert (offered.least_minor, offered.most_minor) == (10_000, 90_000)
    assert [one.tenor for one in offered.options] == [3, 6, 12, 24]
    plan = await split(house, payer)
    assert isinstance(plan, PlanView)
    assert [one.due_on for one in plan.instalments] == [
        date(2026, 11, 12), date(2026, 12, 12), date(2027, 1, 12),
    ]  # fmt: skip
    assert (plan.amount_minor, plan.total_cost_minor, plan.payment) == (90_000, 1_890, None)
    (bill,) = await house.bills(payer)
    assert (bill.total_minor, bill.minimum_minor) == (10_000, 1_000)
    line = await house.line(payer)
    assert (line.used_minor, line.billed_minor, line.unbilled_minor) == (100_000, 10_000, 90_000)
    await house.prove(payer)

    await house.repay(payer, 10_000)
    await house.turn_to(date(2026, 11, 3))
    bill = (await house.bills(payer))[-1]
    assert bill.total_minor == plan.instalments[0].amount_minor == 30_630
    paid = await house.repay(payer)
    assert (paid.amount_minor, paid.saved_minor) == (90_630, 1_260)
    assert (await house.line(payer)).used_minor == 0
    await house.prove(payer)


async def test_small_purchases_stay_on_the_bill(house: House) -> None:
    """Purchases under 10.00 do not count; money has paid them first, and what is refunded of them is off the bill."""
    payer = await house.payer(wallet_minor=300_000, product="order_instalments", mode=credit.Mode.BILL)
    small = [await house.buy(payer, amount_minor) for amount_minor in (999, 500)]
    for amount_minor in (1_000, 20_000):
        await house.buy(payer, amount_minor)
    await house.turn_to((await house.line(payer)).next_bill_on or house.on)
    assert (await options(house, payer)).most_minor == 18_900
    await house.repay(payer, 1_499)
    assert (await options(house, payer)).most_minor == 18_900
    await house.refund(payer, small[0], 999)  # it had been paid: it pays the others
    assert (await options(house, payer)).most_minor == 18_000
    plan = await split(house, payer)
    assert isinstance(plan, PlanView) and plan.amount_minor == 18_000
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_a_bill_of_small_purchases_alone_is_not_split_and_says_why(house: House) -> None:
    payer = await house.payer(product="order_instalments", mode=credit.Mode.BILL)
    for _ in range(13):
        await house.buy(payer, 900)
    await house.turn_to((await house.line(payer)).next_bill_on or house.on)
    offered = await options(house, payer)
    assert offered.options == ()
    assert offered.reason == (
        "At least 10000 minor units that are not in instalments must be unpaid. Purchases under 1000 do not count."
    )
    refused = await house.send(
        credit.SplitBill(
            at=house.at,
            people=(payer.id,),
            person_id=payer.id,
            bill_id=decode(Prefix.BILL, offered.bill),
            amount_minor=10_000,
            quote_option="opt_" + "0" * 32,
        )
    )
    assert isinstance(refused, Problem) and refused.code is Code.STATE_CONFLICT


async def test_a_refund_of_what_was_split_becomes_a_credit_on_the_line(house: House) -> None:
    """The plan is no longer bound to the order (PRODUCTS.md 2.2): the bill first, then the nearest instalments."""
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 1))
    assert isinstance(await split(house, payer, amount_minor=60_000), PlanView)
    refunded = await house.refund(payer, payment, 50_000)
    assert sum(effect.amount_minor for effect in refunded.effects) == 50_000
    line = await house.line(payer)
    assert (line.used_minor, line.billed_minor, line.unbilled_minor) == (50_000, 0, 50_000)
    await house.prove(payer)


@pytest.mark.parametrize("asked_minor", [9_999, 90_001])
async def test_an_amount_that_may_not_be_split_is_named(house: House, asked_minor: int) -> None:
    payer = await billed(house, product="order_instalments", mode=credit.Mode.BILL)
    with pytest.raises(Problem, match="10000 to 90000 minor units"):
        await options(house, payer, asked_minor)
    refused = await split(house, payer, bill_id=house.new_id())
    assert isinstance(refused, Problem)
    assert refused.code is Code.NOT_FOUND


async def test_what_was_signed_is_what_is_made(house: House) -> None:
    payer = await billed(house)
    of_half = (await options(house, payer, 50_000)).options[0].quote_option
    for wrong in ("opt_" + "0" * 32, of_half):
        refused = await split(house, payer, quote_option=wrong)
        assert isinstance(refused, Problem)
        assert refused.code is Code.STATE_CONFLICT
    stranger = await house.payer()
    other = await split(house, payer, person_id=stranger.id)
    assert isinstance(other, Problem) and other.code is Code.NOT_FOUND
    assert (await house.line(payer)).unbilled_minor == 0


def test_a_bill_is_not_split_at_a_price_that_a_merchant_carries() -> None:
    """Its merchant would have paid: nobody would. Where all prices are so, no bill is split."""
    carried, own = Price(3, fee_ppm=25_000, merchant_share_ppm=400_000), Price(6, fee_ppm=30_000)
    steps = Step(0, "buy", 60_000), Step(0, "to_bill", 1), Step(0, "split", 1)
    (plan,) = plans_of(lived(plot_of("monthly_bill", *steps, instalments={"prices": (carried, own)})))
    assert (plan.tenor, sum(plan.fee_parts)) == (6, plan.amount_minor * 3 // 100)
    assert plans_of(lived(plot_of("monthly_bill", *steps, instalments={"prices": (carried,)}))) == []


def plans_of(clerk: Clerk) -> list[Draw]:
    return [draw for draw in clerk.draws.values() if draw.of_bill is not None]


async def test_after_the_due_date_and_of_a_paid_bill_nothing_is_split(house: House) -> None:
    late, paid = await billed(house), await house.payer(wallet_minor=300_000)
    await house.turn_to(date(2026, 10, 11))
    offered = await options(house, late)
    assert offered.options == () and offered.reason is not None and "suspended" in offered.reason
    await house.buy(paid, 5_000)
    await house.turn_to(date(2026, 11, 1))
    await house.repay(paid)
    offered = await options(house, paid)
    assert offered.options == () and "from its date to its due date" in str(offered.reason)


@pytest.mark.parametrize("value_on", [date(2026, 9, 20), date(2026, 10, 4)])
async def test_money_dated_before_a_plan_leaves_what_the_plan_has_taken_over(
    house: House, value_on: date
) -> None:
    """It pays the rest of the bill, and goes on by the product's order: here to the nearest instalment."""
    payer = await billed(house)
    await house.turn_to(date(2026, 10, 5))
    assert isinstance(await split(house, payer, amount_minor=60_000), PlanView)
    await house.turn_to(date(2026, 10, 8))
    paid = await house.do(house.repaying(payer, 70_000, source=EXTERNAL, value_on=value_on))
    line = await house.line(payer)
    assert (line.billed_minor, line.used_minor) == (0, 60_000)
    async with house.database.read() as db:
        draw = (await house.debt(payer)).draws[0]
        shown = await show_plan(house.reading(db), draw, (await house.debt(payer)).line)
    assert shown.amount_minor == 60_000
    assert await house.balance(payer.line_id, AccountKind.LINE_CREDIT_BALANCE) == -30_000
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
    assert paid.object_id is not None
    await house.do(reversing(house, payer, paid.object_id))
    line = await house.line(payer)
    assert (line.billed_minor, line.used_minor) == (40_000, 100_000)
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
