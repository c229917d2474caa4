"""What the commands print: tables for people, JSON for programs, one line for what went wrong."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wufeng.base.errors import Problem
from wufeng.base.money import exponent_of, format_minor

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
"""The option that every command has."""

ON_RIGHT = frozenset(
    {"amount", "balance", "debit", "credit", "count", "accounts", "journals", "rows", "seconds"}
    | {"principal", "fee", "interest", "instalment", "cost", "merchant pays", "a year"}
    | {"effective", "EU", "US", "30 days late", "highest", "ceiling", "version", "tenor", "number"}
)
"""Columns whose cells are numbers."""


def console() -> Console:
    """Standard output, in colour where it is a terminal."""
    return Console(highlight=False, soft_wrap=True)


def print_line(text: str = "", style: str = "") -> None:
    """One line, as it is: nothing in it is markup."""
    console().print(Text(text, style=style))


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A table; a cell that is a rich Text keeps its colour."""
    table = Table(box=box.SIMPLE, title=title or None, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in ON_RIGHT else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(_plain(cell)) for cell in row))
    console().print(table)


def amount(amount_minor: int, currency: str) -> str:
    """An amount in major units with groups of three: 1,200.50."""
    text = format_minor(abs(amount_minor), currency)
    whole, point, decimals = text.partition(".")
    sign = "-" if amount_minor < 0 else ""
    assert len(decimals) == exponent_of(currency)
    return f"{sign}{int(whole):,}{point}{decimals}"


def complain(error: Exception, *, as_json: bool) -> None:
    """Say on standard error, in one line, why a command was not done."""
    code = error.code.value if isinstance(error, Problem) else "configuration"
    text = (error.detail or str(error)) if isinstance(error, Problem) else str(error)
    if as_json:
        sys.stderr.write(msgspec.json.encode({"error": {"code": code, "detail": text}}).decode() + "\n")
    else:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            Text("wufeng: ", style="bold red") + Text(" ".join(text.split()))
        )


def _plain(cell: object) -> str:
    return "" if cell is None else str(cell)
