"""Refunds that count from an earlier date, by the payment: who is owed what, what goes back, and one number is one."""

import asyncio
from datetime import date, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from wufeng import credit, payments
from wufeng.base.database import Connection
from wufeng.credit.history import telling
from wufeng.credit.history.model import Event, Standing
from wufeng.credit.refunds import sending
from wufeng.ledger import AccountKind
from wufeng.payments.bank.model import Answered, Kind

from .conftest import Payer, Town

CREDIT_BALANCE = AccountKind.LINE_CREDIT_BALANCE
EXTERNAL = credit.Source(credit.SourceKind.EXTERNAL, None)
BOUGHT_ON = date(2026, 9, 3)
RETURNED_LATER = [
    files("wufeng.migrations") / name
    for name in ("0040_returned_later.sql", "0042_returned_later_than.sql", "0043_asked_seq.sql")
]


async def turn_to(town: Town, on: date) -> None:
    """Turn the clock to noon of a date, and close the days before it."""
    turn_clock_to(town, on)
    await close_days(town)


def turn_clock_to(town: Town, on: date) -> None:
    """Turn the clock to noon of a date whose closes are late."""
    town.clock.turn_to(town.book.start_of(on) + timedelta(hours=12))


async def close_days(town: Town) -> None:
    """Close the days before today."""
    through, steps = town.book.business_date(town.at) - timedelta(days=1), credit.close_steps()
    for bucket in town.book.buckets:
        for day in await credit.close_through(town.lanes, town.book, bucket, through, steps):
            assert not day.errors


async def test_what_was_paid_since_goes_back_to_where_it_came_from(town: Town) -> None:
    [payer] = await town.people(wallet_minor=100_000)
    _, body = await town.pay(payer, "o1", 80_000)
    await turn_to(town, date(2026, 10, 5))
    await town.repay(payer, 80_000)
    await turn_to(town, date(2026, 10, 20))
    status, refund = await town.refund(
        payer, body, "r1", 50_000, value_on=date(2026, 10, 2), merchant_id=None
    )
    assert (status, refund["status"], refund["value_on"]) == (201, "posted", "2026-10-02")
    assert [(one["kind"], one["amount_minor"]) for one in refund["effects"]] == [("returned", 50_000)]
    assert await town.balance(payer.wallet_id, AccountKind.WALLET) == -70_000
    assert await town.balance(payer.line_id, CREDIT_BALANCE) == 0


@pytest.mark.parametrize(("value_on", "later_minor"), [(date(2026, 10, 2), 50_000), (date(2026, 10, 6), 0)])
async def test_what_was_sent_before_it_was_told_apart_is_found_by_the_migrations(
    town: Town, owner: Connection, value_on: date, later_minor: int
) -> None:
    """Run twice, too: a refund of today sends back what the repayment still pays."""
    [payer] = await town.people(wallet_minor=80_000)
    _, first = await town.pay(payer, "o1", 50_000)
    _, second = await town.pay(payer, "o2", 30_000)
    await turn_to(town, date(2026, 10, 5))
    await town.repay(payer, 80_000)
    await turn_to(town, date(2026, 10, 20))
    await town.refund(payer, first, "r1", 50_000, value_on=value_on, merchant_id=None)
    await migrate_again(owner)
    [row] = await town.fetch("select returned_minor, returned_later_minor from repayment")
    assert row == {"returned_minor": 50_000, "returned_later_minor": later_minor}
    status, refund = await town.refund(payer, second, "r2", 30_000)
    assert status == 201, refund
    assert [(one["kind"], one["amount_minor"]) for one in refund["effects"]] == [("returned", 30_000)]


async def migrate_again(owner: Connection) -> None:
    """Run what tells later sendings apart, twice, on rows that do not."""
    await owner.execute("update repayment set returned_later_minor = 0")
    await owner.execute(
        "update draw_refund set returned = replace(returned::text, ',\"later\":true', '')::json"
    )
    for migration in RETURNED_LATER * 2:
        await owner.execute(migration.read_text())


async def test_what_a_bank_was_asked_before_its_place_was_kept(town: Town, owner: Connection) -> None:
    """The migration finds the place of what is pending; money that was booked late before it stands at the end of its
    day: after that day's refund, whose sending is a later one.
    """
    [payer] = await town.people()
    _, first = await town.pay(payer, "o1", 50_000)
    await turn_to(town, date(2026, 10, 5))
    asked = await asked_of_the_bank(town, payer, 80_000, await town.bank_account(payer))
    town.turn(minutes=1)
    await refunded(town, payer, first, "r1", 50_000, None)
    await owner.execute("update repayment set asked_seq = null")
    await migrate_again(owner)
    [place] = await town.fetch("select asked_seq from repayment")
    [bounds] = await town.fetch("select min(seq) as first, max(seq) as last from journal")
    assert bounds["first"] <= place["asked_seq"] < bounds["last"]
    await turn_to(town, date(2026, 10, 8))
    assert (await town.ask(payer.bucket, asked))[0] == 200
    query = "select asked_seq, returned_minor, returned_later_minor from repayment"
    kept = {"returned_minor": 50_000, "returned_later_minor": 0}
    assert await town.fetch(query) == [place | kept]
    await migrate_again(owner)
    assert await town.fetch(query) == [place | kept]
    await owner.execute("update repayment set asked_seq = null")
    await migrate_again(owner)
    assert await town.fetch(query) == [{"asked_seq": None} | kept | {"returned_later_minor": 50_000}]


async def test_what_a_bank_refused_is_not_counted_by_the_migration(town: Town, owner: Connection) -> None:
    """It had been sent later, and came back: what the repayment pays is all its own again."""
    [payer] = await town.people()
    bodies = [(await town.pay(payer, f"o{minor}", minor))[1] for minor in (30_000, 50_000)]
    await turn_to(town, date(2026, 10, 5))
    asked = await asked_of_the_bank(town, payer, 80_000, await town.bank_account(payer))
    await turn_to(town, date(2026, 10, 6))
    assert (await town.ask(payer.bucket, replace(asked, at=town.at)))[0] == 200
    await turn_to(town, date(2026, 10, 7))
    await refunded(town, payer, bodies[0], "r0", 30_000, date(2026, 10, 2))
    for row in await town.fetch("select object_id, person_id from event where kind = 'refund.pending'"):
        refused = Answered(
            id=row["object_id"], kind=Kind.REFUND, owner_id=row["person_id"], done=False, code="", at=town.at
        )
        assert (await town.ask(payer.bucket, payments.refund_answered(refused)))[0] == 200
    await turn_to(town, date(2026, 10, 9))
    await refunded(town, payer, bodies[1], "r1", 30_000, None)
    query = "select returned_minor, returned_later_minor from repayment"
    kept = await town.fetch(query)
    assert kept == [{"returned_minor": 30_000, "returned_later_minor": 0}]
    await owner.execute(RETURNED_LATER[-1].read_text())
    assert await town.fetch(query) == kept


@pytest.mark.parametrize("value_on", [None, date(2026, 10, 4), date(2026, 10, 5), date(2026, 10, 6)])
@pytest.mark.parametrize("then_on", [None, date(2026, 10, 11)])
async def test_what_a_source_paid_goes_back_to_it_once(
    town: Town, value_on: date | None, then_on: date | None
) -> None:
    """The rest of what it brought stands in the person's favour, whatever is refunded on whichever day."""
    [payer] = await town.people()
    account = await town.bank_account(payer)
    _, first = await town.pay(payer, "o1", 30_000)
    await town.pay(payer, "o2", 20_000)
    await turn_to(town, date(2026, 10, 5))
    await town.repay(payer, 100_000, account)
    await turn_to(town, date(2026, 10, 7))
    await refunded(town, payer, first, "r1", 30_000, value_on)
    _, third = await town.pay(payer, "o3", 40_000)
    await turn_to(town, date(2026, 10, 10))
    await town.repay(payer, 40_000, source=EXTERNAL)
    await turn_to(town, date(2026, 10, 12))
    await refunded(town, payer, third, "r2", 40_000, then_on)
    [row] = await town.fetch("select returned_minor from repayment where source <> 'external'")
    assert row["returned_minor"] == 50_000


@pytest.mark.parametrize("parts", [(50_000, 50_000), (30_000, 50_000), (50_000, 30_000)])
@pytest.mark.parametrize("brought_minor", [50_000, 70_000, 100_000])
async def test_two_refunds_before_a_banks_answer_send_back_what_they_would_have_after_it(
    town: Town, parts: tuple[int, int], brought_minor: int
) -> None:
    timely, late = await town.people(2)
    payments = {q.id: [(await town.pay(q, f"{n}{q.id}", 50_000))[1] for n in (0, 1)] for q in (timely, late)}
    await turn_to(town, date(2026, 10, 4))
    for payer in (timely, late):
        await town.repay(payer, 50_000, source=EXTERNAL)
    await turn_to(town, date(2026, 10, 5))
    await town.repay(timely, brought_minor, await town.bank_account(timely))
    asked = await asked_of_the_bank(town, late, brought_minor, await town.bank_account(late))
    await turn_to(town, date(2026, 10, 7))
    for payer in (timely, late):
        for number, part_minor in enumerate(parts):
            town.turn(seconds=1)
            await refunded(town, payer, payments[payer.id][number], f"r{number}", part_minor, None)
    await turn_to(town, date(2026, 10, 8))
    assert (await town.ask(late.bucket, asked))[0] == 200
    seen = [
        await town.fetch(
            "select source, amount_minor, principal_minor, returned_minor from repayment where person_id = $1"
            " order by id",
            payer.id,
        )
        for payer in (timely, late)
    ]
    assert seen[0] == seen[1]
    assert await town.balance(timely.line_id, CREDIT_BALANCE) == await town.balance(
        late.line_id, CREDIT_BALANCE
    )


@pytest.mark.parametrize("value_on", [date(2026, 10, 2), date(2026, 10, 6)])
@pytest.mark.parametrize("parts", [(40_000,), (20_000, 20_000)])
async def test_money_that_comes_after_a_refund_is_not_what_it_has_freed(
    town: Town, value_on: date, parts: tuple[int, ...]
) -> None:
    """It stands in the person's favour when the bank's answer comes, as it would have after one in time."""
    timely, late = await town.people(2)
    payments = {q.id: (await town.pay(q, f"o{q.id}", 80_000))[1] for q in (timely, late)}
    await turn_to(town, date(2026, 10, 5))
    await town.repay(timely, 60_000, await town.bank_account(timely))
    asked = await asked_of_the_bank(town, late, 60_000, await town.bank_account(late))
    await turn_to(town, date(2026, 10, 7))
    for payer in (timely, late):
        for number, part_minor in enumerate(parts):
            town.turn(seconds=1)
            dated = None if number else value_on
            await refunded(town, payer, payments[payer.id], f"r{number}", part_minor, dated)
        town.turn(seconds=1)
        await town.repay(payer, 10_000, source=EXTERNAL)
    await turn_to(town, date(2026, 10, 8))
    assert (await town.ask(late.bucket, replace(asked, at=town.at)))[0] == 200
    rows = await town.fetch("select returned_minor from repayment where source = 'bank_account'")
    assert [row["returned_minor"] for row in rows] == [20_000, 20_000]
    for payer in (timely, late):
        assert await town.balance(payer.line_id, CREDIT_BALANCE) == -10_000


@pytest.mark.parametrize("first", [0, 1])
async def test_two_answers_on_money_of_a_refunds_own_day(town: Town, first: int) -> None:
    """Both stand before the refund, in whichever order they come: all of it goes back."""
    [payer] = await town.people()
    account = await town.bank_account(payer)
    _, payment = await town.pay(payer, "o1", 80_000)
    await turn_to(town, date(2026, 10, 5))
    asked = []
    for _ in range(2):
        town.turn(seconds=1)
        asked.append(await asked_of_the_bank(town, payer, 40_000, account))
    town.turn(seconds=1)
    await refunded(town, payer, payment, "r1", 80_000, None)
    await turn_to(town, date(2026, 10, 8))
    for one in (asked[first], asked[1 - first]):
        assert (await town.ask(payer.bucket, replace(one, at=town.at)))[0] == 200
    rows = await town.fetch("select returned_minor from repayment")
    assert [row["returned_minor"] for row in rows] == [40_000, 40_000]
    assert await town.balance(payer.line_id, CREDIT_BALANCE) == 0


async def refunded(
    town: Town,
    payer: Payer,
    payment: dict[str, Any],
    refund_no: str,
    amount_minor: int,
    value_on: date | None,
) -> None:
    dated = {} if value_on is None else {"value_on": value_on}
    status, refund = await town.refund(payer, payment, refund_no, amount_minor, merchant_id=None, **dated)
    assert status in (201, 202), refund


async def test_late_interest_that_was_paid_comes_back_beside_the_amount(town: Town) -> None:
    [payer] = await town.people(wallet_minor=200_000)
    _, body = await town.pay(payer, "o1", 80_000)
    await turn_to(town, date(2026, 11, 5))
    await town.repay(payer, 90_000)
    refund = (await town.refund(payer, body, "r1", 80_000, value_on=date(2026, 10, 15), merchant_id=None))[1]
    told = sum(one["amount_minor"] for one in refund["effects"])
    assert refund["charges_returned_minor"] > 0
    assert told == 80_000 + refund["charges_returned_minor"]


async def test_one_number_is_one_refund_of_one_date(town: Town) -> None:
    [payer] = await town.people(wallet_minor=100_000)
    _, body = await town.pay(payer, "o1", 80_000)
    await turn_to(town, date(2026, 10, 20))
    asked = {"value_on": date(2026, 10, 2), "merchant_id": None}
    status, first = await town.refund(payer, body, "r1", 50_000, **asked)
    assert status == 201, first
    assert await town.refund(payer, body, "r1", 50_000, **asked) == (200, first)
    for other in (date(2026, 10, 3), None):
        assert (await town.refund(payer, body, "r1", 50_000, value_on=other))[0] == 409
    status, timely = await town.refund(payer, body, "r2", 10_000, value_on=date(2026, 10, 20))
    assert (status, timely["value_on"]) == (201, None)
    await turn_to(town, date(2026, 10, 22))
    assert await town.refund(payer, body, "r2", 10_000, value_on=date(2026, 10, 20)) == (200, timely)
    assert (await town.refund(payer, body, "r2", 10_000))[0] == 200


@pytest.mark.parametrize("value_on", [BOUGHT_ON - timedelta(days=1), date(2026, 10, 21)])
async def test_neither_in_the_future_nor_before_its_capture(town: Town, value_on: date) -> None:
    [payer] = await town.people(wallet_minor=100_000)
    _, body = await town.pay(payer, "o1", 80_000)
    await turn_to(town, date(2026, 10, 20))
    status, problem = await town.refund(payer, body, "r1", 50_000, value_on=value_on)
    assert (status, problem["code"]) == (422, "invalid_field"), problem
    assert (await town.refund(payer, body, "r1", 50_000, value_on=BOUGHT_ON))[0] == 201


async def test_refunds_of_one_line_race_whatever_their_dates(town: Town) -> None:
    """Those of one batch have no numbers yet: their order is that in which they are done, not that of their ids."""
    payers = await town.people(6, wallet_minor=300_000)
    bodies = {
        payer.id: [(await town.pay(payer, f"{payer.id}-{n}", 80_000))[1] for n in range(3)]
        for payer in payers
    }
    await turn_to(town, date(2026, 10, 5))
    for payer in payers:
        await town.repay(payer, 200_000)
    await turn_to(town, date(2026, 10, 20))
    dates = (date(2026, 10, 2), None, date(2026, 9, 20))
    asked = [
        town.refund(payer, body, f"r{n}", 50_000, value_on=value_on)
        for payer in payers
        for n, (body, value_on) in enumerate(zip(bodies[payer.id], dates, strict=True))
    ]
    answers = await asyncio.gather(*asked)
    assert [one for status, one in answers if status != 201] == []


async def test_an_answer_that_comes_after_a_refund_sends_back_what_a_timely_one_would_have(
    town: Town,
) -> None:
    """The bank's word on the repayment comes days late, and a refund was made in between."""
    timely, late = await town.people(2)
    accounts = {payer.id: await town.bank_account(payer) for payer in (timely, late)}
    bodies = {payer.id: (await town.pay(payer, f"o{payer.id}", 80_000))[1] for payer in (timely, late)}
    await turn_to(town, date(2026, 10, 5))
    await town.repay(timely, 80_000, accounts[timely.id])
    asked = await asked_of_the_bank(town, late, 80_000, accounts[late.id])
    await turn_to(town, date(2026, 10, 6))
    for payer in (timely, late):
        assert (await town.refund(payer, bodies[payer.id], "r1", 80_000))[1]["amount_minor"] == 80_000
    await turn_to(town, date(2026, 10, 8))
    await town.ask(late.bucket, asked)
    told = {}
    for payer in (timely, late):
        assert await town.balance(payer.line_id, CREDIT_BALANCE) == 0
        (row,) = await town.fetch("select effects, returns, status from refund where payer_id = $1", payer.id)
        told[payer.id] = [(one["kind"], one["amount_minor"]) for one in msgspec.json.decode(row["effects"])]
        assert row["status"] == "pending"
    assert told[timely.id] == told[late.id] == [("returned", 80_000)]
    for row in await town.fetch("select object_id, person_id from event where kind = 'refund.pending'"):
        answered = Answered(
            id=row["object_id"], kind=Kind.REFUND, owner_id=row["person_id"], done=True, code="", at=town.at
        )
        status, body = await town.ask(late.bucket, payments.refund_answered(answered))
        assert (status, body["status"]) == (200, "posted")


@pytest.mark.parametrize("done", [True, False])
async def test_a_refund_sends_twice_and_each_bank_answers_for_itself(town: Town, done: bool) -> None:
    [payer] = await town.people(wallet_minor=100_000)
    account = await town.bank_account(payer)
    _, body = await town.pay(payer, "o1", 80_000)
    await turn_to(town, date(2026, 10, 5))
    await town.repay(payer, 30_000, account)
    asked = await asked_of_the_bank(town, payer, 50_000, account)
    await turn_to(town, date(2026, 10, 6))
    assert (await town.refund(payer, body, "r1", 80_000))[1]["status"] == "pending"
    await turn_to(town, date(2026, 10, 8))
    await town.ask(payer.bucket, asked)
    rows = await town.fetch("select object_id, data from event where kind = 'refund.pending' order by seq")
    assert [msgspec.json.decode(row["data"])["amount_minor"] for row in rows] == [30_000, 50_000]
    for row in reversed(rows):
        answered = Answered(
            id=row["object_id"], kind=Kind.REFUND, owner_id=payer.id, done=done, code="", at=town.at
        )
        status, refund = await town.ask(payer.bucket, payments.refund_answered(answered))
        assert status == 200
    assert refund["status"] == "posted"
    assert await town.balance(payer.line_id, CREDIT_BALANCE) == (0 if done else -80_000)
    assert {row["returned_minor"] for row in await town.fetch("select returned_minor from repayment")} == (
        {30_000, 50_000} if done else {0}
    )


async def test_a_refund_counts_the_accounts_that_it_sends_to_and_not_their_repayments(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SENT_MAX", 2)
    [payer] = await town.people(wallet_minor=100_000)
    account = await town.bank_account(payer)
    _, body = await town.pay(payer, "o1", 80_000)
    await turn_to(town, date(2026, 10, 5))
    for amount_minor in (5_000, 10_000, 15_000):
        await town.repay(payer, amount_minor, account)
    asked = await asked_of_the_bank(town, payer, 50_000, account)
    await turn_to(town, date(2026, 10, 6))
    assert (await town.refund(payer, body, "r1", 80_000))[1]["status"] == "pending"
    await turn_to(town, date(2026, 10, 8))
    await town.ask(payer.bucket, asked)
    rows = await town.fetch("select data from event where kind = 'refund.pending' order by seq")
    assert [msgspec.json.decode(row["data"])["amount_minor"] for row in rows] == [30_000, 50_000]


async def asked_of_the_bank(
    town: Town, payer: Payer, amount_minor: int, account: UUID
) -> credit.BankAnswered:
    """A repayment that waits for its bank; returns the answer that it will give."""
    repayment_id = town.ids.new(town.at, payer.id.int & 0xFFFF)
    command = credit.Repay(
        at=town.at,
        people=(payer.id,),
        repayment_id=repayment_id,
        line_id=payer.line_id,
        source=credit.Source(credit.SourceKind.BANK_ACCOUNT, account),
        amount_minor=amount_minor,
    )
    assert (await town.ask(payer.bucket, command))[0] == 202
    return credit.BankAnswered(
        at=town.at + timedelta(days=3), people=(payer.id,), repayment_id=repayment_id, ok=True
    )


@pytest.mark.parametrize("second_on", [date(2026, 10, 2), None])
async def test_a_refund_after_one_that_was_dated_back_sends_the_rest_of_the_same_repayment(
    town: Town, second_on: date | None
) -> None:
    """The first has sent money of it, and left it that much less to pay: it is taken off once."""
    [payer] = await town.people(wallet_minor=100_000)
    _, body = await town.pay(payer, "o1", 50_000)
    await turn_to(town, date(2026, 10, 5))
    await town.repay(payer, 50_000)
    await turn_to(town, date(2026, 10, 20))
    for number, amount_minor, value_on in (("r1", 30_000, date(2026, 10, 2)), ("r2", 20_000, second_on)):
        _, refund = await town.refund(payer, body, number, amount_minor, value_on=value_on, merchant_id=None)
        assert [(one["kind"], one["amount_minor"]) for one in refund["effects"]] == [
            ("returned", amount_minor)
        ]
    assert await town.balance(payer.wallet_id, AccountKind.WALLET) == -100_000
    assert await town.balance(payer.line_id, CREDIT_BALANCE) == 0


async def test_an_answer_tells_little_anew_for_each_refund_that_it_frees(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a refund frees is the difference of two histories; it took two whole ones of them for each."""
    number = 12
    [payer] = await town.people(1, limit_minor=1_000_000)
    account = await town.bank_account(payer)
    bodies = []
    for order in range(number):
        town.turn(hours=7)
        bodies.append((await town.pay(payer, f"o{order}", 3_000))[1])
    await turn_to(town, date(2026, 10, 5))
    asked = await asked_of_the_bank(town, payer, 3_000 * number, account)
    await turn_to(town, date(2026, 10, 7))
    for order, body in enumerate(bodies):
        town.turn(seconds=1)
        await town.refund(payer, body, f"r{order}", 2_000, merchant_id=None, value_on=date(2026, 10, 2))
    await turn_to(town, date(2026, 10, 8))
    told, apply = [], telling.apply

    def counted(standing: Standing, event: Event, *more: Any) -> Standing:
        told.append(event)
        return apply(standing, event, *more)

    monkeypatch.setattr(telling, "apply", counted)
    status, answer = await town.ask(payer.bucket, asked)
    assert status == 200, answer
    [row] = await town.fetch("select returned_minor from repayment")
    assert row["returned_minor"] == 2_000 * number
    events = 2 * number + 2  # purchases, refunds, a bill, the money
    assert len(told) < 6 * events, len(told)
