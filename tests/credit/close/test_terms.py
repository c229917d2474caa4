"""Terms of products that the close meets: bill days of each line's own, and interest rounded in another way."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from tests.credit.close.test_sets import OPENED_ON, live, rows_of, same
from tests.credit.conftest import House, Payer, make_house, shared_product, shipped

from wufeng import credit
from wufeng.base.database import Database
from wufeng.base.errors import Problem
from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.close.accruing import accrual_step
from wufeng.credit.close.steps import close_steps, lane_steps
from wufeng.credit.lines.model import Actor
from wufeng.credit.products.model import Pieces, Rounding
from wufeng.identity.merchants.model import Scene


def edited(*edits: tuple[str, str]) -> str:
    source = shared_product()
    for old, new in edits:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


OWN_DAYS = edited(("bill_day = 1", 'bill_day = "opening"'), ("due_day = 10", "due_after_days = 9"))


async def test_sets_bill_lines_with_days_of_their_own_as_the_lane_does(database: Database) -> None:
    rows = []
    for name, made in (("sets", close_steps()), ("lane", [*lane_steps(), accrual_step()])):
        house = await make_house(database, OPENED_ON, name, OWN_DAYS)
        house.steps = made
        payers = await live(house, 7)
        await house.prove(*payers)
        rows.append(await rows_of(house))
        await house.lanes.drain()
    same(*rows)
    assert any(
        '"issued_on": "2026-11-03"' in row and '"due_on": "2026-11-12"' in row for row in rows[0]["bill"]
    )


@pytest.mark.parametrize(
    ("opened_on", "bills"),
    [
        (
            date(2026, 9, 3),
            [(date(2026, 10, 3), date(2026, 10, 12)), (date(2026, 11, 3), date(2026, 11, 12))],
        ),
        (date(2026, 12, 31), [(date(2027, 1, 31), date(2027, 2, 9)), (date(2027, 2, 28), date(2027, 3, 9))]),
    ],
)
async def test_a_line_is_billed_on_the_day_on_which_it_was_opened(
    database: Database, opened_on: date, bills: list[tuple[date, date]]
) -> None:
    house = await make_house(database, opened_on, source=OWN_DAYS)
    payer = await house.payer(wallet_minor=500_000)
    await house.buy(payer, 60_000, tenor=3)
    for issued_on, due_on in bills:
        assert (await house.line(payer)).next_bill_on == issued_on
        await house.turn_to(issued_on)
        bill = (await house.bills(payer))[-1]
        assert (bill.issued_on, bill.due_on) == (issued_on, due_on)
        await house.repay(payer, bill.total_minor)
    await house.prove(payer)
    await house.lanes.drain()


async def test_a_due_day_takes_the_place_of_days_after_the_bill(database: Database) -> None:
    house = await make_house(database, OPENED_ON, source=OWN_DAYS.replace("[8, 9,", "[3, 8, 9,"))
    payer = await house.payer(wallet_minor=500_000)
    refused = await house.send(house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=3))
    assert isinstance(refused, Problem) and "Bills of this line come on day 3" in refused.detail
    await house.do(house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=20))
    line = await house.line(payer)
    assert (line.bill_day, line.due_day, line.due_after_days) == (3, 20, None)
    await house.buy(payer, 60_000)
    await house.turn_to(date(2026, 10, 3))
    assert [bill.due_on for bill in await house.bills(payer)] == [date(2026, 10, 20)]
    await house.prove(payer)
    await house.lanes.drain()


def rounded(rounding: Rounding, pieces: Pieces, *more: tuple[str, str]) -> str:
    return edited(
        ("[repayment]", f'[rounding]\ninterest = "{rounding}"\npieces = "{pieces}"\n\n[repayment]'),
        ("revolving_daily_ppm = 500", "revolving_daily_ppm = 487"),
        ("late_daily_ppm = 500", "late_daily_ppm = 613"),
        *more,
    )


FROM_THE_DRAW = (
    ("annualised_max_ppm = 240_000", "annualised_max_ppm = 240_000\ndaily_ppm = 391"),
    ("[instalments]", "[billing]\ngrace_days = 3\n\n[instalments]"),
)


CAPPED = ("[instalments]", "late_most_ppm = 9_000\n\n[instalments]")


@pytest.mark.parametrize(
    ("source", "seed"),
    [
        (rounded(Rounding.HALF_EVEN, Pieces.EACH), 11),
        (rounded(Rounding.UP, Pieces.EACH, *FROM_THE_DRAW), 12),
        (rounded(Rounding.DOWN, Pieces.ADDED, *FROM_THE_DRAW), 13),
        (rounded(Rounding.HALF_UP, Pieces.EACH, CAPPED), 14),
    ],
    ids=["each", "up each, from the draw", "down, from the draw", "each, capped"],
)  # fmt: skip
async def test_a_life_with_another_rounding_adds_up(database: Database, source: str, seed: int) -> None:
    house = await make_house(database, OPENED_ON, source=source)
    payers = await live(house, seed)
    await house.prove(*payers)
    await settled(house, payers)
    await house.lanes.drain()


async def settled(house: House, payers: Sequence[Payer]) -> None:
    """When all is paid, nothing is earned that nobody owes."""
    for payer in payers:
        await house.fill(payer, 5_000_000)
    for _ in range(2):  # what waits for its receipt is billed only then
        for payer in payers:
            await house.send(house.repaying(payer, credit.Target.ALL))
        await house.turn_to(house.on + timedelta(days=40))
    for payer in payers:
        debt = await house.debt(payer)
        assert debt.principal_minor == 0
        assert [interest_to_bill(one, house.on) for one in (*debt.bills, *debt.draws) if one.daily_ppm] in (
            [],
            [0],
        )
    await house.prove(*payers)


@pytest.mark.parametrize(("pieces", "earned_minor"), [(Pieces.EACH, 96), (Pieces.ADDED, 97)])
async def test_each_stretch_is_rounded_when_it_ends(
    database: Database, pieces: Pieces, earned_minor: int
) -> None:
    """1,000.00 unpaid at 0.0487 % a day is 48.7 fen: two days are 97.4, and 48 twice where each is rounded down."""
    house = await make_house(database, OPENED_ON, source=rounded(Rounding.DOWN, pieces))
    payer = await house.payer(wallet_minor=500_000)
    await house.buy(payer, 111_111)
    await house.turn_to(date(2026, 10, 1))
    await house.repay(payer, 11_112)
    for on in (date(2026, 10, 11), date(2026, 10, 12)):
        await house.turn_to(on)
        await house.repay(payer, 1)
    await house.prove(payer)
    (bill,) = (await house.debt(payer)).bills
    assert [one.days for one in bill.segments] == [1, 1]
    assert interest_to_bill(bill, house.on) == earned_minor
    await house.lanes.drain()


@pytest.mark.parametrize(
    ("paid_on", "status", "paid_minor"),
    [
        # 27 days before the bill are 10.557 (10.56), and 13 days to the last one of grace 5.083, all at 0.0391 %.
        (date(2026, 10, 13), "open", 1_000_00 + 10_56 + 5_08),
        # Seven days after it at 0.05 % are 3.50: 8.583.
        (date(2026, 10, 20), "overdue", 1_000_00 + 10_56 + 8_58),
    ],
)
async def test_interest_from_the_draw_runs_through_the_days_of_grace(
    database: Database, paid_on: date, status: str, paid_minor: int
) -> None:
    house = await make_house(database, OPENED_ON, source=edited(*FROM_THE_DRAW))
    payer = await house.payer(wallet_minor=500_000)
    await house.buy(payer, 1_000_00)
    await house.turn_to(paid_on)
    assert [bill.status for bill in await house.bills(payer)] == [status]
    assert (await house.repay(payer)).amount_minor == paid_minor
    assert [bill.status for bill in await house.bills(payer)] == ["paid"]
    await house.prove(payer)
    await house.lanes.drain()


BESIDE = shipped("study_now").source
for old, new in (
    ("first_after = { months = 6 }", "first_after = { days = 45 }"),
    ("lead_days = 7", 'lead_days = 7\ndown_payment_ppm = 200_000\nstub = "interest_only"'),
    ("minimum_minor = 10_000", 'minimum_minor = 20_000\nday_count = "actual_365"'),
    ("[repayment]", '[rounding]\ninstalment_multiple_minor = 100\ninterest = "up"\n\n[repayment]'),
    ("grace_days = 3", "grace_days = 0"),
    ("bank_days = true", "bank_days = false"),
):
    assert BESIDE.count(old) == 1, old
    BESIDE = BESIDE.replace(old, new)


@pytest.mark.parametrize("settle_after", [None, 0, 1, 3])
async def test_parts_beside_the_instalments_are_billed_in_their_turn(
    database: Database, settle_after: int | None
) -> None:
    """A down payment the next day, the interest of 45 days by itself, then four instalments in whole yuan."""
    house = await make_house(database, OPENED_ON, source=BESIDE)
    payer = await house.payer(wallet_minor=900_000, product="study_now")
    await house.buy(payer, 500_00, tenor=6, scene=Scene.EDUCATION)
    (draw,) = (await house.debt(payer)).draws
    assert draw.principal_parts[:2] == (100_00, 0) and draw.interest_parts[:2] == (0, 4_44)
    assert [(one + two) % 100 for one, two in zip(draw.principal_parts, draw.interest_parts, strict=True)][2:5] == [
        0, 0, 0,
    ]  # fmt: skip
    for part, (bill_on, due_on) in enumerate(zip(draw.bill_dates, draw.due_dates, strict=True)):
        await house.turn_to(bill_on)
        bill = (await house.bills(payer))[-1]
        assert (bill.issued_on, bill.due_on) == (bill_on, due_on)
        assert bill.total_minor == draw.principal_parts[part] + draw.interest_of(part)
        await house.repay(payer, bill.total_minor)
        if part == settle_after:
            await house.repay(payer)
            break
    await house.turn_to(date(2027, 4, 1))
    line = await house.line(payer)
    assert (line.used_minor, line.billed_minor, line.unbilled_minor) == (0, 0, 0)
    await house.prove(payer)
    await house.lanes.drain()


async def test_such_a_plan_is_refunded_and_its_history_told_again(database: Database) -> None:
    house = await make_house(database, OPENED_ON, source=BESIDE)
    payer = await house.payer(wallet_minor=900_000, product="study_now")
    payment = await house.buy(payer, 500_00, tenor=6, scene=Scene.EDUCATION)
    await house.turn_to(date(2026, 9, 4))
    await house.turn_to(date(2026, 9, 10))
    await house.do(house.repaying(payer, 100_00, value_on=date(2026, 9, 4)))
    assert [bill.status for bill in await house.bills(payer)] == ["paid"]
    await house.prove(payer)
    await house.refund(payer, payment, 200_00)
    (draw,) = (await house.debt(payer)).draws
    assert sum(draw.principal_parts) == 300_00 and draw.principal_parts[-1] == 0
    await house.prove(payer)
    await house.lanes.drain()
