"""`wufeng prove`: attack the promises on a scratch copy, and print what came of it."""

import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from wufeng import app
from wufeng.base import logs
from wufeng.base.books import Book, Mode
from wufeng.base.clock import Clock
from wufeng.base.config import LogFormat, LogLevel, Settings
from wufeng.cli.output import AsJson, print_json, print_line, print_table
from wufeng.cli.running import run
from wufeng.credit import ClosedDay
from wufeng.prove import Engine, Result, Size, Tools, find_proofs, run_proofs


def command(
    ids: Annotated[list[str] | None, typer.Argument(help="Which proofs, such as F1 I1; none: all.")] = None,
    seed: Annotated[int | None, typer.Option(help="Repeat a run; default: drawn and printed.")] = None,
    runs: Annotated[int | None, typer.Option(min=1, help="How many kills, keys, rounds of each.")] = None,
    full: Annotated[bool, typer.Option("--full", help="The nightly sizes: hours.")] = False,
    small: Annotated[bool, typer.Option("--small", help="The sizes of the test run: seconds.")] = False,
    plants: Annotated[
        bool, typer.Option("--plants", help="Plant bugs and show which proofs catch them.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write docs/reliability.md from the results to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Attack the promises of RELIABILITY on a scratch copy: crashes, races, poison. Exit code 1: one does not hold."""
    logs.configure(LogLevel.ERROR, LogFormat.TEXT)
    size = Size.FULL if full else Size.SMALL if small else Size.NORMAL
    chosen = find_proofs(ids or [])
    drawn = random.SystemRandom().randrange(1, 1_000_000) if seed is None else seed
    status = Console(stderr=True)
    tell = (lambda text: status.print(text, style="dim")) if not as_json else (lambda text: None)
    results = run(run_proofs(chosen, TOOLS, seed=drawn, size=size, runs=runs, tell=tell))
    if as_json:
        print_json(results[0] if len(results) == 1 else results)
    else:
        _show(results)
    if not all(result.ok for result in results):
        sys.exit(1)


def _show(results: list[Result]) -> None:
    print_table(
        ["proof", "holds", "figure", "seconds", "seed"],
        [(r.id, "yes" if r.ok else "NO", r.figure, r.duration_s, r.seed) for r in results],
    )
    for result in results:
        for finding in result.findings:
            print_line(f"{result.id} (seed {result.seed}) {finding.check}: {finding.detail}", "red")
        if result.kept_in is not None:
            print_line(f"{result.id}: what it left is in {result.kept_in}")


async def _found(settings: Settings, book: str, buckets: int, clock: Clock) -> None:
    draft = app.Draft(name=book, mode=Mode.TEST, buckets=buckets)
    await app.found(settings, [draft], clock=clock)


@asynccontextmanager
async def _opened(settings: Settings, clock: Clock) -> AsyncIterator[Engine]:
    async with app.opened(settings, clock=clock, background=app.Background.OFF) as opened:

        async def turn_days(book: Book, days: int) -> list[ClosedDay]:
            return await app.turn_days(opened.services, book, days)

        yield Engine(
            database=opened.database,
            books=opened.books,
            lanes=opened.lanes,
            followers=opened.services.followers,
            vault=opened.services.vault,
            clock=clock,
            turn_days=turn_days,
        )


TOOLS = Tools(found=_found, opened=_opened, command=(sys.executable, "-m", "wufeng.cli"))
"""The product as the proofs get it."""
