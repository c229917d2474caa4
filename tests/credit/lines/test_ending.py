"""What time does to lines: raises and freezes end, closing lines are closed, and the day close tells it once."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from msgspec.structs import replace
from tests.credit.conftest import SECRETS, House, Payer, make_house, shared_product

from wufeng import credit, ledger
from wufeng.base.claims import Answer
from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem
from wufeng.base.lanes import Batch, Command
from wufeng.credit.close import steps
from wufeng.credit.lines.ending import ENDINGS, EndTerms
from wufeng.credit.lines.model import Actor, ChangeKind, LineChange
from wufeng.credit.lines.store import lines_to_end
from wufeng.credit.queries import line_history, list_changes, load_line, show_cap
from wufeng.credit.repayments.model import Source, SourceKind
from wufeng.identity.bank_accounts.commands import add_bank_account, mark_verified
from wufeng.identity.vault import Private, Vault
from wufeng.ledger import AccountKind, Hold, account_id

SECOND, TENTH = date(2026, 9, 4), date(2026, 9, 10)


@pytest.fixture
async def house(database: Database, opened_on: date) -> AsyncIterator[House]:
    """A house where two lines of the product may be held, closed with the step of this module."""
    source = shared_product().replace("[scenes]", "[opening]\nlines_max = 2\n\n[scenes]")
    made = await make_house(database, opened_on, source=source)
    if all(step.name != ENDINGS for step in made.steps):
        made.steps.insert(0, steps._step(ENDINGS, lines_to_end, EndTerms))
    yield made
    await made.lanes.drain()


async def history(house: House, payer: Payer) -> list[LineChange]:
    assert payer.line_id is not None
    async with house.database.read() as db:
        return await line_history(house.reading(db), payer.line_id)


async def kinds(house: House, payer: Payer) -> Counter[ChangeKind]:
    """How often each was done: what is done at one instant has no order."""
    return Counter(change.kind for change in await history(house, payer))


async def test_a_freeze_ends_by_itself_and_is_told_once(house: House) -> None:
    payer = await house.payer()
    await house.do(house.change(credit.Freeze, payer, Actor.PERSON, until_on=TENTH))
    await house.turn_to(TENTH - timedelta(days=1))
    line = await house.line(payer)
    assert (line.status, line.frozen_until_on) == ("frozen", TENTH)
    house.clock.turn_to(house.noon(TENTH))
    line = await house.line(payer)
    assert (line.status, line.frozen_until_on) == ("open", None), "before any close"
    await house.buy(payer, 1_00)
    assert await kinds(house, payer) == Counter([ChangeKind.OPENED, ChangeKind.FROZEN])
    (day,) = await house.close(TENTH - timedelta(days=1))
    assert day.steps[ENDINGS] == 1
    await house.turn_to(date(2026, 9, 12))
    (unfrozen,) = (await history(house, payer))[2:]
    (frozen,) = [change for change in await history(house, payer) if change.kind is ChangeKind.FROZEN]
    assert unfrozen.kind is ChangeKind.UNFROZEN
    assert (frozen.until_on, frozen.actor, unfrozen.actor) == (TENTH, Actor.PERSON, Actor.SYSTEM)
    assert await house.events("line.frozen", "line.unfrozen") == [
        "line.frozen 2026-09-03",
        "line.unfrozen 2026-09-10",
    ]


async def test_a_freeze_that_ends_in_arrears_is_a_suspension(house: House) -> None:
    payer = await house.payer()
    await house.buy(payer, 1_00)
    await house.do(house.change(credit.Freeze, payer, until_on=date(2026, 10, 20)))
    await house.turn_to(date(2026, 10, 19))
    assert (await house.line(payer)).status == "frozen"
    await house.turn_to(date(2026, 10, 20))
    assert (await house.line(payer)).status == "suspended"
    assert (await history(house, payer))[-1].kind is ChangeKind.UNFROZEN
    assert (await house.events("line.frozen", "line.unfrozen", "line.suspended"))[-1] == (
        "line.suspended 2026-10-20"
    )


async def test_staff_give_a_freeze_another_end_and_a_person_does_not(house: House) -> None:
    payer = await house.payer()
    await house.do(house.change(credit.Freeze, payer, until_on=SECOND))
    sooner = await house.send(house.change(credit.Freeze, payer, Actor.PERSON, until_on=TENTH))
    assert isinstance(sooner, Problem) and sooner.code is Code.STATE_CONFLICT
    await house.do(house.change(credit.Freeze, payer))
    await house.turn_to(date(2026, 9, 20))
    line = await house.line(payer)
    assert (line.status, line.frozen_until_on) == ("frozen", None)
    past = await house.send(house.change(credit.Freeze, payer, until_on=house.on))
    assert isinstance(past, Problem) and past.code is Code.INVALID_FIELD


async def test_a_change_of_a_line_whose_freeze_has_ended_tells_that_too(house: House) -> None:
    payer = await house.payer()
    await house.do(house.change(credit.Freeze, payer, until_on=SECOND))
    house.clock.turn_to(house.noon(SECOND))
    unfreeze = await house.send(house.change(credit.Unfreeze, payer))
    assert isinstance(unfreeze, Problem), "nothing is frozen any more"
    await house.do(house.change(credit.SetLimit, payer, limit_minor=60_000))
    done = Counter([ChangeKind.OPENED, ChangeKind.FROZEN, ChangeKind.UNFROZEN, ChangeKind.LIMIT_SET])
    assert await kinds(house, payer) == done
    await house.turn_to(TENTH)
    assert await kinds(house, payer) == done
    assert await house.events("line.frozen", "line.unfrozen", "line.limit_changed") == [
        "line.frozen 2026-09-03",
        "line.unfrozen 2026-09-04",
        "line.limit_changed 2026-09-04",
    ]


async def test_a_change_of_a_line_whose_raise_has_ended_tells_that_too(house: House) -> None:
    payer = await house.payer(limit_minor=100_000)
    await house.do(house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=house.on))
    house.clock.turn_to(house.noon(SECOND))
    await house.do(house.change(credit.Freeze, payer))
    await house.turn_to(TENTH)
    assert await house.events("line.limit_changed", "line.frozen", "line.unfrozen") == [
        "line.limit_changed 2026-09-03",
        "line.limit_changed 2026-09-04",
        "line.frozen 2026-09-04",
    ]


async def test_a_raise_runs_ends_and_what_it_left_used_is_shown(house: House) -> None:
    payer = await house.payer(limit_minor=100_000)
    raised = house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=TENTH)
    await house.do(raised)
    line = await house.line(payer)
    assert (line.limit_minor, line.effective_limit_minor, line.temporary_until_on) == (
        100_000,
        120_000,
        TENTH,
    )
    await house.buy(payer, 115_000)
    house.clock.turn_to(house.noon(TENTH))
    line = await house.line(payer)
    assert (line.available_minor, line.over_limit_minor) == (5_000, 0)
    house.clock.turn_to(house.noon(TENTH + timedelta(days=1)))
    for _ in range(2):  # before and after the close
        line = await house.line(payer)
        assert (line.effective_limit_minor, line.temporary_limit_minor) == (100_000, None)
        assert (line.available_minor, line.over_limit_minor) == (0, 15_000)
        declined = await house.send(house.buying(payer, 1))
        assert isinstance(declined, Answer) and declined.body == b"limit_exceeded"
        await house.close(TENTH)
    assert await kinds(house, payer) == Counter(
        [ChangeKind.OPENED, ChangeKind.RAISED, ChangeKind.RAISE_ENDED]
    )
    (change,) = [change for change in await history(house, payer) if change.kind is ChangeKind.RAISED]
    assert (change.limit_minor, change.amount_minor, change.until_on) == (100_000, 120_000, TENTH)
    assert await house.events("line.limit_changed") == [
        "line.limit_changed 2026-09-03",
        "line.limit_changed 2026-09-11",
    ]
    await house.prove(payer)


async def test_a_raise_is_declined_by_its_person(house: House) -> None:
    payer = await house.payer(limit_minor=100_000)
    await house.do(house.change(credit.SetLimit, payer, limit_minor=120_000, until_on=TENTH))
    more = house.change(credit.SetLimit, payer, Actor.PERSON, limit_minor=120_001, until_on=TENTH)
    assert isinstance(await house.send(more), Problem)
    await house.do(house.change(credit.SetLimit, payer, Actor.PERSON, limit_minor=110_000, until_on=SECOND))
    assert (await house.line(payer)).effective_limit_minor == 110_000
    await house.do(house.change(credit.SetLimit, payer, Actor.PERSON, limit_minor=100_000))
    line = await house.line(payer)
    assert (line.effective_limit_minor, line.temporary_until_on) == (100_000, None)


async def test_a_person_holds_as_many_lines_as_the_product_says_under_one_cap(house: House) -> None:
    first = await house.payer(wallet_minor=10_000, limit_minor=100_000)
    answer = await house.do(house.open_line(first, 100_000))
    second = replace(first, line_id=answer.object_id)
    third = await house.send(house.open_line(first, 100_000))
    assert isinstance(third, Problem) and third.code is Code.STATE_CONFLICT
    await house.do(
        credit.SetCap(
            at=house.at, people=(first.id,), person_id=first.id, cap_minor=150_000, actor=Actor.SYSTEM,
            actor_id=None, reason="its application",
        )
    )  # fmt: skip
    await house.buy(first, 90_000)
    line, other = await house.line(first), await house.line(second)
    assert (line.available_minor, other.available_minor) == (10_000, 60_000)
    async with house.database.read() as db:
        cap = await show_cap(house.reading(db), first.id)
        assert (cap.cap_minor, cap.used_minor, cap.available_minor) == (150_000, 90_000, 60_000)
        row = await load_line(house.reading(db), second.line_id)  # type: ignore[arg-type]
        newest, oldest = await list_changes(house.reading(db), row)
        page = await list_changes(house.reading(db), row, newest.id, 1)
    assert {newest.kind, oldest.kind} == {ChangeKind.OPENED, ChangeKind.CAP_SET}
    assert page == [oldest]
    await house.do(house.change(credit.CloseLine, second))
    assert isinstance(await house.send(house.open_line(first, 100_000)), Answer)
    await house.prove(first)


async def test_a_cap_is_for_people_who_are_there(house: House) -> None:
    payer = await house.payer()
    ghost = house.new_id()
    answer = await house.send(
        credit.SetCap(
            at=house.at, people=(ghost,), person_id=ghost, cap_minor=1, actor=Actor.STAFF, actor_id=None, reason="x"
        )
    )  # fmt: skip
    assert isinstance(answer, Problem) and answer.code is Code.NOT_FOUND
    assert (await house.line(payer)).available_minor == 500_000


async def test_closing_with_more_than_was_owed_pays_the_rest_to_the_wallet(house: House) -> None:
    payer = await house.payer(wallet_minor=10_000)
    await house.buy(payer, 1_000)
    await house.do(house.change(credit.CloseLine, payer))
    await house.repay(payer, 5_000)
    line = await house.line(payer)
    assert (line.status, line.credit_balance_minor, await house.wallet(payer)) == ("closed", 0, 9_000)
    await house.prove(payer)


class PlaceHold(Command, frozen=True, kw_only=True):
    """Reserve a line, as an authorised payment does; or release it."""

    hold: Hold
    place: bool


async def place_hold(batch: Batch, commands: list[PlaceHold]) -> list[Answer]:
    for command in commands:
        if command.place:
            await ledger.place_holds(batch, [command.hold])
        else:
            await ledger.void_holds(batch, [command.hold.id])
    return [Answer(200, b"") for _ in commands]


async def test_a_closing_line_is_closed_once_its_hold_is_released(house: House) -> None:
    payer = await house.payer()
    assert payer.line_id is not None
    house.lanes.handlers[PlaceHold] = place_hold  # type: ignore[assignment]
    account = account_id(payer.line_id, AccountKind.LINE_PRINCIPAL)
    hold = Hold(house.ids.new(house.at, payer.id.int & 0xFFFF), account, 1_000, house.new_id())
    await house.do(PlaceHold(at=house.at, people=(payer.id,), hold=hold, place=True))
    await house.do(house.change(credit.CloseLine, payer))
    await house.turn_to(SECOND)
    assert (await house.line(payer)).status == "closing"
    await house.do(PlaceHold(at=house.at, people=(payer.id,), hold=hold, place=False))
    assert (await house.line(payer)).status == "closing", "nobody has looked yet"
    await house.turn_to(TENTH)
    assert (await house.line(payer)).status == "closed"
    assert await house.events("line.closed") == ["line.closed 2026-09-05"]


@pytest.mark.parametrize("ok", [True, False])
async def test_a_closing_line_waits_for_a_bank(house: House, *, ok: bool) -> None:
    """What a bank pays in after all comes back by the wallet; what it refuses, the day close finds."""
    payer = await house.payer(wallet_minor=10_000)
    await house.buy(payer, 1_000)
    asked = await house.do(house.repaying(payer, 1_000, source=await bank(house, payer)))
    assert (asked.status, asked.object_id is not None) == (202, True)
    await house.repay(payer, 1_000)
    closing = await house.do(house.change(credit.CloseLine, payer))
    assert b'"closing"' in closing.body
    again = await house.send(house.change(credit.CloseLine, payer))
    assert isinstance(again, Problem) and again.code is Code.STATE_CONFLICT
    await house.turn_to(SECOND)
    assert (await house.line(payer)).status == "closing"
    assert asked.object_id is not None
    await house.do(
        credit.BankAnswered(at=house.at, people=(payer.id,), repayment_id=asked.object_id, ok=ok, reason="")
    )
    await house.turn_to(TENTH)
    line = await house.line(payer)
    assert (line.status, line.credit_balance_minor) == ("closed", 0)
    assert await house.wallet(payer) == (10_000 if ok else 9_000)
    await house.prove(payer)


async def test_what_comes_to_a_closed_line_goes_to_the_wallet_with_the_next_close(house: House) -> None:
    payer = await house.payer()
    payment = await house.buy(payer, 1_000)
    await house.do(house.repaying(payer, 1_000, source=Source(SourceKind.EXTERNAL, None)))
    await house.do(house.change(credit.CloseLine, payer))
    await house.turn_to(SECOND)
    await house.refund(payer, payment, 400)
    assert (await house.line(payer)).credit_balance_minor == 400
    (day,) = await house.turn_to(SECOND + timedelta(days=1))
    assert day.steps[ENDINGS] == 1
    assert ((await house.line(payer)).credit_balance_minor, await house.wallet(payer)) == (0, 400)
    (day,) = await house.turn_to(SECOND + timedelta(days=2))
    assert day.steps[ENDINGS] == 0
    await house.prove(payer)


async def bank(house: House, payer: Payer) -> Source:
    """A verified bank account of a payer's."""
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
    async with house.database.transaction() as db:
        await mark_verified(db, house.bucket, account.id, house.at)
    return Source(SourceKind.BANK_ACCOUNT, account.id)
