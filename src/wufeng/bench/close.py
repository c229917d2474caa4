"""`wufeng bench close`: the day close at many accounts, beside plain statements that write the same rows.

In order: a day that is not measured, a day on which nothing is due, the worst day (every line gets a bill), the same
rows once more by plain statements on copies, a common day, then the plans' next bill day with payments going on.
"""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng import ledger
from wufeng.base.config import Settings
from wufeng.base.database import Connection
from wufeng.base.errors import Problem
from wufeng.base.ids import first_id_of
from wufeng.bench import close_store, store
from wufeng.bench.load import percentile
from wufeng.bench.measure import cpu_seconds, run_engine
from wufeng.bench.world import Parts, World
from wufeng.credit import load_step_runs
from wufeng.credit.plans.model import Terms
from wufeng.credit.plans.rules import annualised_rate_ppm, schedule
from wufeng.credit.products.model import Cycle

WORST_ON = date(2026, 6, 1)
COMMON_ON = date(2026, 6, 5)
PLANS_ON = date(2026, 7, 1)
NOW_ON = date(2026, 7, 2)
CLOSERS = 2
ONE_DAY = timedelta(days=1)


class Asked(Struct, frozen=True):
    """What a closer is told: close one business date in these buckets, in this order."""

    closed_on: date
    buckets: tuple[int, ...]


class Done(Struct, frozen=True):
    """What a closer answers: its seconds, and rows by step as recorded so far."""

    seconds: float
    rows: dict[str, int]
    errors: tuple[str, ...] = ()


class Cost(Struct, frozen=True):
    """What a row costs the server: processor time of its backends, and log."""

    cpu_us: float
    wal_bytes: int


class Figures(Struct, frozen=True, kw_only=True):
    """What `wufeng bench close --json` prints.

    bill_cost, plain_costs  a bill of the worst day by the close, and its rows by table by plain statements
    common_row_cost         a bill that is issued, or looked at on its due date or the day after
    """

    accounts: int
    bills_per_s: float
    bills_vs_plain: float
    worst_day_s: float
    plain_s: float
    plain_parts_s: dict[str, float]
    bill_cost: Cost
    plain_costs: dict[str, Cost]
    common_row_cost: Cost
    common_day_s: float
    common_day_rows: dict[str, int]
    common_day_ms: dict[str, int]
    worst_day_ms: dict[str, int]
    empty_day_s: float
    schedules_per_s: float
    payments_p50_ms_during_close: float
    payments_p99_ms_during_close: float
    payments_p99_ms_alone: float
    payments_per_s_asked: float
    bills_per_s_with_payments: float
    payment_errors: int
    errors: int
    state_bytes_per_account: int
    world_s: float
    ledger_ok: bool
    closers: int
    buckets: int
    seconds: float


class Closer:
    """A closing process: it starts, waits, closes what it is told and answers."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wufeng.cli", "bench", "closer"],
            env=environment | {"WUFENG_DATA_DIR": str(settings.data_dir), "WUFENG_LOG_LEVEL": "warning"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ready(self) -> None:
        """Wait until it has started."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == b"ready\n", f"the closer said {line!r}"

    def close(self, asked: Asked) -> Done:
        """Close, and wait for the end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(asked) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Done)

    def end(self) -> None:
        """End it, in the middle of a day too: that day is one of a scratch installation."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Subjects(Struct, frozen=True, kw_only=True):
    """Everything that is measured. `owners` are connections of the database's owner, one a closer."""

    parts: Parts
    payers: World
    owners: Sequence[Connection]
    superuser: Connection
    closers: Sequence[Closer]
    ground: close_store.Ground
    say: Callable[[str], None]
    catch_up: Callable[[], Awaitable[None]]


async def bench_close(subjects: Subjects) -> Figures:
    """Make the world and measure the days."""
    began_s = time.perf_counter()
    say, buckets = subjects.say, subjects.parts.book.buckets
    say(f"a world of {subjects.ground.lines:,} accounts")
    world_s = await _timed(_make_world(subjects))
    state_bytes = await close_store.state_bytes(subjects.owners[0])
    await _rest(subjects)
    # The first close of a new process learns the server's types, and reads the journals that made the world.
    await _close(subjects, WORST_ON - 3 * ONE_DAY)
    say("a day with nothing due")
    empty = await _close(subjects, WORST_ON - 2 * ONE_DAY)
    say("copies for the plain statements")
    await close_store.copy_rows(subjects.owners[0])
    await _rest(subjects)
    say("the worst day")
    worst, bill_cost = await _costing(subjects, WORST_ON - ONE_DAY)
    bills = worst.rows.get("bills", 0)
    await _rest(subjects)
    say("the same rows by plain statements")
    plain_s, plain_parts, plain_costs = await _plain(subjects, bills)
    await close_store.drop_copies(subjects.owners[0])
    say("a world in which many have paid")
    await _turn_to_common_day(subjects)
    say("a common day")
    common, common_row_cost = await _costing(subjects, COMMON_ON - ONE_DAY)
    say("the plans' next bill day, with payments")
    payments, plans = await _with_payments(subjects)
    say("proving the ledger")
    await subjects.catch_up()
    report = await ledger.verify(subjects.parts.database, buckets)
    return Figures(
        accounts=subjects.ground.lines,
        bills_per_s=round(bills / worst.seconds, 1),
        bills_vs_plain=round(worst.seconds / plain_s, 2),
        worst_day_s=round(worst.seconds, 2),
        plain_s=round(plain_s, 2),
        plain_parts_s=plain_parts,
        bill_cost=bill_cost,
        plain_costs=plain_costs,
        common_row_cost=common_row_cost,
        common_day_s=round(common.seconds, 2),
        common_day_rows=common.rows,
        common_day_ms=await _steps_ms(subjects, COMMON_ON - ONE_DAY),
        worst_day_ms=await _steps_ms(subjects, WORST_ON - ONE_DAY),
        empty_day_s=round(empty.seconds, 3),
        schedules_per_s=schedules_per_s(),
        payments_p50_ms_during_close=payments.p50_ms,
        payments_p99_ms_during_close=payments.p99_ms,
        payments_p99_ms_alone=payments.alone_p99_ms,
        payments_per_s_asked=payments.rate,
        bills_per_s_with_payments=round(plans.rows.get("bills", 0) / plans.seconds, 1),
        payment_errors=payments.errors,
        errors=sum(len(done.errors) for done in (empty, worst, common, plans)),
        state_bytes_per_account=round(state_bytes / subjects.ground.lines),
        world_s=round(world_s, 1),
        ledger_ok=not report.breaks,
        closers=len(subjects.closers),
        buckets=len(buckets),
        seconds=round(time.perf_counter() - began_s, 1),
    )


async def _timed(work: Awaitable[object]) -> float:
    began_s = time.perf_counter()
    await work
    return time.perf_counter() - began_s


async def _make_world(subjects: Subjects) -> None:
    ground, owners = subjects.ground, subjects.owners
    await close_store.prepare(owners[0])
    edges = [ground.lines * n // len(owners) for n in range(len(owners) + 1)]
    await asyncio.gather(
        *(
            close_store.insert_world(owner, ground, first, last - 1, WORST_ON)
            for owner, first, last in zip(owners, edges[:-1], edges[1:], strict=True)
        )
    )
    await store.analyse(owners[0])
    await _of_each_bucket(
        subjects, lambda owner, bucket: close_store.balance_lines(owner, ground, bucket, ground.opened_on)
    )


async def _of_each_bucket(subjects: Subjects, work: Callable[[Connection, int], Awaitable[object]]) -> None:
    """Buckets shared out between the owners' connections."""
    waiting = list(subjects.parts.book.buckets)

    async def take(owner: Connection) -> None:
        while waiting:
            await work(owner, waiting.pop(0))

    await asyncio.gather(*map(take, subjects.owners))


async def _rest(subjects: Subjects) -> None:
    """Fresh statistics, all pages written: as in an installation that has run for a while."""
    await store.analyse(subjects.owners[0])
    await store.checkpoint(subjects.superuser)


async def _close(subjects: Subjects, closed_on: date) -> Done:
    """All closers close one date; each begins with another bucket. Seconds until the last has ended."""
    buckets = subjects.parts.book.buckets
    began_s = time.perf_counter()
    done = await asyncio.gather(
        *(
            asyncio.to_thread(closer.close, Asked(closed_on, (*buckets[n:], *buckets[:n])))
            for n, closer in enumerate(subjects.closers)
        )
    )
    seconds = time.perf_counter() - began_s
    rows = done[0].rows
    for one in done[1:]:
        rows = {step: max(count, one.rows.get(step, 0)) for step, count in rows.items()}
    return Done(seconds, rows, tuple(error for one in done for error in one.errors))


async def _steps_ms(subjects: Subjects, closed_on: date) -> dict[str, int]:
    """How long each step of a close took, all buckets and closers together."""
    async with subjects.parts.database.read() as db:
        runs = await load_step_runs(db, subjects.parts.book.buckets, closed_on, closed_on)
    took: dict[str, int] = {}
    for run in runs:
        took[run.step] = took.get(run.step, 0) + run.took_ms
    return took


async def _costing(subjects: Subjects, closed_on: date) -> tuple[Done, Cost]:
    """Close one date, and what a row of it cost. The closers' connections are open: they have closed a date before."""
    owner = subjects.owners[0]
    pids = await store.backends(owner)
    cpu_s, wal_bytes = cpu_seconds(pids), await store.wal_bytes(owner)
    done = await _close(subjects, closed_on)
    cpu_s, wal_bytes = cpu_seconds(pids) - cpu_s, await store.wal_bytes(owner) - wal_bytes
    return done, _cost(cpu_s, wal_bytes, sum(done.rows.values()))


def _cost(cpu_s: float, wal_bytes: int, rows: int) -> Cost:
    return Cost(round(cpu_s / rows * 1e6, 1), round(wal_bytes / rows))


async def _plain(subjects: Subjects, bills: int) -> tuple[float, dict[str, float], dict[str, Cost]]:
    """Seconds in all; by table the longest of a bucket, and what a bill's share of the table cost."""
    written: dict[str, list[close_store.Written]] = {}

    async def write(owner: Connection, bucket: int) -> None:
        for name, one in (await close_store.plain_statements(owner, bucket)).items():
            written.setdefault(name, []).append(one)

    seconds = await _timed(_of_each_bucket(subjects, write))
    longest = {name: round(max(one.seconds for one in each), 2) for name, each in written.items()}
    costs = {
        name: _cost(sum(one.cpu_s for one in each), sum(one.wal_bytes for one in each), bills)
        for name, each in written.items()
    }
    return seconds, longest, costs


async def _turn_to_common_day(subjects: Subjects) -> None:
    ground, owners = subjects.ground, subjects.owners

    async def turn(owner: Connection, bucket: int) -> None:
        await close_store.common_day(owner, bucket, COMMON_ON, PLANS_ON)

    await close_store.insert_draws(
        owners[0], ground, 0, ground.lines - 1, COMMON_ON - 2 * ONE_DAY, 30, 10_000_000
    )
    await _of_each_bucket(subjects, turn)
    await _of_each_bucket(
        subjects, lambda owner, bucket: close_store.balance_lines(owner, ground, bucket, COMMON_ON)
    )
    await _rest(subjects)


class _Payments(Struct, frozen=True):
    rate: float
    p50_ms: float
    p99_ms: float
    alone_p99_ms: float
    errors: int


async def _with_payments(subjects: Subjects) -> tuple[_Payments, Done]:
    """Payments at half of what this process reaches, first alone, then while the closers work."""
    parts, payers = subjects.parts, subjects.payers
    await run_engine(parts, payers, 32, 1)
    rate = round((await run_engine(parts, payers, 128, 3)).per_second / 2, 1)
    await _rest(subjects)
    alone = await _pay(parts, payers, rate, asyncio.create_task(asyncio.sleep(4)))
    closing = asyncio.create_task(_close(subjects, PLANS_ON - ONE_DAY))
    meanwhile = await _pay(parts, payers, rate, closing)
    latencies, errors = meanwhile
    payments = _Payments(
        rate,
        percentile(latencies, 0.5),
        percentile(latencies, 0.99),
        percentile(alone[0], 0.99),
        errors + alone[1],
    )
    return payments, await closing


async def _pay(
    parts: Parts, payers: World, rate: float, until: "asyncio.Task[object]"
) -> tuple[list[float], int]:
    """Payments that fall due at random instants until a task ends; latencies count from when they fell due."""
    latencies: list[float] = []
    rng, running, errors = random.Random(7), set[asyncio.Task[None]](), 0

    async def pay(due_s: float) -> None:
        nonlocal errors
        try:
            answer = await parts.lanes.submit(*payers.command(parts))
            errors += answer.status != 201
        except Problem:
            errors += 1
        latencies.append((time.perf_counter() - due_s) * 1000)

    due_s = time.perf_counter()
    while not until.done():
        due_s += rng.expovariate(rate)
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        task = asyncio.create_task(pay(due_s))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    return sorted(latencies), errors


def schedules_per_s(seconds: float = 1.0) -> float:
    """Plans of 12 instalments with their annualised rate, one after another in pure Python."""
    terms = Terms(12, 88_000, Cycle(1, 10))
    made, began_s = 0, time.perf_counter()
    while time.perf_counter() < began_s + seconds:
        for n in range(50):
            annualised_rate_ppm(schedule(terms, 100_000 + 50 * made + n, WORST_ON))
        made += 50
    return round(made / (time.perf_counter() - began_s), 1)


def ground_of(parts: Parts, lines: int, lender: UUID, merchant: UUID, version: int) -> close_store.Ground:
    """The ground of a world of so many lines, opened a month before the worst day."""
    opened_on = date(2026, 5, 4)
    born_ms = first_id_of(parts.book.start_of(date(2025, 1, 1))).int >> 80
    drawn_ms = first_id_of(parts.book.start_of(opened_on)).int >> 80
    return close_store.Ground(
        book=parts.book.id,
        lines=lines,
        born_ms=born_ms,
        drawn_ms=drawn_ms,
        opened_on=opened_on,
        lender=lender,
        lender_account=ledger.account_id(lender, ledger.AccountKind.LENDER_PRINCIPAL),
        merchant=merchant,
        product_version=version,
    )
