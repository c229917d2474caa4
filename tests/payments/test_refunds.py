"""Refunds: what they lower first, what returns and where to, the merchant's fee, and one number is one refund."""

import asyncio
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wufeng import credit, payments
from wufeng.base.database import Connection
from wufeng.base.errors import Problem
from wufeng.base.followers import EventRow, read_events
from wufeng.base.ids import Prefix, encode
from wufeng.identity.merchants.model import Scene
from wufeng.ledger import AccountKind
from wufeng.payments.bank.events import instruction_of
from wufeng.payments.bank.model import Answered, Kind
from wufeng.payments.orders.model import Receipt
from wufeng.payments.pay.model import Capture, Funding, Payment, PaymentStatus
from wufeng.payments.pay.rules import fee_of
from wufeng.payments.refunds.model import RETURNS_MAX, RefundReason
from wufeng.payments.refunds.rules import plan_refund, problem_if_below_floor

from .conftest import Payer, Town

WALLET, PRINCIPAL = AccountKind.WALLET, AccountKind.LINE_PRINCIPAL
CREDIT_BALANCE = AccountKind.LINE_CREDIT_BALANCE
NOON = datetime(2026, 9, 3, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def payment_of(wallet_minor: int, credit_minor: int, captured_minor: int, rate_ppm: int = 6_000) -> Payment:
    return Payment(
        id=UUID(int=1),
        payer_id=UUID(int=2),
        merchant_id=UUID(int=3),
        order_id=UUID(int=4),
        order_no="o",
        amount_minor=wallet_minor + credit_minor,
        currency="CNY",
        scene=Scene.RETAIL,
        subject="goods",
        receipt=Receipt.NONE,
        inline_order=True,
        status=PaymentStatus.CAPTURED,
        capture=Capture.NOW,
        funding=Funding(use_wallet=True, line_id=UUID(int=5)),
        wallet_minor=wallet_minor,
        credit_minor=credit_minor,
        captured_minor=captured_minor,
        fee_minor=fee_of(captured_minor, rate_ppm),
        caller_id=UUID(int=2),
        created_at=NOON,
    )


@pytest.mark.parametrize(
    ("captured", "refunded", "amount", "parts"),
    [
        (100, 0, 70, (70, 0)),  # the drawn part first
        (100, 0, 71, (70, 1)),  # and one past it
        (100, 70, 30, (0, 30)),
        (100, 0, 100, (70, 30)),
        (30, 0, 30, (0, 30)),  # only the wallet's part was captured
        (31, 0, 2, (1, 1)),
        (100, 0, 101, "100 minor units are left"),
        (100, 100, 1, "0 minor units are left"),
    ],
)
def test_the_drawn_part_is_refunded_first(
    captured: int, refunded: int, amount: int, parts: tuple[int, int] | str
) -> None:
    payment = payment_of(30, 70, captured)
    if refunded:
        first = plan_refund(payment, refunded, 0)
        assert not isinstance(first, Problem)
        payment = replace(payment, refunded_minor=refunded, wallet_refunded_minor=first.wallet_minor)
    plan = plan_refund(payment, amount, 0)
    if isinstance(plan, Problem):
        assert isinstance(parts, str) and parts in plan.detail
    else:
        assert (plan.credit_minor, plan.wallet_minor) == parts


def test_a_refund_between_two_captures_does_not_give_more_of_the_fee_back_than_there_is() -> None:
    """84 at 6,000 ppm cost 1, which goes back; 168 cost 1 too, so nothing is left to go back with the rest."""
    first = plan_refund(payment_of(0, 168, 84), 84, 0)
    assert not isinstance(first, Problem) and first.fee_returned_minor == 1
    second = plan_refund(replace(payment_of(0, 168, 168), refunded_minor=84), 84, 1)
    assert not isinstance(second, Problem) and second.fee_returned_minor == 0


@given(
    wallet=st.integers(0, 10_000),
    credit=st.integers(1, 10_000),
    rate=st.integers(0, 100_000),
    cuts=st.lists(st.integers(1, 5_000), max_size=8),
)
def test_parts_refund_like_the_whole(wallet: int, credit: int, rate: int, cuts: list[int]) -> None:
    payment = whole = payment_of(wallet, credit, wallet + credit, rate)
    plans = []
    for cut in [*cuts, wallet + credit]:
        amount = min(cut, payment.captured_minor - payment.refunded_minor)
        if not amount:
            continue
        plan = plan_refund(payment, amount, sum(before.fee_returned_minor for before in plans))
        assert not isinstance(plan, Problem)
        assert plan.credit_minor + plan.wallet_minor == amount
        assert 0 <= plan.fee_returned_minor <= amount
        plans.append(plan)
        payment = replace(
            payment,
            refunded_minor=payment.refunded_minor + amount,
            wallet_refunded_minor=payment.wallet_refunded_minor + plan.wallet_minor,
        )
    assert sum(plan.fee_returned_minor for plan in plans) == whole.fee_minor
    assert sum(plan.wallet_minor for plan in plans) == wallet
    assert sum(plan.credit_minor for plan in plans) == credit


@pytest.mark.parametrize(
    ("owed", "back", "ok"), [(0, 100, True), (0, 101, False), (50, 150, True), (-100, 1, False)]
)
def test_a_merchants_balance_has_a_floor(owed: int, back: int, ok: bool) -> None:
    assert (problem_if_below_floor(owed, back, 100) is None) is ok


async def test_an_unbilled_draw_owes_less_and_the_fee_returns(town: Town) -> None:
    [payer] = await town.people()
    _, body = await town.pay(payer, "o1", 100_00)
    status, refund = await town.refund(payer, body, "r1", 33_33)
    assert (status, refund["status"], refund["fee_returned_minor"]) == (201, "posted", 20)
    assert refund["effects"] == [
        {"kind": "unbilled", "amount_minor": 33_33, "to": body["funding"][0]["draw"]}
    ]
    assert await town.balance(payer.line_id, PRINCIPAL) == 66_67
    assert (await town.refund(payer, body, "r1", 33_33)) == (200, refund), "one number, one refund"
    assert (await town.refund(payer, body, "r1", 33_34))[1]["code"] == "state_conflict"
    assert (await town.refund(payer, body, "r2", 66_68))[1]["code"] == "state_conflict"
    assert (await town.refund(payer, body, "r2", 66_67))[1]["fee_returned_minor"] == 40
    assert await town.balance(payer.line_id, PRINCIPAL) == 0
    assert await town.payable() == 0
    assert await town.kinds() == ["payment.captured", "refund.posted", "refund.posted"]


async def test_a_split_payment_gives_back_credit_first_then_the_wallet(town: Town) -> None:
    [payer] = await town.people(wallet_minor=30_00)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    _, body = await town.pay(payer, "o1", 100_00, funding=both)
    _, refund = await town.refund(payer, body, "r1", 80_00)
    wallet = encode(Prefix.WALLET, payer.wallet_id)
    assert [(e["kind"], e["amount_minor"]) for e in refund["effects"]] == [
        ("unbilled", 70_00), ("returned", 10_00),
    ]  # fmt: skip
    assert refund["effects"][1]["to"] == wallet
    assert await town.balance(payer.wallet_id, WALLET) == -10_00
    await town.refund(payer, body, "r2", 20_00)
    assert await town.balance(payer.wallet_id, WALLET) == -30_00
    assert await town.payable() == 0


async def test_another_merchants_payment_is_not_there(town: Town) -> None:
    [payer] = await town.people()
    _, body = await town.pay(payer, "o1", 100_00)
    assert (await town.refund(payer, body, "r1", 1, merchant_id=UUID(int=9)))[0] == 404
    assert (await town.refund(payer, body, "r1", 1, merchant_id=None))[0] == 201, "staff refund any"


async def test_what_was_repaid_returns_to_the_wallet_it_came_from(town: Town) -> None:
    [payer] = await town.people(wallet_minor=100_00)
    _, body = await town.pay(payer, "o1", 100_00)
    await town.repay(payer, 60_00)
    status, refund = await town.refund(payer, body, "r1", 100_00)
    assert status == 201
    assert sorted((e["kind"], e["amount_minor"]) for e in refund["effects"]) == [
        ("returned", 60_00), ("unbilled", 40_00),
    ]  # fmt: skip
    assert await town.balance(payer.wallet_id, WALLET) == -100_00
    assert await town.balance(payer.line_id, PRINCIPAL) == 0


@pytest.mark.parametrize(
    ("reason", "returned_minor"),
    [
        (RefundReason.FAULTY, 7_50),
        (RefundReason.NOT_RECEIVED, 7_50),
        (RefundReason.NOT_AS_DESCRIBED, 7_50),
        (RefundReason.DUPLICATE, 7_50),
        (RefundReason.CHANGED_MIND, 0),
        (RefundReason.OTHER, 0),
    ],
)
async def test_paid_fees_come_back_where_the_fault_is_the_merchants(
    town: Town, reason: RefundReason, returned_minor: int
) -> None:
    [payer] = await town.people(wallet_minor=1_000_00)
    status, body = await town.pay(payer, "o1", 900_00, funding=Funding(False, payer.line_id, 3))
    assert status == 201, body
    before_minor = await town.payable()
    town.turn(days=32)
    closed = await credit.close_through(
        town.lanes, town.book, payer.bucket, town.book.business_date(town.at) - DAY, credit.close_steps()
    )
    assert [error for day in closed for error in day.errors] == []
    await town.repay(payer, 307_50)
    status, refund = await town.refund(payer, body, "r1", 900_00, reason_code=reason)
    assert (status, refund["reason_code"], refund["charges_returned_minor"]) == (
        201,
        reason,
        returned_minor,
    ), refund
    assert sum(one["amount_minor"] for one in refund["effects"]) == 900_00 + returned_minor
    assert await town.balance(payer.wallet_id, WALLET) == -(1_000_00 - 7_50 + returned_minor)
    assert await town.balance(payer.line_id, PRINCIPAL) == 0
    assert await town.payable() == before_minor - (900_00 - refund["fee_returned_minor"]), (
        "the merchant gives its price back, never the lenders' fees"
    )


async def pending_rows(town: Town, payer: Payer) -> list[EventRow]:
    async with town.database.read() as db:
        return await read_events(db, payer.bucket, 0, 10_000, ["refund.pending"])


@pytest.mark.parametrize("done", [True, False])
async def test_a_bank_takes_its_time_and_may_refuse(town: Town, done: bool) -> None:
    [payer] = await town.people()
    account = await town.bank_account(payer)
    _, body = await town.pay(payer, "o1", 100_00)
    await town.repay(payer, 60_00, account)
    status, refund = await town.refund(payer, body, "r1", 100_00)
    assert (status, refund["status"], refund["posted_at"]) == (202, "pending", None)
    [row] = await pending_rows(town, payer)
    instruction = instruction_of(row)
    assert (instruction.amount_minor, instruction.bank_account_id) == (60_00, account)
    answered = Answered(
        id=instruction.id, kind=Kind.REFUND, owner_id=payer.id, done=done, code="", at=town.at
    )
    command = payments.refund_answered(answered)
    status, refund = await town.ask(payer.bucket, command)
    assert (status, refund["status"]) == (200, "posted")
    kinds = {effect["kind"] for effect in refund["effects"]}
    assert ("returned" if done else "credit_balance") in kinds
    assert await town.balance(payer.line_id, CREDIT_BALANCE) == (0 if done else -60_00)
    assert (await town.ask(payer.bucket, command)) == (200, refund), "said twice, done once"
    assert await town.balance(payer.line_id, CREDIT_BALANCE) == (0 if done else -60_00)
    assert (await town.kinds()).count("refund.posted") == 1
    assert await town.fetch("select returned_minor from repayment") == [
        {"returned_minor": 60_00 if done else 0}
    ]
    stranger = payments.RefundAnswered(
        at=town.at, people=(payer.id,), return_id=town.ids.new(town.at, 0), done=True
    )
    assert (await town.ask(payer.bucket, stranger))[0] == 404


async def test_what_a_bank_refuses_pays_what_is_open_by_then_and_the_refund_says_so(town: Town) -> None:
    """Two banks answer in one batch, after the person has bought again: the first pays a part, the second the rest."""
    [payer] = await town.people()
    [first, second] = [await town.bank_account(payer), await town.bank_account(payer)]
    _, body = await town.pay(payer, "o1", 100_00)
    await town.repay(payer, 60_00, first)
    town.clock.turn_to(town.clock.now() + timedelta(minutes=1))  # ids of one instant have no order
    await town.repay(payer, 40_00, second)
    _, refund = await town.refund(payer, body, "r1", 100_00)
    assert [(e["kind"], e["amount_minor"]) for e in refund["effects"]] == [
        ("returned", 40_00),
        ("returned", 60_00),
    ]
    await town.pay(payer, "o2", 70_00)
    rows = await pending_rows(town, payer)
    answers = await asyncio.gather(
        *(
            town.ask(
                payer.bucket,
                payments.refund_answered(
                    Answered(
                        id=row.object_id, kind=Kind.REFUND, owner_id=payer.id, done=False, code="", at=town.at
                    )
                ),
            )
            for row in rows
        )
    )
    (refund,) = [body for _, body in answers if body["status"] == "posted"][-1:]
    line, draw = encode(Prefix.LINE, payer.line_id), refund["effects"][0]["to"]
    assert draw.startswith("drw_")
    assert [(e["kind"], e["amount_minor"], e["to"]) for e in refund["effects"]] == [
        ("unbilled", 40_00, draw),
        ("unbilled", 30_00, draw),
        ("credit_balance", 30_00, line),
    ]
    assert await town.balance(payer.line_id, PRINCIPAL) == 0
    assert await town.balance(payer.line_id, CREDIT_BALANCE) == -30_00
    (told,) = await town.fetch("select data from event where kind = 'refund.posted'")
    assert msgspec.json.decode(told["data"])["effects"] == refund["effects"]


@pytest.mark.parametrize("done", [True, False])
async def test_a_bank_account_gets_one_return_however_often_it_repaid(town: Town, done: bool) -> None:
    """More repayments than there are ids of returns; the wallet's stands between them. A refusal undoes them all."""
    [payer] = await town.people(wallet_minor=5_00)
    account, other = await town.bank_account(payer), await town.bank_account(payer)
    _, body = await town.pay(payer, "o1", 100_00)
    for place in range(RETURNS_MAX + 1):
        await town.repay(payer, 1_00, account)
        if place == 30:
            await town.repay(payer, 5_00)
            await town.repay(payer, 30_00, other)
    status, refund = await town.refund(payer, body, "r1", 100_00)
    assert (status, refund["status"]) == (202, "pending")
    sums = {e["to"]: e["amount_minor"] for e in refund["effects"] if e["kind"] == "returned"}
    assert sorted(sums.values()) == [5_00, 30_00, 65_00]
    instructions = [instruction_of(row) for row in await pending_rows(town, payer)]
    assert [(one.amount_minor, one.bank_account_id) for one in instructions] == [
        (65_00, account),
        (30_00, other),
    ]
    for instruction in instructions:
        answered = Answered(
            id=instruction.id, kind=Kind.REFUND, owner_id=payer.id, done=done, code="", at=town.at
        )
        await town.ask(payer.bucket, payments.refund_answered(answered))
    assert await town.balance(payer.line_id, CREDIT_BALANCE) == (0 if done else -95_00)
    assert await town.fetch("select sum(returned_minor)::bigint as returned_minor from repayment") == [
        {"returned_minor": 100_00 if done else 5_00}
    ]


async def test_what_banks_refused_before_this_release_counts_as_not_given_back(
    town: Town, owner: Connection
) -> None:
    [payer] = await town.people()
    [first, second] = [await town.bank_account(payer), await town.bank_account(payer)]
    _, body = await town.pay(payer, "o1", 100_00)
    await town.repay(payer, 60_00, first)
    await town.repay(payer, 40_00, second)
    await town.refund(payer, body, "r1", 100_00)
    rows = await pending_rows(town, payer)
    for row, done in zip(rows, (True, False), strict=True):
        answered = Answered(
            id=row.object_id, kind=Kind.REFUND, owner_id=payer.id, done=done, code="", at=town.at
        )
        await town.ask(payer.bucket, payments.refund_answered(answered))
    given_back = "select amount_minor, returned_minor from repayment order by id"
    kept = await town.fetch(given_back)
    paid_minor, refused_minor = (instruction_of(row).amount_minor for row in rows)
    returned = {row["amount_minor"]: row["returned_minor"] for row in kept}
    assert returned == {paid_minor: paid_minor, refused_minor: 0}
    await owner.execute("update repayment set returned_minor = amount_minor")
    await owner.execute((files("wufeng.migrations") / "0032_histories.sql").read_text())
    assert await town.fetch(given_back) == kept


async def test_the_merchants_subsidy_returns_with_the_instalments_it_was_for(town: Town) -> None:
    [payer] = await town.people()
    funding = Funding(use_wallet=False, line_id=payer.line_id, tenor=3, merchant_share_ppm=1_000_000)
    _, body = await town.pay(payer, "o1", 300_00, funding=funding)
    assert await town.payable() == 300_00 - 1_80 - 7_50
    _, refund = await town.refund(payer, body, "r1", 300_00)
    assert {effect["kind"] for effect in refund["effects"]} == {"instalment"}
    assert await town.payable() == 0


async def test_a_merchant_is_not_owed_less_than_its_floor(town: Town) -> None:
    [payer] = await town.people()
    _, body = await town.pay(payer, "o1", 100_00)
    town.lanes.handlers.update(
        payments.handlers(
            payments.Catalogue(
                town.catalogue.products,
                town.catalogue.policies,
                town.catalogue.limits,
                payable_floor_minor=10_00,
            ),
            town.merchants,
        )
    )
    # Nothing is folded yet: the merchant counts as owed nothing.
    assert (await town.refund(payer, body, "r1", 10_06))[0] == 201
    assert (await town.refund(payer, body, "r2", 10_07))[1]["code"] == "state_conflict"
    await town.catch_up()
    assert (await town.refund(payer, body, "r3", 89_94))[0] == 201


async def test_refunds_of_one_payment_race_and_never_give_back_too_much(town: Town) -> None:
    [payer] = await town.people(wallet_minor=30_00)
    both = Funding(use_wallet=True, line_id=payer.line_id)
    _, body = await town.pay(payer, "o1", 100_00, funding=both)
    other = town.more_lanes()
    commands = [town.refund_command(payer, body, f"r{n % 12}", 10_00) for n in range(24)]
    answers = await asyncio.gather(
        *(town.ask(payer.bucket, command, (town.lanes, other)[n % 2]) for n, command in enumerate(commands))
    )
    await other.drain()
    assert sorted({status for status, _ in answers}) in ([200, 201, 409], [201, 409])
    assert len({body["id"] for status, body in answers if status == 201}) == 10
    assert len(await town.fetch("select 1 from refund")) == 10
    [row] = await town.fetch("select refunded_minor, wallet_refunded_minor from payment")
    assert row == {"refunded_minor": 100_00, "wallet_refunded_minor": 30_00}
    assert await town.payable() == 0


async def test_no_more_goes_back_to_a_source_than_it_paid(town: Town) -> None:
    """A wallet brought more than it paid; what a bank account had paid goes back to the account."""
    [payer] = await town.people(wallet_minor=100_000)
    account_id = await town.bank_account(payer)
    _, first = await town.pay(payer, "o1", 40_000)
    await town.repay(payer, 40_000, account_id)
    town.turn(seconds=1)
    _, second = await town.pay(payer, "o2", 30_000)
    await town.pay(payer, "o3", 20_000)
    town.turn(seconds=1)
    await town.repay(payer, 100_000)
    for number, body, amount_minor in (("r1", second, 30_000), ("r2", first, 40_000)):
        assert (await town.refund(payer, body, number, amount_minor))[0] in (201, 202)
    rows = await town.fetch(
        "select source, principal_minor + charges_minor as paid, returned_minor from repayment order by id"
    )
    told = [(row["source"], row["paid"], row["returned_minor"]) for row in rows]
    assert told == [("bank_account", 40_000, 20_000), ("wallet", 50_000, 50_000)]
