"""Bills debited when they are due: by the hour, in the person's order, as far as there is money, until it is paid."""

from datetime import date, timedelta
from itertools import count
from uuid import UUID

import msgspec
import pytest
from tests.credit.conftest import SECRETS, House, Payer, make_house

from wufeng import credit
from wufeng.base import faults
from wufeng.base.claims import Answer
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem
from wufeng.base.followers import Followers
from wufeng.base.ids import Prefix, decode, encode
from wufeng.credit.lines.model import Actor
from wufeng.credit.repayments.model import Source, SourceKind, Target
from wufeng.credit.views import LineView, RepaymentView
from wufeng.identity.bank_accounts.commands import add_bank_account, delete_bank_account, mark_verified
from wufeng.identity.vault import Private, Vault

DUE = date(2026, 10, 10)
NUMBERS = count(1)


async def choose(house: House, payer: Payer, *sources: str) -> Answer | Problem:
    return await house.send(house.change(credit.SetAutoDebit, payer, Actor.PERSON, sources=sources))


def wallet_of(payer: Payer) -> str:
    return encode(Prefix.WALLET, payer.wallet_id)


async def bank_of(house: House, payer: Payer) -> str:
    account = await add_bank_account(
        house.database, Vault(SECRETS), house.ids, house.book, payer.id, "ICBC",
        Private(f"6222{next(NUMBERS):015d}"), house.at,
    )  # fmt: skip
    async with house.database.transaction() as db:
        await mark_verified(db, house.bucket, account.id, house.at)
    return encode(Prefix.BANK_ACCOUNT, account.id)


async def hour(house: House, on: date, hours: int) -> int:
    """Turn to an hour of a date and let the timer run; returns how many repayments were asked for."""
    house.clock.turn_to(house.book.start_of(on) + timedelta(hours=hours))
    return await overtaken(house)


async def overtaken(house: House) -> int:
    done = await credit.debit_due(house.lanes, house.book, house.products, house.at)
    assert [one.errors for one in done] == [()]
    return sum(one.rows for one in done)


async def start_of(house: House, on: date) -> None:
    """Turn to the beginning of a date and close the day before."""
    house.clock.turn_to(house.book.start_of(on))
    await house.close(on - timedelta(days=1))


async def answer(house: House, payer: Payer, *, ok: bool, reason: str = "") -> None:
    """The bank answers what is pending, and the follower hears of it."""
    (pending,) = [one for one in await house.repayments(payer) if one.status == "pending"]
    id_ = decode(Prefix.REPAYMENT, pending.id)
    command = credit.BankAnswered(at=house.at, people=(payer.id,), repayment_id=id_, ok=ok, reason=reason)
    await house.do(command)
    await follow(house)


async def follow(house: House) -> None:
    await Followers(house.database, [credit.debits_follower(house.lanes)]).catch_up()


async def told(house: House, payer: Payer) -> list[tuple[str, int, str]]:
    """The repayments of a line in the order in which they were asked for: source, amount, status."""
    return [(source_of(one), one.amount_minor, one.status.value) for one in await asked(house, payer)]


async def asked(house: House, payer: Payer) -> list[RepaymentView]:
    """By time, and what was asked for at one instant in the person's order."""
    order = (await house.line(payer)).auto_debit
    found = await house.repayments(payer)
    return sorted(found, key=lambda one: (one.created_at, order.index(source_of(one))))


def source_of(one: RepaymentView) -> str:
    return one.wallet or one.bank_account or "external"


async def test_a_person_chooses_their_own_sources(house: House) -> None:
    payer, other = await house.payer(), await house.payer()
    bank = await bank_of(house, payer)
    answer = await choose(house, payer, wallet_of(payer), bank, bank)
    assert isinstance(answer, Answer)
    assert msgspec.json.decode(answer.body, type=LineView).auto_debit == (wallet_of(payer), bank)
    for foreign in (wallet_of(other), await bank_of(house, other)):
        refused = await choose(house, payer, foreign)
        assert isinstance(refused, Problem)
        assert refused.code is Code.INVALID_FIELD
    await choose(house, payer)
    assert (await house.line(payer)).auto_debit == ()


async def test_on_the_due_date_the_wallet_pays_the_bill(house: House) -> None:
    payer = await house.payer(wallet_minor=200_000)
    await choose(house, payer, wallet_of(payer))
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 9))
    assert await house.repayments(payer) == []
    await house.buy(payer, 5_000)
    await house.turn_to(DUE)
    (repaid,) = await house.repayments(payer)
    assert (repaid.amount_minor, repaid.status) == (100_000, "posted")
    assert [bill.status for bill in await house.bills(payer)] == ["paid"]
    assert (await house.line(payer)).unbilled_minor == 5_000, "what is not due is not debited"
    await house.turn_to(date(2026, 10, 12))
    assert len(await house.repayments(payer)) == 1
    await house.prove(payer)


async def test_what_is_missing_is_tried_again_each_day(house: House) -> None:
    payer = await house.payer(wallet_minor=30_000)
    await choose(house, payer, wallet_of(payer))
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 11))
    assert [one.amount_minor for one in await house.repayments(payer)] == [30_000]
    assert (await house.line(payer)).status == "open", "the minimum was met"
    await house.fill(payer, 500_000)
    assert await hour(house, date(2026, 10, 11), 22) == 0, "after the due date once a day"
    await house.turn_to(date(2026, 10, 12))
    # 700.00 and two days of interest on it; all of it at once
    assert [one.amount_minor for one in await house.repayments(payer)] == [30_000, 70_070]
    assert (await house.line(payer)).billed_minor == 0
    await house.prove(payer)


async def test_a_bank_is_asked_once_while_it_has_not_answered(house: House) -> None:
    payer = await house.payer(wallet_minor=30_000)
    bank = await bank_of(house, payer)
    await choose(house, payer, wallet_of(payer), bank, await bank_of(house, payer))
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 13))
    assert await told(house, payer) == [(wallet_of(payer), 30_000, "posted"), (bank, 70_000, "pending")]
    await house.fill(payer, 50_000)
    await house.turn_to(date(2026, 10, 14))
    paid = [amount for source, amount, _ in await told(house, payer) if source == wallet_of(payer)]
    assert paid == [30_000, 140], "what is on its way is not taken twice; four days of interest are"
    await answer(house, payer, ok=True)
    assert (await house.line(payer)).credit_balance_minor <= 140, "the bank's word counts from the due date"
    await house.prove(payer)


async def test_who_has_chosen_nothing_is_not_debited(house: House) -> None:
    payer = await house.payer(wallet_minor=200_000)
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 12))
    assert await hour(house, date(2026, 10, 12), 23) == 0
    assert await house.repayments(payer) == []


async def test_by_the_hours_of_the_due_date(house: House) -> None:
    payer = await house.payer(wallet_minor=10_000)
    await choose(house, payer, wallet_of(payer))
    await house.buy(payer, 100_000)
    await start_of(house, DUE)
    for at, fill, asked in ((9, 20_000, 0), (10, 0, 1), (11, 30_000, 0), (18, 0, 1), (18, 0, 0), (22, 0, 0)):
        assert await hour(house, DUE, at) == asked, at
        if fill:
            await house.fill(payer, fill)
    await house.fill(payer, 500_000)
    assert await hour(house, DUE, 23) == 0, "the last time was made, for nothing"
    assert [amount for _, amount, _ in await told(house, payer)] == [10_000, 20_000, 30_000]
    hours = [(one.created_at - house.book.start_of(DUE)) // timedelta(hours=1) for one in
             sorted(await house.repayments(payer), key=lambda one: one.created_at)]  # fmt: skip
    assert hours == [0, 10, 18]
    await start_of(house, DUE + timedelta(days=1))
    assert (await told(house, payer))[-1][1] == 40_020, "the rest, with a day's interest"
    await house.prove(payer)


async def test_a_turned_clock_gives_what_time_would_have_given(database: Database) -> None:
    results = []
    for name, stops in (("real", (10, 18, 22, 24)), ("turned", (24,)), ("coarse", (20, 24))):
        house = await make_house(database, date(2026, 9, 3), name)
        payer = await house.payer(wallet_minor=10_000)
        first, second = await bank_of(house, payer), await bank_of(house, payer)
        await choose(house, payer, wallet_of(payer), first, second)
        await house.buy(payer, 100_000)
        await start_of(house, DUE)
        await answer(house, payer, ok=False, reason="insufficient_funds")
        await answer(house, payer, ok=False, reason="insufficient_funds")
        house.clock.turn_to(house.book.start_of(DUE) + timedelta(hours=9))
        await house.fill(payer, 25_000)
        for at in stops:
            house.clock.turn_to(house.book.start_of(DUE) + timedelta(hours=at))
            await overtaken(house)
        await house.close(DUE)
        names = {wallet_of(payer): "wallet", first: "first", second: "second"}
        results.append(
            [
                (names[source_of(one)], one.amount_minor, one.status, one.value_on, one.posted_on)
                for one in await asked(house, payer)
            ]
        )
        await house.prove(payer)
        await house.lanes.drain()
    assert results[0] == results[1] == results[2]
    assert [(source, amount) for source, amount, *_ in results[0]] == [
        ("wallet", 10_000), ("first", 90_000), ("second", 90_000), ("wallet", 25_000), ("first", 65_000),
    ]  # fmt: skip
    assert {value_on for *_, value_on, _ in results[0]} == {DUE}


async def test_a_refusal_moves_on_to_the_next_source_and_the_next_time_begins_anew(house: House) -> None:
    payer = await house.payer(wallet_minor=10_000)
    first, second = await bank_of(house, payer), await bank_of(house, payer)
    await choose(house, payer, first, wallet_of(payer), second)
    await house.buy(payer, 100_000)
    await start_of(house, DUE)
    assert await told(house, payer) == [(first, 100_000, "pending")]
    await answer(house, payer, ok=False, reason="insufficient_funds")
    assert (await told(house, payer))[1:] == [
        (wallet_of(payer), 10_000, "posted"),
        (second, 90_000, "pending"),
    ]
    await answer(house, payer, ok=False, reason="insufficient_funds")
    assert len(await told(house, payer)) == 3, "nobody is left to ask"
    assert await hour(house, DUE, 10) == 1
    assert (await told(house, payer))[3:] == [(first, 90_000, "pending")]
    await answer(house, payer, ok=True)
    assert (await house.line(payer)).billed_minor == 0
    assert await hour(house, DUE, 18) == 0
    await house.prove(payer)


async def test_a_refusal_heard_twice_asks_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    payer = await house.payer()
    first, second = await bank_of(house, payer), await bank_of(house, payer)
    await choose(house, payer, first, second)
    await house.buy(payer, 100_000)
    await start_of(house, DUE)

    def die(name: str) -> None:
        if name == "follower_acted":
            raise faults.FaultInjected(name)

    with monkeypatch.context() as patch, pytest.raises(faults.FaultInjected):
        patch.setattr(faults, "point", die)
        await answer(house, payer, ok=False, reason="insufficient_funds")
    assert (await told(house, payer))[1:] == [(second, 100_000, "pending")]
    await follow(house)
    assert len(await told(house, payer)) == 2


async def test_a_refusal_of_yesterday_is_left_to_today(house: House) -> None:
    payer = await house.payer()
    first, second = await bank_of(house, payer), await bank_of(house, payer)
    await choose(house, payer, first, second)
    await house.buy(payer, 100_000)
    await start_of(house, DUE)
    await start_of(house, DUE + timedelta(days=1))
    await answer(house, payer, ok=False, reason="insufficient_funds")
    assert len(await told(house, payer)) == 1
    await start_of(house, DUE + timedelta(days=2))
    assert (await told(house, payer))[1][0] == first


async def test_a_persons_own_repayment_that_fails_asks_nobody_else(house: House) -> None:
    payer = await house.payer()
    first, second = await bank_of(house, payer), await bank_of(house, payer)
    await choose(house, payer, first, second)
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 5))
    source = Source(SourceKind.BANK_ACCOUNT, decode(Prefix.BANK_ACCOUNT, first))
    await house.repay(payer, 50_000, source=source)
    await answer(house, payer, ok=False, reason="insufficient_funds")
    assert len(await told(house, payer)) == 1


async def test_an_account_that_its_bank_has_closed_or_the_person_removed_is_not_asked(house: House) -> None:
    payer = await house.payer()
    closed, removed, good = [await bank_of(house, payer) for _ in range(3)]
    await choose(house, payer, closed, removed, good)
    await house.buy(payer, 100_000)
    id_: UUID = decode(Prefix.BANK_ACCOUNT, removed)
    await delete_bank_account(house.database, Vault(SECRETS), house.book, payer.id, id_, house.at)
    await start_of(house, DUE)
    await answer(house, payer, ok=False, reason="account_closed")
    assert [source for source, *_ in await told(house, payer)] == [closed, good]
    await answer(house, payer, ok=False, reason="insufficient_funds")
    await start_of(house, DUE + timedelta(days=1))
    assert [source for source, *_ in await told(house, payer)] == [closed, good, good]


async def test_two_lines_share_one_wallet(house: House) -> None:
    payer = await house.payer(wallet_minor=90_000)
    second = await house.do(house.open_line(payer, product="order_instalments", mode=credit.Mode.BILL))
    other = msgspec.structs.replace(payer, line_id=second.object_id)
    await house.do(house.change(credit.SetDueDay, other, due_day=DUE.day))
    for one in (payer, other):
        await choose(house, one, wallet_of(payer))
        await house.buy(one, 60_000)
    await house.turn_to(DUE)
    amounts = [one.amount_minor for line in (payer, other) for one in await house.repayments(line)]
    assert sum(amounts) == 90_000
    assert await house.wallet(payer) == 0
    await house.prove(payer, other)


async def test_chosen_in_the_middle_of_the_due_date_it_is_tried_at_the_next_look(house: House) -> None:
    payer = await house.payer(wallet_minor=200_000)
    await house.buy(payer, 100_000)
    await start_of(house, DUE)
    assert await hour(house, DUE, 15) == 0
    await choose(house, payer, wallet_of(payer))
    assert await hour(house, DUE, 16) == 1
    assert (await house.line(payer)).billed_minor == 0


async def test_a_repayment_of_one_s_own_leaves_nothing_to_debit(house: House) -> None:
    payer = await house.payer(wallet_minor=200_000)
    await choose(house, payer, wallet_of(payer))
    await house.buy(payer, 100_000)
    await house.turn_to(date(2026, 10, 5))
    await house.repay(payer, Target.BILLED)
    await house.turn_to(date(2026, 10, 12))
    assert len(await house.repayments(payer)) == 1
