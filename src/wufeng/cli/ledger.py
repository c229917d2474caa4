"""`wufeng ledger`: the proof, the trial balance, an account, a journal."""

from typing import Annotated

import typer
from rich.text import Text

from wufeng.base.clock import SystemClock
from wufeng.base.errors import not_found
from wufeng.base.ids import Prefix, decode
from wufeng.cli.output import AsJson, amount, print_json, print_line, print_table
from wufeng.cli.running import BookName, books_of, choose, database, run
from wufeng.ledger import (
    AccountView,
    JournalView,
    Report,
    Upkeep,
    find_accounts,
    find_journal,
    merged,
    newest_entries,
    trial_balance,
    verify_book,
)
from wufeng.ledger.queries import Entry, TrialLine
from wufeng.payments import LEDGER_CHECKS

commands = typer.Typer(help="Prove the ledger, and look into it.", no_args_is_help=True)

BROKEN = 1


@commands.command(name="verify")
def verify_(
    book: Annotated[str | None, typer.Option("--book", help="Prove one book; default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute everything from the journals and compare, also while payments go on; kept. Exit code 1: a break."""
    report = run(_verify(book))
    if as_json:
        print_json(_shown(report))
    else:
        _print_report(report)
    if report.breaks:
        raise typer.Exit(BROKEN)


async def _verify(name: str | None) -> Report:
    async with database() as started:
        async with started.read() as db:
            books = await books_of(db)
        chosen = list(books.values()) if name is None else [choose(books, name)]
        at = SystemClock().now()
        return merged([await verify_book(started, book, at, LEDGER_CHECKS) for book in chosen])


def _shown(report: Report) -> dict[str, object]:
    return {
        "ok": not report.breaks,
        "buckets": report.buckets,
        "journals": report.journals,
        "legs": report.legs,
        "accounts": report.accounts,
        "holds": report.holds,
        "seconds": round(report.seconds, 3),
        "journals_per_s": report.journals_per_s,
        "breaks": report.breaks,
    }


def _print_report(report: Report) -> None:
    if report.breaks:
        print_table(
            ["bucket", "break", "where", "expected", "found"],
            [(b.bucket, Text(b.kind.value, "red"), b.where, b.expected, b.found) for b in report.breaks],
        )
    size = (
        f"{report.journals:,} journals, {report.legs:,} legs, {report.accounts:,} accounts, {report.holds:,} holds "
        f"in {report.buckets} buckets, {report.seconds:.2f} s ({report.journals_per_s:,} journals/s)"
    )
    if report.breaks:
        print_line(f"{len(report.breaks)} breaks; {size}", "bold red")
    else:
        print_line(f"The ledger is proven: {size}", "bold green")


@commands.command(name="trial-balance")
def trial_balance_(book: BookName = None, as_json: AsJson = False) -> None:
    """Print the balances of a book by kind of account and currency; each currency sums to zero."""
    lines = run(_trial(book))
    if as_json:
        print_json(
            [
                {
                    "currency": line.currency,
                    "kind": line.kind.label if line.kind else None,
                    "class": line.kind.class_.value if line.kind else None,
                    "accounts": line.accounts,
                    "balance_minor": line.balance_minor,
                }
                for line in lines
            ]
        )
        return
    print_table(
        ["currency", "class", "kind", "accounts", "debit", "credit"],
        [_trial_row(line) for line in lines]
        + [_total_row(currency, lines) for currency in _currencies(lines)],
    )


async def _trial(name: str | None) -> list[TrialLine]:
    async with database() as started, started.read() as db:
        return await trial_balance(db, choose(await books_of(db), name).buckets)


def _currencies(lines: list[TrialLine]) -> list[str]:
    return sorted({line.currency for line in lines})


def _trial_row(line: TrialLine) -> tuple[object, ...]:
    return (
        line.currency,
        line.kind.class_.value if line.kind else "",
        line.kind.label if line.kind else Text("unknown", "red"),
        f"{line.accounts:,}",
        amount(line.debit_minor, line.currency) if line.debit_minor else "",
        amount(line.credit_minor, line.currency) if line.credit_minor else "",
    )


def _total_row(currency: str, lines: list[TrialLine]) -> tuple[object, ...]:
    own = [line for line in lines if line.currency == currency]
    debit, credit = sum(line.debit_minor for line in own), sum(line.credit_minor for line in own)
    style = "bold" if debit == credit else "bold red"
    return (
        currency,
        "",
        Text("total", style),
        "",
        Text(amount(debit, currency), style),
        Text(amount(credit, currency), style),
    )


@commands.command()
def account(
    which: Annotated[
        str, typer.Argument(help="acc_…, or its owner: wal_…, lin_…, mer_…, len_…, or the book's name.")
    ],
    entries: Annotated[
        int, typer.Option(min=0, max=1000, help="So many newest entries of each account.")
    ] = 20,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Print an account, or all of an owner: balance and newest entries. Debit is +, credit −."""
    found = run(_account(which, entries, book))
    if as_json:
        print_json(
            [{"account": view, "entries": [_entry(entry) for entry in newest]} for view, newest in found]
        )
        return
    for view, newest in found:
        held = f", held {amount(view.held_minor, view.currency)}" if view.held_minor else ""
        print_line(f"{view.kind} of {view.owner}  {view.id}", "bold")
        print_line(
            f"balance {amount(view.balance_minor, view.currency)} {view.currency}{held} ({view.upkeep.value})"
        )
        if newest:
            print_table(
                ["booked at", "date", "kind", "amount", "balance"], [_entry_row(e, view) for e in newest]
            )


async def _account(which: str, entries: int, name: str | None) -> list[tuple[AccountView, list[Entry]]]:
    async with database() as started, started.read() as db:
        book = choose(await books_of(db), name)
        try:
            views = await find_accounts(db, book, which)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        if not views:
            raise not_found("account")
        found = []
        for view in views:
            id_ = decode(Prefix.ACCOUNT, view.id)
            buckets = book.buckets if view.upkeep is Upkeep.FOLDED else [book.bucket_of(id_)]
            found.append(
                (view, await newest_entries(db, buckets, id_, view.upkeep, entries) if entries else [])
            )
        return found


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "bucket": entry.bucket,
        "seq": entry.seq,
        "booked_at": entry.at,
        "business_on": entry.business_on,
        "kind": entry.kind.label,
        "amount_minor": entry.amount_minor,
        "balance_minor": entry.balance_minor,
    }


def _entry_row(entry: Entry, view: AccountView) -> tuple[object, ...]:
    return (
        entry.at.strftime("%Y-%m-%d %H:%M:%S"),
        entry.business_on,
        entry.kind.label,
        amount(entry.amount_minor, view.currency),
        "" if entry.balance_minor is None else amount(entry.balance_minor, view.currency),
    )


@commands.command()
def journal(
    which: Annotated[str, typer.Argument(help="jnl_…")], book: BookName = None, as_json: AsJson = False
) -> None:
    """Print one journal with its legs."""
    found = run(_journal(which, book))
    if as_json:
        print_json(found)
        return
    print_line(f"{found.id}  {found.kind} of {found.of}", "bold")
    print_line(f"booked {found.created_at:%Y-%m-%d %H:%M:%S} UTC on the business date {found.business_on}")
    if found.reverses:
        print_line(f"reverses {found.reverses}")
    print_table(
        ["account", "owner", "debit", "credit"],
        [
            (
                leg.kind or Text("unknown", "red"),
                leg.owner,
                amount(leg.amount_minor, found.currency) if leg.amount_minor > 0 else "",
                amount(-leg.amount_minor, found.currency) if leg.amount_minor < 0 else "",
            )
            for leg in found.legs
        ],
    )
    note = bytes(found.note).decode()
    if note not in ("", "null", "{}"):
        print_line(f"note {note}")


async def _journal(which: str, name: str | None) -> JournalView:
    async with database() as started, started.read() as db:
        try:
            found = await find_journal(db, choose(await books_of(db), name), which)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        if found is None:
            raise not_found("journal")
        return found
