"""Lines: opening, limits, freezing, due days, closing; who may do what, and what their history keeps."""

import asyncio
from datetime import date

import msgspec
import pytest
from msgspec.structs import replace
from tests.credit.conftest import STAFF, House, Payer

from wufeng import credit
from wufeng.base.claims import Answer
from wufeng.base.errors import Code, Problem
from wufeng.credit.lines.model import Actor, ChangeKind
from wufeng.credit.queries import line_history, list_lines
from wufeng.credit.views import LineView


def seen(answer: Answer | Problem) -> LineView:
    assert isinstance(answer, Answer), answer
    return msgspec.json.decode(answer.body, type=LineView)


def refused(answer: Answer | Problem) -> Code:
    assert isinstance(answer, Problem), answer
    return answer.code


async def history(house: House, payer: Payer) -> list[ChangeKind]:
    async with house.database.read() as db:
        changes = await line_history(house.reading(db), payer.line_id)
    assert all(change.reason for change in changes)
    return [change.kind for change in changes]


async def test_a_new_line_shows_its_amounts_rates_and_lenders(house: House) -> None:
    person = await house.person()
    answer = await house.send(house.open_line(person, 300_000))
    line = seen(answer)
    assert (line.product, line.status, line.limit_minor, line.available_minor) == (
        "monthly_bill@1", "open", 300_000, 300_000,
    )  # fmt: skip
    assert (line.used_minor, line.held_minor, line.billed_minor, line.minimum_minor) == (0, 0, 0, 0)
    assert (line.rates.late_daily_ppm, line.rates.annualised_rate_ppm) == (500, 182_500)
    assert [(lender.name, lender.share_ppm) for lender in line.lenders] == [("甲", 700_000), ("乙", 300_000)]
    assert await house.events("line.opened") == ["line.opened 2026-09-03"]
    async with house.database.read() as db:
        (listed,) = await list_lines(house.reading(db), person.id)
        assert await list_lines(house.reading(db), house.new_id()) == []
        (change,) = await line_history(house.reading(db), answer.object_id)
    assert listed.id == line.id
    assert (change.actor, change.actor_id, change.limit_minor) == (Actor.STAFF, STAFF, 300_000)
    assert listed.created_at == house.at


@pytest.mark.parametrize(
    ("limit_minor", "more", "code"),
    [
        (49_999, {}, Code.INVALID_FIELD),
        (50_000, {}, None),
        (5_000_000, {}, None),
        (5_000_001, {}, Code.INVALID_FIELD),
        (100_000, {"product": "no_such"}, Code.INVALID_FIELD),
        (100_000, {"reason": " "}, Code.INVALID_FIELD),
    ],
)
async def test_opening(house: House, limit_minor: int, more: dict[str, str], code: Code | None) -> None:
    answer = await house.send(house.open_line(await house.person(), limit_minor, **more))
    assert (answer.code if isinstance(answer, Problem) else None) is code


async def test_a_person_has_one_line_of_a_product(house: House) -> None:
    payer = await house.payer()
    assert refused(await house.send(house.open_line(payer))) is Code.STATE_CONFLICT
    await house.do(house.change(credit.CloseLine, payer))
    assert seen(await house.send(house.open_line(payer))).status == "open"


async def test_nobody_opens_a_line_for_an_unknown_person(house: House) -> None:
    ghost = Payer(house.new_id(), house.new_id())
    assert refused(await house.send(house.open_line(ghost))) is Code.NOT_FOUND


@pytest.mark.parametrize(
    ("actor", "limit_minor", "fits"),
    [
        (Actor.PERSON, 500_000, True),
        (Actor.PERSON, 500_001, False),
        (Actor.PERSON, 0, True),
        (Actor.PERSON, -1, False),
        (Actor.STAFF, 600_000, True),
        (Actor.STAFF, 5_000_001, False),
        (Actor.STAFF, 49_999, False),
    ],
)
async def test_a_person_lowers_the_limit_staff_set_it(
    house: House, actor: Actor, limit_minor: int, fits: bool
) -> None:
    payer = await house.payer(limit_minor=500_000)
    answer = await house.send(house.change(credit.SetLimit, payer, actor, limit_minor=limit_minor))
    if fits:
        assert seen(answer).limit_minor == limit_minor
        assert sorted(await history(house, payer)) == [ChangeKind.LIMIT_SET, ChangeKind.OPENED]
    else:
        assert refused(answer) is Code.INVALID_FIELD
        assert await history(house, payer) == [ChangeKind.OPENED]


async def test_a_limit_may_sit_under_what_is_used(house: House) -> None:
    payer = await house.payer(limit_minor=500_000)
    await house.buy(payer, 300_000)
    line = seen(await house.send(house.change(credit.SetLimit, payer, limit_minor=200_000)))
    assert (line.used_minor, line.available_minor) == (300_000, 0)
    declined = await house.send(house.buying(payer, 1))
    assert isinstance(declined, Answer)
    assert declined.body == b"limit_exceeded"
    await house.prove(payer)


async def test_a_frozen_line_is_repaid_but_not_drawn_on(house: House) -> None:
    payer = await house.payer(wallet_minor=10_000)
    await house.buy(payer, 1_000)
    assert seen(await house.send(house.change(credit.Freeze, payer, Actor.PERSON))).status == "frozen"
    declined = await house.send(house.buying(payer, 1))
    assert isinstance(declined, Answer)
    assert declined.body == b"line_frozen"
    assert (await house.repay(payer)).status == "posted"
    assert refused(await house.send(house.change(credit.Freeze, payer))) is Code.STATE_CONFLICT
    assert seen(await house.send(house.change(credit.Unfreeze, payer))).status == "open"
    assert refused(await house.send(house.change(credit.Unfreeze, payer))) is Code.STATE_CONFLICT
    done = await history(house, payer)  # all at one instant here, so in no order
    assert sorted(done) == [ChangeKind.FROZEN, ChangeKind.OPENED, ChangeKind.UNFROZEN]
    assert await house.events("line.frozen") == ["line.frozen 2026-09-03"]


async def test_a_line_unfrozen_in_arrears_is_suspended(house: House) -> None:
    payer = await house.payer(wallet_minor=100_000)
    await house.buy(payer, 1_000)
    await house.do(house.change(credit.Freeze, payer))
    await house.turn_to(date(2026, 10, 15))
    line = await house.line(payer)
    assert (line.status, line.past_due_since) == ("frozen", date(2026, 10, 10))
    assert seen(await house.send(house.change(credit.Unfreeze, payer))).status == "suspended"
    await house.repay(payer)
    assert (await house.line(payer)).status == "open"
    assert sorted(await history(house, payer)) == [
        ChangeKind.FROZEN,
        ChangeKind.OPENED,
        ChangeKind.RESTORED,
        ChangeKind.UNFROZEN,
    ]


async def test_a_due_day_moves_twice_a_year_and_never_under_an_open_bill(house: House) -> None:
    payer = await house.payer(wallet_minor=100_000)
    for day, code in ((21, Code.INVALID_FIELD), (20, None), (15, None), (10, Code.STATE_CONFLICT)):
        answer = await house.send(house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=day))
        assert (answer.code if isinstance(answer, Problem) else None) is code, day
    assert (await house.line(payer)).due_day == 15
    await house.buy(payer, 1_000)
    await house.turn_to(date(2026, 10, 1))
    (bill,) = await house.bills(payer)
    assert bill.due_on == date(2026, 10, 15)
    await house.turn_to(date(2026, 10, 15))
    await house.repay(payer)
    await house.turn_to(date(2027, 9, 4))
    assert seen(await house.send(house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=8))).due_day == 8
    await house.buy(payer, 1_000)
    await house.turn_to(date(2027, 10, 2))
    moved = await house.send(house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=9))
    assert refused(moved) is Code.STATE_CONFLICT


async def test_staff_give_one_person_no_more_than_one_may_hold_in_all(house: House) -> None:
    person = await house.person()
    seen(await house.send(house.open_line(person, 180_000_00, product="order_instalments")))
    over = await house.send(house.open_line(person, 20_000_01))
    assert isinstance(over, Problem) and "2000000 minor units are left" in over.detail
    answer = await house.send(house.open_line(person, 18_000_00))
    payer = replace(person, line_id=answer.object_id)
    for limit_minor, more, code in (
        (20_000_01, {}, Code.INVALID_FIELD),
        (20_000_01, {"until_on": house.on}, Code.INVALID_FIELD),
        (20_000_00, {"until_on": house.on}, None),
        (17_000_00, {}, None),
        (20_000_00, {}, None),
    ):
        setting = house.change(credit.SetLimit, payer, limit_minor=limit_minor, **more)
        outcome = await house.send(setting)
        assert (outcome.code if isinstance(outcome, Problem) else None) is code, (limit_minor, more)
    await house.do(house.change(credit.CloseLine, payer))
    again = await house.send(house.open_line(person, 20_000_00))
    assert seen(again).limit_minor == 20_000_00, "a closed line gives nothing"


async def test_lines_that_are_raised_together_are_counted_together(house: House) -> None:
    one = await house.payer(limit_minor=180_000_00, product="order_instalments")
    answer = await house.send(house.open_line(one, 10_000_00))
    two, other = replace(one, line_id=answer.object_id), await house.payer()
    commands = [
        house.change(credit.SetLimit, payer, limit_minor=limit_minor)
        for payer, limit_minor in ((other, 5_000_00), (one, 187_000_00), (two, 15_000_00), (two, 13_000_00))
    ]
    answers = await asyncio.gather(*(house.send(command) for command in commands))
    assert [isinstance(answer, Problem) for answer in answers] == [False, False, True, False]


async def test_a_line_above_what_one_may_hold_is_lowered_all_the_same(house: House) -> None:
    payer = await house.payer(limit_minor=50_000_00)
    async with house.database.transaction() as db:
        await db.execute("update line set limit_minor = 30000000 where id = $1", payer.line_id)
    assert seen(await house.send(house.open_line(await house.person(), 50_000_00))).limit_minor == 50_000_00
    refused(await house.send(house.open_line(payer, 500_00, product="order_instalments")))
    lowered = await house.send(house.change(credit.SetLimit, payer, limit_minor=50_000_00))
    assert seen(lowered).limit_minor == 50_000_00


async def test_the_due_day_that_a_line_has_is_no_change_however_often_it_is_asked_for(house: House) -> None:
    payer = await house.payer(wallet_minor=100_000)
    for day in (15, 15, 20, 20):
        answer = await house.send(house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=day))
        assert seen(answer).due_day == day
    assert (await history(house, payer)).count(ChangeKind.DUE_DAY_SET) == 2
    await house.buy(payer, 1_000)
    await house.turn_to(date(2026, 10, 2))
    again = house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=20)
    assert seen(await house.send(again)).due_day == 20, (
        "neither the year's number nor the open bill refuses it"
    )


async def test_due_days_that_are_asked_for_together_are_counted_one_by_one(house: House) -> None:
    payer, other = await house.payer(), await house.payer()
    first = house.change(credit.SetDueDay, other, Actor.PERSON, due_day=8)
    days = (house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=day) for day in (8, 15, 15, 20))
    _, *answers = await asyncio.gather(*(house.send(command) for command in (first, *days)))
    assert [seen(answer).due_day for answer in answers[:3]] == [8, 15, 15]
    assert refused(answers[3]) is Code.STATE_CONFLICT
    assert (await history(house, payer)).count(ChangeKind.DUE_DAY_SET) == 2


async def test_closing_waits_for_the_last_fen_and_pays_out_what_is_in_favour(house: House) -> None:
    payer = await house.payer(wallet_minor=100_000)
    await house.buy(payer, 1_000)
    assert seen(await house.send(house.change(credit.CloseLine, payer, Actor.PERSON))).status == "closing"
    declined = await house.send(house.buying(payer, 1))
    assert isinstance(declined, Answer)
    assert declined.body == b"line_frozen"
    await house.repay(payer)
    assert (await house.line(payer)).status == "closed"
    assert await house.events("line.closed") == ["line.closed 2026-09-03"]
    assert refused(await house.send(house.repaying(payer, 1))) is Code.STATE_CONFLICT
    assert (
        refused(await house.send(house.change(credit.SetLimit, payer, limit_minor=60_000)))
        is Code.STATE_CONFLICT
    )

    other = await house.payer(wallet_minor=100_000)
    await house.repay(other, 5_000)
    assert seen(await house.send(house.change(credit.CloseLine, other))).status == "closed"
    assert await house.wallet(other) == 100_000
    await house.prove(payer, other)


async def test_an_unknown_line_is_not_found(house: House) -> None:
    payer = await house.payer()
    ghost = msgspec.structs.replace(payer, line_id=house.new_id())
    assert refused(await house.send(house.change(credit.Freeze, ghost))) is Code.NOT_FOUND
    stranger = await house.person()
    theirs = msgspec.structs.replace(stranger, line_id=payer.line_id)
    assert refused(await house.send(house.change(credit.Freeze, theirs))) is Code.NOT_FOUND
    assert refused(await house.send(house.repaying(theirs, 1))) is Code.NOT_FOUND


async def test_changes_of_one_moment_are_each_answered_as_they_left_the_line(house: House) -> None:
    payer = await house.payer(limit_minor=100_000)
    asked = [90_000, 80_000, 70_000]
    changes = [house.change(credit.SetLimit, payer, Actor.PERSON, limit_minor=minor) for minor in asked]
    answers = await asyncio.gather(*(house.do(one) for one in changes))
    lines = [seen(answer) for answer in answers]
    assert [(line.limit_minor, line.available_minor) for line in lines] == [(one, one) for one in asked]
    assert (await house.line(payer)).limit_minor == asked[-1]


async def test_caps_of_one_moment_are_each_answered_as_they_were_set(house: House) -> None:
    payer = await house.payer(limit_minor=100_000)
    asked = [50_000, None, 40_000]
    answers = await asyncio.gather(
        *(
            house.do(
                credit.SetCap(
                    at=house.at,
                    people=(payer.id,),
                    person_id=payer.id,
                    cap_minor=cap_minor,
                    actor=Actor.STAFF,
                    actor_id=None,
                    reason="a test",
                )
            )
            for cap_minor in asked
        )
    )
    assert [msgspec.json.decode(answer.body)["cap_minor"] for answer in answers] == asked
