"""A close under attack: clients and closers on the same days. Each deed is kept with its side of the close."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct

from wufeng import credit, ledger
from wufeng.payments import LEDGER_CHECKS
from wufeng.prove import store
from wufeng.prove.closers import close_by, draw_faults
from wufeng.prove.deeds import ONE_DAY, Deed, Done, Street, What, turn_clock_to
from wufeng.prove.model import Finding, Job
from wufeng.prove.scratch import child_environment
from wufeng.prove.store import Run, Told

CLOSERS = 2
CLIENTS = 8
DETAILS_MAX = 5
"""Of one check: who finds five looks for one cause."""
CLOSE_EVENTS = frozenset({"bill.issued", "bill.due", "bill.overdue", "line.suspended"})
"""By these a deed is before or behind the close of its person."""
SLOW_S, QUICK_S = 1.0, 0.004
"""A client's pause while nothing is closed, and while something is."""
WATCHED_EVERY_S, MOVES_FOR_S = 0.01, 0.3
LATE = 0.3
"""How often somebody's first deed at a stop comes with a clock that was read before the cut-off."""
LIMITS_MINOR = (1_000_000, 2_000_000)


class Turn(Struct, frozen=True):
    """What was done around one stop of the clock, in the order in which it is to be done again.

    before, after  the close of the person whose deed it is; with the date that each was booked on
    """

    on: date
    before: Sequence[tuple[Deed, date]]
    after: Sequence[tuple[Deed, date]]


class Race:
    """A street on which people go on while days are closed.

    busy   who do something at any moment; the others bought, and half of them never pay
    turns  what was done so far
    """

    def __init__(self, job: Job, street: Street, rng: random.Random) -> None:
        self.job = job
        self.street = street
        self.turns: list[Turn] = []
        self.findings: list[Finding] = []
        self.counts: Counter[str] = Counter()
        self._rng = rng
        count = len(street.town.payers)
        self.busy, self.idle = range(count * 2 // 3), range(count * 2 // 3, count)
        self._latecomers = self.busy[:: max(1, len(self.busy) // 4)]
        self._spent: list[list[int]] = [[] for _ in street.town.payers]
        self._pause_s = SLOW_S

    def find(self, check: str, details: Sequence[str]) -> None:
        """Note what does not hold."""
        self.findings += [Finding(check, detail) for detail in details[:DETAILS_MAX]]
        if len(details) > DETAILS_MAX:
            self.findings.append(Finding(check, f"and {len(details) - DETAILS_MAX} more"))

    async def open(self) -> None:
        """What everybody bought before the first close."""
        deeds = []
        for who in (*self.busy, *self.idle):
            deeds.append(Deed(who=who, what=What.BUY, amount_minor=20_000 + 10 * who))
            if who % 6 == 4:
                deeds.append(Deed(who=who, what=What.BUY, amount_minor=90_000 + who, tenor=3))
        done = [one for deed in deeds if (one := await self._do(deed)) is not None]
        on = self.street.on
        self.turns.append(Turn(on, [], [(one.deed, on) for one in done]))

    async def turn(self, on: date, sure: str | None) -> None:
        """Turn the clock to a date; close what has ended, by closers that die, while the busy go on.

        sure  where every closer dies once; None: anywhere
        """
        behind = await self.street.heads()
        await turn_clock_to(self.street.engine, on)
        done: list[Done] = []
        closing = asyncio.create_task(self._close(sure))
        clients = [self._client(self.busy[n::CLIENTS], closing, done) for n in range(CLIENTS)]
        await asyncio.gather(closing, self._watch(closing), *clients)
        done += await self._all(self._late(who) for who in self._latecomers)
        done += await self._all(self._due(who) for who in self._who_pay(on))
        self._sort(on, done, await self.street.told(behind))

    async def audit(self) -> None:
        """What must hold of the closes by themselves."""
        street, last_on = self.street, self.street.on
        await street.engine.followers.catch_up()
        report = await ledger.verify(street.engine.database, checks=LEDGER_CHECKS)
        self.find(
            "ledger", [f"{one.kind} {one.where}: {one.expected} / {one.found}" for one in report.breaks]
        )
        async with street.engine.database.read() as db:
            for bucket in street.book.buckets:
                self.find("told_once", await store.load_told_twice(db, bucket))
                self.find("cut_off", await store.load_late_bookings(db, bucket))
                self.find("bills", [f"bill {id_}" for id_ in await store.load_stray_bills(db, bucket)])
                bills = await store.load_bills_by_date(db, bucket)
                self.counts["bills"] += sum(bills.values())
                runs = await store.load_runs(db, bucket)
                self.find("dashboard", _untrue(bucket, runs, bills, last_on))

    async def _do(self, deed: Deed) -> Done | None:
        done = await self.street.do(deed)
        if done is not None and deed.what is What.BUY:
            self._spent[deed.who].append(deed.amount_minor)
        return done

    async def _all(self, deeds: Iterable[Deed]) -> list[Done]:
        return [one for deed in deeds if (one := await self._do(deed)) is not None]

    async def _close(self, sure: str | None) -> None:
        job = self.job
        ended = await close_by(
            job.scratch.tools.command,
            child_environment(self.street.engine.settings),
            draw_faults(self._rng, CLOSERS, sure),
            job.scratch.directory / f"{job.run_id}-closers.log",
        )
        self.find("closer", [one.said for one in ended if one.said is not None])
        self.counts["kills"] += sum(one.killed for one in ended)

    async def _watch(self, closing: "asyncio.Task[None]") -> None:
        """Let clients hurry while a close moves on, and wait with them while closers start."""
        loop, seen, moved_s = asyncio.get_running_loop(), -1, -MOVES_FOR_S
        while not closing.done():
            async with self.street.engine.database.read() as db:
                now = await store.load_progress(db, self.street.book.buckets)
            if now != seen:
                moved_s = loop.time() if seen >= 0 else moved_s
                seen = now
            self._pause_s = QUICK_S if loop.time() < moved_s + MOVES_FOR_S else SLOW_S
            await asyncio.sleep(WATCHED_EVERY_S)

    async def _client(self, people: Sequence[int], closing: "asyncio.Task[None]", done: list[Done]) -> None:
        """Somebody of these does something, again and again; each person's first deed may come late."""
        here = [who for who in people if who not in self._latecomers]
        came: set[int] = set()
        while not closing.done():
            who = self._rng.choice(here)
            deed = self._late(who) if who not in came and self._rng.random() < LATE else self._any(who)
            came.add(who)
            if (one := await self._do(deed)) is not None:
                done.append(one)
            await asyncio.sleep(self._pause_s * self._rng.uniform(0.5, 1.5))

    def _any(self, who: int) -> Deed:
        rng, chance = self._rng, self._rng.random()
        if chance < 0.15 and self._spent[who]:
            of = rng.randrange(len(self._spent[who]))
            part_minor = rng.randint(1, max(1, self._spent[who][of] // 4))
            return Deed(who=who, what=What.REFUND, of=of, amount_minor=part_minor)
        if chance < 0.35:
            target = rng.choice((None, None, *credit.Target))
            return Deed(who=who, what=What.REPAY, amount_minor=rng.randint(1, 6_000), target=target)
        if chance < 0.45:
            return Deed(who=who, what=What.LIMIT, amount_minor=rng.randint(*LIMITS_MINOR))
        return Deed(who=who, what=What.BUY, amount_minor=rng.randint(1, 5_000))

    def _late(self, who: int) -> Deed:
        return Deed(who=who, what=What.BUY, amount_minor=self._rng.randint(1, 5_000), late=True)

    def _due(self, who: int) -> Deed:
        target = credit.Target.BILLED if who % 4 == 0 else credit.Target.MINIMUM
        return Deed(who=who, what=What.REPAY, target=target)

    def _who_pay(self, on: date) -> Sequence[int]:
        return (*self.busy, *self.idle[::2]) if on.day == DUE_DAY else ()

    def _sort(self, on: date, done: Sequence[Done], told: Sequence[Told]) -> None:
        """Put each deed on its side of the close of its person. A change of a limit goes with the deed before it."""
        closes = first_closes(told)
        by_object = {one.object_id: one for one in told}
        sides: tuple[list[tuple[Deed, date]], list[tuple[Deed, date]]] = ([], [])
        last: dict[int, int] = {}
        for one in done:
            event = by_object.get(one.object_id)
            person = self.street.town.payers[one.deed.who].id
            if event is not None:
                last[one.deed.who] = int(event.seq > closes.get(person, event.seq))
            sides[last.get(one.deed.who, 0)].append((one.deed, on if event is None else event.business_on))
        self.turns.append(Turn(on, *sides))
        self.counts["deeds"] += len(done)
        self.counts["deeds_behind"] += len(sides[1])


DUE_DAY = 10
"""Of both products."""


def first_closes(told: Sequence[Told]) -> Mapping[UUID, int]:
    """The number of the first event by which the close told something of each person."""
    first: dict[UUID, int] = {}
    for one in told:
        if one.kind in CLOSE_EVENTS:
            first.setdefault(one.person_id, one.seq)
    return first


def _untrue(bucket: int, runs: Sequence[Run], bills: Mapping[date, int], last_on: date) -> list[str]:
    """Where the dashboard does not say what was done: errors, bills that it counts, dates that it does not close."""
    wrong = [f"bucket {bucket}, {run.business_on}, {run.step}: {run.errors}" for run in runs if run.errors]
    counted = {
        run.business_on + ONE_DAY: run.row_count for run in runs if run.step == "bills" and run.row_count
    }
    wrong += [
        f"bucket {bucket}: {counted.get(on, 0)} bills of {on} are counted, there are {bills.get(on, 0)}"
        for on in sorted({*counted, *bills})
        if counted.get(on, 0) != bills.get(on, 0)
    ]
    finished = {run.business_on for run in runs if run.step == "finished"}
    first_on = min((run.business_on for run in runs), default=last_on)
    dates = (first_on + n * ONE_DAY for n in range((last_on - first_on).days))
    return wrong + [
        f"bucket {bucket}: the close of {on} is not finished" for on in dates if on not in finished
    ]
