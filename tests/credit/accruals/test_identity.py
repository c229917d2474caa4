"""At each close the ledger has what events and closes counted: accrued = Σ unbilled, income = billed + accrued.

What was waived is billed less, on both sides.

Lived on products whose prices are not straight: plans by a yearly rate, late interest with a least and a cap.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import pytest
from tests.credit.accruals.products import yearly_product
from tests.credit.conftest import House, Payer, make_house

from wufeng import credit, ledger
from wufeng.base import faults
from wufeng.base.database import Database
from wufeng.base.faults import Plant
from wufeng.credit import journals
from wufeng.credit.accruals.identity import Standing
from wufeng.credit.accruals.model import MICRO, Segment
from wufeng.credit.accruals.store import read_ledger, sums_at
from wufeng.credit.bills.model import Bill
from wufeng.credit.draws.model import Draw
from wufeng.credit.lines.model import Actor, Line
from wufeng.credit.repayments.model import Debt, Source, SourceKind, Target
from wufeng.ledger import Cause, Journal, Parts

ONE_DAY = timedelta(days=1)
OPENED_ON = date(2026, 9, 3)
EXTERNAL = Source(SourceKind.EXTERNAL, None)


def by_the_day(debt: Debt, on: date) -> Fraction:
    """What a debt has earned by the end of a date and no bill holds: day after day, in exact minor units."""
    whole = Fraction(0)
    for bill in debt.bills:
        whole += of_bill(bill, on)
    for draw in debt.draws:
        whole += of_plan(draw, debt.line, on)
    return whole


def of_bill(bill: Bill, on: date) -> Fraction:
    """Stretch by stretch and day by day, no more than the cap, less what was billed."""
    running = Segment(bill.accrued_on, on, bill.bearing_minor, bill.daily_ppm, bill.least_minor)
    whole = Fraction(0)
    for part in (*bill.segments, *([running] if bill.daily_ppm else [])):
        day = part.since_on
        while day < part.until_on:
            day += ONE_DAY
            if part.balance_minor > 0:
                whole += max(Fraction(part.balance_minor * part.daily_ppm, MICRO), part.least_minor)
    if bill.most_minor is not None:
        whole = min(whole, Fraction(bill.most_minor))
    over = bill.bearing_minor <= 0 and round(whole) <= bill.interest_billed_minor
    return Fraction(0) if over else whole - bill.interest_billed_minor


def of_plan(draw: Draw, line: Line, on: date) -> Fraction:
    """The running part, evenly over the days between two due dates; what is left of a plan that is paid, whole."""
    if draw.billable_on is None or draw.billed_parts == len(draw.interest_parts):
        return Fraction(0)
    if not draw.unbilled_minor:
        return Fraction(sum(draw.interest_parts[draw.billed_parts :]))
    assert line.due_day is not None
    if draw.billed_parts:
        assert line.next_bill_on is not None
        until = first_after(line.next_bill_on, line.due_day)
        since = until - ONE_DAY
        while since.day != line.due_day:
            since -= ONE_DAY
    else:
        since = draw.billable_on
        until = first_after(first_after(since, 1), line.due_day)
    days, past = 0, 0
    day = since
    while day < until:
        day += ONE_DAY
        days += 1
        past += day <= on
    return Fraction(draw.interest_parts[draw.billed_parts] * past, days)


def first_after(on: date, day: int) -> date:
    """The first date after one with that day of the month."""
    later = on + ONE_DAY
    while later.day != day:
        later += ONE_DAY
    return later


async def standings(house: House) -> dict[tuple[str, int], Standing]:
    """What the close compares, by product."""
    async with house.database.transaction() as db:
        return {(one.product, one.version): one for one in await read_ledger(db, house.bucket)}


async def live(house: House, rng: random.Random, payers: Sequence[Payer], tenors: Sequence[int]) -> None:
    """One day of a few people who buy in parts, pay late, early, in advance and back, and get refunds."""
    for payer in payers:
        line = await house.line(payer)
        dice = rng.random()
        if dice < 0.13 and line.status == "open":
            tenor = rng.choice(tenors)
            command = house.buying(payer, rng.randrange(2_000, 60_000), tenor=tenor)
            if getattr(await house.send(command), "status", 0) == 201:
                PAID.setdefault(payer.id, []).append((command.request.payment_id, command.request.id, tenor))
        elif dice < 0.20 and line.used_minor:
            value_on = max(house.on - rng.choice([0, 0, 0, 2, 8]) * ONE_DAY, line.opened_on)
            amount_minor = rng.randrange(1, line.used_minor + 300)
            await house.send(house.repaying(payer, amount_minor, source=EXTERNAL, value_on=value_on))
        elif dice < 0.23:
            await house.send(house.repaying(payer, rng.choice(list(Target))))
        elif dice < 0.27 and PAID.get(payer.id):
            payment, draw, tenor = PAID[payer.id].pop()
            if tenor > 1 and rng.random() < 0.5:
                await house.send(house.repaying(payer, plan=draw))
            else:
                fault = rng.random() < 0.5
                await house.refund(payer, payment, rng.randrange(1, 2_000), merchants_fault=fault)
        elif dice < 0.28:
            moved = house.change(credit.SetDueDay, payer, Actor.PERSON, due_day=rng.choice([8, 15, 20]))
            await house.send(moved)


PAID: dict[object, list[tuple[object, object, int]]] = {}


@pytest.mark.parametrize(("seed", "early"), [(1, "dropped"), (2, "due")])
async def test_every_close_has_what_a_slow_count_finds(database: Database, seed: int, early: str) -> None:
    house = await make_house(database, OPENED_ON, source=yearly_product(early))
    rng = random.Random(seed)
    PAID.clear()
    payers = [await house.payer(wallet_minor=10_000_000) for _ in range(3)]
    most = 0
    for _ in range(60):
        await live(house, rng, payers, (1, 3) if early == "due" else (1, 1, 3, 6))
        yesterday = house.on
        debts = [await house.debt(payer) for payer in payers]
        slow = sum((by_the_day(debt, yesterday) for debt in debts), Fraction(0))
        async with house.database.read() as db:
            sums = await sums_at(db, house.bucket, yesterday)
        micro = sum(sum_.micro for sum_ in sums.values())
        plans = sum(bool(draw.interest_parts) for debt in debts for draw in debt.draws)
        assert 0 <= slow - Fraction(micro, MICRO) <= Fraction(62 * plans, MICRO), yesterday
        most = max(most, micro)
        await house.turn_to(yesterday + ONE_DAY)
    await house.prove(*payers)
    assert most > 50 * MICRO
    for _ in range(7):
        for payer in payers:
            await house.send(house.repaying(payer, Target.ALL))
        if not any([(await house.debt(payer)).draws for payer in payers]):
            break
        await house.turn_to(house.on + 31 * ONE_DAY)
    await house.turn_to(house.on + ONE_DAY)
    await house.prove(*payers)
    (one,) = (await standings(house)).values()
    assert one.accrued_minor == one.noted_minor == 0, "all is paid: nothing is earned that no bill holds"
    assert one.income_minor == one.billed_minor > 1_000
    await house.lanes.drain()


async def errors_of_close(house: House, on: date) -> list[str]:
    """Turn the clock to a date and close the days before it: what the closes could not agree with."""
    house.clock.turn_to(house.noon(on))
    closed = await credit.close_through(house.lanes, house.book, house.bucket, on - ONE_DAY, house.steps)
    assert closed[-1].business_on == on - ONE_DAY, "an error stops no day"
    return [error for day in closed for error in day.errors]


@pytest.fixture
async def earning(database: Database) -> House:
    """A house with a plan by a yearly rate, on the day before its first bill."""
    house = await make_house(database, OPENED_ON, source=yearly_product())
    payer = await house.payer(wallet_minor=1_000_000)
    await house.buy(payer, 90_000, tenor=3)
    await house.turn_to(date(2026, 9, 30))
    return house


async def test_a_move_that_is_forgotten_shows_at_its_close(
    earning: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(faults, "_planted", frozenset({Plant.FORGET_ACCRUAL.value}))
        errors = await errors_of_close(earning, date(2026, 10, 1))
    booked_minor = 27 * 900 // 37
    assert errors == [
        f"bucket {earning.bucket}, product monthly_bill@1: interest earned is 0 billed + {booked_minor} accrued"
        f" = {booked_minor}, {booked_minor + 900} in the ledger"
    ]
    async with earning.database.read() as db:
        runs = await credit.load_step_runs(db, [earning.bucket], date(2026, 9, 30), date(2026, 9, 30))
    assert [run.errors for run in runs if run.step == "accruals"] == [tuple(errors)], "on the dashboard"
    assert len(await errors_of_close(earning, date(2026, 10, 2))) == 1, "and again until it is mended"
    breaks = (await ledger.verify(earning.database, [earning.bucket], [credit.accrual_breaks])).breaks
    assert {str(one.kind) for one in breaks} >= {"accrued", "billed"}


async def test_a_bill_without_its_journal_shows_at_its_close(
    earning: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "journals_of_issue", lambda *_: [])
    (error,) = await errors_of_close(earning, date(2026, 10, 1))
    assert "interest earned is 900 billed" in error


async def test_a_booking_that_is_not_what_was_noted_shows_at_its_close(
    earning: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = ledger.rules.accrual

    def twice(cause: Cause, earned: Parts) -> Journal:
        return book(cause, [(lender, 2 * minor) for lender, minor in earned])

    with monkeypatch.context() as patch:
        patch.setattr(ledger.rules, "accrual", twice)
        receivable, income = await errors_of_close(earning, date(2026, 10, 1))
    noted_minor = 27 * 900 // 37
    grown_minor = noted_minor - 26 * 900 // 37
    assert f"is {noted_minor} by the closes, {noted_minor + grown_minor} in the ledger" in receivable
    assert "interest earned" in income


async def test_sixty_days_at_once_are_sixty_closes(database: Database) -> None:
    rows = []
    for name, days in (("daily", range(1, 61)), ("at once", range(60, 61))):
        house = await make_house(database, OPENED_ON, name, yearly_product())
        for n in range(3):
            payer = await house.payer(wallet_minor=1_000_000)
            await house.buy(payer, 90_000 + n, tenor=3 * n or 1)
        for day in days:
            await house.turn_to(OPENED_ON + day * ONE_DAY)
        async with house.database.read() as db:
            found = [await db.fetch(query, house.bucket) for query in KEPT]
        rows.append([[tuple(row.values()) for row in of_table] for of_table in found])
        await house.lanes.drain()
    assert rows[0] == rows[1]
    assert all(rows[0])


KEPT = (
    "select product, product_version, business_on, micro, daily_micro, billed_minor from accrual where bucket = $1"
    " order by business_on",
    "select product, product_version, business_on, accrued_minor from accrual_close where bucket = $1"
    " order by business_on",
    "select product, product_version, income_minor, accrued_minor from accrual_ledger where bucket = $1",
    "select business_on, amounts from journal where bucket = $1 and kind = 12 order by seq",
)
