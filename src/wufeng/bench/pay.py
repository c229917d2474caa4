"""`wufeng bench pay`: payments on credit beside TPC-B and beside the same writes a statement a row, in one run.

The subjects take turns, round by round, so that a slow minute of the machine is everybody's; figures are medians over
the rounds. The ratios are what counts: absolute rates are this machine's.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from importlib import resources
from statistics import median

from msgspec import Struct

from wufeng import ledger
from wufeng.base.database import Connection
from wufeng.bench import store
from wufeng.bench.measure import HttpLoad, Point, cpu_seconds, own_cpu_seconds, rss_mb, run_engine
from wufeng.bench.pgbench import Pgbench
from wufeng.bench.world import Parts, World

PGBENCH_CLIENTS = (8, 32)
CURVE = (1, 8, 32, 128, 512)
BEST_OF = 128


class Plan(Struct, frozen=True, kw_only=True):
    """How long and how often: the default ends within eight minutes."""

    rounds: int = 3
    seconds: int = 4
    pgbench_seconds: int = 8
    half_load_seconds: int = 15


class Served(Struct, frozen=True):
    """A server process tree, answering on a port of 127.0.0.1; `worker` is the process that answers."""

    port: int
    worker: int


class Subjects(Struct, frozen=True, kw_only=True):
    """Everything that is measured. The engine runs in this process; `serve` starts the HTTP server beside it."""

    parts: Parts
    world: World
    owner: Connection
    tpcb: Pgbench
    naive: Pgbench
    book_id: int
    serve: Callable[[], AbstractContextManager[Served]]
    http: Callable[[int], HttpLoad]
    statements: Callable[[], int]
    say: Callable[[str], None]
    catch_up: Callable[[], Awaitable[None]]
    superuser: Connection

    async def rest(self) -> None:
        """Bring the disk to where an installation is that runs for longer than a checkpoint.

        A new one makes its log files as it goes, 16 MB of zeros each, and the kernel still holds hundreds of megabytes
        of what filled the tables: both stop every commit for 50 to 500 ms when they reach the disk.
        """
        await store.checkpoint(self.superuser)
        await asyncio.to_thread(os.sync)


class Curve(Struct, frozen=True, kw_only=True):
    """A subject's medians over the rounds, by requests in flight."""

    points: list[Point]

    @property
    def best(self) -> float:
        """The highest rate of the curve."""
        return max(point.per_second for point in self.points)

    def at(self, in_flight: int) -> Point:
        """The point of a load."""
        return next(point for point in self.points if point.in_flight == in_flight)


class Figures(Struct, frozen=True, kw_only=True):
    """What `wufeng bench pay --json` prints."""

    pgbench_tps: float
    naive_tps: float
    engine_tps: float
    http_tps: float
    engine_ratio: float
    http_ratio: float
    engine_vs_naive: float
    http_vs_naive: float
    p50_ms: float
    p99_ms: float
    p99_ms_at_half_load: float
    one_payment_p50_ms: float
    sql_calls_per_payment: float
    wal_bytes_per_payment: int
    cpu_us_per_payment: int
    engine_cpu_us: int
    database_cpu_us: int
    errors: int
    rss_mb_per_worker: float
    ledger_ok: bool
    journals: int
    load_generator: str
    buckets: int
    people: int
    rounds: int
    engine: Curve
    http: Curve
    seconds: float


async def bench_pay(subjects: Subjects, plan: Plan) -> Figures:
    """Measure in turns; in the end the ledger verifies."""
    began_s = time.perf_counter()
    parts, say = subjects.parts, subjects.say
    await run_engine(parts, subjects.world, 32, 2)  # statements are prepared, pages are warm
    with resources.as_file(resources.files("wufeng.bench") / "naive.pgbench.sql") as script:
        variables = {
            "people": len(subjects.world.payers),
            "merchants": len(subjects.world.merchants),
            "book": subjects.book_id,
        }
        tpcb: list[float] = []
        naive: list[float] = []
        engine: list[list[Point]] = []
        http: list[list[Point]] = []
        half: list[Point] = []
        memory_mb = 0.0
        generator = ""
        for number in range(1, plan.rounds + 1):
            await subjects.rest()
            say(f"round {number} of {plan.rounds}: TPC-B, naive")
            tpcb.append(max(subjects.tpcb.tpcb(n, plan.pgbench_seconds).tps for n in PGBENCH_CLIENTS))
            naive.append(
                max(
                    subjects.naive.script(script, n, plan.pgbench_seconds, variables).tps
                    for n in PGBENCH_CLIENTS
                )
            )
            say(f"round {number} of {plan.rounds}: engine")
            engine.append([await run_engine(parts, subjects.world, n, plan.seconds) for n in CURVE])
            say(f"round {number} of {plan.rounds}: HTTP")
            with subjects.serve() as served:
                load = subjects.http(served.port)
                generator = load.generator
                load.closed(32, 2)
                http.append([load.closed(n, plan.seconds) for n in CURVE])
                if number == plan.rounds:
                    await subjects.rest()
                    half.append(load.open(max(p.per_second for p in http[-1]) / 2, plan.half_load_seconds))
                memory_mb = rss_mb(served.worker)
    say("what a payment costs")
    cost = await _cost(subjects, plan.seconds)
    await subjects.catch_up()
    say("proving the ledger")
    report = await ledger.verify(parts.database, parts.book.buckets)
    engine_curve, http_curve = _medians(engine), _medians(http)
    pgbench_tps, naive_tps = median(tpcb), median(naive)
    return Figures(
        pgbench_tps=round(pgbench_tps, 1),
        naive_tps=round(naive_tps, 1),
        engine_tps=engine_curve.best,
        http_tps=http_curve.best,
        engine_ratio=round(engine_curve.best / pgbench_tps, 3),
        http_ratio=round(http_curve.best / pgbench_tps, 3),
        engine_vs_naive=round(engine_curve.best / naive_tps, 3),
        http_vs_naive=round(http_curve.best / naive_tps, 3),
        p50_ms=http_curve.at(BEST_OF).p50_ms,
        p99_ms=http_curve.at(BEST_OF).p99_ms,
        p99_ms_at_half_load=half[0].p99_ms,
        one_payment_p50_ms=http_curve.at(1).p50_ms,
        sql_calls_per_payment=cost.statements,
        wal_bytes_per_payment=cost.wal_bytes,
        cpu_us_per_payment=cost.engine_us + cost.database_us,
        engine_cpu_us=cost.engine_us,
        database_cpu_us=cost.database_us,
        errors=sum(p.errors for curve in (*engine, *http, half) for p in curve),
        rss_mb_per_worker=memory_mb,
        ledger_ok=not report.breaks,
        journals=report.journals,
        load_generator=generator,
        buckets=len(parts.book.buckets),
        people=len(subjects.world.payers),
        rounds=plan.rounds,
        engine=engine_curve,
        http=http_curve,
        seconds=round(time.perf_counter() - began_s, 1),
    )


class _Cost(Struct, frozen=True):
    statements: float
    wal_bytes: int
    engine_us: int
    database_us: int


async def _cost(subjects: Subjects, seconds: int) -> _Cost:
    """What one payment costs at 128 in flight: statements, log, processor time of either side."""
    parts, owner = subjects.parts, subjects.owner
    pids = await store.backends(owner)
    wal, calls = await store.wal_bytes(owner), subjects.statements()
    engine_s, database_s = own_cpu_seconds(), cpu_seconds(pids)
    point = await run_engine(parts, subjects.world, BEST_OF, seconds)
    payments = max(1.0, point.per_second * seconds)
    return _Cost(
        statements=round((subjects.statements() - calls) / payments, 3),
        wal_bytes=round((await store.wal_bytes(owner) - wal) / payments),
        engine_us=round((own_cpu_seconds() - engine_s) / payments * 1e6),
        database_us=round((cpu_seconds(pids) - database_s) / payments * 1e6),
    )


def _medians(rounds: Sequence[Sequence[Point]]) -> Curve:
    return Curve(points=[_median([points[place] for points in rounds]) for place in range(len(rounds[0]))])


def _median(points: Sequence[Point]) -> Point:
    return Point(
        in_flight=points[0].in_flight,
        per_second=round(median(point.per_second for point in points), 1),
        p50_ms=round(median(point.p50_ms for point in points), 3),
        p99_ms=round(median(point.p99_ms for point in points), 3),
        errors=sum(point.errors for point in points),
        batch=round(median(point.batch for point in points), 1),
    )
