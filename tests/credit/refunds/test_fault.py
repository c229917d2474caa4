"""Whose fault a refund is: fees that were paid come back where it is the merchant's (PRODUCTS.md 2.2)."""

import asyncio
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.credit.conftest import House, Payer
from tests.credit.history.lives import EXTERNAL, Clerk, plot_of
from tests.thorough import examples

from wufeng.credit.draws.model import Draw
from wufeng.credit.history.commands import load_history
from wufeng.credit.history.rules import fold
from wufeng.credit.lines.store import load_lines
from wufeng.credit.products.model import Early, Price, RefundFees
from wufeng.credit.refunds.model import EffectKind, Refunded
from wufeng.credit.refunds.rules import refund
from wufeng.credit.repayments.model import Debt, Source, SourceKind, Target
from wufeng.credit.repayments.rules import brought_up
from wufeng.ledger import AccountKind, split_between

TELEX = Source(SourceKind.EXTERNAL, None)


def kinds(refunded: Refunded) -> list[tuple[EffectKind, int]]:
    return [(effect.kind, effect.amount_minor) for effect in refunded.effects]


async def with_one_part_paid(house: House, source: Source | None = None) -> tuple[Payer, UUID]:
    """900.00 in three, each with a fee of 7.50: the first is billed and paid, the second billed, the third to come."""
    payer = await house.payer(wallet_minor=500_000)
    payment = await house.buy(payer, 90_000, tenor=3)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, Target.BILLED, **({"source": source} if source is not None else {}))
    await house.turn_to(date(2026, 11, 5))
    return payer, payment


async def test_where_it_is_the_merchants_paid_fees_come_back_with_paid_principal(house: House) -> None:
    payer, payment = await with_one_part_paid(house)
    done = await house.refund(payer, payment, 90_000, merchants_fault=True)
    assert kinds(done) == [
        (EffectKind.INSTALMENT, 30_000),
        (EffectKind.BILL, 30_000),
        (EffectKind.RETURNED, 30_750),
    ]
    assert (done.fee_cancelled_minor, done.fee_returned_minor, done.surplus_minor) == (750, 750, 30_000)
    assert await house.wallet(payer) == 500_000, "the purchase has cost nothing"
    await house.prove(payer)


async def test_the_lenders_bear_it_by_their_shares(house: House) -> None:
    payer, payment = await with_one_part_paid(house)
    line = (await house.debt(payer)).line
    await house.followers.catch_up()
    before = [await house.folded(id_, AccountKind.INSTALMENT_FEE_INCOME) for id_, _ in line.lenders]
    await house.refund(payer, payment, 90_000, merchants_fault=True)
    await house.followers.catch_up()
    after = [await house.folded(id_, AccountKind.INSTALMENT_FEE_INCOME) for id_, _ in line.lenders]
    assert before == [-amount for _, amount in split_between(1_500, line.lenders)]
    assert after == [0, 0]


async def test_other_open_amounts_of_the_line_come_first(house: House) -> None:
    payer, payment = await with_one_part_paid(house)
    await house.buy(payer, 30_500)
    done = await house.refund(payer, payment, 90_000, merchants_fault=True)
    assert kinds(done)[-2:] == [(EffectKind.UNBILLED, 30_500), (EffectKind.RETURNED, 250)]
    await house.prove(payer)


async def test_no_more_leaves_than_was_repaid_and_the_rest_stays_in_favour(house: House) -> None:
    payer, payment = await with_one_part_paid(house, TELEX)
    await house.repay(payer, 10_000)
    done = await house.refund(payer, payment, 90_000, merchants_fault=True)
    paid_minor = 30_750 + 10_000
    assert kinds(done)[-2:] == [
        (EffectKind.RETURNED, 10_000),
        (EffectKind.CREDIT_BALANCE, paid_minor - 10_000),
    ]
    assert (await house.line(payer)).credit_balance_minor == 30_750
    await house.prove(payer)


async def test_a_part_brings_back_its_part_of_the_fee_and_the_rest_the_rest(house: House) -> None:
    payer, payment = await with_one_part_paid(house)
    await house.repay(payer, Target.ALL)
    first = await house.refund(payer, payment, 80_001, merchants_fault=True)
    second = await house.refund(payer, payment, 9_999, merchants_fault=True)
    assert (first.fee_returned_minor, second.fee_returned_minor) == (1_250, 250)
    assert await house.wallet(payer) == 500_000
    await house.prove(payer)


async def test_two_in_one_batch_see_one_another(house: House) -> None:
    payer, payment = await with_one_part_paid(house)
    await asyncio.gather(*(house.refund(payer, payment, 45_000, merchants_fault=True) for _ in range(2)))
    assert await house.wallet(payer) == 500_000
    await house.prove(payer)


async def test_of_a_line_that_was_charged_off_they_pay_what_is_lost(house: House) -> None:
    payer, payment = await with_one_part_paid(house)
    await house.turn_to(date(2027, 5, 20))
    assert (await house.debt(payer)).line.charged_off_on is not None
    lost_minor = (await house.debt(payer)).billed_minor
    done = await house.refund(payer, payment, 90_000, merchants_fault=True)
    left = (await house.debt(payer)).billed_minor
    gone = done.principal_minor + done.fee_cancelled_minor
    assert done.fee_returned_minor == 750
    applied_minor = done.applied.paid_minor if done.applied is not None else 0
    assert lost_minor - left == gone + applied_minor
    await house.followers.catch_up()
    assert -await house.balance(payer.line_id or UUID(int=0), AccountKind.LINE_CHARGED_OFF) == -left


@pytest.mark.parametrize("merchants_fault", [True, False])
async def test_money_that_came_before_it_gives_the_same_rows_as_timely_money(
    house: House, merchants_fault: bool
) -> None:
    """A repayment told of late is put before the refund; what the refund then gives back is kept on the line."""
    payer = await house.payer(wallet_minor=500_000)
    payment = await house.buy(payer, 90_000, tenor=3)
    await house.turn_to(date(2026, 10, 8))
    done = await house.refund(payer, payment, 90_000, merchants_fault=merchants_fault)
    assert done.fee_returned_minor == 0, "nothing was paid yet"
    await house.turn_to(date(2026, 10, 10))
    await house.repay(payer, 30_750, source=TELEX, value_on=date(2026, 10, 5))
    line = await house.line(payer)
    assert line.credit_balance_minor == (30_750 if merchants_fault else 30_000)
    await house.prove(payer)
    async with house.database.read() as db:
        row = (await load_lines(db, house.bucket, [payer.line_id]))[payer.line_id]
        batch: Any = SimpleNamespace(db=db, bucket=house.bucket, book=house.book, journals=[])
        history = await load_history(batch, house.products, row)
    versions = house.products.of_line(row.product, row.product_version, row.tier)
    standing = fold(row, history.events, versions, house.on)
    assert standing.credit_balance_minor == line.credit_balance_minor
    assert standing.charged.fee_minor == (0 if merchants_fault else 750)


# Whatever the plan, the steps and the reasons.


class Case(Struct, frozen=True):
    """A plan some of whose parts are billed, some of these paid, and then refunded by steps."""

    price: Price
    amount_minor: int
    early: Early
    fees: RefundFees
    months: int
    paid_minor: int
    cuts: tuple[tuple[int, bool], ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    tenor = draw(st.integers(2, 12))
    prices = st.one_of(
        st.builds(lambda ppm: Price(tenor, fee_ppm=ppm), st.integers(0, 90_000)),
        st.builds(lambda ppm: Price(tenor, fee_period_ppm=ppm), st.integers(0, 9_999)),
    )
    amount_minor = draw(st.integers(60_000, 300_000))
    return Case(
        draw(prices),
        amount_minor,
        draw(st.sampled_from(list(Early))),
        draw(st.sampled_from([RefundFees.CANCELLED, RefundFees.CANCELLED, RefundFees.KEPT])),
        draw(st.integers(0, tenor)),
        draw(st.integers(0, amount_minor)),
        tuple(
            draw(
                st.lists(
                    st.tuples(st.integers(1, amount_minor), st.booleans()),
                    min_size=1,
                    max_size=4,
                )
            )
        ),
    )


class Told(Struct):
    """What refunds of a case came to."""

    amount_minor: int = 0
    principal_minor: int = 0
    paid_principal_minor: int = 0
    paid_charges_minor: int = 0
    cancelled_minor: int = 0
    returned_minor: int = 0
    surplus_minor: int = 0


def lived(case: Case) -> tuple[Clerk, UUID]:
    """The plan, billed for some months, with money that came after the last of these bills."""
    plot = plot_of("monthly_bill")
    product = replace(
        plot.product,
        instalments=replace(
            plot.product.instalments,
            prices=(case.price,),
            single=False,
            early=case.early,
            refund_fees=case.fees,
        ),
    )
    clerk = Clerk(replace(plot, product=product))
    draw_id = clerk.buy(case.amount_minor, 0)
    for _ in range(case.months):
        if clerk.line.next_bill_on is not None:
            clerk.turn_to(clerk.line.next_bill_on)
    if case.paid_minor:
        clerk.repay(case.paid_minor, EXTERNAL)
    return clerk, draw_id


def refunded(clerk: Clerk, draw_id: UUID, cuts: tuple[tuple[int, bool], ...]) -> tuple[Debt, Draw, Told]:
    """The debt after refunds, one after the other on one day, and what they came to."""
    told, debt = Told(), brought_up(clerk.debt([draw_id]), clerk.product, clerk.on)
    for amount_minor, merchants_fault in cuts:
        left_minor = sum(next(one for one in debt.draws if one.id == draw_id).principal_parts)
        amount = min(amount_minor, left_minor)
        if not amount:
            continue
        done = refund(debt, (draw_id,), amount, (), clerk.versions, clerk.on, merchants_fault=merchants_fault)
        pieces = sum(effect.amount_minor for effect in done.effects)
        assert pieces == amount + done.fee_returned_minor, "every fen of it is told"
        assert done.returned == () and (merchants_fault or done.fee_returned_minor == 0)
        debt = done.debt
        told.amount_minor += amount
        if done.applied is not None:
            told.paid_principal_minor += done.applied.principal_minor
            told.paid_charges_minor += done.applied.fee_minor + done.applied.interest_minor
        told.principal_minor += done.principal_minor
        told.cancelled_minor += done.fee_cancelled_minor
        told.returned_minor += done.fee_returned_minor
        told.surplus_minor += done.kept_minor
    return debt, next(one for one in debt.draws if one.id == draw_id), told


def fees_of(clerk: Clerk) -> tuple[int, int]:
    """Fees that were billed, and what of them was paid."""
    bills = clerk.bills.values()
    return sum(bill.fee_minor for bill in bills), sum(bill.paid_fee_minor for bill in bills)


@settings(max_examples=examples(60, 5_000))
@given(cases())
def test_fees_charged_are_paid_cancelled_returned_or_owed(case: Case) -> None:
    clerk, draw_id = lived(case)
    charged_minor, paid_minor = fees_of(clerk)
    debt, draw, told = refunded(clerk, draw_id, case.cuts)
    touched = {bill.id: bill for bill in debt.bills}
    bills = [touched.get(bill.id, bill) for bill in clerk.bills.values()]
    owed_minor = sum(bill.unpaid_fee_minor for bill in bills)
    # What the refunds' own surplus paid of fees since then is no gift: it counts as paid.
    since_minor = sum(bill.paid_fee_minor for bill in bills) - paid_minor
    assert charged_minor == paid_minor + since_minor + told.cancelled_minor + owed_minor
    assert 0 <= told.returned_minor <= paid_minor + since_minor
    assert told.returned_minor == 0 or case.fees is RefundFees.CANCELLED
    assert all(part >= 0 for part in (*draw.principal_parts, *draw.fee_parts, draw.unbilled_minor))
    assert all(bill.unpaid_minor >= 0 and bill.minimum_minor >= 0 for bill in bills)


@settings(max_examples=examples(60, 5_000))
@given(cases())
def test_drawn_is_repaid_refunded_or_owed(case: Case) -> None:
    clerk, draw_id = lived(case)
    before = brought_up(clerk.debt([draw_id]), clerk.product, clerk.on)
    debt, draw, told = refunded(clerk, draw_id, case.cuts)
    repaid_minor = case.amount_minor - before.principal_minor
    assert case.amount_minor == (
        repaid_minor + told.principal_minor + told.paid_principal_minor + debt.principal_minor
    )
    assert sum(draw.principal_parts) == case.amount_minor - told.amount_minor
    assert told.amount_minor + told.returned_minor == (
        told.principal_minor + told.paid_principal_minor + told.paid_charges_minor + told.surplus_minor
    )


# Of the second part's fee, paid, 1.495 goes with 161 of 43,614, and so 1; but 0.74 and 0.75 with 80 and 81, and so 2.
PAID_FEE_OF_A_PART_OWED = Case(
    Price(2, fee_ppm=9_279), 87_230, Early.DROPPED, RefundFees.CANCELLED, 2, 87_146, ((161, False),)
)


def net_of(debt: Debt, told: Told) -> int:
    """Principal and billed fees that are owed after refunds, less what they left over."""
    return debt.principal_minor + sum(bill.unpaid_fee_minor for bill in debt.bills) - told.surplus_minor


def gone_of(told: Told) -> int:
    """Billed fees that went with refunds, owed or paid."""
    return told.cancelled_minor + told.returned_minor


@settings(max_examples=examples(60, 5_000))
@given(cases(), st.booleans())
@example(PAID_FEE_OF_A_PART_OWED, True)
def test_two_halves_end_like_the_whole(case: Case, merchants_fault: bool) -> None:
    """Exactly, once all is refunded. Where a step ends inside a part, its fee differs by a minor unit at most, and so
    does what is owed of principal: a fee that comes back pays it, and what is left over pays fees before it.
    """
    clerk, draw_id = lived(case)
    whole_minor = min(case.amount_minor, sum(cut for cut, _ in case.cuts))
    half_minor = whole_minor // 2
    halves = ((half_minor, merchants_fault), (whole_minor - half_minor, merchants_fault))
    one, drawn_one, told_one = refunded(clerk, draw_id, ((whole_minor, merchants_fault),))
    two, drawn_two, told_two = refunded(clerk, draw_id, halves)
    assert drawn_one.principal_parts == drawn_two.principal_parts
    slack = 0 if whole_minor == case.amount_minor else 1
    assert abs(one.principal_minor - two.principal_minor) <= slack
    owed_otherwise_minor = net_of(two, told_two) - net_of(one, told_one)
    assert owed_otherwise_minor == gone_of(told_one) - gone_of(told_two), "by nothing but the fees that went"
    fees = zip(drawn_one.fee_parts, drawn_two.fee_parts, strict=True)
    assert sum(abs(first - second) for first, second in fees) <= slack
    assert abs(told_one.cancelled_minor - told_two.cancelled_minor) <= slack
    assert abs(told_one.returned_minor - told_two.returned_minor) <= slack
    assert abs(told_one.surplus_minor - told_two.surplus_minor) <= slack


def test_a_product_that_keeps_fees_keeps_them_whatever_the_reason() -> None:
    clerk, draw_id = lived(
        Case(Price(3, fee_ppm=30_000), 90_000, Early.DROPPED, RefundFees.KEPT, 1, 30_900, ())
    )
    _, draw, told = refunded(clerk, draw_id, ((90_000, True),))
    assert (told.cancelled_minor, told.returned_minor, draw.fee_parts) == (0, 0, (900, 900, 900))
    clerk.turn_to(clerk.on + timedelta(days=1))
