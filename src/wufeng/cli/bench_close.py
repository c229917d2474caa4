"""`wufeng bench close`: how fast days are closed on this machine, beside plain statements of the same run."""

import os
import sys
import time
from typing import Annotated

import msgspec
import typer
import uvloop
from msgspec.structs import asdict

from wufeng import credit
from wufeng.app import App, Background, Draft, calm_collector, found, opened
from wufeng.base.books import Mode
from wufeng.base.config import Settings, load_settings
from wufeng.base.database import close as close_connection
from wufeng.base.database import open_connection
from wufeng.base.embedded import OWNER_ROLE
from wufeng.base.followers import Followers
from wufeng.base.migrations import connect_as_superuser
from wufeng.bench.close import CLOSERS, NOW_ON, Asked, Closer, Done, Figures, Subjects, bench_close, ground_of
from wufeng.bench.world import make_world
from wufeng.cli.measuring import BOOK, parts_of, scratch_settings, teller
from wufeng.cli.output import AsJson, print_json, print_table
from wufeng.ledger import FOLLOWER
from wufeng.lenders.model import lender_id

LEDGER_BROKEN = 1
FOLDED_WITHIN_S = 300


def close(
    accounts: Annotated[int, typer.Option(min=1_000, help="Lines, each with a draw.")] = 200_000,
    full: Annotated[bool, typer.Option("--full", help="A million.")] = False,
    buckets: Annotated[int, typer.Option(min=1, max=64, help="Buckets of the book.")] = 2,
    payers: Annotated[int, typer.Option(min=100, help="People who pay meanwhile.")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """Days closed by two processes: nothing due, a bill for everybody, a common day, and payments meanwhile.

    In a scratch directory of its own, fsync on. Exit code 1: the ledger has breaks.
    """
    with scratch_settings() as settings:
        lines = 1_000_000 if full else accounts
        figures = uvloop.run(_close(settings, lines, buckets, payers))
    if as_json:
        print_json(figures)
    else:
        rows = [(name.replace("_", " "), f"{value}") for name, value in asdict(figures).items()]
        print_table(["", "figure"], rows, title="Day close")
    if not figures.ledger_ok:
        raise typer.Exit(LEDGER_BROKEN)


async def _close(settings: Settings, lines: int, buckets: int, payers: int) -> Figures:
    say = teller()
    await found(settings, [Draft(name=BOOK, mode=Mode.TEST, buckets=buckets, begins_on=NOW_ON)])
    async with opened(settings, background=Background.OFF) as app:
        calm_collector()
        server = app.database.server
        assert server is not None, "the scratch installation runs its own server"
        parts = parts_of(app)
        world = await make_world(parts, payers)
        product = _monthly_bill(app)
        lender = lender_id(parts.book.id, product.lenders[0].code)
        owners = [await open_connection(settings, server, OWNER_ROLE, "bench") for _ in range(CLOSERS)]
        superuser = await connect_as_superuser(server, settings)
        closers = [Closer(settings, dict(os.environ)) for _ in range(CLOSERS)]
        folding = Followers(app.database, [FOLLOWER])
        try:
            for closer in closers:
                closer.ready()
            return await bench_close(
                Subjects(
                    parts=parts,
                    payers=world,
                    owners=owners,
                    superuser=superuser,
                    closers=closers,
                    ground=ground_of(parts, lines, lender, world.merchants[0], product.version),
                    say=say,
                    catch_up=lambda: folding.catch_up(FOLDED_WITHIN_S),
                )
            )
        finally:
            for closer in closers:
                closer.end()
            for connection in (superuser, *owners):
                await close_connection(connection)


def _monthly_bill(app: App) -> credit.Product:
    product = app.services.products.current("monthly_bill", NOW_ON)
    assert product is not None, "it is shipped"
    return product


def closer() -> None:
    """Close what standard input asks for: a closing process of the benchmark."""
    uvloop.run(_serve(load_settings()))


async def _serve(settings: Settings) -> None:
    async with opened(settings, background=Background.OFF) as app:
        calm_collector()
        book = app.books.named(BOOK)
        sys.stdout.buffer.write(b"ready\n")
        sys.stdout.buffer.flush()
        for line in sys.stdin.buffer:
            asked = msgspec.json.decode(line, type=Asked)
            began_s = time.perf_counter()
            rows: dict[str, int] = {}
            errors: list[str] = []
            for bucket in asked.buckets:
                day = await credit.close_day(app.lanes, book, bucket, asked.closed_on, credit.close_steps())
                errors += day.errors
                for step, count in day.steps.items():
                    rows[step] = rows.get(step, 0) + count
            done = Done(time.perf_counter() - began_s, rows, tuple(errors))
            sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
            sys.stdout.buffer.flush()
