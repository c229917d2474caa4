"""Histories through the lanes and the closes: rows are the fold of what the database remembers, money is conserved."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.credit.accruals.products import yearly_product
from tests.credit.conftest import House, Payer, make_house
from tests.credit.repayments.test_repaying import bank

from wufeng import credit
from wufeng.base.claims import Answer
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.credit.bill_plans.queries import bill_plan_options
from wufeng.credit.history.commands import SET_ASIDE, History, load_history
from wufeng.credit.history.model import Standing
from wufeng.credit.history.rules import fold
from wufeng.credit.lines.model import Actor
from wufeng.credit.lines.store import load_lines
from wufeng.credit.products.model import Mode
from wufeng.credit.repayments.model import RepaymentStatus, Source, SourceKind, Target
from wufeng.identity.merchants.model import Scene
from wufeng.ledger import AccountKind
from wufeng.lenders.model import lender_id

NUMBERS = count(1)
START = date(2026, 9, 3)
EXTERNAL = Source(SourceKind.EXTERNAL, None)
NOBODY = UUID(int=0)

LINES = {
    "monthly_bill": {"product": "monthly_bill"},
    "daily_interest": {"product": "daily_interest"},
    "order_instalments": {"product": "order_instalments", "mode": Mode.ORDER},
    "study_now": {"product": "study_now"},
}

BUYING: dict[str, dict[str, Any]] = {
    "daily_interest": {},
    "study_now": {"tenor": 6, "scene": Scene.EDUCATION},
}
"""How something is bought where instalments are not a choice."""


async def remembered(house: House, payer: Payer) -> tuple[History, Standing]:
    """What the database has of a line's history, and what its events make of the line today."""
    assert payer.line_id is not None
    async with house.database.read() as db:
        line = (await load_lines(db, house.bucket, [payer.line_id]))[payer.line_id]
        batch: Any = SimpleNamespace(db=db, bucket=house.bucket, book=house.book, journals=())
        history = await load_history(batch, house.products, line)
    versions = house.products.of_line(line.product, line.product_version, line.tier)
    return history, fold(line, history.events, versions, house.on)


async def assert_rows_are_the_fold(house: House, payer: Payer) -> None:
    """Bills, draws, items, line and pieces of repayments are what the events make of them; accounts are their sums."""
    history, standing = await remembered(house, payer)
    for bill in history.rows.bills:
        assert replace(bill, wake_on=None) == replace(standing.bills[bill.id], wake_on=None)
    for draw in history.rows.draws:
        assert draw == standing.draws[draw.id]
    assert standing.bills.keys() == {bill.id for bill in history.rows.bills}
    assert history.items == standing.items
    line = history.rows.line
    for name in ("status", "past_due_since", "suspend_on", "next_bill_on"):
        assert getattr(standing.line, name) == getattr(line, name), name
    for repayment in history.repayments:
        if repayment.status is RepaymentStatus.POSTED:
            assert repayment.allocation == standing.allocations[repayment.id]
    assert payer.line_id is not None
    owed = standing.principal_minor, standing.interest_owed_minor, standing.fee_owed_minor
    in_books, lost = (owed, (0, 0, 0)) if standing.lost is None else ((0, 0, 0), owed)
    for kind, expected in (
        (AccountKind.LINE_PRINCIPAL, in_books[0]),
        (AccountKind.LINE_INTEREST, in_books[1]),
        (AccountKind.LINE_FEE, in_books[2]),
        (AccountKind.LINE_CREDIT_BALANCE, -standing.credit_balance_minor),
        *([(AccountKind.LINE_CHARGED_OFF, sum(lost))] if standing.lost is not None else []),
    ):
        assert await house.balance(payer.line_id, kind) == expected, kind


def steps() -> st.SearchStrategy[list[tuple[str, int, int]]]:
    """What happens, with an amount and a number; `late` money counts from so many days ago."""
    amounts = st.one_of(st.integers(1, 400), st.integers(10_000, 90_000))
    kinds = (
        "buy",
        "buy",
        "repay",
        "late",
        "late",
        "all",
        "reverse",
        "refund",
        "refund",
        "late_refund",
        "wait",
        "wait",
        "wait",
        "month",
        "due_day",
        "captured_later",
        "late_close",
        "settle",
        "split",
    )
    return st.lists(st.tuples(st.sampled_from(kinds), amounts, st.integers(0, 30)), min_size=4, max_size=10)


@pytest.mark.parametrize("kind", ["monthly_bill", "daily_interest", "order_instalments"])
@settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(steps())
async def test_rows_are_what_the_events_make_of_them(
    database: Database, kind: str, lived: list[tuple[str, int, int]]
) -> None:
    house = await make_house(database, START, f"book{next(NUMBERS)}")
    payer = await house.payer(wallet_minor=9_000_000, limit_minor=1_000_000, **LINES[kind])
    payments = {await house.buy(payer, 61_234): 61_234}
    for what, minor, number in lived:
        await _do(house, payer, payments, what, minor, number)
        await assert_rows_are_the_fold(house, payer)
    await house.turn_to(house.on + timedelta(days=33))
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
    await house.lanes.drain()


async def _do(
    house: House, payer: Payer, payments: dict[UUID, int], what: str, minor: int, number: int
) -> None:
    match what:
        case "buy":
            tenor = 3 if number % 3 == 0 and minor > 2_000 else 1
            command = house.buying(payer, minor, tenor=tenor, awaits_receipt=number % 5 == 4)
            answer = await house.send(command)
            if isinstance(answer, Answer) and answer.status == 201:
                payments[command.request.payment_id] = minor
        case "repay" | "late":
            value_on = max(START, house.on - timedelta(days=number)) if what == "late" else None
            source = {"source": EXTERNAL} if number % 2 else {}
            _fits(await house.send(house.repaying(payer, minor, value_on=value_on, **source)))
        case "all":
            _fits(await house.send(house.repaying(payer, (Target.ALL, Target.MINIMUM)[number % 2])))
        case "reverse":
            history, _ = await remembered(house, payer)
            posted = [one.id for one in history.repayments if one.status is RepaymentStatus.POSTED]
            if posted:
                _fits(await house.send(reversing(house, payer, posted[number % len(posted)])))
        case "refund":
            payment_id = list(payments)[number % len(payments)]
            if amount := min(minor, payments[payment_id]):
                await house.refund(payer, payment_id, amount, merchants_fault=number % 2 == 1)
                payments[payment_id] -= amount
        case "late_refund":
            payment_id = list(payments)[number % len(payments)]
            if amount := min(minor, payments[payment_id]):
                history, _ = await remembered(house, payer)
                (captured_on,) = (
                    draw.posted_on for draw in history.rows.draws if draw.payment_id == payment_id
                )
                value_on = max(captured_on, house.on - timedelta(days=number))
                fault = number % 2 == 1
                done = await house.refund_late(payer, payment_id, amount, value_on, merchants_fault=fault)
                if not isinstance(done, Problem):
                    payments[payment_id] -= amount
                else:
                    assert done.code is Code.STATE_CONFLICT, done
        case "due_day":
            day = credit.SetDueDay, payer, Actor.PERSON
            await house.send(house.change(*day, due_day=(8, 15, 20)[number % 3]))
        case "captured_later":  # authorised before what happens meanwhile, so its id is older
            command = house.buying(payer, minor, tenor=3 if number % 3 == 0 and minor > 2_000 else 1)
            house.hours = 13 if house.hours == 12 else 12
            if number % 2:
                await house.turn_to(house.on + timedelta(days=1))
            await house.send(house.buying(payer, 1_234))
            answer = await house.send(replace(command, at=house.at))
            if isinstance(answer, Answer) and answer.status == 201:
                payments[command.request.payment_id] = minor
        case (
            "late_close"
        ):  # up to the day of a bill, of which the close is late: money, refunds and draws come first
            line = await house.line(payer)
            if line.next_bill_on is not None and line.next_bill_on > house.on:
                await house.turn_to(line.next_bill_on - timedelta(days=1))
            house.clock.turn_to(house.noon(house.on + timedelta(days=1 + number % 2)))
            for step in ("repay", "refund", "due_day", "buy")[number % 4 :]:
                await _do(house, payer, payments, step, minor, number)
            await house.close(house.on - timedelta(days=1))
        case "settle":
            plans = [draw for draw in (await house.debt(payer)).draws if draw.tenor > 1]
            if plans:
                _fits_or_nothing(await house.send(house.repaying(payer, plan=plans[number % len(plans)].id)))
        case "split":
            await split_newest(house, payer)
        case "wait":
            await house.turn_to(house.on + timedelta(days=number))
        case "month":
            await house.turn_to(house.on + timedelta(days=31))


def reversing(house: House, payer: Payer, repayment_id: UUID) -> credit.ReverseRepayment:
    """The bank takes a repayment back."""
    return credit.ReverseRepayment(
        at=house.at, people=(payer.id,), repayment_id=repayment_id, reason="taken back"
    )


async def split_newest(house: House, payer: Payer) -> None:
    """Put the newest bill into instalments, where it may be."""
    history, _ = await remembered(house, payer)
    if not history.rows.bills:
        return
    bill, line = history.rows.bills[-1], history.rows.line
    async with house.database.read() as db:
        options = (await bill_plan_options(house.reading(db), bill, line, None)).options
    if options:
        await house.do(
            credit.SplitBill(
                at=house.at,
                people=(payer.id,),
                person_id=payer.id,
                bill_id=bill.id,
                amount_minor=options[0].amount_minor,
                quote_option=options[0].quote_option,
            )
        )


def _fits_or_nothing(answer: Answer | Problem) -> None:
    """As below; a plan of which no instalment is to come is not settled."""
    if not (isinstance(answer, Problem) and answer.code is Code.INVALID_FIELD):
        _fits(answer)


def _fits(answer: Answer | Problem) -> None:
    """Done, or refused for a reason; a bug would be neither."""
    assert isinstance(answer, Answer) or answer.code is Code.STATE_CONFLICT, answer


# A message of the bank that comes late.


@pytest.mark.parametrize("kind", list(LINES))
@pytest.mark.parametrize(
    "paid_on", [date(2026, 10, 8), date(2026, 10, 31), date(2026, 11, 10), date(2026, 12, 30)]
)
async def test_a_line_whose_money_is_told_three_days_late_ends_up_as_the_other(
    house: House, kind: str, paid_on: date
) -> None:
    """In those days a due date passes or a bill is issued, something is bought and other money comes."""
    timely, late = [await house.payer(limit_minor=1_000_000, **LINES[kind]) for _ in range(2)]
    payments: dict[UUID, list[UUID]] = {timely.id: [], late.id: []}
    for day, minor, tenor in ((0, 80_001, 1), (2, 123_457, 3), (20, 33_333, 1)):
        await house.turn_to(START + timedelta(days=day))
        for payer in (timely, late):
            bought = await house.buy(payer, minor, **BUYING.get(kind, {"tenor": tenor}))
            payments[payer.id].append(bought)
    await house.turn_to(paid_on)
    await house.repay(timely, 50_005, source=EXTERNAL)
    await house.turn_to(paid_on + timedelta(days=1))
    for payer in (timely, late):
        await house.refund(payer, payments[payer.id][1], 23_456)
    await house.turn_to(paid_on + timedelta(days=2))
    for payer in (timely, late):
        await house.repay(payer, 7_777, source=EXTERNAL)
    await house.turn_to(paid_on + timedelta(days=3))
    await house.repay(late, 50_005, source=EXTERNAL, value_on=paid_on)
    for on in (house.on, paid_on + timedelta(days=30), paid_on + timedelta(days=75)):
        await house.turn_to(on)
        assert await told_rows(house, timely) == await told_rows(house, late), on
        for payer in (timely, late):
            await assert_rows_are_the_fold(house, payer)
    for payer in (timely, late):
        await house.repay(payer, Target.ALL, source=EXTERNAL)
    assert await told_rows(house, timely) == await told_rows(house, late)
    await house.prove(timely, late)


@pytest.mark.parametrize("kind", list(LINES))
async def test_money_told_late_and_taken_back_was_never_there(house: House, kind: str) -> None:
    """All the way: dated back over a bill and a due date, then reversed."""
    never, taken = [await house.payer(limit_minor=1_000_000, **LINES[kind]) for _ in range(2)]
    for payer in (never, taken):
        await house.buy(payer, 80_001, **BUYING.get(kind, {}))
        await house.buy(payer, 123_457, **BUYING.get(kind, {"tenor": 3}))
    await house.turn_to(date(2026, 11, 2))
    answer = await house.do(house.repaying(taken, 20_002, source=EXTERNAL, value_on=date(2026, 10, 9)))
    await house.turn_to(date(2026, 11, 12))
    assert answer.object_id is not None
    await house.do(reversing(house, taken, answer.object_id))
    for on in (house.on, date(2026, 12, 12), date(2027, 1, 12)):
        await house.turn_to(on)
        rows, others = await told_rows(house, never), await told_rows(house, taken)
        assert {**rows, "repayments": None} == {**others, "repayments": None}, on
        await assert_rows_are_the_fold(house, taken)
    await house.prove(never, taken)


async def test_what_bounces_after_a_refund_gave_it_back_is_owed(house: House) -> None:
    """The money has gone: so much of the refund has not lowered the debt."""
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 10, 2))
    paid = await house.repay(payer, 50_000)
    await house.refund(payer, payment, 30_000)
    await house.turn_to(date(2026, 10, 5))
    await house.do(reversing(house, payer, decode(Prefix.REPAYMENT, paid.id)))
    line = await house.line(payer)
    assert (line.billed_minor, line.used_minor) == (50_000, 50_000)
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_the_merchants_part_of_fees_that_went_back_stays_with_it(house: House) -> None:
    """Money dated before a refund would have ended the plan, so that nothing of the fee had been left to give back."""
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 60_000, tenor=3, merchant_share_ppm=1_000_000)
    await house.turn_to(date(2026, 9, 20))
    refunded = await house.refund(payer, payment, 30_000)
    assert refunded.subsidy_returned_minor > 0
    await house.turn_to(date(2026, 9, 25))
    await house.do(house.repaying(payer, 60_000, source=EXTERNAL, value_on=date(2026, 9, 10)))
    assert (await house.line(payer)).used_minor == 0
    assert await house.balance(payer.line_id, AccountKind.LINE_CREDIT_BALANCE) == -30_000
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)
    await house.followers.catch_up()
    for code in ("wufeng_consumer_finance",):
        assert await house.folded(lender_id(house.book.id, code), AccountKind.UNEARNED_SUBSIDY) == 0


async def test_a_plan_keeps_the_price_of_the_due_day_that_it_was_made_by(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 60_000, tenor=3)
    await house.do(house.change(credit.SetDueDay, payer, due_day=20))
    await house.turn_to(date(2026, 10, 5))
    await house.do(house.repaying(payer, 5_000, source=EXTERNAL, value_on=date(2026, 10, 2)))
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


# The order of what happened on one day.


@pytest.fixture
async def yearly_house(database: Database) -> AsyncIterator[House]:
    """A house whose plans earn interest by a yearly rate: their price follows the due day."""
    made = await make_house(database, START, "yearly", yearly_product())
    yield made
    await made.lanes.drain()


async def test_money_on_a_bills_day_before_its_close_pays_the_draw(house: House) -> None:
    payer = await house.payer(wallet_minor=300_000)
    payment = await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 9, 30))
    house.clock.turn_to(house.noon(date(2026, 10, 2)))
    paid = await house.repay(payer, 20_000)
    await house.refund(payer, payment, 10_000)
    await house.close(date(2026, 10, 1))
    assert [bill.total_minor for bill in await house.bills(payer)] == [20_000]
    await assert_rows_are_the_fold(house, payer)
    await house.do(reversing(house, payer, decode(Prefix.REPAYMENT, paid.id)))
    assert [bill.total_minor for bill in await house.bills(payer)] == [40_000]
    await house.turn_to(date(2026, 10, 5))
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 10, 1)))
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 10, 2)))
    await assert_rows_are_the_fold(house, payer)
    await house.prove(payer)


async def test_a_bill_keeps_a_number_before_its_event_and_after_what_it_found(house: House) -> None:
    """However it was issued: by sets, or by the lane where something stands in the person's favour."""
    for favour_minor in (0, 30_000):
        payer = await house.payer(wallet_minor=300_000)
        await house.buy(payer, 20_000)
        if favour_minor:
            await house.repay(payer, favour_minor)
        await house.buy(payer, 40_000)
    await house.turn_to(date(2026, 10, 2))
    async with house.database.read() as db:
        rows = await db.fetch(
            "select bill.seq, event.seq as told, (select max(journal.seq) from journal"
            " where journal.bucket = bill.bucket and journal.business_on < bill.issued_on) as found"
            " from bill join event on event.bucket = bill.bucket and event.object_id = bill.id"
            " and event.kind = 'bill.issued' where bill.bucket = $1",
            house.bucket,
        )
    assert len(rows) == 2
    assert all(row["found"] <= row["seq"] < row["told"] for row in rows)


async def test_a_plan_settled_before_the_due_day_was_moved(yearly_house: House) -> None:
    house = yearly_house
    payer = await house.payer(wallet_minor=900_000)
    await house.buy(payer, 200_000, tenor=6)
    await house.turn_to(date(2026, 9, 20))
    (draw,) = (await house.debt(payer)).draws
    await house.repay(payer, plan=draw.id)
    await house.do(house.change(credit.SetDueDay, payer, due_day=20))
    await house.turn_to(date(2026, 9, 25))
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 9, 24)))
    await assert_rows_are_the_fold(house, payer)


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_draw_follows_the_due_day_of_its_capture_not_of_its_order(
    yearly_house: House, *, is_first: bool
) -> None:
    house = yearly_house
    payer = await house.payer(wallet_minor=900_000)
    await house.turn_to(date(2026, 9, 20))
    command = house.buying(payer, 200_000, tenor=6)
    house.hours = 13
    house.clock.turn_to(house.noon(date(2026, 9, 20)))
    if is_first:
        await house.do(replace(command, at=house.at))
    await house.do(house.change(credit.SetDueDay, payer, due_day=20))
    if not is_first:
        await house.do(replace(command, at=house.at))
    await assert_rows_are_the_fold(house, payer)
    await house.turn_to(date(2026, 9, 25))
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 9, 24)))
    await assert_rows_are_the_fold(house, payer)


async def test_a_plan_of_a_bill_leaves_what_money_had_paid_by_the_order_of_orders(house: House) -> None:
    """The older order was captured last, and money pays it first."""
    payer = await house.payer(wallet_minor=900_000)
    await house.turn_to(date(2026, 9, 20))
    older = house.buying(payer, 30_000)
    await house.turn_to(date(2026, 9, 22))
    await house.buy(payer, 32_000)
    await house.turn_to(date(2026, 9, 24))
    await house.do(replace(older, at=house.at))
    await house.turn_to(date(2026, 9, 28))
    await house.repay(payer, 41_000)
    await house.turn_to(date(2026, 10, 2))
    await split_newest(house, payer)
    await house.turn_to(date(2026, 10, 4))
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 10, 3)))
    await assert_rows_are_the_fold(house, payer)


async def test_a_line_whose_rows_are_not_its_history_is_set_aside(
    house: House,
) -> None:
    """Nothing of it is dated back; what a bank has taken counts from the day on which it says so."""
    payer = await house.payer(wallet_minor=300_000)
    source = await bank(house, payer)
    await house.buy(payer, 50_000)
    await house.turn_to(date(2026, 10, 5))
    ordered = await house.do(house.repaying(payer, 20_000, source=source))
    async with house.database.transaction() as db:
        await db.execute("update bill set missed_minor = 7 where line_id = $1", payer.line_id)
    await house.turn_to(date(2026, 10, 7))
    with capture_logs() as logs:
        refused = await house.send(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 10, 6)))
    assert isinstance(refused, Problem)
    assert (refused.code, refused.detail) == (Code.STATE_CONFLICT, SET_ASIDE)
    assert [(one["event"], one["log_level"]) for one in logs] == [("a line is set aside", "error")]
    assert ordered.object_id is not None
    await house.do(
        credit.BankAnswered(at=house.at, people=(payer.id,), repayment_id=ordered.object_id, ok=True)
    )
    history, _ = await remembered(house, payer)
    (posted,) = history.repayments
    assert (posted.status, posted.value_on) == (RepaymentStatus.POSTED, house.on)
    await house.prove(payer)


BROKEN = {
    "a refund of more than was drawn": (
        "update draw set amount_minor = 5_000 where line_id = $1",
        "cannot have been",
    ),
    "a draw of a version that nobody has kept": (
        "update draw set product_version = 99 where line_id = $1",
        "make no history",
    ),
}
"""What another hand may have done to a line's rows, and what the log says of it."""


@pytest.mark.parametrize(("statement", "told"), BROKEN.values(), ids=BROKEN)
async def test_a_line_whose_history_falls_over_is_set_aside_and_harms_no_other(
    house: House, statement: str, told: str
) -> None:
    """The command is answered with a code, not with a mistake of the server; those beside it are done at once."""
    broken, whole = [await house.payer(wallet_minor=300_000) for _ in range(2)]
    for payer in (broken, whole):
        payment = await house.buy(payer, 50_000)
        await house.refund(payer, payment, 10_000)
    await house.turn_to(date(2026, 9, 7))
    async with house.database.transaction() as db:
        await db.execute(statement, broken.line_id)
    splits = house.lanes.stats.splits
    late = [house.repaying(one, 1_000, source=EXTERNAL, value_on=date(2026, 9, 6)) for one in (broken, whole)]
    with capture_logs() as logs:
        refused, done = await asyncio.gather(*map(house.send, late))
    assert isinstance(refused, Problem) and isinstance(done, Answer)
    assert (refused.code, refused.detail) == (Code.STATE_CONFLICT, SET_ASIDE)
    assert house.lanes.stats.splits == splits, "nobody had to go again"
    (line,) = logs
    assert broken.line_id is not None
    assert (line["event"], line["line"]) == ("a line is set aside", encode(Prefix.LINE, broken.line_id))
    assert told in line["differences"][0] and isinstance(line["exc_info"], AssertionError)
    await assert_rows_are_the_fold(house, whole)


async def test_parts_of_nothing_are_no_parts(house: House) -> None:
    """Rows have either; the fold has the shorter."""
    payer = await house.payer(wallet_minor=300_000)
    await house.buy(payer, 50_000)
    async with house.database.transaction() as db:
        await db.execute("update draw set fee_parts = '{0}' where line_id = $1", payer.line_id)
    await house.turn_to(date(2026, 9, 9))
    await house.do(house.repaying(payer, 1_000, source=EXTERNAL, value_on=date(2026, 9, 8)))


async def told_rows(house: House, payer: Payer) -> Mapping[str, object]:
    """A line's rows but for ids, and for when and by whose word something came."""
    history, _ = await remembered(house, payer)
    line, bills, draws = history.rows.line, history.rows.bills, history.rows.draws
    names: dict[UUID | None, object] = {None: None} | {bill.id: str(bill.issued_on) for bill in bills}
    names |= {draw.id: f"draw {n}" for n, draw in enumerate(draws)}
    return {
        "line": replace(line, id=NOBODY, person_id=NOBODY, touched_on=None),
        "bills": [replace(bill, id=NOBODY, line_id=NOBODY) for bill in bills],
        "draws": [
            (
                replace(draw, id=NOBODY, line_id=NOBODY, payment_id=NOBODY, bills=()),
                [names[bill] for bill in draw.bills],
            )
            for draw in draws
        ],
        "items": [
            (
                [
                    (names[item.draw_id], replace(item, draw_id=NOBODY))
                    for item in history.items[bill.id].items
                ],
                [(names[one.of], one.amount_minor) for one in history.items[bill.id].interest],
            )
            for bill in bills
        ],
        "repayments": sorted(
            (
                (
                    str(one.value_on),
                    one.amount_minor,
                    one.status.value,
                    one.principal_minor,
                    one.returned_minor,
                ),
                [
                    (
                        piece.part.value,
                        piece.amount_minor,
                        names[piece.bill],
                        names[piece.draw],
                        piece.instalment,
                    )
                    for piece in one.allocation
                ],
            )
            for one in history.repayments
        ),
    }
