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
from wufeng.prove import (
    Caught,
    Engine,
    Leavings,
    Report,
    Result,
    Size,
    Tools,
    find_proofs,
    plant_all,
    render,
    run_proofs,
)


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
        Path | None,
        typer.Option(
            help="Write the results into this page (Markdown, and the JSON it is made from beside it)."
        ),
    ] = None,
    discard: Annotated[bool, typer.Option("--discard", help="Keep nothing of what failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Attack the promises on a scratch copy: crashes, races, poison. Exit code 1: one of them does not hold."""
    logs.configure(LogLevel.ERROR, LogFormat.TEXT)
    chosen = find_proofs(ids or [])
    drawn = random.SystemRandom().randrange(1, 1_000_000) if seed is None else seed
    size = Size.FULL if full else Size.SMALL if small else Size.NORMAL
    tell = _tell_nobody if as_json else _tell
    leavings = Leavings.DISCARD if discard else Leavings.KEEP
    ok = True
    if plants:
        caught = run(plant_all(chosen, TOOLS.command, seed=drawn, size=_of_plants(size), tell=tell))
        _show_plants(caught, as_json=as_json)
        ok = all(one.ok for one in caught)
        done = Report(plants=tuple(caught))
    else:
        results = run(
            run_proofs(chosen, TOOLS, seed=drawn, size=size, runs=runs, leavings=leavings, tell=tell)
        )
        _show(results, as_json=as_json)
        ok = all(result.ok for result in results)
        done = Report(results=tuple(results))
    if report is not None:
        render(report, done)
    if not ok:
        sys.exit(1)


def _of_plants(size: Size) -> Size:
    """A planted bug shows at once or not at all: small sizes, unless all is asked for."""
    return Size.FULL if size is Size.FULL else Size.SMALL


def _tell(text: str) -> None:
    Console(stderr=True, highlight=False).print(text, style="dim")


def _tell_nobody(_: str) -> None:
    pass


def _show(results: list[Result], *, as_json: bool) -> None:
    if as_json:
        print_json(results[0] if len(results) == 1 else results)
        return
    print_table(
        ["proof", "holds", "figure", "seconds", "seed"],
        [(r.id, "yes" if r.ok else "NO", r.figure, r.duration_s, r.seed) for r in results],
    )
    for result in results:
        for finding in result.findings:
            print_line(f"{result.id} (seed {result.seed}) {finding.check}: {finding.detail}", "red")
        if result.kept_in is not None:
            print_line(f"{result.id}: what it left is in {result.kept_in}")


def _show_plants(caught: list[Caught], *, as_json: bool) -> None:
    if as_json:
        print_json(caught)
        return
    rows = [
        (
            one.plant,
            ", ".join(one.tried),
            "; ".join(f"{id_}: {', '.join(checks)}" for id_, checks in one.caught_by.items()),
        )
        for one in caught
    ]
    print_table(["planted bug", "tried", "caught by"], rows)


async def _found(settings: Settings, book: str, buckets: int, clock: Clock) -> None:
    draft = app.Draft(name=book, mode=Mode.TEST, buckets=buckets)
    await app.found(settings, [draft], clock=clock)


@asynccontextmanager
async def _opened(settings: Settings, clock: Clock) -> AsyncIterator[Engine]:
    async with app.opened(settings, clock=clock, background=app.Background.OFF) as opened:

        async def turn_days(book: Book, days: int) -> list[ClosedDay]:
            return await app.turn_days(opened.services, book, days)

        yield Engine(
            settings=settings,
            database=opened.database,
            books=opened.books,
            lanes=opened.lanes,
            followers=opened.services.followers,
            vault=opened.services.vault,
            clock=clock,
            turn_days=turn_days,
            close_days=opened.close_days,
        )


TOOLS = Tools(found=_found, opened=_opened, command=(sys.executable, "-m", "wufeng.cli"))
"""The product as the proofs get it."""
