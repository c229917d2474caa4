"""`wufeng init`: make an installation."""

from datetime import time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from wufeng.app import Draft, Founded, found
from wufeng.base.books import BUCKET_NUMBERS, Mode
from wufeng.base.config import Settings, load_settings, secrets_path
from wufeng.base.errors import ConfigurationError
from wufeng.base.money import exponent_of
from wufeng.cli.output import AsJson, print_json, print_line
from wufeng.cli.running import run


def command(
    test_book: Annotated[str, typer.Option(help="Name of the test book.")] = "test",
    live_book: Annotated[str, typer.Option(help="Make a live book of this name too.")] = "",
    buckets: Annotated[
        int,
        typer.Option(
            min=1, max=len(BUCKET_NUMBERS), help="Buckets a book: about one a worker on one machine."
        ),
    ] = 2,
    currency: Annotated[str, typer.Option(help="ISO 4217 code of both books.")] = "CNY",
    time_zone: Annotated[str, typer.Option(help="Time zone of the business dates.")] = "Asia/Shanghai",
    cut_off: Annotated[
        str, typer.Option(help="Local time HH:MM at which the next business date begins.")
    ] = "00:00",
    as_json: AsJson = False,
) -> None:
    """Make the database, the secrets, the books, the first keys and the first log-in. Safe to run twice."""
    _check(currency, time_zone)
    settings = load_settings()
    _need_a_place(settings.data_dir)
    names = [(test_book, Mode.TEST)] + ([(live_book, Mode.LIVE)] if live_book else [])
    drafts = [
        Draft(
            name=name,
            mode=mode,
            buckets=buckets,
            currency=currency,
            time_zone=time_zone,
            cut_off=_time(cut_off),
        )
        for name, mode in names
    ]
    made = run(found(settings, drafts))
    if as_json:
        print_json(
            {
                "data_dir": str(settings.data_dir),
                "books": made.books,
                "platform_keys": made.secrets.platform_keys,
                "staff_login": made.secrets.staff_login,
                "staff_password": made.secrets.staff_password,
            }
        )
    else:
        _tell(settings, made)


def _tell(settings: Settings, made: Founded) -> None:
    print_line(f"The installation is in {settings.data_dir}.", "green")
    for name in made.books:
        print_line(f"Made the book {name}.")
    secrets = made.secrets
    if secrets.platform_keys or secrets.staff_login:
        print_line("Shown only now; keep them:", "bold")
    for book, key in secrets.platform_keys.items():
        print_line(f"  platform key of {book}   {key}")
    if secrets.staff_login:
        print_line(f"  staff log-in   {secrets.staff_login} / {secrets.staff_password}")
    if not (made.books or secrets.platform_keys or secrets.staff_login):
        print_line("It was there already; nothing was changed.")
    print_line(
        f"Keep a copy of {secrets_path(settings)} apart from your backups: nothing sealed opens without it."
    )
    print_line("Next: `wufeng doctor`, then `wufeng serve`.")


def _check(currency: str, time_zone: str) -> None:
    try:
        exponent_of(currency)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--currency") from None
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(
            f"{time_zone!r} is no time zone such as Asia/Shanghai", param_hint="--time-zone"
        ) from None


def _need_a_place(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"{data_dir} cannot be made: {error.strerror}") from None


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 23:30", param_hint="--cut-off") from None
