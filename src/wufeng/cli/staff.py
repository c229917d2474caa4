"""`wufeng staff`: who works at the operator. For whoever runs the machine: no session is asked for."""

import secrets
import sys
from typing import Annotated

import typer
from rich.text import Text

from wufeng.base.books import Book
from wufeng.base.clock import SystemClock
from wufeng.base.config import load_secrets
from wufeng.base.errors import ConfigurationError
from wufeng.base.ids import IdMaker
from wufeng.cli.output import AsJson, print_json, print_line, print_table
from wufeng.cli.running import books_of, database, installation, run
from wufeng.identity.staff import commands as work
from wufeng.identity.staff.model import Role, Staff, StaffStatus
from wufeng.identity.staff.queries import list_staff
from wufeng.identity.vault import Private, Vault

commands = typer.Typer(help="Add, list and close members of staff.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="The name to sign in with.")]
FromInput = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input instead of making one."),
]


@commands.command()
def add(
    login: Login,
    role: Annotated[Role, typer.Option(help="What they may do.")],
    name: Annotated[str, typer.Option(help="Their name; default: the log-in.")] = "",
    book: Annotated[list[str] | None, typer.Option(help="Books they work in; default: all.")] = None,
    password_stdin: FromInput = False,
    as_json: AsJson = False,
) -> None:
    """Make a member of staff and print their password once."""
    password, made = _password(password_stdin)
    staff = run(_add(login, name or login, role, book, Private(password)))
    _show_password(staff.login, password if made else None, as_json=as_json)


async def _add(login: str, name: str, role: Role, names: list[str] | None, password: Private) -> Staff:
    vault = Vault(load_secrets(installation()))
    async with database() as started, started.transaction() as db:
        books = await books_of(db)
        chosen: list[Book] = [books.named(one) for one in names] if names else list(books.values())
        if not chosen:
            raise ConfigurationError("there is no book yet: run `wufeng init`")
        return await work.create_staff(
            db, vault, IdMaker(), login, name, password, role, chosen, SystemClock().now()
        )


@commands.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List all members of staff, the closed ones too."""
    rows = run(_list())
    if as_json:
        print_json([{**row, "books": row["books"]} for row in rows])
        return
    colours = {StaffStatus.ACTIVE.value: "green", StaffStatus.CLOSED.value: "dim"}
    print_table(
        ["log-in", "name", "role", "books", "status"],
        [
            (
                row["login"],
                row["name"],
                row["role"],
                ", ".join(row["books"]),
                Text(str(row["status"]), colours[str(row["status"])]),
            )
            for row in rows
        ],
    )


async def _list() -> list[dict[str, str | list[str]]]:
    async with database() as started, started.read() as db:
        books = await books_of(db)
        return [
            {
                "login": staff.login,
                "name": staff.name,
                "role": staff.role.value,
                "books": [books[id_].name for id_ in staff.book_ids if id_ in books],
                "status": staff.status.value,
                "created_at": staff.created_at.isoformat(),
            }
            for staff in await list_staff(db)
        ]


@commands.command()
def close(login: Login, as_json: AsJson = False) -> None:
    """Shut somebody out at once; what they did stays theirs."""
    run(_close(login))
    print_json({"login": login, "status": StaffStatus.CLOSED.value}) if as_json else print_line(
        f"Closed {login}."
    )


async def _close(login: str) -> None:
    async with database() as started:
        await work.close_staff(started, login, SystemClock().now())


@commands.command()
def password(login: Login, password_stdin: FromInput = False, as_json: AsJson = False) -> None:
    """Set a new password, unlock the log-in, and end its sessions."""
    text, made = _password(password_stdin)
    run(_change(login, Private(text)))
    _show_password(login, text if made else None, as_json=as_json)


async def _change(login: str, text: Private) -> None:
    vault = Vault(load_secrets(installation()))
    async with database() as started:
        await work.change_password(started, vault, login, text, SystemClock().now())


def _password(from_input: bool) -> tuple[str, bool]:
    if not from_input:
        return secrets.token_urlsafe(15), True
    return sys.stdin.readline().rstrip("\n"), False


def _show_password(login: str, made: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"login": login, "password": made})
    elif made is None:
        print_line(f"{login} signs in with the password you gave.")
    else:
        print_line(f"{login} signs in with {made} (shown only now).")
