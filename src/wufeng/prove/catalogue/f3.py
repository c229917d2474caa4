"""F3: two processes close the same days while people pay; they are killed and started again."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct, field

from wufeng import credit
from wufeng.base import faults
from wufeng.base.clock import Clock, SystemClock
from wufeng.base.faults import Plant
from wufeng.prove import store
from wufeng.prove.deeds import ONE_DAY, Deed, Street, What, turn_clock_to
from wufeng.prove.engine import Engine
from wufeng.prove.model import Job, Outcome, Proof, Size
from wufeng.prove.race import Race, Turn
from wufeng.prove.town import settle_town

PEOPLE = {Size.SMALL: 36, Size.NORMAL: 90, Size.FULL: 600}
PRODUCTS = ("monthly_bill", "daily_interest")
"""The first is billed by sets, the second line by line; with interest from the day of the draw."""
LIMIT_MINOR = 2_000_000
STOPS = (1, 10, 11)
"""Days of the month that the clock is turned to: bills, due dates, what was not paid. Between two of them the close
tells one thing of a person at most: by its number a deed is before or behind it."""
COMPARED = frozenset({credit.ENDINGS, "auto_debit", "arrears", "charge_offs", "bills"})
"""Steps whose rows are lines and bills. Others count by bucket, into which people fall by chance."""
PASSES = "due_dates"
"""Whether a bill passes its due date just before or just after it was repaid shows in no event, and in no row but this
step's count: counts of two installations may differ by such bills, and each is held between what it counts without
them and with them."""

Standing = Mapping[int, Sequence[str]]
Rows = Mapping[tuple[date, str], int]


class Passing(Struct, frozen=True):
    """Bills whose due date came or passed in the close of each date: all, and those of people who paid nothing then."""

    most: Counter[date] = field(default_factory=Counter)
    least: Counter[date] = field(default_factory=Counter)

    def add(self, awake: Sequence[tuple[int, date]], turn: Turn) -> None:
        """Take in a stop: who had such bills when it began, and what was done at it."""
        done = [deed for deed, _ in (*turn.before, *turn.after)]
        paid = {deed.who for deed in done if deed.what in (What.REPAY, What.REFUND)}
        for who, on in awake:
            self.most[on - ONE_DAY] += 1
            self.least[on - ONE_DAY] += who not in paid

    def miscounted(self, rows: Rows, where: str) -> list[str]:
        """Dates of which the close counts fewer than nobody touched, or more than there were."""
        counted = {on: count for (on, step), count in rows.items() if step == PASSES}
        return [
            f"{PASSES} of {on}: {counted.get(on, 0)} rows {where}, of {self.least[on]} to {self.most[on]} bills"
            for on in sorted({*counted, *self.most})
            if not self.least[on] <= counted.get(on, 0) <= self.most[on]
        ]


async def run(job: Job) -> Outcome:
    """A run is one stop of the clock, closed under attack; then a second installation does the same in peace."""
    clock = SystemClock()
    first_on = _first_on(clock)
    async with job.scratch.engine_of_its_own(clock) as engine:
        race = Race(job, await _street(engine, job, first_on), job.rng())
        await race.open()
        passing = Passing()
        for number, on in enumerate(_stops(first_on, job.runs)):
            if number and not job.left_s:
                break
            awake = await race.street.awake(on)
            await race.turn(on, "close_bills" if on.day == 1 else None)
            passing.add(awake, race.turns[-1])
            job.tell(f"{number + 1} stops of {job.runs}")
        await race.audit()
        standing, rows = await race.street.standing(), await _rows(race.street)
    job.tell("the same in peace")
    with faults.unplanted():
        async with job.scratch.engine_of_its_own(clock) as engine:
            street = await _street(engine, job, first_on)
            race.find("replay", await _in_peace(street, race.turns))
            race.find("standing", _unlike(await street.standing(), standing))
            quiet = await _rows(street)
            race.find("dashboard", _rows_unlike(quiet, rows))
            race.find("dashboard", passing.miscounted(rows, "raced") + passing.miscounted(quiet, "in peace"))
    return _outcome(race)


def _first_on(clock: Clock) -> date:
    """Ahead of the machine's clock: a book's clock is turned on, never back."""
    return (clock.now().date() + timedelta(days=45)).replace(day=20)


def _stops(first_on: date, count: int) -> list[date]:
    found, on = list[date](), first_on
    while len(found) < count:
        on += ONE_DAY
        found += [on] * (on.day in STOPS)
    return found


async def _street(engine: Engine, job: Job, first_on: date) -> Street:
    await turn_clock_to(engine, first_on)
    town = await settle_town(
        engine, job.run_id, payers=PEOPLE[job.size], limit_minor=LIMIT_MINOR, products=PRODUCTS
    )
    return Street(engine, town)


async def _in_peace(street: Street, turns: Sequence[Turn]) -> list[str]:
    """Do it all again with nobody else about: deeds before their close, one closer, deeds behind it."""
    refused: list[str] = []
    for number, turn in enumerate(turns):
        if number:
            await turn_clock_to(street.engine, turn.on)
        refused += await _do_all(street, turn.before)
        closed = await street.engine.close_days(street.book) if number else []
        refused += [error for day in closed for error in day.errors]
        refused += await _do_all(street, turn.after)
    return refused


async def _do_all(street: Street, deeds: Sequence[tuple[Deed, date]]) -> list[str]:
    """Do deeds, each person's in their order, people beside each other."""
    of_each: dict[int, list[tuple[Deed, date]]] = {}
    for deed, on in deeds:
        of_each.setdefault(deed.who, []).append((deed, on))

    async def one(mine: Sequence[tuple[Deed, date]]) -> list[str]:
        return [f"{deed} is refused" for deed, on in mine if await street.do(deed, on) is None]

    return [text for texts in await asyncio.gather(*map(one, of_each.values())) for text in texts]


def _unlike(quiet: Standing, raced: Standing) -> list[str]:
    """People of whom the two installations do not say the same."""
    found = []
    for who in sorted({*quiet, *raced}):
        ones, others = Counter(quiet.get(who, ())), Counter(raced.get(who, ()))
        if ones != others:
            found.append(f"person {who}: in peace {sorted(ones - others)}, raced {sorted(others - ones)}")
    return found


async def _rows(street: Street) -> Rows:
    """What the dashboard counts, over all buckets."""
    counted: Counter[tuple[date, str]] = Counter()
    async with street.engine.database.read() as db:
        for bucket in street.book.buckets:
            for one in await store.load_runs(db, bucket):
                counted[one.business_on, one.step] += one.row_count
    return {key: count for key, count in counted.items() if count}


def _rows_unlike(quiet: Rows, raced: Rows) -> list[str]:
    return [
        f"{step} of {on}: {quiet.get((on, step), 0)} rows in peace, {raced.get((on, step), 0)} raced"
        for on, step in sorted({*quiet, *raced})
        if step in COMPARED and quiet.get((on, step)) != raced.get((on, step))
    ]


def _outcome(race: Race) -> Outcome:
    counts = {**race.counts, "stops": len(race.turns) - 1}
    figure = (
        f"{counts['stops']} closes by two processes, {counts['kills']} kills, {counts['bills']:,} bills, "
        f"{counts['deeds']:,} payments, refunds, repayments and limits meanwhile: {len(race.findings)} differences"
    )
    return Outcome(counts, figure, tuple(race.findings))


PROOF = Proof(
    id="F3",
    promise="A day is closed once and whole, whoever closes it, dies and begins again, while people go on.",
    how="two `wufeng close` on the same days, each killed by SIGKILL at a fault point and started again, under load; "
    "then the same in peace, compared row by row. Whether a bill passed its due date just before or just after it was "
    "repaid that day shows in no row and is not compared, but those that nobody repaid are counted: no fewer have "
    "passed, and no more than there were",
    unit="stops",
    runs={Size.SMALL: 1, Size.NORMAL: 4, Size.FULL: 72},
    run=run,
    catches=(Plant.FORGET_CUT_OFF, Plant.FORGET_RERUN),
)
