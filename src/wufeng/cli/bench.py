"""`wufeng bench pay`: how fast payments are on this machine, beside references of the same run."""

import asyncio
import time
from typing import Annotated

import httpx
import msgspec
import psutil
import typer
import uvloop
from msgspec import Struct
from msgspec.structs import asdict, replace

from wufeng.app import App, Background, Draft, calm_collector, found, opened
from wufeng.base.books import Mode
from wufeng.base.config import Settings
from wufeng.base.database import close, open_connection
from wufeng.base.embedded import OWNER_ROLE, EmbeddedServer
from wufeng.base.errors import ConfigurationError
from wufeng.base.migrations import connect_as_superuser, create_database
from wufeng.bench import store
from wufeng.bench.measure import HttpLoad
from wufeng.bench.pay import Figures, Plan, Subjects, bench_pay
from wufeng.bench.pgbench import Pgbench
from wufeng.bench.world import make_world
from wufeng.cli.bench_close import close as close_days
from wufeng.cli.bench_close import closer
from wufeng.cli.bench_payments import payments
from wufeng.cli.bench_web import web
from wufeng.cli.measuring import BOOK, parts_of, scratch_settings, served, teller
from wufeng.cli.output import AsJson, print_json, print_table
from wufeng.lenders.model import lender_id

commands = typer.Typer(help="Measure.", no_args_is_help=True)

TPCB = "wufeng_tpcb"
LEDGER_BROKEN = 1


@commands.callback()
def _group() -> None:
    """Measure."""


commands.command()(web)
commands.command()(payments)
commands.command(name="close")(close_days)
commands.command(hidden=True)(closer)


@commands.command()
def pay(
    people: Annotated[int, typer.Option(min=100, help="People with lines.")] = 6_000,
    buckets: Annotated[int, typer.Option(min=1, max=64, help="Buckets of the book.")] = 2,
    workers: Annotated[int, typer.Option(min=1, max=16, help="HTTP worker processes.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="One short round: does it work at all?")] = False,
    full: Annotated[bool, typer.Option("--full", help="Longer, five rounds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Payments on credit: the engine and HTTP beside pgbench's TPC-B and the same writes a statement a row.

    In a scratch directory of its own, fsync on. Exit code 1: the ledger has breaks.
    """
    plan = Plan()
    if quick:
        plan = Plan(rounds=1, seconds=1, pgbench_seconds=1, half_load_seconds=2)
    elif full:
        plan = Plan(rounds=5, seconds=15, pgbench_seconds=30, half_load_seconds=60)
    with scratch_settings() as settings:
        figures = uvloop.run(_pay(settings, people, buckets, workers, plan))
    if as_json:
        print_json(figures)
    else:
        _show(figures)
    if not figures.ledger_ok:
        raise typer.Exit(LEDGER_BROKEN)


class ColdStart(Struct, frozen=True, kw_only=True):
    """What `wufeng bench start` prints. Memory is resident: the server's processes, and PostgreSQL's own share."""

    install_s: float
    server_answers_s: float
    first_paid_payment_s: float
    server_rss_mb: float
    database_pss_mb: float


@commands.command()
def start(as_json: AsJson = False) -> None:
    """From no data directory at all to the first paid payment over HTTP, and what the idle system holds in memory."""
    with scratch_settings() as settings:
        figures = uvloop.run(_start(settings))
    if as_json:
        print_json(figures)
    else:
        print_table(
            ["", "figure"],
            [(name.replace("_", " "), f"{value:.1f}") for name, value in asdict(figures).items()],
        )


async def _start(settings: Settings) -> ColdStart:
    began_s = time.monotonic()
    await found(settings, [Draft(name=BOOK, mode=Mode.TEST)])
    installed_s = time.monotonic() - began_s
    with served(settings, 1) as server:
        answers_s = time.monotonic() - began_s
        async with opened(settings, background=Background.OFF) as app:
            world = await make_world(parts_of(app), 1)
        requests = settings.data_dir / "requests.jsonl"
        world.write_requests(requests)
        authorization, body = msgspec.json.decode(requests.read_bytes().splitlines()[0])
        headers = {
            "Authorization": authorization,
            "Idempotency-Key": "first",
            "Content-Type": "application/json",
        }
        url = f"http://127.0.0.1:{server.port}/v1/payments"
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            answer = await http.post(url, content=body.replace("@", "first"), headers=headers)
        paid_s = time.monotonic() - began_s
        if answer.status_code != 201:
            raise ConfigurationError(
                f"the first payment was answered {answer.status_code}: {answer.text[:200]}"
            )
        await asyncio.sleep(5)  # until it is idle
        worker = psutil.Process(server.worker)
        server_mb = sum(process.memory_info().rss for process in (worker, *worker.parents()[:1])) / 2**20
        postgres = [
            p for p in psutil.process_iter(["name"]) if str(settings.data_dir) in " ".join(_command_of(p))
        ]
        postmaster = next(iter(postgres), None)
        family = [postmaster, *postmaster.children(recursive=True)] if postmaster is not None else []
        database_mb = sum(process.memory_full_info().pss for process in family) / 2**20
    return ColdStart(
        install_s=round(installed_s, 2),
        server_answers_s=round(answers_s, 2),
        first_paid_payment_s=round(paid_s, 2),
        server_rss_mb=round(server_mb, 1),
        database_pss_mb=round(database_mb, 1),
    )


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() if process.name() == "postgres" else []
    except psutil.Error:
        return []


async def _pay(settings: Settings, people: int, buckets: int, workers: int, plan: Plan) -> Figures:
    say = teller()
    say("a scratch installation")
    await found(settings, [Draft(name=BOOK, mode=Mode.TEST, buckets=buckets)])
    counted = [0]

    def count(_: object) -> None:
        counted[0] += 1

    async with opened(settings, background=Background.OFF, watch=count) as app:
        calm_collector()  # as the server does
        server = app.database.server
        assert server is not None, "the scratch installation runs its own server"
        parts = parts_of(app)
        say(f"{people:,} people with lines and sessions")
        world = await make_world(parts, people)
        requests = settings.data_dir / "requests.jsonl"
        world.write_requests(requests)
        owner = await open_connection(settings, server, OWNER_ROLE, "bench")
        superuser = await connect_as_superuser(server, settings)
        try:
            await app.lanes.submit(*world.command(parts))
            lender = lender_id(parts.book.id, _lead_lender(app))
            payers = [(payer.bucket, payer.id, payer.line_id) for payer in world.payers]
            await store.prepare_naive(owner, payers, world.merchants, lender)
            await store.analyse(owner)
            tpcb = await _tpcb(server, settings)
            subjects = Subjects(
                parts=parts,
                world=world,
                owner=owner,
                tpcb=tpcb,
                naive=Pgbench(server, OWNER_ROLE, settings.database_name),
                book_id=parts.book.id,
                serve=lambda: served(settings, workers),
                http=lambda port: HttpLoad(port, requests),
                statements=lambda: counted[0],
                say=say,
                catch_up=app.services.followers.catch_up,
                superuser=superuser,
            )
            return await bench_pay(subjects, plan)
        finally:
            await close(superuser)
            await close(owner)


def _lead_lender(app: App) -> str:
    book = app.books.named(BOOK)
    offered = app.services.products.offered(book.business_date(book.at(app.services.clock)))
    return offered[0].lenders[0].code


async def _tpcb(server: EmbeddedServer, settings: Settings) -> Pgbench:
    """A database of its own for TPC-B, on the same server."""
    await create_database(server, replace(settings, database_name=TPCB), "template0")
    tpcb = Pgbench(server, OWNER_ROLE, TPCB)
    tpcb.initialise()
    return tpcb


def _show(figures: Figures) -> None:
    curve = [
        (
            engine.in_flight,
            f"{engine.per_second:,.0f}",
            f"{engine.p50_ms:.1f}",
            f"{engine.p99_ms:.1f}",
            f"{engine.batch:.0f}",
            f"{http.per_second:,.0f}",
            f"{http.p50_ms:.1f}",
            f"{http.p99_ms:.1f}",
        )
        for engine, http in zip(figures.engine.points, figures.http.points, strict=True)
    ]
    heads = ["in flight", "engine/s", "p50 ms", "p99 ms", "batch", "HTTP/s", "p50 ms ", "p99 ms "]
    print_table(heads, curve, title="Payments on credit")
    rows = [
        ("TPC-B (pgbench)", f"{figures.pgbench_tps:,.0f}/s"),
        ("same writes, a statement a row", f"{figures.naive_tps:,.0f}/s"),
        ("engine ÷ TPC-B", f"{figures.engine_ratio:.2f}"),
        ("HTTP ÷ TPC-B", f"{figures.http_ratio:.2f}"),
        ("engine ÷ naive", f"{figures.engine_vs_naive:.2f}"),
        ("HTTP ÷ naive", f"{figures.http_vs_naive:.2f}"),
        ("one payment alone", f"{figures.one_payment_p50_ms:.1f} ms at the median"),
        ("p99 at half load", f"{figures.p99_ms_at_half_load:.1f} ms"),
        ("statements a payment", f"{figures.sql_calls_per_payment:.2f}"),
        ("log a payment", f"{figures.wal_bytes_per_payment:,} bytes"),
        ("processor a payment", f"{figures.engine_cpu_us} + {figures.database_cpu_us} µs"),
        ("memory a worker", f"{figures.rss_mb_per_worker:.0f} MB"),
        ("errors", f"{figures.errors}"),
        ("ledger", f"{figures.journals:,} journals, {'no break' if figures.ledger_ok else 'BROKEN'}"),
    ]
    print_table(["", "figure"], rows)
