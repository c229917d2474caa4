"""Repaying: what money pays, from where, when; what a bank says late or twice; what is taken back."""

import asyncio
from datetime import date
from uuid import UUID

import msgspec
import pytest
from tests.credit.conftest import SECRETS, House, Payer

from wufeng import credit
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.credit.lines.store import load_lines
from wufeng.credit.queries import quote_repayment, show_plan
from wufeng.credit.repayments.model import Source, SourceKind, Target
from wufeng.credit.views import RepaymentView
from wufeng.identity.bank_accounts.commands import add_bank_account, mark_verified
from wufeng.identity.merchants.model import Scene
from wufeng.identity.vault import Private, Vault
from wufeng.ledger import AccountKind, book_owner

EXTERNAL = Source(SourceKind.EXTERNAL, None)


async def billed(house: House, amount_minor: int = 100_000, wallet_minor: int = 200_000) -> Payer:
    """A payer with a bill of 1 October, due on the 10th."""
    payer = await house.payer(wallet_minor=wallet_minor)
    await house.buy(payer, amount_minor)
    await house.turn_to(date(2026, 10, 1))
    return payer


async def bank(house: House, payer: Payer, *, verified: bool = True) -> Source:
    """A bank account of a payer's."""
    account = await add_bank_account(
        house.database,
        Vault(SECRETS),
        house.ids,
        house.book,
        payer.id,
        "ICBC",
        Private("6222021234567890123"),
        house.at,
    )
    if verified:
        async with house.database.transaction() as db:
            await mark_verified(db, house.bucket, account.id, house.at)
    return Source(SourceKind.BANK_ACCOUNT, account.id)


def answered(house: House, payer: Payer, answer: Answer, *, ok: bool) -> credit.BankAnswered:
    assert answer.object_id is not None
    return credit.BankAnswered(
        at=house.at, people=(payer.id,), repayment_id=answer.object_id, ok=ok, reason="" if ok else "closed"
    )


def seen(answer: Answer | Problem) -> RepaymentView:
    assert isinstance(answer, Answer), answer
    return msgspec.json.decode(answer.body, type=RepaymentView)


@pytest.mark.parametrize(
    ("target", "amount_minor"),
    [(Target.MINIMUM, 10_000), (Target.BILLED, 100_000), (Target.ALL, 103_000)],
)
async def test_targets(house: House, target: Target, amount_minor: int) -> None:
    payer = await billed(house)
    await house.buy(payer, 3_000)
    assert (await house.repay(payer, target)).amount_minor == amount_minor
    (bill,) = await house.bills(payer)
    assert bill.status == ("minimum_paid" if target is Target.MINIMUM else "paid")
    await house.prove(payer)


async def test_the_minimum_is_paid_once(house: House) -> None:
    payer = await billed(house)
    await house.repay(payer, Target.MINIMUM)
    again = await house.send(house.repaying(payer, Target.MINIMUM))
    assert isinstance(again, Problem)
    assert again.code is Code.STATE_CONFLICT


async def test_a_paid_minimum_is_not_overdue_and_less_is(house: House) -> None:
    payer, late = await billed(house), await house.payer(wallet_minor=200_000)
    await house.repay(payer, 10_000)
    await house.turn_to(date(2026, 10, 11))
    assert [bill.status for bill in await house.bills(payer)] == ["minimum_paid"]
    assert (await house.line(payer)).status == "open"
    await house.buy(late, 100_000)
    await house.turn_to(date(2026, 11, 2))
    await house.repay(late, 9_999)
    await house.turn_to(date(2026, 11, 11))
    assert [bill.status for bill in await house.bills(late)] == ["overdue"]
    line = await house.line(late)
    assert (line.status, line.past_due_since, line.days_past_due) == ("suspended", date(2026, 11, 10), 1)
    assert line.minimum_minor == 90_001
    declined = await house.send(house.buying(late, 1))
    assert isinstance(declined, Answer)
    assert declined.body == b"line_in_arrears"
    await house.repay(late, Target.ALL)
    assert (await house.line(late)).status == "open"
    assert (await house.buy(late, 1)) is not None
    await house.prove(payer, late)


async def test_more_than_is_owed_stays_as_credit_and_pays_the_next_bill(house: House) -> None:
    payer = await billed(house)
    paid = await house.repay(payer, 150_000)
    assert [(one.part, one.amount_minor) for one in paid.allocation] == [
        ("principal", 100_000),
        ("credit_balance", 50_000),
    ]
    assert (await house.line(payer)).credit_balance_minor == 50_000
    await house.buy(payer, 30_000)
    await house.turn_to(date(2026, 11, 1))
    bill = (await house.bills(payer))[-1]
    assert (bill.status, bill.total_minor, bill.paid_minor) == ("paid", 30_000, 30_000)
    assert (await house.line(payer)).credit_balance_minor == 20_000
    told = await house.events("bill.issued", "bill.paid")
    assert told[-2:] == ["bill.issued 2026-11-01", "bill.paid 2026-11-01"]
    await house.prove(payer)


async def test_spending_not_yet_billed_is_paid_oldest_first(house: House) -> None:
    payer = await house.payer(wallet_minor=100_000)
    first = await house.buy(payer, 1_000)
    await house.turn_to(date(2026, 9, 4))
    await house.buy(payer, 2_000)
    await house.repay(payer, 1_500)
    debt = await house.debt(payer)
    assert [(draw.payment_id == first, draw.unbilled_minor) for draw in debt.draws] == [(False, 1_500)]
    await house.turn_to(date(2026, 10, 1))
    (bill,) = await house.bills(payer)
    assert (bill.total_minor, bill.minimum_minor) == (1_500, 150)
    await house.prove(payer)


async def test_paying_a_plan_early_drops_the_fees_to_come(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 120_000, tenor=6)
    await house.turn_to(date(2026, 10, 2))
    (bill,) = await house.bills(payer)
    assert bill.total_minor == 20_900
    async with house.database.read() as db:
        line = (await load_lines(db, house.bucket, [payer.line_id]))[payer.line_id]
        quote = await quote_repayment(house.reading(db), line, None, Target.ALL)
    paid = await house.repay(payer, Target.ALL)
    assert (paid.amount_minor, paid.saved_minor) == (quote.amount_minor, quote.saved_minor)
    assert (paid.amount_minor, paid.saved_minor) == (120_900, 4_500)
    assert paid.allocation == quote.allocation
    await house.turn_to(date(2026, 11, 1))
    assert len(await house.bills(payer)) == 1, "nothing is left to bill"
    assert payment is not None
    await house.prove(payer)


async def test_one_plan_can_be_settled_alone(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 90_000, tenor=3)
    await house.buy(payer, 5_000)
    draw = next(draw for draw in (await house.debt(payer)).draws if draw.tenor == 3)
    paid = await house.repay(payer, plan=draw.id)
    assert (paid.amount_minor, paid.saved_minor) == (90_000, 2_250)
    assert (await house.line(payer)).unbilled_minor == 5_000
    again = await house.send(house.repaying(payer, plan=draw.id))
    assert isinstance(again, Problem)
    assert again.code is Code.INVALID_FIELD
    await house.prove(payer)


async def test_a_part_prepaid_plan_is_billed_month_by_month_without_losing_one(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 90_000, tenor=3, merchant_share_ppm=1_000_000)
    await house.repay(payer, 30_000)
    await house.turn_to(date(2026, 11, 2))
    await house.repay(payer, Target.BILLED)
    await house.turn_to(date(2026, 12, 2))
    bills = await house.bills(payer)
    assert [(bill.total_minor, bill.status) for bill in bills] == [
        (0, "paid"),
        (30_000, "paid"),
        (30_000, "open"),
    ]
    await house.repay(payer)
    assert (await house.line(payer)).used_minor == 0
    subsidy = [
        await house.folded(lender, AccountKind.UNEARNED_SUBSIDY) for lender, _ in await lenders(house, payer)
    ]
    assert subsidy == [0, 0]
    await house.prove(payer)


async def lenders(house: House, payer: Payer) -> tuple[tuple[UUID, int], ...]:
    return (await house.debt(payer)).line.lenders


async def test_the_merchants_fee_is_earned_at_once_when_its_plan_ends_early(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 90_000, tenor=3, merchant_share_ppm=1_000_000)
    await house.repay(payer)
    for lender, _ in await lenders(house, payer):
        assert await house.folded(lender, AccountKind.UNEARNED_SUBSIDY) == 0
    await house.prove(payer)


@pytest.mark.parametrize("wallet_minor", [0, 99_999])
async def test_a_wallet_pays_only_what_it_has(house: House, wallet_minor: int) -> None:
    payer = await billed(house, wallet_minor=wallet_minor)
    refused = await house.send(house.repaying(payer))
    assert isinstance(refused, Problem)
    assert refused.code is Code.STATE_CONFLICT
    assert await house.wallet(payer) == wallet_minor
    assert await house.repayments(payer) == []


async def test_another_wallet_does_not_pay(house: House) -> None:
    payer, other = await billed(house), await house.payer(wallet_minor=200_000)
    source = Source(SourceKind.WALLET, other.wallet_id)
    refused = await house.send(house.repaying(payer, source=source))
    assert isinstance(refused, Problem)
    assert refused.code is Code.INVALID_FIELD


async def test_a_bank_account_must_be_verified_and_ones_own(house: House) -> None:
    payer, other = await billed(house), await house.payer()
    refused = await house.send(house.repaying(payer, source=await bank(house, other)))
    assert isinstance(refused, Problem)
    assert refused.code is Code.INVALID_FIELD
    refused = await house.send(house.repaying(payer, source=await bank(house, payer, verified=False)))
    assert isinstance(refused, Problem)
    assert refused.code is Code.STATE_CONFLICT


async def test_two_in_one_batch_see_one_another(house: House) -> None:
    payer = await billed(house, wallet_minor=150_000)
    one, two = await asyncio.gather(
        house.send(house.repaying(payer, 100_000)), house.send(house.repaying(payer, 100_000))
    )
    assert isinstance(one, Answer)
    assert isinstance(two, Problem), "the wallet holds only 500.00 by then"
    await house.prove(payer)


async def test_the_same_key_pays_once(house: House) -> None:
    payer = await billed(house)
    first = await house.send(house.repaying(payer, 1_000, key="k"))
    second = await house.send(house.repaying(payer, 1_000, key="k"))
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.body == second.body
    other = await house.send(house.repaying(payer, 2_000, key="k"))
    assert isinstance(other, Problem)
    assert other.code is Code.IDEMPOTENCY_KEY_REUSED
    assert len(await house.repayments(payer)) == 1


async def test_a_bank_that_answers_late_and_twice_posts_once_from_the_day_it_was_ordered(
    house: House,
) -> None:
    payer = await billed(house)
    await house.turn_to(date(2026, 10, 10))
    ordered = await house.send(house.repaying(payer, source=await bank(house, payer)))
    assert isinstance(ordered, Answer)
    assert (ordered.status, seen(ordered).status) == (202, "pending")
    assert (await house.line(payer)).billed_minor == 100_000, "nothing is paid before the bank has answered"
    await house.turn_to(date(2026, 10, 13))
    assert (await house.line(payer)).status == "suspended"

    posted = seen(await house.send(answered(house, payer, ordered, ok=True)))
    assert (posted.status, posted.value_on, posted.posted_on) == (
        "posted", date(2026, 10, 10), date(2026, 10, 13),
    )  # fmt: skip
    line = await house.line(payer)
    assert (line.status, line.billed_minor, line.accrued_minor) == ("open", 0, 0), "it was in time"
    for ok in (True, False):
        assert seen(await house.send(answered(house, payer, ordered, ok=ok))) == posted
    assert await house.folded(book_owner(house.book.id), AccountKind.BANK_CLEARING) == 0  # not folded yet
    await house.prove(payer)
    assert await house.folded(book_owner(house.book.id), AccountKind.BANK_CLEARING) == 100_000


async def test_a_bank_that_refuses_changes_nothing(house: House) -> None:
    payer = await billed(house)
    ordered = await house.send(house.repaying(payer, source=await bank(house, payer)))
    assert isinstance(ordered, Answer)
    failed = seen(await house.send(answered(house, payer, ordered, ok=False)))
    assert (failed.status, failed.reason) == ("failed", "closed")
    assert seen(await house.send(answered(house, payer, ordered, ok=True))).status == "failed"
    assert (await house.line(payer)).billed_minor == 100_000
    await house.prove(payer)


async def test_money_relayed_by_the_operator_needs_no_source(house: House) -> None:
    payer = await billed(house, wallet_minor=0)
    paid = await house.repay(payer, source=Source(SourceKind.EXTERNAL, None))
    assert (paid.status, paid.source, paid.wallet) == ("posted", "external", None)
    await house.prove(payer)


@pytest.mark.parametrize("timely", [date(2026, 10, 9), date(2026, 10, 10), date(2026, 10, 12)])
async def test_a_value_dated_repayment_gives_what_a_timely_one_would_have(house: House, timely: date) -> None:
    external = Source(SourceKind.EXTERNAL, None)
    late, in_time = await house.payer(), await house.payer()
    for payer in (late, in_time):
        await house.buy(payer, 77_777)
    await house.turn_to(timely)
    await house.repay(in_time, 60_000, source=external)
    await house.turn_to(date(2026, 10, 20))
    await house.repay(late, 60_000, source=external, value_on=timely)
    for day in (date(2026, 10, 20), date(2026, 11, 11)):
        await house.turn_to(day)
        await assert_same_line(house, late, in_time)
    await house.prove(late, in_time)


async def assert_same_line(house: House, one: Payer, other: Payer) -> None:
    first, second = await house.line(one), await house.line(other)
    for name in (
        "status", "billed_minor", "unbilled_minor", "accrued_minor", "credit_balance_minor", "minimum_minor",
        "next_due_on", "past_due_since", "next_bill_on",
    ):  # fmt: skip
        assert getattr(first, name) == getattr(second, name), (house.on, name)


@pytest.mark.parametrize(
    ("value_on", "fits"),
    [
        (date(2026, 10, 16), False),
        (date(2026, 10, 15), True),
        (date(2026, 10, 12), True),
        (date(2026, 10, 11), True),  # before the last repayment
        (date(2026, 9, 30), True),  # before the bill
        (date(2026, 9, 3), True),  # the day on which the line was opened
        (date(2026, 9, 2), False),
    ],
)
async def test_value_dates_reach_back_to_the_opening_of_the_line(
    house: House, value_on: date, fits: bool
) -> None:
    payer = await billed(house)
    await house.turn_to(date(2026, 10, 12))
    await house.repay(payer, 1_000)
    await house.turn_to(date(2026, 10, 15))
    answer = await house.send(house.repaying(payer, 1_000, value_on=value_on))
    assert isinstance(answer, Answer) is fits
    if isinstance(answer, Problem):
        assert answer.code is Code.INVALID_FIELD


async def reverse(house: House, payer: Payer, repayment: RepaymentView) -> Answer | Problem:
    async with house.database.read() as db:
        rows = await db.fetch("select id, amount_minor from repayment where bucket = $1", house.bucket)
    id_ = next(row["id"] for row in rows if row["amount_minor"] == repayment.amount_minor)
    return await house.send(
        credit.ReverseRepayment(at=house.at, people=(payer.id,), repayment_id=id_, reason="taken back")
    )


async def test_a_reversed_repayment_leaves_the_debt_as_if_it_had_never_been(house: House) -> None:
    paid, never = await billed(house), await house.payer(wallet_minor=300_000)
    payers = [await house.payer(wallet_minor=300_000), never]
    for payer in payers:
        await house.buy(payer, 70_000)
        await house.buy(payer, 60_000, tenor=3)
    await house.turn_to(date(2026, 11, 5))
    repaid = await house.repay(payers[0], Target.ALL)
    await house.turn_to(date(2026, 11, 18))
    reversed_ = seen(await reverse(house, payers[0], repaid))
    assert (reversed_.status, reversed_.reason) == ("reversed", "taken back")
    assert await house.wallet(payers[0]) == 300_000
    assert seen(await reverse(house, payers[0], repaid)).status == "reversed", "twice changes nothing"
    for day in (date(2026, 11, 18), date(2026, 12, 1), date(2027, 2, 3)):
        await house.turn_to(day)
        await assert_same_line(house, payers[0], never)
    await house.prove(paid, *payers)


async def test_a_credit_balance_that_was_used_is_owed_again(house: House) -> None:
    """What a surplus had paid since is owed: the debt is as if the money had never come."""
    payer, never = await house.payer(wallet_minor=300_000), await house.payer()
    for one in (payer, never):
        await house.buy(one, 100_000)
    await house.turn_to(date(2026, 10, 5))
    repaid = await house.repay(payer, 120_000)
    for one in (payer, never):
        await house.buy(one, 10_000)
    await house.turn_to(date(2026, 11, 1))
    assert (await house.line(payer)).credit_balance_minor == 10_000
    assert seen(await reverse(house, payer, repaid)).status == "reversed"
    await assert_same_line(house, payer, never)
    await house.prove(payer, never)


async def test_a_credit_balance_that_was_paid_out_stops_a_reversal(house: House) -> None:
    payer = await billed(house)
    repaid = await house.repay(payer, 120_000)
    await house.do(house.change(credit.CloseLine, payer))
    refused = await reverse(house, payer, repaid)
    assert isinstance(refused, Problem)
    assert refused.code is Code.STATE_CONFLICT
    await house.prove(payer)


async def test_interest_left_when_principal_is_paid_stands_on_the_next_bill(house: House) -> None:
    payer = await billed(house)
    await house.turn_to(date(2026, 10, 10))
    await house.repay(payer, 50_000)
    await house.turn_to(date(2026, 10, 15))
    await house.repay(payer, 50_000)
    line = await house.line(payer)
    assert (line.billed_minor, line.accrued_minor, line.next_bill_on) == (0, 125, date(2026, 11, 1))
    await house.turn_to(date(2026, 11, 1))
    bill = (await house.bills(payer))[-1]
    assert (bill.total_minor, bill.minimum_minor) == (125, 125)
    assert bill.parts[0].explain == "Interest up to this bill"
    await house.prove(payer)


async def test_what_is_on_its_way_is_not_asked_for_again(house: House) -> None:
    payer = await billed(house)
    source = await bank(house, payer)
    # It is late, and the bank answers two days on: no day of them is asked for.
    await house.turn_to(date(2026, 10, 12))
    part = await house.do(house.repaying(payer, 30_000, source=source))
    await house.turn_to(date(2026, 10, 14))
    left_minor = (await house.repay(payer, Target.ALL, source=source)).amount_minor
    again = await house.send(house.repaying(payer, Target.ALL, source=source))
    assert isinstance(again, Problem)
    assert (again.code, "under way" in again.detail) == (Code.STATE_CONFLICT, True)
    async with house.database.read() as db:
        line = (await load_lines(db, house.bucket, [payer.line_id]))[payer.line_id]
        assert (await quote_repayment(house.reading(db), line, None, Target.ALL)).amount_minor == 0
    # What is named is asked for all the same.
    named = await house.do(house.repaying(payer, 1_000, source=source))
    await house.do(answered(house, payer, named, ok=False))
    await house.do(answered(house, payer, part, ok=True))
    pending = next(one for one in await house.repayments(payer) if one.status == "pending")
    rest = Answer(202, b"", decode(Prefix.REPAYMENT, pending.id))
    await house.do(answered(house, payer, rest, ok=True))
    view = await house.line(payer)
    assert (view.used_minor, view.credit_balance_minor) == (0, 0)
    assert [bill.unpaid_minor for bill in await house.bills(payer)] == [0]
    assert left_minor == pending.amount_minor > 70_000
    await house.prove(payer)


async def test_the_rest_of_what_is_on_its_way_is_all_of_it_when_the_bank_refuses(house: House) -> None:
    payer = await billed(house)
    source = await bank(house, payer)
    refused = await house.do(house.repaying(payer, Target.MINIMUM, source=source))
    assert isinstance(await house.send(house.repaying(payer, Target.MINIMUM)), Problem)
    assert (await house.repay(payer, Target.BILLED)).amount_minor == 90_000
    await house.do(answered(house, payer, refused, ok=False))
    assert (await house.repay(payer, Target.BILLED)).amount_minor == 10_000
    await house.prove(payer)


async def test_a_plan_on_its_way_is_asked_for_once_and_leaves_bills_alone(house: House) -> None:
    payer = await billed(house)
    await house.buy(payer, 90_000, tenor=3)
    source = await bank(house, payer)
    (plan,) = (draw.id for draw in (await house.debt(payer)).draws)
    first = await house.do(house.repaying(payer, plan=plan, source=source))
    for source_of_it in (source, Source(SourceKind.WALLET, payer.wallet_id)):
        again = await house.send(house.repaying(payer, plan=plan, source=source_of_it))
        assert isinstance(again, Problem)
        assert again.code is Code.STATE_CONFLICT
    assert (await house.repay(payer, Target.ALL)).amount_minor == 100_000
    await house.do(answered(house, payer, first, ok=True))
    view = await house.line(payer)
    assert (view.used_minor, view.credit_balance_minor) == (0, 0)
    await house.prove(payer)


@pytest.mark.parametrize("told_on", [date(2026, 12, 10), date(2027, 1, 20)])
async def test_a_plan_settled_by_money_told_late_costs_what_it_cost_then(house: House, told_on: date) -> None:
    timely, late = [
        await house.payer(wallet_minor=3_000_000, limit_minor=1_000_000, product="study_now")
        for _ in range(2)
    ]
    plans = {}
    for payer in (timely, late):
        await house.buy(payer, 600_000, tenor=6, scene=Scene.EDUCATION)
        (plans[payer],) = (draw.id for draw in (await house.debt(payer)).draws)
    came_on = date(2026, 12, 5)
    await house.turn_to(came_on)
    paid = await house.repay(timely, plan=plans[timely], source=EXTERNAL)
    await house.turn_to(told_on)
    telling = {"plan": plans[late], "source": EXTERNAL, "value_on": came_on}
    wrong = await house.send(house.repaying(late, paid.amount_minor + 1, **telling))
    assert isinstance(wrong, Problem)
    assert str(paid.amount_minor) in wrong.errors[0].detail
    too_early = await house.send(house.repaying(late, **{**telling, "value_on": date(2026, 9, 3)}))
    assert isinstance(too_early, Answer), "on the day of the purchase there was the plan already"
    told = seen(too_early)
    await house.do(
        credit.ReverseRepayment(
            at=house.at,
            people=(late.id,),
            repayment_id=decode(Prefix.REPAYMENT, told.id),
            reason="not then",
        )
    )
    told = await house.repay(late, **telling)
    pieces = [[(one.part, one.amount_minor) for one in each.allocation] for each in (paid, told)]
    assert (told.amount_minor, pieces[1]) == (paid.amount_minor, pieces[0])
    assert (await house.line(late)).credit_balance_minor == 0
    await house.prove(timely, late)


async def test_a_surplus_pays_the_instalment_that_is_due_next(house: House) -> None:
    payer = await house.payer(wallet_minor=500_000, product="order_instalments", mode=credit.Mode.ORDER)
    await house.buy(payer, 30_000, tenor=3)  # due on 3 October, November and December
    await house.turn_to(date(2026, 9, 20))
    await house.buy(payer, 30_000, tenor=3)  # due on the 20th
    await house.turn_to(date(2026, 9, 26))
    (bill,) = await house.bills(payer)
    paid = await house.repay(payer, bill.unpaid_minor + 25_000)
    early, late = (encode(Prefix.DRAW, draw.id) for draw in (await house.debt(payer)).draws)
    to_come = [(one.draw, one.instalment, one.amount_minor) for one in paid.allocation if one.draw]
    assert to_come == [(late, 1, 10_000), (early, 2, 10_000), (late, 2, 5_000)], "by the date, not the number"
    await house.prove(payer)


async def test_dates_of_a_plan_stay_while_a_close_is_late(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 90_000, tenor=3)
    await house.turn_to(date(2026, 10, 5))

    async def due_dates() -> list[date | None]:
        async with house.database.read() as db:
            debt = await house.debt(payer)
            plan = await show_plan(house.reading(db), debt.draws[0], debt.line)
        return [one.due_on for one in plan.instalments]

    expected = [date(2026, 10, 10), date(2026, 11, 10), date(2026, 12, 10)]
    assert await due_dates() == expected
    house.clock.turn_to(house.noon(date(2026, 11, 1)))
    assert await due_dates() == expected, "the close of 31 October has not run yet"
    await house.close(date(2026, 10, 31))
    assert await due_dates() == expected
