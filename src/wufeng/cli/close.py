"""`wufeng close`: the day close of a book, by hand. `wufeng serve` does it by itself."""

from typing import Annotated

import typer
from rich.text import Text

from wufeng.app import Background, opened
from wufeng.cli.output import AsJson, print_json, print_line, print_table
from wufeng.cli.running import BookName, choose, installation, run
from wufeng.credit import ClosedDay

FOUND_ERRORS = 1


def command(
    book: BookName = None,
    days: Annotated[
        int, typer.Option(min=0, max=3700, help="Turn a test book's clock on by so many days, closing each.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Close every business date that has ended and is not closed yet. Exit code 1: some rows could not be closed."""
    name, closed = run(_close(book, days))
    if as_json:
        print_json({"book": name, "closes": closed})
    elif not closed:
        print_line(f"Nothing to close in {name}: every date that has ended is closed.")
    else:
        steps = list(dict.fromkeys(step for day in closed for step in day.steps))
        print_table(
            ["date", *steps, "errors"],
            [(day.business_on, *(day.steps.get(step, 0) for step in steps), _errors(day)) for day in closed],
            title=f"Closed in {name}",
        )
    if any(day.errors for day in closed):
        raise typer.Exit(FOUND_ERRORS)


async def _close(name: str | None, days: int) -> tuple[str, list[ClosedDay]]:
    async with opened(installation(), background=Background.OFF) as app:
        book = choose(app.books, name)
        await app.services.followers.catch_up()
        closed = await app.close_days(book)
        if days:
            closed += await app.services.turn_days(book, days)
        await app.services.followers.catch_up()
        return book.name, closed


def _errors(day: ClosedDay) -> Text:
    return Text("; ".join(day.errors), "red") if day.errors else Text("none", "green")
