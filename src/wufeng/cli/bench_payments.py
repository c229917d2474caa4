"""`wufeng bench payments`: payments at the counter beside the plain credit payment of the same run."""

from typing import Annotated

import typer
import uvloop
from msgspec.structs import asdict

from wufeng.app import Background, Draft, calm_collector, found, opened
from wufeng.base.books import Mode
from wufeng.base.config import Settings
from wufeng.base.database import close as close_connection
from wufeng.base.database import open_connection
from wufeng.base.embedded import OWNER_ROLE
from wufeng.bench.payments import Figures, Plan, Subjects, bench_payments
from wufeng.bench.world import make_world
from wufeng.cli.measuring import BOOK, parts_of, scratch_settings, served, teller
from wufeng.cli.output import AsJson, print_json, print_table

LEDGER_BROKEN = 1


def payments(
    people: Annotated[int, typer.Option(min=100, help="People with lines.")] = 4_000,
    devices: Annotated[int, typer.Option(min=1_000, help="Enrolled phones.")] = 1_000_000,
    buckets: Annotated[int, typer.Option(min=1, max=64, help="Buckets of the book.")] = 2,
    workers: Annotated[int, typer.Option(min=1, max=16, help="HTTP worker processes.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="One short round: does it work at all?")] = False,
    as_json: AsJson = False,
) -> None:
    """Pay codes and printed codes over HTTP, passkeys, PINs, and finding a phone among a million.

    In a scratch directory of its own, fsync on. Exit code 1: the ledger has breaks.
    """
    plan = Plan(devices=devices)
    if quick:
        plan = Plan(rounds=1, seconds=1, devices=min(devices, 10_000), requests=3_000, resolutions=200)
    with scratch_settings() as settings:
        figures = uvloop.run(_payments(settings, people, buckets, workers, plan))
    if as_json:
        print_json(figures)
    else:
        rows = [(name.replace("_", " "), f"{value}") for name, value in asdict(figures).items()]
        print_table(["", "figure"], rows, title="Payments at the counter")
    if not figures.ledger_ok:
        raise typer.Exit(LEDGER_BROKEN)


async def _payments(settings: Settings, people: int, buckets: int, workers: int, plan: Plan) -> Figures:
    say = teller()
    say("a scratch installation")
    await found(settings, [Draft(name=BOOK, mode=Mode.TEST, buckets=buckets)])
    async with opened(settings, background=Background.OFF) as app:
        calm_collector()  # as the server does
        server = app.database.server
        assert server is not None, "the scratch installation runs its own server"
        parts = parts_of(app)
        say(f"{people:,} people with lines and sessions")
        world = await make_world(parts, people)
        owner = await open_connection(settings, server, OWNER_ROLE, "bench")
        try:
            subjects = Subjects(
                parts=parts,
                world=world,
                owner=owner,
                resolver=app.services.pay_codes,
                scratch=settings.data_dir,
                serve=lambda: served(settings, workers),
                catch_up=app.services.followers.catch_up,
                say=say,
            )
            return await bench_payments(subjects, plan)
        finally:
            await close_connection(owner)
