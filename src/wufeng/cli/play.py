"""`wufeng play`: push a public stream of card payments through the engine, in a book of its own."""

from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from wufeng.app import App, Background, Draft, found, opened
from wufeng.base.books import Books, Mode, load_books
from wufeng.base.clock import FixedClock, SystemClock
from wufeng.base.config import Settings, load_settings
from wufeng.base.database import Database
from wufeng.base.errors import ConfigurationError
from wufeng.cli.output import AsJson, amount, print_json, print_line, print_table
from wufeng.lab.play import Engine, Played, PlaySettings, Progress, play, read_stream
from wufeng.lab.play.model import Phase, Stream

FOUND_BREAKS = 1
NAME = "play-"


def command(
    file: Annotated[Path, typer.Argument(help="A Parquet file of card payments (docs/operations.md).")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days of it.")] = 14,
    seed: Annotated[int, typer.Option(help="Same seed, same people.")] = 7,
    late_ppm: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="People who repay late, ppm.")
    ] = 100_000,
    as_json: AsJson = False,
) -> None:
    """Play a stream of payments: people with lines, shops, bills, repayments, and the proof of the ledger.

    Every play makes a book of its own (play-1, play-2 …) and leaves it in place for `wufeng ledger verify`.
    Exit code 1: the ledger has breaks.
    """
    stream = read_stream(file, days)
    if not stream.rows:
        raise ConfigurationError(f"{file} holds no payment that could be played: {stream.left_out}")
    settings = PlaySettings(seed=seed, late_share_ppm=late_ppm)
    with _bars(hidden=as_json) as bars:
        played = uvloop.run(play_stream(load_settings(), stream, settings, _progress(bars)))
    if as_json:
        print_json(played)
    else:
        _show(played)
    if not played.ledger_ok:
        raise typer.Exit(FOUND_BREAKS)


async def play_stream(settings: Settings, stream: Stream, habits: PlaySettings, progress: Progress) -> Played:
    """Play a stream in a fresh book of an installation, which is made where there is none."""
    name = await _make_book(settings, stream)
    # One instant of the system's clock for the whole play: only the book's own clock moves, day by day.
    async with opened(settings, clock=FixedClock(SystemClock().now()), background=Background.OFF) as app:
        return await play(_engine(app), app.books.named(name), stream, habits, progress)


async def _make_book(settings: Settings, stream: Stream) -> str:
    await found(settings, [])
    async with Database(settings) as database, database.read() as db:
        taken = {book.name for book in Books(await load_books(db)).values()}
    name = next(f"{NAME}{n}" for n in range(1, 10_000) if f"{NAME}{n}" not in taken)
    await found(settings, [Draft(name=name, mode=Mode.TEST, begins_on=stream.rows[0].at.date())])
    return name


def _engine(app: App) -> Engine:
    return Engine(
        database=app.database,
        books=app.books,
        lanes=app.lanes,
        vault=app.services.vault,
        turn_day=lambda book: app.services.turn_days(book, 1),
        catch_up=app.services.followers.catch_up,
    )


def _bars(*, hidden: bool) -> Bars:
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Bars(*columns, disable=hidden, transient=True)


def _progress(bars: Bars) -> Progress:
    tasks = {phase: bars.add_task(phase.value, total=None) for phase in Phase}

    def show(phase: Phase, done: int, of: int) -> None:
        bars.update(tasks[phase], completed=done, total=of)

    return show


def _show(played: Played) -> None:
    def yuan(minor: int) -> str:
        return amount(minor, "CNY")

    declined = ", ".join(f"{code} {count:,}" for code, count in sorted(played.declined.items())) or "none"
    left_out = ", ".join(f"{fault} {count:,}" for fault, count in sorted(played.left_out.items())) or "none"
    rows = [
        ("book", played.book),
        ("dates", f"{played.first_on} to {played.last_on}, {played.days_closed} days closed"),
        ("people, merchants", f"{played.people:,}, {played.merchants:,}"),
        ("payments", f"{played.payments:,} ({played.payments_per_s:,.0f} a second)"),
        ("approved", f"{played.approved:,} over {yuan(played.amount_minor)}"),
        ("declined", declined),
        ("rows left out", left_out),
        ("bills issued", f"{played.bills:,}"),
        (
            "repaid",
            f"{played.repaid_in_time:,} in time, {played.repaid_late:,} late, {yuan(played.repaid_minor)}",
        ),
        ("lines suspended", f"{played.suspended_lines:,}"),
        ("credit outstanding", yuan(played.credit_outstanding_minor)),
        ("interest income", yuan(played.interest_income_minor)),
        ("instalment fees", yuan(played.instalment_fee_income_minor)),
        ("merchant fees", yuan(played.merchant_fee_income_minor)),
        ("ledger", f"{played.journals:,} journals, proved at {played.journals_proved_per_s:,} a second"),
    ]
    print_table(["", "played"], rows)
    if played.ledger_ok:
        print_line("The ledger proves itself: no break.", "green")
    for broken in played.ledger_breaks:
        print_line(f"break: {broken}", "red")
